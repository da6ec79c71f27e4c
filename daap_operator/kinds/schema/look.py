"""One pass over a schema whose database and files are known: looked at, applied, or told.

Each step may be repeated, whatever has cut it off: what a Job has found stands in the status.
"""

from datetime import datetime, timedelta
from functools import partial

from daap_operator.api.meta import ConditionType
from daap_operator.api.v1alpha1 import (
    Approval,
    OnDestructive,
    RehearsalState,
    SchemaRehearsal,
)
from daap_operator.findings import Finding
from daap_operator.kinds.recovery import Impossible
from daap_operator.kinds.schema import (
    due,
    fitting,
    orders,
    prospect,
    rehearsal,
    rehearsing,
    report,
    status,
)
from daap_operator.kinds.schema.backing_up import backed_up
from daap_operator.kinds.schema.memory import SchemaOutcome
from daap_operator.kinds.schema.orders import Mode
from daap_operator.kinds.schema.passing import Passing, until
from daap_operator.kinds.schema.rehearsing import put_away
from daap_operator.kinds.schema.running import make_way
from daap_operator.kinds.schema.sources import images
from daap_operator.kinds.told import message

LATER = timedelta(seconds=prospect.WAITING_SECONDS)
"""When a database that is not ready is to be verified; that it becomes ready is an event."""


class Look(Passing):
    """One pass over it."""

    async def go(self) -> SchemaOutcome:
        """Look, apply, or say what it comes to."""
        await put_away(self._turn, self._spec, self._wanted, self._attempt)
        if self._status.checked != self._wanted:
            return await self._check()
        if self._in_the_way:
            return await self._check() if self._retry() is None else self._failed()
        if not self._status.pending_count:
            return await self._settled()
        if self._status.plan is None:  # what has no name cannot be approved
            return await self._check()
        return await self._consented(self._status.plan)

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
        return self._outcome(status.settled(self._status), lambda: until(at, now))

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
        begun = self._status.job == self._job_name(Mode.APPLY, plan)
        if not begun and (rehearsed := await self._rehearsed(plan)) is not None:
            return rehearsed
        asked = spec.approval is Approval.REQUIRED or (
            deletes and spec.on_destructive is OnDestructive.APPROVE
        )
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

    # a rehearsal ----------------------------------------------------------------------------------

    async def _rehearsed(self, plan: str) -> SchemaOutcome | None:
        """Have the plan applied to a copy first; None once that has gone well, or is not asked."""
        its = rehearsal.current(self._status, self._wanted)
        if not rehearsal.asked(self._spec, self._status):
            return None
        if its is not None and its.state is RehearsalState.PASSED:
            return None
        if self._status.attempted == self._attempt and self._retry() is not None:
            return self._failed()
        if its is None or not rehearsal.under_way(its):
            its = await self._begun(plan)
        try:
            return await self._rehearse(plan, its)
        except Impossible as verdict:
            await self._given_up(verdict.finding, its)
            return await self.go()

    async def _begun(self, plan: str) -> SchemaRehearsal:
        metadata, now = self._turn.subject.metadata, self._turn.world.now()
        of = plan, self._wanted, now.isoformat()
        drill = orders.drill_name(metadata.name, metadata.uid, *of)
        its = rehearsal.begun(plan, self._wanted, drill, now)
        noted = self._attempted() | self._known | {"rehearsal": its}
        verdict = status.rehearsing(self._status, drill)
        await self._turn.note(self._turn.status(verdict, **noted))
        return its

    async def _rehearse(self, plan: str, its: SchemaRehearsal) -> SchemaOutcome:
        name = its.drill or ""
        if its.state is RehearsalState.RESTORING:
            drill = await rehearsing.drill(self._turn, name, self._database.name)
        else:
            drill = rehearsing.lent(self._turn, name)
        copy = rehearsing.copy(drill)
        if not copy:
            why = message(drill, ConditionType.READY)
            return self._outcome(status.rehearsing(self._status, name, why), self._soon)
        if its.state is RehearsalState.RESTORING:
            its = rehearsal.applying(its, drill)
        told = partial(status.rehearsing_by, memory=self._memory)
        said = await self._run(Mode.REHEARSE, told, plan, copy=copy, rehearsal=its)
        if said is None:
            return self._outcome(told(self._status), self._soon)
        now, seen = self._turn.world.now(), self._turn.subject.seen
        await self._turn.note(**rehearsal.ended(said, self._status, its, now, seen))
        return await self.go()

    async def _given_up(self, why: Finding, its: SchemaRehearsal) -> None:
        await make_way(self._turn)
        now = self._turn.world.now()
        await self._turn.note(**rehearsal.given_up(why, self._status, its, now))
