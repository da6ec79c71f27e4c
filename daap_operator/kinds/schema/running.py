"""A Job of a schema: made, waited for, and its report read. Each step may be repeated."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import NamedTuple

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import DaapSchema, DaapSchemaSpec, DaapSchemaStatus
from daap_operator.engine.child import in_the_way
from daap_operator.engine.children import delete, ensure
from daap_operator.engine.conditions import Verdict
from daap_operator.engine.kinds import Object, Ref
from daap_operator.engine.ownership import owners
from daap_operator.engine.subject import validated
from daap_operator.errors import Waiting
from daap_operator.kinds import known
from daap_operator.kinds.schema import job, mounting, report
from daap_operator.kinds.schema import pods as pods_of
from daap_operator.kinds.schema.job import CONTAINER, Order
from daap_operator.kinds.schema.memory import Memory, SchemaTurn
from daap_operator.kinds.schema.orders import MEASURE
from daap_operator.kinds.schema.reading import keys
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.report import Said
from daap_operator.kinds.schema.shared import Shared
from daap_operator.kinds.schema.sources import parts
from daap_operator.kinds.warned import Warnings
from daap_operator.kube import ApiError, Kind
from daap_operator.kube.words import said as without_addresses
from daap_operator.lines import quoted

LOOK_SECONDS = 20.0
"""When to ask first why a Job does not get on; then after a third of the time that it has taken."""
_CREATING = "ContainerCreating"
"""What a pod says while its volumes are mounted, and nothing of why that takes its time."""
MOST_PODS = 20
"""Pods of a Job that are looked at: there are five at most."""


class Plan(NamedTuple):
    """A Job that is to run, and what is noted before it does."""

    order: Order
    told: Callable[[DaapSchemaStatus], Verdict]
    """What is reported while it runs, by what is noted then."""
    noted: dict[str, object]


async def run(
    turn: SchemaTurn, spec: DaapSchemaSpec, memory: Memory, plan: Plan, shared: Shared
) -> Said | None:
    """What the Job has said; None while it runs."""
    name = plan.order.name
    if turn.subject.status.job != name:
        await make_way(turn)
        memory.why, memory.stuck, memory.asked = "", None, float("-inf")
        fields = plan.noted | {"job": name}
        verdict = plan.told(turn.subject.status.model_copy(update=fields))
        await turn.note(turn.status(verdict, **fields))
    there = _ours(turn, name) or await _made(turn, spec, plan.order, shared)
    if lost := mounting.dropped(spec, there):
        await delete(turn.world.kube, turn.world.store, turn.owner, job.child(turn.owner, name))
        return lost
    over = _over(there)
    if over is None:
        await _why(turn, spec, memory, there, shared.warned)
        return None
    return await _said(turn, there, over, listed=MEASURE in plan.order.arguments)


def _ours(turn: SchemaTurn, name: str) -> Object | None:
    """The Job of that name. Raises Stalled or Waiting when it is not this schema's."""
    owner = turn.owner
    there = turn.world.store.get(Ref(known.JOB, owner.namespace, name))
    if there is not None and (problem := in_the_way(job.child(owner, name), owner, there)):
        raise problem
    return there


async def make_way(turn: SchemaTurn) -> None:
    """Delete the Job of before, which is about something else. Raises Waiting while it is there."""
    before = turn.subject.status.job
    if before is None:
        return
    kube, store, owner = turn.world.kube, turn.world.store, turn.owner
    if left := await delete(kube, store, owner, job.child(owner, before)):
        told = f"Waiting for {left.what}, which is about an earlier state, to be gone"
        raise Waiting(SchemaReason.JOB_PENDING, told, seconds=2.0)


async def _made(turn: SchemaTurn, spec: DaapSchemaSpec, order: Order, shared: Shared) -> Object:
    owner = turn.owner
    whole = await _with_text(turn, spec)
    found = await keys(turn, spec, shared.library)
    made = job.manifest(owner, order._replace(keys=found), whole)
    ensured = await ensure(
        turn.world.kube, turn.world.store, owner, job.child(owner, order.name, made)
    )
    if problem := ensured.problem():
        raise problem
    there = turn.world.store.get(Ref(known.JOB, owner.namespace, order.name))
    if there is None:
        raise Waiting(SchemaReason.JOB_PENDING, f"Job {order.name} has just changed", seconds=1.0)
    return there


async def _with_text(turn: SchemaTurn, spec: DaapSchemaSpec) -> DaapSchemaSpec:
    """The spec with the text of inline files, which the store does not keep."""
    if not any(source.inline for _, source in parts(spec)):
        return spec
    metadata = turn.subject.metadata
    live = await turn.world.kube.get(known.DAAP_SCHEMA, metadata.namespace, metadata.name)
    same = raw.text(live, "metadata", "uid") == metadata.uid
    if (
        live is None
        or not same
        or raw.number(live, "metadata", "generation") != (metadata.generation)
    ):
        told = "The object has changed in the middle of a pass"
        raise Waiting(SchemaReason.JOB_PENDING, told, seconds=1.0)
    return validated(live, DaapSchema, DaapSchemaStatus).spec


def _over(there: Object) -> raw.Object | None:
    """The condition with which a Job is over; None while it is not."""
    for condition in raw.items(there, "status", "conditions"):
        if raw.text(condition, "status") == "True":
            return raw.mapping(condition)
    return None


# --- its pods -------------------------------------------------------------------------------------


async def _pods(turn: SchemaTurn, there: Object) -> list[Object]:
    """The pods of that Job, the latest first. Whoever borrows its label is not its own."""
    name, uid = (raw.text(there, "metadata", field) for field in ("name", "uid"))
    found: list[Object] = []
    selector = f"{names.SCHEMA_LABEL}={name}"
    async for page in turn.world.kube.pages(
        known.POD, turn.subject.key.namespace, selector=selector
    ):
        for pod in page:  # one at a time: they may be as large as the API server takes
            ours = any(raw.text(each, "uid") == uid for each in owners(pod, known.JOB))
            if ours and len(found) < MOST_PODS:
                found.append(_picked(pod))
    return sorted(found, key=_born, reverse=True)


def _picked(pod: Object) -> Object:
    metadata, status = raw.mapping(pod, "metadata"), raw.mapping(pod, "status")
    kept = raw.picked(status, ("containerStatuses", "conditions", "reason", "message"))
    return {"metadata": raw.picked(metadata, ("name", "creationTimestamp")), "status": kept}


def _born(pod: Object) -> str:
    return raw.text(pod, "metadata", "creationTimestamp")


async def _said(turn: SchemaTurn, there: Object, over: raw.Object, *, listed: bool) -> Said:
    """The report of a Job that is over: of its log, else its last words, else its condition.

    `listed` says that also the lists of a run are wanted.
    """
    pods = await _pods(turn, there)
    for pod in pods:
        if words := report.parsed(raw.text(pods_of.ended(pod, CONTAINER), "message")):
            listed = listed or words.result == report.CHECKED
            return await _whole(turn, pod, words) if listed else words
    why = raw.text(over, "message") or "it ended without a report"
    how = next((raw.text(pods_of.ended(pod, CONTAINER), "reason") for pod in pods), "")
    told = quoted(without_addresses(why)) + (f" (its container: {quoted(how)})" if how else "")
    return report.lost(f"Job {raw.text(there, 'metadata', 'name')} has failed: {told}")


async def _whole(turn: SchemaTurn, pod: Object, words: Said) -> Said:
    """The report with its lists: they have no room in the last words."""
    name = raw.text(pod, "metadata", "name")
    whole = report.parsed(await _last_line(turn, name))
    if whole is not None and (whole.result, whole.reason) == (words.result, words.reason):
        return whole
    return words


async def _last_line(turn: SchemaTurn, pod: str) -> str:
    with suppress(ApiError):
        return await turn.world.kube.log(turn.subject.key.namespace, pod, CONTAINER, lines=1)
    return ""


async def _why(
    turn: SchemaTurn, spec: DaapSchemaSpec, memory: Memory, there: Object, warned: Warnings
) -> None:
    """Find out why a Job takes its time: seldom, for it costs a request or two."""
    now = turn.world.monotonic()
    pause = memory.slow.pause(raw.text(there, "metadata", "uid"), now, first=LOOK_SECONDS, part=3.0)
    if memory.asked == float("-inf"):
        memory.asked = now
    if now < memory.asked + pause:
        return
    memory.asked = now
    pods = await _pods(turn, there)
    memory.why, memory.stuck = pods_of.waits(pods), mounting.in_the_way(spec, pods)
    if not pods:
        events = await warned.of(turn.subject.key.namespace)
        memory.why = _warned(events, known.JOB, raw.text(there, "metadata", "name"))
    elif memory.why == _CREATING:
        events = await warned.of(turn.subject.key.namespace)
        name = raw.text(pods[0], "metadata", "name")
        memory.why = _warned(events, known.POD, name) or memory.why
        memory.stuck = mounting.by_event(spec, memory.why)
    elif not memory.why:
        name = raw.text(pods[0], "metadata", "name")
        memory.why = pods_of.waits_for_a_run(await _last_line(turn, name))


def _warned(events: Iterable[Object], kind: Kind, name: str) -> str:
    """Why a Job has no pod, or a pod no container: only an Event tells that."""
    for event in events:
        about = raw.mapping(event, "regarding")
        if (raw.text(about, "kind"), raw.text(about, "name")) == (kind.name, name):
            return quoted(without_addresses(raw.text(event, "note")))
    return ""
