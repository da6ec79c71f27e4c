"""DaapBackups: wait for the database, have one Backup made, report what becomes of it."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from daap_operator import raw
from daap_operator.api.meta import Metadata
from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import BackupPhase, DaapBackup, DaapBackupStatus
from daap_operator.engine.child import Child, Owner, in_the_way
from daap_operator.engine.children import delete, ensure
from daap_operator.engine.controller import Controller
from daap_operator.engine.kinds import Object, Ref
from daap_operator.engine.patience import PASSING
from daap_operator.engine.store import Store
from daap_operator.engine.subject import validated
from daap_operator.engine.world import World
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.findings import Finding
from daap_operator.kinds import cnpg_backups, known
from daap_operator.kinds.backup import desired, status
from daap_operator.kinds.backup.memory import BackupOutcome, BackupSubject, BackupTurn, Memory
from daap_operator.kinds.backup.metrics import METRICS, measured
from daap_operator.kinds.backup.prospect import Place, place, retention, written_to
from daap_operator.kinds.backup.reasons import BackupReason
from daap_operator.kinds.backup.rights import RIGHTS
from daap_operator.kinds.backup.row import BACKUPS, Row, row
from daap_operator.kinds.backup.watched import WATCHES
from daap_operator.samples import Samples

DOUBT_SECONDS = 60.0
"""How long a Backup that has failed may still come to something: CloudNativePG leaves that phase
when it tries again."""

BEGIN_SECONDS = 60.0
"""How long CloudNativePG may take to begin a Backup before somebody is told to look."""

STALLED_SECONDS = 60.0
"""When to look again at what only a person can change, in case no event says that it is; then after
as long as it has lasted."""

DELETING_SECONDS = 5.0

UNSEEN_SECONDS = 30.0


class BackupController(Controller[DaapBackupStatus]):
    """DaapBackups."""

    kind = known.DAAP_BACKUP
    status = DaapBackupStatus
    watches = WATCHES
    rights = RIGHTS
    table = BACKUPS
    metrics = METRICS

    def __init__(self) -> None:
        self._memories: dict[Ref, Memory] = {}

    # what becomes of it ---------------------------------------------------------------------------

    async def serve(self, turn: BackupTurn) -> BackupOutcome:
        """Have the Backup made that there is to be, once, and report what becomes of it."""
        if turn.subject.status.over:
            return BackupOutcome(_final(turn))
        database = validated(turn.subject.seen, DaapBackup, DaapBackupStatus).spec.database_ref.name
        running = turn.subject.status.phase is BackupPhase.RUNNING
        try:
            found = await self._found(turn, seen=running)
            if found is None and not running:
                there = place(turn.world.store, turn.subject.key.namespace, database)
        except (Stalled, Waiting) as problem:
            return self._held(turn, problem)
        if found is not None:
            return self._followed(turn, database, found)
        if running:
            return BackupOutcome(_final(turn, phase=BackupPhase.FAILED))
        return await self._begin(turn, database, there)

    async def _found(self, turn: BackupTurn, *, seen: bool) -> Object | None:
        """The Backup, if it is there; raises what is in the way when it is another's.

        One that was seen is asked for before it counts as gone: that cannot be taken back.
        """
        owner, child = _backup(turn.subject)
        world = turn.world
        found = world.store.get(child.ref)
        if found is None and seen:
            found = await _live(world, child.ref)
        if found is not None and (problem := in_the_way(child, owner, found)):
            raise problem
        return found

    async def _begin(self, turn: BackupTurn, database: str, there: Place) -> BackupOutcome:
        """Have the Backup made, once that is written down."""
        await _note(turn, there)
        owner, child = _backup(turn.subject, database=database, cluster=there.cluster)
        ensured = await ensure(turn.world.kube, turn.world.store, owner, child)
        if problem := ensured.problem():
            return self._held(turn, problem)
        # One that lacks its label is there all the same
        made = turn.world.store.get(child.ref) or await _live(turn.world, child.ref)
        if made is None:
            raise Waiting(BackupReason.PENDING, f"{child.title} has just changed", seconds=1.0)
        return self._followed(turn, database, made)

    def _held(self, turn: BackupTurn, problem: Problem) -> BackupOutcome:
        """It is not begun: look again the later, the longer that has lasted."""
        patience, now = self._memory(turn).patience, turn.world.monotonic()
        what = turn.subject.metadata.uid, problem.finding.reason
        if isinstance(problem, Stalled):
            again = partial(patience.pause, what, now, first=STALLED_SECONDS)
            return BackupOutcome(self.refused(turn, problem), again)
        verdict = status.underway(problem.finding, _phase(turn.subject))
        again = partial(patience.pause, what, now, first=problem.seconds, part=PASSING)
        return BackupOutcome(turn.status(verdict), again)

    def _followed(self, turn: BackupTurn, database: str, backup: Object) -> BackupOutcome:
        """What has become of the Backup."""
        memory, world = self._memory(turn), turn.world
        memory.patience.end()
        exists = world.store.get(Ref(known.DATABASE, turn.subject.key.namespace, database))
        idle = self._idle(turn, backup)
        why = status.in_the_way(world.store.get(cnpg_backups.cluster_of(backup)), late=idle <= 0)
        told = status.told(backup, database=database, exists=exists is not None, in_the_way=why)
        fields = status.facts(backup) | {"backup_name": backup["metadata"]["name"]}
        if told.over:
            began, place = fields.get("started_at"), turn.subject.key.namespace
            if there := written_to(world.store, place, database, began):
                fields |= there._asdict()
            return BackupOutcome(_final(turn, phase=BackupPhase.COMPLETED, **fields))
        if not told.doubtful:
            memory.doubt.end()
            verdict = status.underway(told.finding, BackupPhase.RUNNING)
            return BackupOutcome(turn.status(verdict, **fields), _again(world, backup, idle))
        lasted = memory.doubt.lasted(backup["metadata"]["uid"], world.monotonic())
        if lasted >= DOUBT_SECONDS:
            error = status.cut(_error(told.finding, backup))
            return BackupOutcome(_final(turn, phase=BackupPhase.FAILED, error=error, **fields))
        verdict = status.underway(told.finding, BackupPhase.RUNNING)
        return BackupOutcome(turn.status(verdict, **fields), lambda: DOUBT_SECONDS - lasted)

    def _idle(self, turn: BackupTurn, backup: Object) -> float:
        """The seconds that CloudNativePG may still take to begin it; for ever once it has begun."""
        idle = self._memory(turn).idle
        if status.is_begun(backup):
            idle.end()
            return float("inf")
        return BEGIN_SECONDS - idle.lasted(backup["metadata"]["uid"], turn.world.monotonic())

    async def remove(self, turn: BackupTurn) -> BackupOutcome | None:
        """Delete the Backup, and nothing that it has written."""
        left = await delete(turn.world.kube, turn.world.store, *_backup(turn.subject))
        if left is None:
            return None
        told = f"Waiting for {left.what} to be gone. If this lasts, {left.remedy}"
        why = Finding(CommonReason.DELETING, told)
        verdict = status.underway(why, _phase(turn.subject))
        return BackupOutcome(turn.status(verdict), lambda: DELETING_SECONDS)

    def refused(self, turn: BackupTurn, refusal: Stalled) -> DaapBackupStatus:
        """What is over stays as it is."""
        if turn.subject.status.over:
            return _final(turn)
        return turn.status(status.held(refusal.finding, _phase(turn.subject)))

    def troubled(self, turn: BackupTurn, trouble: Waiting) -> DaapBackupStatus | None:
        """What is over stays as it is, until its deletion."""
        if turn.subject.status.over and not turn.subject.metadata.deleting:
            return None
        return turn.status(status.underway(trouble.finding, _phase(turn.subject)))

    # what is reported -----------------------------------------------------------------------------

    def row(self, metadata: Metadata, spec: raw.Object, status: DaapBackupStatus) -> Row:
        """Its row, which follows it."""
        return row(metadata, spec, status)

    def samples(self, store: Store) -> Iterator[Samples]:
        """What there is to report of the backups."""
        return measured([store.get(key) or {} for key in store.refs(known.DAAP_BACKUP)])

    def last_words(self, subject: BackupSubject) -> dict[str, object]:
        """What stays in the store."""
        return {"backup_id": subject.status.backup_id, "archive": subject.status.archive}

    def forget(self, key: Ref) -> None:
        """Drop the notes."""
        self._memories.pop(key, None)

    def _memory(self, turn: BackupTurn) -> Memory:
        return self._memories.setdefault(turn.subject.key, Memory())


async def _live(world: World, ref: Ref) -> Object | None:
    """An object as the API server has it now, as the store would keep it."""
    found = await world.kube.get(*ref)
    return None if found is None else world.store.kept(ref.kind, found)


def _backup(
    subject: BackupSubject, *, database: str = "", cluster: str = ""
) -> tuple[Owner, Child]:
    """The Backup as it is to be; without a Cluster as it is to be found."""
    owner = Owner(*subject.key, subject.metadata.uid)
    return owner, desired.backup(owner, _name(subject), database=database, cluster=cluster)


def _name(subject: BackupSubject) -> str:
    """The Backup's, as it was noted or is to be."""
    noted = subject.status.backup_name
    return noted or desired.backup_name(subject.key.name, subject.metadata.uid)


async def _note(turn: BackupTurn, there: Place) -> None:
    """Write down what is made and where to, before it is: a Backup that exists is in a status."""
    subject = turn.subject
    wanted = {
        "backup_name": _name(subject),
        "store": there.store,
        "archive": there.archive,
        "postgres_version": there.postgres_version,
    }
    if any(getattr(subject.status, field) != value for field, value in wanted.items()):
        await turn.note(**wanted)


def _again(world: World, backup: Object, idle: float) -> Callable[[], float] | None:
    """When to look again at what is being made; no event tells of a Backup without its label."""
    if world.store.get(Ref.of(known.BACKUP, backup)) is None:
        return lambda: UNSEEN_SECONDS
    return (lambda: idle) if 0 < idle <= BEGIN_SECONDS else None


def _phase(subject: BackupSubject) -> BackupPhase:
    return subject.status.phase or BackupPhase.PENDING


def _error(finding: Finding, backup: Object) -> str:
    return cnpg_backups.error(backup) if finding.reason == BackupReason.FAILING else finding.message


def _final(turn: BackupTurn, **fields: Any) -> DaapBackupStatus:
    """The status of what is over; with what has just come to be known."""
    known_now = turn.subject.status.model_copy(update=fields)
    database = raw.text(turn.subject.spec, "databaseRef", "name")
    kept = retention(turn.world.store, turn.subject.key.namespace, known_now.store or "")
    return turn.status(status.final(known_now, database, kept), **fields)
