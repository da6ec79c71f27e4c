"""A file that cannot run in one transaction, applied a piece at a time, each piece exactly once.

Statements that may run in a transaction do so with the progress that the ledger keeps, as many at
once as stand together. For each of the others two rows are written: that it is begun, with what
there was before, and that it is done. Of one that was begun, and whose end nobody saw, the database
tells what has become of it. https://www.postgresql.org/docs/16/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY
"""

import re
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import takewhile

import psycopg

from daap_operator.schema import catalogue, ledger, sessions
from daap_operator.schema.applying import Session, StoppedError
from daap_operator.schema.drift import Objects
from daap_operator.schema.errors import RefusedError
from daap_operator.schema.ledger import Underway
from daap_operator.schema.model import Applied, Planned, Statement, Trouble

_MADE_BEFORE = frozenset({"42P07", "42710", "42P04"})
_GONE_BEFORE = frozenset({"42P01", "42704", "3D000"})
"""SQLSTATEs by which a statement that is run once more says that it was done the first time."""

_PENDING_DETACH = "55000"
_DETACH = re.compile(r"\bCONCURRENTLY\s*;?\s*\Z", re.IGNORECASE)

_SETTING = re.compile(r"(?:RESET|SET)\s++(?!LOCAL\b|CONSTRAINTS\b|TRANSACTION\b)", re.IGNORECASE)
"""What holds for the rest of a session, and is said again to a new one."""

_FIND_SQL = "SELECT pg_catalog.to_regclass(%s)::pg_catalog.oid"
_INDEX_SQL = """
SELECT x.indisvalid, pg_catalog.format('%%I.%%I', n.nspname, c.relname)
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
LEFT JOIN pg_catalog.pg_index AS x ON x.indexrelid = c.oid
WHERE c.oid = %s::oid
"""


@dataclass(frozen=True)
class _Index:
    name: str
    """As SQL writes it, with the schema."""
    valid: bool | None
    """None: it is no index."""


def apply(session: Session, planned: Planned) -> float:
    """Apply what is left of a file; the seconds that all of it took.

    Raises StoppedError, RefusedError when what is applied of it has changed since, psycopg.Error.
    """
    rules, statements = session.rules, planned.statements
    now = ledger.underway(session.connection, rules.ledger, planned.file)
    _refuse_changed(planned, now)
    session.files_path(local=False)
    settings = [each for each in statements[: now.done] if _SETTING.match(each.text.lstrip())]
    _Pieces(session, planned).run_all(settings)
    return _Pieces(session, planned).finish(now)


def _refuse_changed(planned: Planned, now: Underway) -> None:
    if ledger.digest(planned.statements[: now.done]) == now.prefix:
        return
    raise RefusedError(
        f"{planned.file.name}: the first {now.done} statements of it are applied already, and have "
        "been changed since; put them back as they were, and repair what follows them",
        Trouble.CHANGED,
    )


class _Pieces:
    """The pieces of one file."""

    def __init__(self, session: Session, planned: Planned) -> None:
        self._session = session
        self._connection = session.connection
        self._planned = planned
        self._statements = planned.statements
        self._began = time.monotonic()

    def run_all(self, settings: Sequence[Statement]) -> None:
        """Set again what the statements that are applied have set."""
        for each in settings:
            self._session.run(each)

    def finish(self, now: Underway) -> float:
        """Apply a piece after the other."""
        if now.statement and now.statement != self._digest(now.done):
            now = self._without_strangers(now)
        if now.done == len(self._statements):  # what failed was taken out of the file
            with self._connection.transaction():
                before = self._look()
                self._session.own()
                self._record(now, before, now.done)
        while now.done < len(self._statements):
            now = self._piece(now)
        return now.seconds

    def _piece(self, now: Underway) -> Underway:
        statement = self._statements[now.done]
        if not _in_transaction(statement):
            return self._outside(now, statement)
        rest = self._statements[now.done :]
        together = list(takewhile(lambda each: each.transactional, rest)) or [statement]
        with self._connection.transaction():
            before = self._look()
            self._session.run_all(together)
            self._session.own()
            return self._record(now, before, now.done + len(together))

    def _outside(self, now: Underway, statement: Statement) -> Underway:
        """One that cannot run in a transaction: begun, run unless it has been, and recorded."""
        begun = now.statement == self._digest(now.done)
        if begun and statement.index and self._made(statement):
            return self._through(now)
        if not begun:
            now = self._begin(now, statement)
        try:
            self._run(statement)
        except StoppedError as stopped:
            if begun and not statement.index and self._was_done(statement, stopped):
                return self._through(now)
            if not (statement.index or _half_detached(statement, stopped)):
                self._forget(now)  # it is undone; what is left of an index is known by its name
            raise
        if statement.index:
            self._refuse_invalid(statement)
        return self._through(now)

    def _begin(self, now: Underway, statement: Statement) -> Underway:
        """Record that it is begun, unless its index is there by another hand."""
        stranger = statement.index and self._index(statement.index)
        with self._connection.transaction():
            before = self._look()
            self._session.own()
            begun = replace(
                now,
                statement="" if stranger else self._digest(now.done),
                index="" if stranger else statement.index,
                before=before,
            )
            rules, file = self._session.rules, self._planned.file
            ledger.progress(self._connection, rules.ledger, file, rules.job, begun)
        return begun

    def _through(self, now: Underway) -> Underway:
        with self._connection.transaction():
            before = now.before if now.before is not None else self._look()
            self._session.own()
            return self._record(now, before, now.done + 1)

    def _record(self, now: Underway, before: Objects, done: int) -> Underway:
        """Record in the open transaction that so many statements are done, and what they made."""
        rules, file, connection = self._session.rules, self._planned.file, self._connection
        self._session.measure()
        ended = time.monotonic()
        seconds, self._began = now.seconds + ended - self._began, ended
        after = Underway(done, ledger.digest(self._statements[:done]), seconds=seconds)
        if done == len(self._statements):
            row = Applied(file.part, file.name, file.checksum, job=rules.job, seconds=seconds)
            ledger.write(connection, rules.ledger, row)
        else:
            ledger.progress(connection, rules.ledger, file, rules.job, after)
        catalogue.record(connection, rules.ledger, file, before, catalogue.seen(connection))
        return after

    def _run(self, statement: Statement) -> None:
        """Run it as it is. What is CONCURRENT waits for others without holding anybody up."""
        if statement.kind == "DISCARD":  # which would let go of the lock of this run, too
            self._session.begin()
            self._session.files_path(local=False)
            return
        # Outside of a transaction ALTER TABLE is DETACH PARTITION … CONCURRENTLY, and nothing else
        patient = statement.kind.endswith(" CONCURRENTLY") or statement.kind == "ALTER TABLE"
        query = "SELECT pg_catalog.current_setting('lock_timeout')"
        usual = str(sessions.one(self._connection, query))
        self._set_lock_timeout("0" if patient else usual)
        self._session.run(statement)
        self._set_lock_timeout(usual)

    def _set_lock_timeout(self, value: str) -> None:
        query = "SELECT pg_catalog.set_config('lock_timeout', %s, false)"
        self._connection.execute(query, [value])

    def _made(self, statement: Statement) -> bool:
        """Whether a try before has made the index; what is left of one that failed is dropped."""
        found = self._index(statement.index)
        if found is None:
            return False
        if found.valid:
            self._session.say(f"  line {statement.line}: {found.name} was made by the try before")
            return True
        self._drop(found)
        return False

    def _drop(self, index: _Index) -> None:
        self._session.say(f"  {index.name} is invalid, which a failed try has left: dropped")
        self._set_lock_timeout("0")
        # The name is PostgreSQL's own quoting of it
        self._connection.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {index.name}".encode())
        rules = self._session.rules.settings
        self._set_lock_timeout(rules["lock_timeout"])

    def _was_done(self, statement: Statement, stopped: StoppedError) -> bool:
        """Whether the refusal of a second run says that the first has done it, or nearly."""
        code = stopped.error.sqlstate or ""
        first = statement.text.split(None, 1)[0].upper()
        detach = _DETACH.search(statement.text)
        if code == _PENDING_DETACH and first == "ALTER" and detach:
            rest = statement.text[: detach.start()] + "FINALIZE"
            self._session.run(replace(statement, text=rest))
            return True
        gone = first == "DROP" or (first == "ALTER" and detach is not None)
        done = code in (_GONE_BEFORE if gone else _MADE_BEFORE)
        if done:
            self._session.say(f"  line {statement.line}: was done by the try before")
        return done

    def _refuse_invalid(self, statement: Statement) -> None:
        """IF NOT EXISTS is content with an index that is there, also with an invalid one."""
        found = self._index(statement.index)
        if found is None or found.valid is not False:
            return
        error = psycopg.errors.ObjectNotInPrerequisiteState(
            f"the index {found.name} is invalid, and was so before this file: "
            f"DROP INDEX CONCURRENTLY {found.name}, and apply again"
        )
        raise StoppedError(statement, error)

    def _without_strangers(self, now: Underway) -> Underway:
        """The file was repaired: what it had begun then, and does not hold now, is cleared away."""
        found = self._index(now.index) if now.index else None
        if found is not None and found.valid is False:
            self._drop(found)
        return self._forget(now)

    def _forget(self, now: Underway) -> Underway:
        cleared = replace(now, statement="", index="", before=None)
        rules, file = self._session.rules, self._planned.file
        with self._connection.transaction():
            self._session.own()
            ledger.progress(self._connection, rules.ledger, file, rules.job, cleared)
        return cleared

    def _look(self) -> Objects:
        """The objects that are there, with the settings of the files left as they are."""
        with self._connection.transaction(force_rollback=True):
            self._session.own()
            return catalogue.seen(self._connection)

    def _index(self, name: str) -> _Index | None:
        """What has the name that the files know it by."""
        oid = sessions.one(self._connection, _FIND_SQL, name)
        row = self._connection.execute(_INDEX_SQL, [oid]).fetchone() if oid else None
        return _Index(name=row[1], valid=row[0]) if row else None

    def _digest(self, number: int) -> str:
        return ledger.digest(self._statements[number : number + 1])


def _half_detached(statement: Statement, stopped: StoppedError) -> bool:
    """Whether it may have left a partition that is neither attached nor detached."""
    detaches = statement.kind == "ALTER TABLE" and _DETACH.search(statement.text) is not None
    return detaches and stopped.error.sqlstate not in _GONE_BEFORE


def _in_transaction(statement: Statement) -> bool:
    return statement.transactional or statement.own_transaction
