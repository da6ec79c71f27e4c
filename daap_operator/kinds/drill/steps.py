"""The steps of a drill: begun, restored, checked. Each may be repeated, whatever has cut it off."""

from datetime import datetime, timedelta

from daap_operator import raw
from daap_operator.api.v1alpha1 import DaapDrillSpec, DaapDrillStatus, DrillPhase, RestoreSeconds
from daap_operator.engine.children import ensure
from daap_operator.engine.kinds import Object, Ref
from daap_operator.engine.ownership import OWNED, belongs_to
from daap_operator.errors import Outage, Stalled, Waiting
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.kinds.drill import checking, desired
from daap_operator.kinds.drill.cleanup import owner_of, scratch_of
from daap_operator.kinds.drill.memory import Choices, DrillTurn, Memory
from daap_operator.kinds.drill.prospect import Prospect, backup_id_of, in_turn, prospect
from daap_operator.kinds.drill.reasons import DrillReason
from daap_operator.kinds.drill.result import Found, of_job
from daap_operator.kinds.drill.watched import MOST_PODS, OF_SCRATCH, RESTORING
from daap_operator.kinds.recovery import Impossible
from daap_operator.kinds.recovery_log import (
    CONTAINER,
    MEASURED_LINES,
    failed_pods,
    measured,
    succeeded_pod,
)
from daap_operator.kinds.recovery_read import why_failed
from daap_operator.kube import ApiError

TRIES = 2
"""Tries to restore that may fail before the drill has: an object store may be away for a moment."""

_AT_ONCE = ("before configured recovery target", "no target backup found", "incompatible")
"""What the words of a failed try contain that no other try would make better."""

_GIVEN_UP = "Cluster cannot proceed to reconciliation due to an unrecoverable"
"""How the phase of a Cluster begins for which CloudNativePG tries nothing any more."""


# --- the beginning --------------------------------------------------------------------------------


async def sought(turn: DrillTurn, spec: DaapDrillSpec, choices: Choices) -> Prospect:
    """What is restored, if it is the drill's turn; raises Waiting, Stalled and Impossible."""
    if not choices.image:
        raise Stalled(
            DrillReason.IMAGE_UNKNOWN,
            "The operator does not know which image the checks are to run from: the platform team "
            "must set DAAP_DRILL_IMAGE to the operator's own",
        )
    world, metadata = turn.world, turn.subject.metadata
    found = prospect(world.store, metadata, spec, world.now())
    in_turn(world.store, metadata, found.store)
    if found.backup_name is None:
        return found
    backup = await world.kube.get(known.BACKUP, metadata.namespace, found.backup_name)
    return found._replace(backup_id=backup_id_of(backup, found))


async def begin(turn: DrillTurn, found: Prospect) -> None:
    """Write down what is restored, and into which Cluster, before there is one."""
    await turn.note(
        database=found.database,
        store=found.store,
        archive=found.archive,
        at=found.at,
        backup_id=found.backup_id,
        cluster_name=scratch_of(turn.subject),
        started_at=turn.world.now().replace(microsecond=0),
        phase=DrillPhase.RESTORING,
    )


def overdue(turn: DrillTurn, seconds: float) -> bool:
    """Whether the drill has taken longer than it may."""
    return left(turn, seconds) <= 0


def left(turn: DrillTurn, seconds: float) -> float:
    """Seconds that the drill may still take."""
    started = turn.subject.status.started_at or turn.world.now()
    return (started + timedelta(seconds=seconds) - turn.world.now()).total_seconds()


# --- the restore ----------------------------------------------------------------------------------


async def restored(turn: DrillTurn, memory: Memory, choices: Choices) -> int | None:
    """The seconds until the scratch Cluster served; None while it does not.

    Raises Impossible when the backup cannot be restored.
    """
    cluster = await _made(turn, choices)
    await _measured(turn, memory)
    if (served := _served(cluster)) is not None:
        return served
    if why := await _failure(turn, memory, cluster):
        raise Impossible(DrillReason.RESTORE_FAILED, why)
    return None


async def _made(turn: DrillTurn, choices: Choices) -> Object:
    """The scratch Cluster, created once there is the policy that closes it off."""
    world, owner, name = turn.world, owner_of(turn.subject), scratch_of(turn.subject)
    ref = Ref(known.CLUSTER, owner.namespace, name)
    there = world.store.get(ref)
    if there is not None and belongs_to(there, owner.kind, owner.uid):
        return there
    closed = desired.policy_spec(name, choices.ports)
    policy = desired.child(known.NETWORK_POLICY, owner, name, closed)
    made = desired.child(known.CLUSTER, owner, name, _scratch_spec(turn))
    for each in (policy, made):
        ensured = await ensure(world.kube, world.store, owner, each)
        if problem := ensured.problem():
            raise problem
    if (there := world.store.get(ref)) is None:
        raise Waiting(DrillReason.PENDING, f"Cluster {name} has just changed", seconds=1.0)
    return there


def _scratch_spec(turn: DrillTurn) -> dict[str, object]:
    status, namespace = turn.subject.status, turn.subject.key.namespace
    of = status.database
    database = turn.world.store.get(Ref(known.DATABASE, namespace, of.name if of else ""))
    if of is None or raw.text(database, "metadata", "uid") != of.uid:
        name = raw.text(turn.subject.spec, "databaseRef", "name")
        why = f"DaapDatabase {name} was deleted before its backup was restored"
        raise Impossible(DrillReason.DATABASE_MISSING, why)
    cluster = turn.world.store.get(Ref(known.CLUSTER, namespace, of.cluster_name)) or {}
    made = desired.scratch_spec(cluster, status, raw.text(database, "status", "databaseName"))
    if made is None:
        told = f"DaapDatabase {of.name} has no Cluster of its own at the moment"
        raise Waiting(DrillReason.DATABASE_NOT_READY, told)
    return made


def _served(cluster: raw.Object) -> int | None:
    """Seconds from its creation until it was ready; None while it is not."""
    created = raw.moment(cluster, "metadata", "creationTimestamp")
    for condition in raw.items(cluster, "status", "conditions"):
        ready = raw.text(condition, "type") == "Ready" and raw.text(condition, "status") == "True"
        since = raw.moment(condition, "lastTransitionTime")
        if ready and created and since:
            return max(0, round((since - created).total_seconds()))
    return None


async def _failure(turn: DrillTurn, memory: Memory, cluster: Object) -> str:
    """Why the backup cannot be restored; empty while another try may yet do it."""
    name = turn.subject.status.cluster_name or ""
    failed = failed_pods(_pods(turn, RESTORING))
    for pod in failed[-TRIES:]:
        await _read(turn, memory, pod)
    said = [memory.read.get(raw.text(pod, "metadata", "uid"), "") for pod in failed]
    told = next(filter(None, reversed(said)), "")
    given_up = raw.text(cluster, "status", "phase").startswith(_GIVEN_UP)
    if len(failed) < TRIES and not given_up and not any(sign in told for sign in _AT_ONCE):
        return ""
    because = f": {told}" if told else f", and the log of Cluster {name} does not say why"
    return f"The backup cannot be restored{because}"


async def _read(turn: DrillTurn, memory: Memory, pod: Object) -> None:
    """Read why a try has failed, once; that it may not be read ends no pass.

    Raises Outage when the API server does not answer: the cause is known once it does.
    """
    uid, name = (raw.text(pod, "metadata", field) for field in ("uid", "name"))
    if uid in memory.read:
        return
    try:
        why = await why_failed(turn.world.kube, turn.subject.key.namespace, name)
    except ApiError:
        why = ""
    memory.read[uid] = why


async def _measured(turn: DrillTurn, memory: Memory) -> None:
    """Note how long base backup and replay took, once, while the pod that did it is there.

    CloudNativePG deletes it soon: then the total alone is known.
    """
    pod = succeeded_pod(_pods(turn, RESTORING))
    uid, name = (raw.text(pod, "metadata", field) for field in ("uid", "name"))
    if pod is None or uid in memory.read or turn.subject.status.restore_seconds:
        return
    memory.read[uid] = ""
    place = turn.subject.key.namespace, name, CONTAINER
    try:
        found = measured(await turn.world.kube.log(*place, lines=MEASURED_LINES))
    except Outage:
        return
    if found.replayed is not None or found.recovered_to:
        seconds = RestoreSeconds(
            base=_base(pod, found.replay_began),
            wal=None if found.replayed is None else round(found.replayed),
        )
        to = found.recovered_to
        await turn.note(restore_seconds=seconds, recovered_to=to and to.replace(microsecond=0))


def _base(pod: Object, until: datetime | None) -> int | None:
    """Seconds from the start of the container that restores until the replay began."""
    for each in raw.items(pod, "status", "containers"):
        since = raw.moment(each, "ended", "startedAt")
        if raw.text(each, "name") == CONTAINER and since and until and until >= since:
            return round((until - since).total_seconds())
    return None


def _pods(turn: DrillTurn, index: str = OF_SCRATCH) -> list[Object]:
    place = turn.subject.key.namespace, turn.subject.status.cluster_name
    return turn.world.store.by(known.POD, index, place, MOST_PODS)


# --- the checks -----------------------------------------------------------------------------------


async def checked(turn: DrillTurn, spec: DaapDrillSpec, choices: Choices) -> Found | None:
    """What the checks have found; None while they run. Raises Impossible when they cannot."""
    world, owner, name = turn.world, owner_of(turn.subject), scratch_of(turn.subject)
    ref = Ref(known.JOB, owner.namespace, name)
    there = world.store.get(ref)
    if there is None or not belongs_to(there, owner.kind, owner.uid):
        made = desired.child(known.JOB, owner, name, _job_spec(turn, spec, choices))
        ensured = await ensure(world.kube, world.store, owner, made)
        if problem := ensured.problem():
            raise problem
    job = world.store.get(ref)
    if found := of_job(_pods(turn), raw.text(job, "metadata", "uid")):
        return found
    for condition in raw.items(job, "status", "conditions"):
        if raw.text(condition, "status") == "True":
            why = raw.text(condition, "message") or "they left no result"
            told = f"The checks could not be run: {why}" + _waits(_pods(turn))
            raise Impossible(DrillReason.CHECKS_FAILED, told)
    return None


def _job_spec(turn: DrillTurn, spec: DaapDrillSpec, choices: Choices) -> dict[str, object]:
    name, namespace = scratch_of(turn.subject), turn.subject.key.namespace
    applied = raw.mapping(turn.world.store.get(Ref(known.CLUSTER, namespace, name)), OWNED)
    return checking.job_spec(
        cluster=name,
        database=raw.text(applied, "spec", "bootstrap", "recovery", "database"),
        images=(raw.text(applied, "spec", "imageName"), choices.image),
        queries=spec.queries,
        seconds=max(1, round(left(turn, choices.seconds))),
    )


def _waits(pods: list[Object]) -> str:
    """What a container of the drill waits for, where that is known."""
    for pod in pods:
        for each in raw.items(pod, "status", "containers"):
            if reason := raw.text(each, "waiting", "reason"):
                return f" ({reason} {raw.text(each, 'waiting', 'message')})".rstrip()
    return ""


def what_holds(turn: DrillTurn) -> str:
    """What a drill that takes too long was waiting for."""
    return _waits([*_pods(turn), *_pods(turn, RESTORING)])


# --- the result -----------------------------------------------------------------------------------


def passed(status: DaapDrillStatus, found: Found, now: datetime) -> dict[str, object]:
    """What is noted of the result of the checks."""
    noted: dict[str, object] = {
        "checks": found.checks,
        "backup_id": found.backup_id or status.backup_id,
    }
    if found.failure:
        return noted | failed(found.failure, now)
    return noted | {"result": DrillPhase.PASSED, "completed_at": now.replace(microsecond=0)}


def failed(why: Finding, now: datetime) -> dict[str, object]:
    """What is noted of a drill that has failed."""
    return {
        "result": DrillPhase.FAILED,
        "reason": str(why.reason),
        "error": why.message[:2048],
        "completed_at": now.replace(microsecond=0),
    }
