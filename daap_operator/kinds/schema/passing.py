"""What every step of a pass over a schema needs: what is known, a Job, when to try again."""

from collections.abc import Callable
from datetime import datetime

from daap_operator import names
from daap_operator.api.v1alpha1 import DaapSchemaSpec, DaapSchemaStatus, SchemaFiles
from daap_operator.engine.conditions import Verdict
from daap_operator.kinds.schema import due, orders, prospect, report, status
from daap_operator.kinds.schema.job import Order
from daap_operator.kinds.schema.memory import Memory, SchemaOutcome, SchemaTurn
from daap_operator.kinds.schema.orders import Mode
from daap_operator.kinds.schema.prospect import Prospect
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.running import Plan, run
from daap_operator.kinds.schema.shared import Shared
from daap_operator.kinds.schema.sources import images

LOOK_SECONDS = 20.0
"""When to look again at a Job, should no event come."""


class Passing:
    """A schema whose database and files are known."""

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

    @property
    def _in_the_way(self) -> bool:
        """Whether the last look has found what keeps the plan from being applied."""
        return (
            bool(self._status.failures)
            and not self._status.last_error
            and (self._status.reason in _OBSTACLES)
        )

    def _job_name(self, mode: Mode, plan: str) -> str:
        metadata, runs = self._turn.subject.metadata, self._status.runs or 0
        return orders.job_name(metadata.name, metadata.uid, mode, self._attempt, plan, runs)

    async def _run(
        self,
        mode: Mode,
        told: Callable[[DaapSchemaStatus], Verdict],
        plan: str = "",
        copy: str = "",
        **noted: object,
    ) -> report.Said | None:
        if self._ready_since is None and self._status.job is None:
            raise prospect.not_ready(self._turn.world.store, self._turn.subject.key, self._database)
        name = self._job_name(mode, plan)
        checksum = self._checksum
        if mode is not Mode.CHECK and images(self._spec):
            checksum = self._status.files_checksum or checksum
        arguments = orders.arguments(mode, self._spec, checksum, name, plan)
        of = copy or self._database.cluster_name, self._database_name
        labels = {names.DRILL_LABEL: copy} if copy else {}
        order = Order(name, *of, self._shared.choices.image, arguments, labels=labels)
        noted |= self._known | self._attempted()
        if mode is Mode.CHECK and self._is_another_database:
            noted["approved"] = None  # of another state: whoever restored it may not want it again
        return await run(
            self._turn, self._spec, self._memory, Plan(order, told, noted), self._shared
        )

    @property
    def _is_another_database(self) -> bool:
        """Whether the database has another Cluster than when it was last looked at."""
        before = self._status.database
        return before is not None and before.cluster_uid != self._database.cluster_uid

    def _attempted(self) -> dict[str, object]:
        """What is noted of what is tried now; what failed before otherwise does not count."""
        fresh = self._status.attempted != self._attempt
        none = {"failures": None, "last_failed_at": None} if fresh else {}
        return none | {"attempted": self._attempt}

    def _retry(self) -> datetime | None:
        """When to try again what has failed; None when that is now, or nothing has."""
        first, last = due.pauses(self._status.reason, in_the_way=self._in_the_way)
        at = due.retry_at(self._status, self._ready_since, first, last)
        return None if at is None or at <= self._turn.world.now() else at

    def _failed(self) -> SchemaOutcome:
        at, now = self._retry(), self._turn.world.now()
        told = f"The next try is at {at:%Y-%m-%dT%H:%M:%SZ}" if at else "It is tried again"
        verdict = status.failed(self._status, told)
        return self._outcome(verdict, lambda: until(at or now, now))

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


def until(at: datetime, now: datetime) -> float:
    """Seconds until a moment, at least one."""
    return max(1.0, (at - now).total_seconds())
