"""What is remembered of each DaapBackup while this process runs."""

from dataclasses import dataclass, field

from daap_operator.api.v1alpha1 import DaapBackupStatus
from daap_operator.engine.controller import Outcome, Turn
from daap_operator.engine.patience import Patience
from daap_operator.engine.subject import Subject

BackupTurn = Turn[DaapBackupStatus]
BackupOutcome = Outcome[DaapBackupStatus]
BackupSubject = Subject[DaapBackupStatus]


@dataclass
class Doubt:
    """Since when something looks as if it had failed."""

    what: str = ""
    """The uid of the object that it is about; empty while nothing does."""
    since: float = 0.0

    def lasted(self, what: str, now: float) -> float:
        """Seconds that it has looked so; it begins with the first call, and anew for another."""
        if what != self.what:
            self.what, self.since = what, now
        return now - self.since

    def end(self) -> None:
        """It does not look so any more."""
        self.what = ""


@dataclass
class Memory:
    """Of one DaapBackup."""

    doubt: Doubt = field(default_factory=Doubt)
    idle: Doubt = field(default_factory=Doubt)
    """While its Backup is not begun."""
    patience: Patience = field(default_factory=Patience)
    """With what keeps it from being begun."""
