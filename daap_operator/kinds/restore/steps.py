"""The steps of a restore before and while its Cluster is replaced: each may be repeated."""

from daap_operator import raw
from daap_operator.api.meta import ConditionType
from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import (
    BackupPhase,
    DaapRestoreSpec,
    DaapRestoreStatus,
    SafetyBackup,
    SafetyBackupStatus,
)
from daap_operator.engine.kinds import Object, Ref
from daap_operator.engine.store import Store
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.ordered import ordered
from daap_operator.kinds.recovery import Impossible
from daap_operator.kinds.restore import desired, status
from daap_operator.kinds.restore.memory import RestoreSubject, RestoreTurn
from daap_operator.kinds.restore.progress import taken_by, taken_by_name
from daap_operator.kinds.restore.prospect import prospect
from daap_operator.kinds.restore.reasons import RestoreReason
from daap_operator.kinds.told import message

# --- before ---------------------------------------------------------------------------------------


async def begin(turn: RestoreTurn, spec: DaapRestoreSpec) -> None:
    """Write down what is restored, from what, and instead of which Cluster, before anything is."""
    subject = turn.subject
    source, cluster_uid = prospect(turn.world.store, subject.metadata, spec, turn.world.now())
    name = desired.safety_backup_name(subject.key.name, subject.metadata.uid)
    required = spec.safety_backup is SafetyBackup.REQUIRED
    await turn.note(
        source=source,
        cluster_uid=cluster_uid,
        safety_backup=SafetyBackupStatus(name=name) if required else None,
    )


async def backed_up(turn: RestoreTurn, safety: SafetyBackupStatus) -> SafetyBackupStatus:
    """What there is to say of the backup of the state before, once it is completed.

    Raises Waiting while it is being made, Stalled when somebody has to act for it, and Impossible
    when it has failed.
    """
    world, subject = turn.world, turn.subject
    name = database_of(subject)
    owner = turn.owner
    child = desired.safety_backup(owner, safety.name, name)
    found = await ordered(world, owner, child, name)
    if found is None:
        raise Stalled(
            RestoreReason.OBJECT_CONFLICT,
            f"DaapBackup {safety.name} is not a backup of DaapDatabase {name}: delete it",
        )
    return _judged(turn.subject.status, safety, found, name)


def _judged(
    before: DaapRestoreStatus, safety: SafetyBackupStatus, backup: Object, database: str
) -> SafetyBackupStatus:
    phase = raw.text(backup, "status", "phase")
    ready, stalled = (
        message(backup, kind) for kind in (ConditionType.READY, ConditionType.STALLED)
    )
    if phase == BackupPhase.COMPLETED and raw.text(backup, "status", "endWal"):
        return status.facts(safety, backup)
    if phase in (BackupPhase.COMPLETED, BackupPhase.FAILED):
        why = ready if phase == BackupPhase.FAILED else "it does not say where it ends (endWal)"
        raise Impossible(
            RestoreReason.SAFETY_BACKUP_FAILED,
            f"the safety backup, DaapBackup {safety.name}, has failed: {why.rstrip('.')}",
        )
    if stalled:
        raise Stalled(
            RestoreReason.SAFETY_BACKUP_STALLED,
            f"The safety backup, DaapBackup {safety.name}, cannot be made: {stalled}. If it cannot "
            "be made any more, create a DaapRestore with spec.safetyBackup 'Skip' instead",
        )
    told = (
        f"DaapDatabase {database} is to be restored to {status.target(before)}. First DaapBackup "
        f"{safety.name} is made of its present state"
    )
    waits = ready and phase == BackupPhase.PENDING
    raise Waiting(RestoreReason.SAFETY_BACKUP, f"{told}: {ready}" if waits else told)


# --- the Cluster ----------------------------------------------------------------------------------


def _cluster_ref(store: Store, subject: RestoreSubject) -> Ref:
    name = raw.text(store.get(database_ref(subject)), "status", "clusterName")
    return Ref(known.CLUSTER, subject.key.namespace, name)


def still_there(store: Store, subject: RestoreSubject) -> bool:
    """Whether the Cluster that is to be replaced is there, as far as is known."""
    return _is_the_one(store.get(_cluster_ref(store, subject)), subject)


def may_go_on(store: Store, subject: RestoreSubject) -> bool:
    """Whether the Cluster is there, and so is a database that will have it replaced."""
    return still_there(store, subject) and not _is_going(store.get(database_ref(subject)))


def _is_going(database: raw.Object | None) -> bool:
    """Whether the database is being deleted: it takes nothing on any more."""
    return bool(raw.value(database, "metadata", "deletionTimestamp"))


def _is_the_one(cluster: raw.Object | None, subject: RestoreSubject) -> bool:
    return raw.text(cluster, "metadata", "uid") == subject.status.cluster_uid


async def verify(turn: RestoreTurn) -> None:
    """Raise Impossible when the Cluster or its database is gone or going, and not by this restore.

    Read in this order: whoever deletes the Cluster for this restore has noted that before. Raises
    Waiting when it was only the store that was behind.
    """
    world, subject = turn.world, turn.subject
    name = database_of(subject)
    ref = _cluster_ref(world.store, subject)
    cluster = await world.kube.get(*ref) if ref.name else None
    database = await world.kube.get(*database_ref(subject))
    taken = taken_by(database) == subject.metadata.uid
    if not taken and _is_going(database):
        why = f"DaapDatabase {name} is being deleted"
        raise Impossible(RestoreReason.DATABASE_MISSING, why)
    if taken or _is_the_one(cluster, subject):
        raise Waiting(RestoreReason.REPLACING, f"DaapDatabase {name} has just changed", seconds=1.0)
    if database is None:
        why = f"DaapDatabase {name} does not exist any more"
        raise Impossible(RestoreReason.DATABASE_MISSING, why)
    raise Impossible(
        RestoreReason.CLUSTER_REPLACED,
        f"the Cluster of DaapDatabase {name} that was to be replaced is gone, or there is another "
        "one",
    )


async def overtaken(turn: RestoreTurn) -> tuple[RestoreReason, str]:
    """Why what was being restored is not any more: another restore, or the database's deletion.

    Raises Waiting when it was only the store that was behind.
    """
    ref = database_ref(turn.subject)
    database = await turn.world.kube.get(*ref)
    if taken_by(database) == turn.subject.metadata.uid:
        raise Waiting(CommonReason.RETRYING, f"DaapDatabase {ref.name} has just changed")
    if database is None:
        why = f"DaapDatabase {ref.name} was deleted while it was being restored"
        return RestoreReason.DATABASE_MISSING, why
    by = taken_by_name(database)
    return RestoreReason.SUPERSEDED, status.superseded(turn.subject.status, by)


def database_of(subject: RestoreSubject) -> str:
    """The name of the database that is restored."""
    return raw.text(subject.spec, "databaseRef", "name")


def database_ref(subject: RestoreSubject) -> Ref:
    """The reference to it."""
    return Ref(known.DATABASE, subject.key.namespace, database_of(subject))
