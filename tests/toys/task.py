"""A toy kind in a namespace: some steps of work, done by a Job. The worked example of a kind.

A real kind has the same parts in files of their own; see CONTRIBUTING.md, "How to add a kind".
"""

from typing import Annotated

from pydantic import Field

from daap_operator import names, raw
from daap_operator.api.base import Model
from daap_operator.api.definition import Column, Definition
from daap_operator.api.kind import Kind
from daap_operator.api.meta import Metadata, Status
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.child import Child, Owner, Reasons, keep
from daap_operator.engine.children import delete, ensure
from daap_operator.engine.conditions import Verdict
from daap_operator.engine.controller import Controller, Outcome, Turn
from daap_operator.engine.kinds import Object, Ref, Right, Watch
from daap_operator.engine.ownership import owner_labels, owners
from daap_operator.engine.rights import serving, watching
from daap_operator.engine.subject import validated
from daap_operator.errors import Stalled
from daap_operator.findings import Finding, Reason

TASK = Kind("toys.example", "v1", "DaapTask", "daaptasks")
JOB = Kind("batch", "v1", "Job", "jobs")
POLL_SECONDS = 5.0


class TaskReason(Reason):
    """Reasons that only tasks have."""

    WORKING = "Working"
    CONFLICT = "ObjectConflict"


class TaskSpec(Model):
    """What is asked for."""

    steps: Annotated[int, Field(ge=1, le=100)]
    """How many pods of the Job have to succeed."""


class TaskStatus(Status):
    """What was last seen."""

    job: Annotated[str | None, Field(max_length=63)] = None
    """The Job that does the work; allotted once."""
    done: Annotated[int | None, Field(ge=0)] = None
    """The steps that are done."""


class Task(Model):
    """Some steps of work."""

    metadata: Metadata
    spec: TaskSpec
    """What is asked for."""
    status: TaskStatus
    """What was last seen."""


DEFINITION = Definition(
    kind=TASK,
    model=Task,
    conditions="`Ready`: all steps are done.",
    columns=(Column("Done", "integer", ".status.done"),),
)

REASONS = Reasons(
    pending=CommonReason.RETRYING,
    deleted=TaskReason.WORKING,
    leftover=TaskReason.WORKING,
    conflict=TaskReason.CONFLICT,
    rejected=CommonReason.INVALID_SPEC,
)


def _kept(job: raw.Object) -> Object:
    return keep(job) | {"done": raw.number(job, "status", "succeeded")}


def _woken(job: Object, *_: object) -> list[Ref]:
    return [Ref(TASK, job["metadata"]["namespace"], each["name"]) for each in owners(job, TASK)]


def _job(turn: Turn[TaskStatus], steps: int = 0) -> tuple[Owner, Child]:
    """The Job as it is to be; without a step it is not to be there."""
    owner, name = Owner(*turn.subject.key, turn.subject.metadata.uid), str(turn.subject.status.job)
    metadata = {
        "namespace": owner.namespace,
        "name": name,
        "labels": owner_labels(TASK, owner.uid),
        "ownerReferences": [owner.reference],
    }
    pod = {"restartPolicy": "Never", "containers": [{"name": "step", "image": "busybox"}]}
    spec = {"completions": steps, "template": {"spec": pod}}
    made = {"apiVersion": JOB.api_version, "kind": JOB.name, "metadata": metadata, "spec": spec}
    child = Child(JOB, owner.namespace, name, REASONS, made if steps else None, immutable=True)
    return owner, child


class TaskController(Controller[TaskStatus]):
    """Tasks."""

    kind = TASK
    status = TaskStatus
    watches = (
        Watch(TASK, dict, lambda task, _: [Ref.of(TASK, task)]),
        Watch(JOB, _kept, _woken, f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}"),
    )
    rights = (
        *serving(TASK),
        *watching(watches),
        Right(JOB, "get", "whether it is gone, before its task may go"),
        *(Right(JOB, verb, "one for each DaapTask, applied") for verb in ("create", "patch")),
        Right(JOB, "delete", "by uid, with its DaapTask, or to be replaced"),
    )
    progress = frozenset({"done"})

    async def serve(self, turn: Turn[TaskStatus]) -> Outcome[TaskStatus]:
        """Have the Job as the spec asks for, and report how far it is."""
        steps, store = validated(turn.subject.seen, Task, TaskStatus).spec.steps, turn.world.store
        if not turn.subject.status.job:
            await turn.note(job=f"{turn.subject.metadata.name}-task"[:63])
        owner, job = _job(turn, steps)
        problem = (await ensure(turn.world.kube, store, owner, job)).problem()
        if isinstance(problem, Stalled):
            return Outcome(self.refused(turn, problem), lambda: POLL_SECONDS)
        done = 0 if problem else raw.number(store.get(job.ref), "done")
        reason = CommonReason.READY if done >= steps else TaskReason.WORKING
        why = problem.finding if problem else Finding(reason, f"{done} of {steps} steps are done")
        verdict = Verdict(done >= steps, why, reconciling=None if done >= steps else why)
        return Outcome(turn.status(verdict, done=done), (lambda: POLL_SECONDS) if problem else None)

    async def remove(self, turn: Turn[TaskStatus]) -> Outcome[TaskStatus] | None:
        """Delete the Job, and wait until it and its pods are gone."""
        left = await delete(turn.world.kube, turn.world.store, *_job(turn))
        if left is None:
            return None
        why = Finding(CommonReason.DELETING, f"Waiting for {left.what} to be gone")
        return Outcome(turn.status(Verdict(False, why, reconciling=why)), lambda: POLL_SECONDS)
