"""The DaapBackup of the state before a restore. Pure."""

from daap_operator.engine.child import Child, Owner, Reasons
from daap_operator.kinds.companions import backup_before
from daap_operator.kinds.restore.reasons import RestoreReason

_LONGEST = 253
_UID_DIGITS = 8

_REASONS = Reasons(
    pending=RestoreReason.PENDING,
    deleted=RestoreReason.PENDING,
    leftover=RestoreReason.PENDING,
    conflict=RestoreReason.OBJECT_CONFLICT,
    rejected=RestoreReason.REJECTED,
)


def safety_backup_name(name: str, uid: str) -> str:
    """The DaapBackup's name: of this DaapRestore and of no later one that has the name."""
    tail = f"-{uid[:_UID_DIGITS]}"
    return f"{name[: _LONGEST - len(tail)].rstrip('-.')}{tail}"


def safety_backup(owner: Owner, name: str, database: str) -> Child:
    """The DaapBackup of a database that is about to be replaced."""
    return backup_before(owner, name, database, _REASONS)
