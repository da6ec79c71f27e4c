"""Applying and rolling back one migration: the only door to yoyo, and Any ends here.

yoyo alone commits a migration's steps first and its record after them, so that a process killed in
between leaves a schema that the next run trips over. Here one transaction holds the steps, yoyo's
record and our checksum. It also holds a lock of its own: the transaction of a killed command may
live on in the server for a moment, when the command's other connection is gone already.

yoyo's docs: https://ollycope.com/software/yoyo/latest/
"""

import contextlib
import glob
import os
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Any, LiteralString, TextIO

import psycopg
from psycopg import errors

from daap_operator.migrate import database, locks
from daap_operator.migrate.files import Migration, MigrationError, RefusedError

APPLY_LOCK: LiteralString = "LOCK TABLE daap_migration_checksums IN SHARE ROW EXCLUSIVE MODE"
"""Taken by the transaction that applies a migration or rolls one back."""
TABLE_SECONDS = 60.0
"""For how long to try again while a table is in use."""
PAUSE_SECONDS = 2.0
"""Between two tries: whoever waits for a table lock makes all others wait behind, the operators'
writes among them, which do so for two seconds."""
SESSION = (
    # An orphan is to notice soon that its command was killed, even in a long statement.
    "SET client_connection_check_interval = '1s'",
    "SET lock_timeout = '1s'",
    "SET statement_timeout = 0",
)


@contextlib.contextmanager
def ready(database_url: str, files: Sequence[Migration], out: TextIO) -> Iterator["Steps"]:
    """Reads all files before the first is applied, and connects; only under `locks.locked`.

    Raises RefusedError when a file is not fit, psycopg.Error when the database objects.
    """
    # 0.15 s that the operator, which imports this package for `shipped`, need not spend.
    import yoyo  # noqa: PLC0415

    # yoyo logs the user's name, and fails for the nameless user ids that containers run as.
    os.environ.setdefault("LOGNAME", "daap-operator")
    directory = glob.escape(str(files[0].path.parent))
    migrations = {migration.id: migration for migration in yoyo.read_migrations(directory)}
    for file in files:
        _load(file, migrations[file.id])
    backend = yoyo.get_backend(database.yoyo_url(database_url))
    with contextlib.closing(backend.connection), _yoyo_lock(backend):
        for statement in SESSION:
            backend.connection.execute(statement)
        yield Steps(backend, migrations, out)


class Steps:
    """The means to apply and roll back the migrations of a directory; see `ready`."""

    def __init__(self, backend: Any, migrations: dict[str, Any], out: TextIO) -> None:
        self._backend = backend
        self._out = out
        self._connection: database.Connection = backend.connection
        self._migrations = migrations

    def apply(self, file: Migration) -> bool:
        """Applies and records one migration; False when it turns out to be applied by now."""
        return self._patiently(file, self._apply)

    def _apply(self, file: Migration) -> bool:
        if database.is_applied(self._connection, file):
            return False
        migration = self._migrations[file.id]
        migration.process_steps(self._backend, "apply")
        self._backend.log_migration(migration, "apply")
        self._backend.mark_one(migration, log=False)
        database.record(self._connection, file)
        return True

    def roll_back(self, file: Migration) -> bool:
        """Takes back one migration and its records; False when it turns out to be gone."""
        return self._patiently(file, self._roll_back)

    def _roll_back(self, file: Migration) -> bool:
        if not database.is_applied(self._connection, file):
            return False
        migration = self._migrations[file.id]
        migration.process_steps(self._backend, "rollback")
        self._backend.log_migration(migration, "rollback")
        self._backend.unmark_one(migration, log=False)
        database.forget(self._connection, file)
        return True

    def _patiently(self, file: Migration, step: Callable[[Migration], bool]) -> bool:
        """The step as one transaction, tried again while somebody holds a table that it changes."""
        began, tell = time.monotonic(), database.Progress(self._out)
        while True:
            try:
                return self._whole(file, step)
            except errors.LockNotAvailable as error:
                waited = time.monotonic() - began
                who = locks.in_the_way(self._connection)
                if waited >= TABLE_SECONDS:
                    raise MigrationError(
                        f"{file.path} failed: a table was in use for {waited:.0f} s, by {who}; "
                        "try again when these have ended their transactions, or end them: "
                        "SELECT pg_terminate_backend(process)"
                    ) from error
                tell(f"  waiting for a table ({waited:.0f} of {TABLE_SECONDS:g} s): {who}")
                time.sleep(PAUSE_SECONDS)

    def _whole(self, file: Migration, step: Callable[[Migration], bool]) -> bool:
        try:
            with self._backend.transaction():
                self._connection.execute(APPLY_LOCK)
                return step(file)
        except errors.LockNotAvailable:
            raise
        except psycopg.Error as error:
            raise MigrationError(f"{file.path} failed: {database.words(error)}") from error


def _load(file: Migration, migration: Any) -> None:
    from yoyo.exceptions import BadMigration  # noqa: PLC0415 - as in `ready`

    try:
        migration.load()
    except BadMigration as error:
        raise RefusedError(f"{file.path}: {error}") from error
    if not migration.use_transactions:
        raise RefusedError(
            f"{file.path}: not with `transactional: false`, it might be left half done"
        )


@contextlib.contextmanager
def _yoyo_lock(backend: Any) -> Iterator[None]:
    """Holds yoyo's own lock as well, so that a `yoyo apply` by hand waits."""
    backend.break_lock()  # we hold the real one: whoever left this was killed
    lock = backend.lock()
    lock.__enter__()
    try:
        backend.ensure_internal_schema_updated()
        yield
    finally:
        # With the connection lost the row stays, until the next command breaks it.
        with contextlib.suppress(psycopg.Error):
            lock.__exit__(None, None, None)
