"""One pass over a schema whose database and files are known: looked at, applied, or told.

Each step may be repeated, whatever has cut it off: what a Job has found stands in the status.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from daap_operator.api.v1alpha1 import (
    Approval,
    DaapSchemaSpec,
    DaapSchemaStatus,
    OnDestructive,
    SchemaFiles,
)
from daap_operator.engine.conditions import Verdict
from daap_operator.kinds.schema import due, fitting, orders, prospect, report, status
from daap_operator.kinds.schema.backing_up import backed_up
from daap_operator.kinds.schema.job import Order
from daap_operator.kinds.schema.memory import Memory, SchemaOutcome, SchemaTurn
from daap_operator.kinds.schema.orders import Mode
from daap_operator.kinds.schema.prospect import Prospect
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.running import Plan, make_way, run
from daap_operator.kinds.schema.shared import Shared
from daap_operator.kinds.schema.sources import images

LATER = timedelta(seconds=prospect.WAITING_SECONDS)
"""When a database that is not ready is to be verified; that it becomes ready is an event."""

LOOK_SECONDS = 20.0
"""When to look again at a Job, should no event come."""


class Look:
    """One pass over a schema whose database and files are known."""

    def __init__(
        self,
        turn: SchemaTurn,
        spec: DaapSchemaSpec,
        of: Prospect,
        found: SchemaFiles,
        memory: Memory,
        shared: Shared,
    ) -> None:
        self._turn = turn
        self._spec = spec
        self._memory = memory
        self._shared = shared
        self._known: dict[str, object] = {"database": of.database, "files": found}
        self._database = of.database
        self._database_name = of.name
        self._ready_since = of.ready_since
        self._checksum = found.checksum
        self._wanted = orders.digest(found.checksum, of.database, spec)
        self._attempt = orders.attempt(self._wanted, spec)

    @property
    def _status(self) -> DaapSchemaStatus:
        return self._turn.subject.status

    async def go(self) -> SchemaOutcome:
        """Look, apply, or say what it comes to."""
        if self._status.checked != self._wanted:
            return await self._check()
        if self._in_the_way:
            return await self._check() if self._retry() is None else self._failed()
        if not self._status.pending_count:
            return await self._settled()
        if self._status.plan is None:  # what has no name cannot be approved
            return await self._check()
        return await self._consented(self._status.plan)

    @property
    def _in_the_way(self) -> bool:
        """Whether the last look has found what keeps the plan from being applied."""
        return (
            bool(self._status.failures)
            and not self._status.last_error
            and (self._status.reason in _OBSTACLES)
        )

    # nothing is to be applied ---------------------------------------------------------------------

    async def _settled(self) -> SchemaOutcome:
        uid, seconds = self._turn.subject.metadata.uid, self._shared.choices.verify_seconds
        at, now = due.verify_at(self._status, uid, seconds), self._turn.world.now()
        if self._status.drift_count:
            at = self._retry() or now
        if at is None or at <= now or self._status.job is not None:
            return await self._check()
        return self._settled_until(at)

    def _settled_until(self, at: datetime) -> SchemaOutcome:
        now = self._turn.world.now()
        return self._outcome(status.settled(self._status), lambda: _until(at, now))

    # a look ---------------------------------------------------------------------------------------

    async def _check(self) -> SchemaOutcome:
        verifies = self._status.checked == self._wanted and not self._status.pending_count
        retry = self._retry() if self._status.attempted == self._attempt else None
        if retry is not None:
            return self._settled_until(retry) if verifies else self._failed()
        if verifies and self._ready_since is None and self._status.job is None:
            return self._settled_until(self._turn.world.now() + LATER)
        told = partial(status.verifying if verifies else status.checking, memory=self._memory)
        said = await self._run(Mode.CHECK, told)
        if said is None:
            return self._outcome(told(self._status), self._soon)
        room, mounts = fitting.room(self._turn.subject.seen), bool(images(self._spec))
        now = self._turn.world.now()
        noted = report.of_check(said, self._status, self._wanted, now, room, images=mounts)
        fresh = self._turn.subject.status.model_copy(update=noted)
        if fresh.pending_count and not fresh.failures:
            await self._turn.note(self._turn.status(status.planned(fresh), **noted))
        else:
            await self._turn.note(**noted)
        return await self.go()

    # a run ----------------------------------------------------------------------------------------

    async def _consented(self, plan: str) -> SchemaOutcome:
        deletes, spec = bool(self._status.destructive_count), self._spec
        if deletes and spec.on_destructive is OnDestructive.REFUSE:
            return await self._refused()
        asked = spec.approval is Approval.REQUIRED or (
            deletes and spec.on_destructive is OnDestructive.APPROVE
        )
        begun = self._status.job == self._job_name(Mode.APPLY, plan)
        if asked and not begun and plan not in (spec.approve, self._status.approved):
            return self._outcome(status.awaiting(self._status, spec, self._turn.subject.key))
        return await self._apply(plan, approved=asked)

    async def _refused(self) -> SchemaOutcome:
        """Nothing may delete data: a Job that is about to is stopped, and all looked at anew."""
        if self._status.job is None:
            return self._outcome(status.refusing(self._status))
        await make_way(self._turn)
        await self._turn.note(job=None, checked=None)
        return await self.go()

    async def _apply(self, plan: str, *, approved: bool) -> SchemaOutcome:
        if self._status.attempted == self._attempt and self._retry() is not None:
            return self._failed()
        await self._backed_up(plan)
        told = partial(status.applying, memory=self._memory)
        # One that nobody had to approve is none that somebody has, should that be asked for later
        said = await self._run(Mode.APPLY, told, plan, approved=plan if approved else None)
        if said is None:
            return self._outcome(told(self._status), self._soon)
        await self._turn.note(**report.of_apply(said, self._status, self._turn.world.now()))
        return await self.go()

    async def _backed_up(self, plan: str) -> None:
        """Have the state before a plan backed up, where that is asked for and no Job is at it."""
        if not self._spec.backup_before or self._status.job is not None:
            return
        metadata, of = self._turn.subject.metadata, self._database.cluster_uid
        # The same files may be pending once more, long after: that is another state
        planned_at = str(self._status.verified_at)
        name = orders.backup_name(metadata.name, metadata.uid, plan, of, planned_at)
        if self._status.backup != name:
            await self._turn.note(backup=name)
        await backed_up(self._turn, name)

    # both -----------------------------------------------------------------------------------------

    def _job_name(self, mode: Mode, plan: str) -> str:
        metadata, runs = self._turn.subject.metadata, self._status.runs or 0
        return orders.job_name(metadata.name, metadata.uid, mode, self._attempt, plan, runs)

    async def _run(
        self,
        mode: Mode,
        told: Callable[[DaapSchemaStatus], Verdict],
        plan: str = "",
        **noted: object,
    ) -> report.Said | None:
        if self._ready_since is None and self._status.job is None:
            raise prospect.not_ready(self._turn.world.store, self._turn.subject.key, self._database)
        name = self._job_name(mode, plan)
        checksum = self._checksum
        if mode is not Mode.CHECK and images(self._spec):
            checksum = self._status.files_checksum or checksum
        arguments = orders.arguments(mode, self._spec, checksum, name, plan)
        of = self._database.cluster_name, self._database_name
        order = Order(name, *of, self._shared.choices.image, arguments)
        noted |= self._known | {"attempted": self._attempt}
        if mode is Mode.CHECK and self._is_another_database:
            noted["approved"] = (
                None  # of another state: whoever restored it may not want that again
            )
        if self._status.attempted != self._attempt:
            noted |= {"failures": None, "last_failed_at": None}
        return await run(
            self._turn, self._spec, self._memory, Plan(order, told, noted), self._shared
        )

    @property
    def _is_another_database(self) -> bool:
        """Whether the database has another Cluster than when it was last looked at."""
        before = self._status.database
        return before is not None and before.cluster_uid != self._database.cluster_uid

    def _retry(self) -> datetime | None:
        """When to try again what has failed; None when that is now, or nothing has."""
        first = due.FILES_SECONDS if self._in_the_way else due.FIRST_SECONDS
        at = due.retry_at(self._status, self._ready_since, first)
        return None if at is None or at <= self._turn.world.now() else at

    def _failed(self) -> SchemaOutcome:
        at, now = self._retry(), self._turn.world.now()
        told = f"The next try is at {at:%Y-%m-%dT%H:%M:%SZ}" if at else "It is tried again"
        verdict = status.failed(self._status, told)
        return self._outcome(verdict, lambda: _until(at or now, now))

    def _soon(self) -> float:
        return LOOK_SECONDS

    def _outcome(self, verdict: Verdict, again: Callable[[], float] | None = None) -> SchemaOutcome:
        return SchemaOutcome(self._turn.status(verdict, **self._known), again)


_OBSTACLES = {
    str(reason)
    for reason in (
        SchemaReason.LINT_FAILED,
        SchemaReason.FILE_FAILED,
        SchemaReason.APPLIED_FILE_CHANGED,
        SchemaReason.OUT_OF_ORDER,
        SchemaReason.RUN_REFUSED,
    )
}


def _until(at: datetime, now: datetime) -> float:
    return max(1.0, (at - now).total_seconds())
