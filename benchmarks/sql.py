"""What the operator asked of PostgreSQL: statements and transactions, from the server's log."""

import re
from pathlib import Path

import psycopg

from benchmarks.figures import Figures, per
from dev.postgres import Postgres

_STATEMENT = re.compile(
    rb"^\S+ \S+ \S+ \[(\d+)\] LOG:  (?:statement|execute [^:]*):\s+(\w+)", re.MULTILINE
)
_LOGGED = "ALTER DATABASE daap SET log_statement = 'all'"


def counted(log: bytes) -> tuple[int, int]:
    """Statements and transactions in a part of the server's log.

    BEGIN and COMMIT are statements, too; a statement outside of them is a transaction of its own.
    """
    open_in: set[bytes] = set()
    found = _STATEMENT.findall(log)
    transactions = 0
    for session, text in found:
        word = text.upper()
        if word == b"BEGIN":
            open_in.add(session)
        elif word in (b"COMMIT", b"ROLLBACK") or session not in open_in:
            open_in.discard(session)
            transactions += 1
    return len(found), transactions


class Statements:
    """Counts what is asked of the database `daap`. This asks nothing in it, so as not to count."""

    def __init__(self, server: Postgres) -> None:
        self._log: Path = server.directory / "server" / "log"
        with psycopg.connect(server.admin_url, autocommit=True) as connection:
            connection.execute(_LOGGED)
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._offset = self._log.stat().st_size

    def made(self, count: int) -> Figures:
        """Statements and transactions since `forget`, in all and for each of `count` databases."""
        with self._log.open("rb") as log:
            log.seek(self._offset)
            statements, transactions = counted(log.read())
        return {
            "statements": statements,
            "transactions": transactions,
            "statements_per_database": per(statements, count),
            "transactions_per_database": per(transactions, count),
        }
