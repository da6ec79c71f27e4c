"""What is remembered of each DaapRestore while this process runs."""

from dataclasses import dataclass, field

from daap_operator.api.v1alpha1 import DaapRestoreStatus
from daap_operator.engine.controller import Outcome, Turn
from daap_operator.engine.patience import Patience
from daap_operator.engine.subject import Subject

RestoreTurn = Turn[DaapRestoreStatus]
RestoreOutcome = Outcome[DaapRestoreStatus]
RestoreSubject = Subject[DaapRestoreStatus]


@dataclass
class Memory:
    """Of one DaapRestore."""

    patience: Patience = field(default_factory=Patience)
    """With what keeps it from getting on."""
