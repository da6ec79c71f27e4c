"""A run: connects, keeps other runs out, plans, and applies file after file.

What a run does is decided by what the ledger holds when it has the lock. So one that was killed, or
lost its connection, is followed by another that does the rest, and asks nobody what happened.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import LiteralString

import psycopg

from daap_operator import lines
from daap_operator.schema import (
    applying,
    baseline,
    catalogue,
    consent,
    failures,
    guard,
    ledger,
    pieces,
    sessions,
    tables,
    trying,
)
from daap_operator.schema.applying import Rules, Session
from daap_operator.schema.consent import OnDestructive, Planner
from daap_operator.schema.errors import FileFailedError, LostError, SchemaError
from daap_operator.schema.model import Applied, Plan, Planned, SqlFile
from daap_operator.schema.printing import Printer
from daap_operator.schema.sessions import Connection

_OLDER_SQL: LiteralString = "SELECT 1 FROM daap_schema.objects WHERE major <> %s LIMIT 1"


@dataclass(frozen=True)
class Wanted:
    """What is to be applied, and under which conditions."""

    files: Sequence[SqlFile]
    planner: Planner
    hasher: Planner
    """Plans the same files, for the hash alone."""
    approved: str = ""
    on_destructive: OnDestructive = OnDestructive.ALLOW
    baseline: str = ""
    """The last file of the schema that the database has already, made by other means."""
    allow_superuser: bool = False
    wait_seconds: float = 60.0
    """How long a server may be unavailable."""


@dataclass
class Run:
    """A run, and what has come of it so far."""

    database_url: str
    wanted: Wanted
    rules: Rules
    printer: Printer
    plan: Plan = field(default_factory=Plan)
    done: list[Applied] = field(default_factory=list)
    applied: Sequence[Applied] = ()
    """The ledger as it was seen last."""

    @property
    def ledger(self) -> list[Applied]:
        """What is applied by now, oldest first."""
        done = {(each.part, each.name) for each in self.done}
        rest = [each for each in self.applied if (each.part, each.name) not in done]
        return [*rest, *self.done]

    def go(self) -> None:
        """Apply what is pending. Raises SchemaError and its kinds."""
        trying.patiently(
            self._attempt,
            seconds=self.wanted.wait_seconds,
            say=self.printer.say,
            progress=lambda: len(self.done),
        )

    def _attempt(self) -> None:
        with self._connected("lock") as keeper, self._connected("apply") as connection:
            if not self.wanted.allow_superuser:
                sessions.refuse_superuser(connection)
            sessions.refuse_path(connection, self.rules.search_path)
            sessions.refuse_lent(self.database_url)
            session = Session(connection, self.rules, self.printer.say)
            seconds = self.rules.lock_seconds
            with guard.held(keeper, seconds=seconds, say=self.printer.say) as check:
                session.begin()
                self._prepare(connection)
                for planned in self.plan.pending:
                    check()
                    self._apply(session, planned)

    def _prepare(self, connection: Connection) -> None:
        """Plan by what the ledger holds, and make its tables once the plan may run."""
        # Asked once: where there was no ledger, somebody else may create one at any moment
        there = tables.refuse_strange(connection)
        self.applied = ledger.read(connection, self.rules.ledger) if there else []
        wanted, say = self.wanted, self.printer.say
        taken = baseline.taken(connection, wanted.files, wanted.baseline, self.applied, say)
        self.applied = [*self.applied, *baseline.rows(taken)]
        self.plan = wanted.planner(self.applied)
        consent.refuse(
            self.plan, self.applied, wanted.hasher, wanted.approved, wanted.on_destructive
        )
        count = len(self.plan.pending)
        files = "1 file" if count == 1 else f"{count} files"
        self.printer.say(f"plan {self.plan.hash}: {files} to apply")
        tables.create(connection)
        self._take(connection, taken)
        self._renew(connection)

    def _take(self, connection: Connection, files: Sequence[SqlFile]) -> None:
        """Record them as applied, and all objects that are there and no other ledger's."""
        if not files:
            return
        name, job = self.rules.ledger, self.rules.job
        with connection.transaction():
            for file in files:
                row = Applied(file.part, file.name, file.checksum, job=job)
                ledger.write(connection, name, row, baseline=True)
            others, seen = catalogue.recorded(connection), catalogue.seen(connection)
            new = {key: each for key, each in seen.items() if key not in others}
            catalogue.record(connection, name, files[-1], {}, new)
        self.printer.say(f"{files[0].name} to {files[-1].name} are recorded, and not run: baseline")

    def _renew(self, connection: Connection) -> None:
        major = connection.info.server_version // 10000
        if connection.execute(_OLDER_SQL, [major]).fetchone():
            with connection.transaction():
                catalogue.renew(connection)
            self.printer.say(f"the objects are recorded as PostgreSQL {major} writes them")

    def _apply(self, session: Session, planned: Planned) -> None:
        file = planned.file
        begun = any(
            (row.part, row.name) == (file.part, file.name) and row.done is not None
            for row in self.applied
        )
        step = applying.whole if planned.transactional and not begun else pieces.apply
        self.printer.begin(f"applying {file.name} …")
        try:
            seconds = applying.apply(session, planned, step)
        except FileFailedError:
            self.printer.end("failed")
            raise
        self.printer.end(f"{seconds:.2f} s")
        locks = tuple(session.held.locks)
        row = Applied(file.part, file.name, file.checksum, seconds=seconds, locks=locks)
        self.done.append(row)

    @contextmanager
    def _connected(self, what: str) -> Iterator[Connection]:
        """A session that is pinned; closed whatever happens. Raises LostError, SchemaError."""
        name = f"daap-operator schema {what} {self.rules.job}".strip()
        with connected(self.database_url, name) as connection:
            sessions.pin(connection, self.rules.role)
            yield connection


@contextmanager
def connected(database_url: str, name: str) -> Iterator[Connection]:
    """A session; errors of PostgreSQL that nobody caught meanwhile become SchemaErrors.

    Those are LostErrors, and worth another try, that say the connection is gone or others were in
    the way.
    """
    try:
        connection = sessions.connect(database_url, name)
    except psycopg.OperationalError as error:
        raise LostError(f"no connection: {lines.quoted(str(error))}") from error
    try:
        yield connection
    except psycopg.Error as error:
        applying.raise_if_lost(connection, error)
        code = f" (SQLSTATE {error.sqlstate})" if error.sqlstate else ""
        kind = LostError if error.sqlstate in failures.TRIED_AGAIN else SchemaError
        raise kind(f"{lines.quoted(str(error))}{code}") from error
    finally:
        connection.close()
