"""What is remembered of each DaapSchema while this process runs, and the platform's choices."""

from dataclasses import dataclass, field

from daap_operator.api.v1alpha1 import DaapSchemaStatus
from daap_operator.engine.controller import Outcome, Turn
from daap_operator.engine.patience import Patience
from daap_operator.engine.subject import Subject
from daap_operator.findings import Finding

SchemaTurn = Turn[DaapSchemaStatus]
SchemaOutcome = Outcome[DaapSchemaStatus]
SchemaSubject = Subject[DaapSchemaStatus]


@dataclass(frozen=True)
class Choices:
    """What the platform team has decided for all schemas."""

    image: str
    """That the Jobs run from: the operator's own; empty where it is not known."""
    verify_seconds: float
    """How often a database is compared with what its files have made."""


@dataclass
class Memory:
    """Of one DaapSchema."""

    patience: Patience = field(default_factory=Patience)
    """With what keeps it from getting on."""
    slow: Patience = field(default_factory=Patience)
    """With a Job that takes its time: it costs requests to find out why."""
    asked: float = float("-inf")
    """When it was last asked why a Job does not get on, by a clock that never jumps."""
    why: str = ""
    """What was found then."""
    stuck: Finding | None = None
    """The same where it is an image with files that is not mounted."""
