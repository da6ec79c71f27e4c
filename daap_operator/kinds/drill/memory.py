"""What is remembered of each DaapDrill while this process runs, and the platform's choices."""

from dataclasses import dataclass, field

from daap_operator.api.v1alpha1 import DaapDrillStatus
from daap_operator.engine.controller import Outcome, Turn
from daap_operator.engine.patience import Patience
from daap_operator.engine.subject import Subject

DrillTurn = Turn[DaapDrillStatus]
DrillOutcome = Outcome[DaapDrillStatus]
DrillSubject = Subject[DaapDrillStatus]


@dataclass(frozen=True)
class Choices:
    """What the platform team has decided for all drills."""

    image: str
    """Of the container that asks the queries: the operator's own; empty where it is not known."""
    seconds: float
    """How long a drill may take before it has failed."""
    ports: tuple[int, ...]
    """TCP ports that the scratch Cluster may reach: of the API server and the stores."""


@dataclass
class Memory:
    """Of one DaapDrill."""

    patience: Patience = field(default_factory=Patience)
    """With what keeps it from getting on."""
    read: dict[str, str] = field(default_factory=dict)
    """Why tries to restore have failed, by their pods' uids; empty where the log is silent."""
