"""One file applied, with its row in the ledger: in one transaction, or a statement at a time.

A file that runs in one transaction is applied with its row or not at all. How one goes that cannot
is in `pieces`.
"""

import random
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

import psycopg
from psycopg import pq, sql

from daap_operator import lines
from daap_operator.schema import catalogue, failures, guard, ledger, sending, sessions
from daap_operator.schema.errors import FileFailedError, LostError
from daap_operator.schema.held import Held
from daap_operator.schema.model import Applied, Planned, Statement
from daap_operator.schema.sessions import Connection

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 30.0
"""Seconds between two tries of what others were in the way of: whoever waits for a lock on a table
makes all who come later wait behind, so between the tries they get their turn."""
MOST_NOTICES = 20
"""Of a file, that are printed."""


@dataclass(frozen=True)
class Rules:
    """How files are applied."""

    ledger: str = ledger.DEFAULT
    job: str = ""
    role: str = ""
    search_path: str = "public, pg_temp"
    lock_timeout: float = 5.0
    """Seconds that a statement waits for a lock."""
    statement_timeout: float = 0.0
    """Seconds that a statement may take; 0 is for ever."""
    tries: int = 10
    """Of a file that others are in the way of."""
    lock_seconds: float = 600.0
    """How long to wait for another run to end."""
    measure: bool = False
    """Whether to find out which locks each file holds."""

    @property
    def settings(self) -> Mapping[str, str]:
        """What a session begins with besides what is always pinned."""
        return {
            "lock_timeout": _milliseconds(self.lock_timeout),
            "statement_timeout": _milliseconds(self.statement_timeout),
        }


Step = Callable[["Session", Planned], float]
"""How a file is gone through once; the seconds that it took."""


class StoppedError(Exception):
    """PostgreSQL refused a statement, or the commit when there is none."""

    def __init__(self, statement: Statement | None, error: psycopg.Error) -> None:
        super().__init__(str(error))
        self.statement = statement
        self.error = error


@dataclass
class Session:
    """The session that runs the files, and what it prints with."""

    connection: Connection
    rules: Rules
    say: Callable[[str], None]
    notices: int = field(default=0)
    held: Held = field(default_factory=Held)
    """What the file holds that is being applied, where that is to be measured."""

    def __post_init__(self) -> None:
        self.connection.add_notice_handler(self._notice)

    def begin(self) -> None:
        """As after connecting: nothing that an earlier file has set is left. May poll."""
        self.notices = 0
        self.connection.execute("DISCARD ALL")
        sessions.pin(self.connection, self.rules.role, self.rules.settings)
        guard.take(self.connection, guard.WORK, seconds=self.rules.lock_seconds, say=self.say)
        if self.rules.measure:
            self.held.begin(self.connection)

    def own(self) -> None:
        """From here to the transaction's end nothing that a file has set counts."""
        for name, value in self.rules.settings.items():
            self._set(name, value)
        self._set("search_path", sessions.OWN_PATH)
        if self.rules.role:
            role = sql.Identifier(self.rules.role)
            self.connection.execute(sql.SQL("SET LOCAL ROLE {}").format(role))
        else:
            self.connection.execute("SET LOCAL ROLE NONE")

    def measure(self) -> None:
        """At the end of a transaction of a file: note what it holds, where that is asked for."""
        if self.rules.measure:
            self.held.note(self.connection)

    def files_path(self, *, local: bool) -> None:
        """From here on names without a schema are the files'."""
        self._set("search_path", self.rules.search_path, local=local)

    def run(self, statement: Statement) -> None:
        """Run one statement of a file. Raises StoppedError, or psycopg.Error when it is lost."""
        try:
            sending.send(self.connection, statement.text)
        except psycopg.Error as error:
            raise_if_lost(self.connection, error)
            raise StoppedError(statement, error) from error

    def run_all(self, statements: Iterable[Statement]) -> None:
        """Run them in the transaction that is open, and none may end it."""
        for statement in statements:
            self.run(statement)
            if self.connection.info.transaction_status != pq.TransactionStatus.INTRANS:
                ended = psycopg.errors.InvalidTransactionTermination(
                    "the statement has ended the transaction that the file runs in: leave BEGIN, "
                    "COMMIT and ROLLBACK out"
                )
                raise StoppedError(statement, ended)

    def _set(self, name: str, value: str, *, local: bool = True) -> None:
        query = "SELECT pg_catalog.set_config(%s, %s, %s)"
        self.connection.execute(query, [name, value, local])

    def _notice(self, diagnostic: psycopg.errors.Diagnostic) -> None:
        self.notices += 1
        if self.notices <= MOST_NOTICES:
            said = lines.quoted(diagnostic.message_primary or "")
            self.say(f"  {lines.quoted(diagnostic.severity or 'NOTICE')}: {said}")
        elif self.notices == MOST_NOTICES + 1:
            self.say("  more notices are not printed")


def apply(session: Session, planned: Planned, step: Step) -> float:
    """The seconds that a file took, tried again while others are in the way of it.

    Raises FileFailedError when PostgreSQL refuses it, LostError when the connection is gone.
    """
    for tried in count(1):
        session.begin()
        try:
            return step(session, planned)
        except StoppedError as error:
            stopped = error
        except psycopg.Error as error:
            raise_if_lost(session.connection, error)
            stopped = StoppedError(None, error)
        said = sessions.said(stopped.error)
        again = said.sqlstate in failures.TRIED_AGAIN
        who = holders(session, stopped.statement) if again else ""
        if not again or tried >= session.rules.tries:
            left = _left(session, planned)
            found = failures.failure(planned.file, stopped.statement, said, left, who)
            raise FileFailedError(found) from stopped.error
        _wait(session, stopped.statement, said, who, tried)
    raise AssertionError("the loop has no end")


def whole(session: Session, planned: Planned) -> float:
    """Apply a file in one transaction with its row; the seconds. Raises StoppedError."""
    began, connection = time.monotonic(), session.connection
    with connection.transaction():
        before = catalogue.seen(connection)
        session.files_path(local=True)
        session.run_all(planned.statements)
        session.own()
        session.measure()
        name, file = session.rules.ledger, planned.file
        seconds = time.monotonic() - began
        row = Applied(file.part, file.name, file.checksum, job=session.rules.job, seconds=seconds)
        ledger.write(connection, name, row)
        catalogue.record(connection, name, file, before, catalogue.seen(connection))
    return time.monotonic() - began


def _left(session: Session, planned: Planned) -> str:
    """What a file that failed has left in the database."""
    session.begin()
    now = ledger.underway(session.connection, session.rules.ledger, planned.file)
    if planned.transactional and not now.done:
        return failures.WHOLE
    return failures.half_done(now.done, planned.statements)


def _wait(
    session: Session, statement: Statement | None, said: failures.Said, who: str, tried: int
) -> None:
    held = f"held by {who}; " if who else ""
    pause, line = _pause(tried), failures.line_of(statement, said) if statement else 0
    session.say(
        f"  {f'line {line}' if line else 'at the end'}: {lines.quoted(said.message)} (SQLSTATE "
        f"{said.sqlstate}), {held}"
        f"try {tried + 1} of {session.rules.tries} in {pause:.1f} s"
    )
    time.sleep(pause)


def raise_if_lost(connection: Connection, error: psycopg.Error) -> None:
    """Raises LostError when the session cannot go on."""
    if connection.broken or connection.closed or failures.lost(error.sqlstate):
        raise LostError(f"the connection is lost: {lines.quoted(str(error))}") from error


_WAY_SQL = """
SELECT DISTINCT held.pid, session.usename,
       pg_catalog.to_char(session.xact_start, 'YYYY-MM-DD"T"HH24:MI:SS"Z"')
FROM pg_catalog.pg_locks AS held
LEFT JOIN pg_catalog.pg_stat_activity AS session ON session.pid = held.pid
WHERE held.granted AND held.pid <> pg_catalog.pg_backend_pid()
  AND held.database = (SELECT oid FROM pg_catalog.pg_database
                       WHERE datname = pg_catalog.current_database())
  AND held.relation = ANY (SELECT pg_catalog.to_regclass(name)::oid
                           FROM pg_catalog.unnest(%s::text[]) AS name)
LIMIT 5
"""


def holders(session: Session, statement: Statement | None) -> str:
    """Who holds the relations that the statement locks, for people; empty when none is known."""
    names = [lock.relation for lock in statement.locks] if statement else []
    if not names:
        return ""
    try:
        session.files_path(local=False)
        found = session.connection.execute(_WAY_SQL, [names]).fetchall()
    except psycopg.Error:  # a name that is none: it was only to be told
        return ""
    return ", ".join(
        f"process {pid} of the role {lines.quoted(role or 'unknown')}"
        + (f" in a transaction since {since}" if since else "")
        for pid, role, since in found
    )


def _pause(tried: int) -> float:
    most = min(LONGEST_PAUSE, SHORTEST_PAUSE * 2 ** (tried - 1))
    return float(most) * random.uniform(0.5, 1.0)  # noqa: S311 - so that two do not try in step


def _milliseconds(seconds: float) -> str:
    return f"{max(1, round(seconds * 1000)) if seconds else 0}ms"
