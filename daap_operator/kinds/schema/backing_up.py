"""The DaapBackup of a database before a plan is applied, where that is asked for."""

from daap_operator import raw
from daap_operator.api.meta import ConditionType
from daap_operator.api.v1alpha1 import BackupPhase
from daap_operator.engine.child import Child, Owner, Reasons
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.companions import backup_before
from daap_operator.kinds.ordered import ordered
from daap_operator.kinds.schema.memory import SchemaTurn
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.told import message

_REASONS = Reasons(
    pending=SchemaReason.BACKING_UP,
    deleted=SchemaReason.BACKING_UP,
    leftover=SchemaReason.BACKING_UP,
    conflict=SchemaReason.OBJECT_CONFLICT,
    rejected=SchemaReason.REJECTED,
)


async def backed_up(turn: SchemaTurn, name: str) -> None:
    """Return once there is a backup of the present state, which is ordered first.

    Raises Waiting while it is made, and Stalled when somebody has to act for it.
    """
    world, subject = turn.world, turn.subject
    database = raw.text(subject.spec, "databaseRef", "name")
    owner = turn.owner
    its = world.store.get(Ref(known.DATABASE, owner.namespace, database))
    if not raw.text(its, "status", "backup", "store"):
        raise Stalled(
            SchemaReason.BACKUP_FAILED,
            f"spec.backupBefore is true, and the backups of DaapDatabase {database} are off: set "
            "its spec.backup.enabled to true, or spec.backupBefore to false",
        )
    wanted = child(owner, name, database)
    found = await ordered(world, owner, wanted, database)
    if found is None:
        told = f"DaapBackup {name} is not a backup of DaapDatabase {database}: delete it"
        raise Stalled(SchemaReason.OBJECT_CONFLICT, told)
    _judge(found, name)


def child(owner: Owner, name: str, database: str) -> Child:
    """The DaapBackup of a database that a plan is about to be applied to."""
    return backup_before(owner, name, database, _REASONS)


def _judge(backup: raw.Object, name: str) -> None:
    phase = raw.text(backup, "status", "phase")
    if phase == BackupPhase.COMPLETED:
        return
    ready, stalled = (
        message(backup, kind) for kind in (ConditionType.READY, ConditionType.STALLED)
    )
    if phase == BackupPhase.FAILED or stalled:
        raise Stalled(
            SchemaReason.BACKUP_FAILED,
            f"DaapBackup {name}, which is to be there before the plan is applied, is not made: "
            f"{(stalled or ready).rstrip('.')}. Delete it to have another one made, or set "
            "spec.backupBefore to false",
        )
    told = f"DaapBackup {name} is made before the plan is applied"
    raise Waiting(SchemaReason.BACKING_UP, f"{told}: {ready}" if ready else told)
