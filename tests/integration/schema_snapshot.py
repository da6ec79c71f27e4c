"""The schema on one page: what all migrations add up to, `schema.sql` next to this file.

python -m tests.integration.schema_snapshot     # writes it, as `make golden` does
"""

import contextlib
import io
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from daap_operator.migrate import migrate
from dev.postgres import Postgres, Server, from_environment
from dev.postgres.binaries import programs

SNAPSHOT = Path(__file__).with_name("schema.sql")
HEADER = """\
-- The metadata database after all migrations. Written by `make golden`; do not edit.
"""
BOOKKEEPING = ("_yoyo_*", "yoyo_lock", "daap_migration_checksums", "daap_migration_lock")
NOISE = ("--", "SET ", "SELECT pg_catalog.set_config(", "\\restrict ", "\\unrestrict ")


def render(url: str) -> str:
    """The schema as pg_dump tells it, without its remarks and without the tables of migrate."""
    excluded = [f"--exclude-table={pattern}" for pattern in BOOKKEEPING]
    dump = subprocess.run(
        [programs() / "pg_dump", "--schema-only", "--no-owner", "--no-privileges", *excluded, url],
        capture_output=True,
        text=True,
        check=False,
    )
    assert dump.returncode == 0, dump.stderr
    lines = [line for line in dump.stdout.splitlines() if not line.startswith(NOISE)]
    paragraphs = [part.strip("\n") for part in "\n".join(lines).split("\n\n")]
    return "\n\n".join([HEADER.rstrip(), *filter(None, paragraphs)]) + "\n"


@contextlib.contextmanager
def _server() -> Iterator[Server]:
    given = from_environment()
    if given is not None:
        yield given
        return
    with (
        tempfile.TemporaryDirectory() as directory,
        Postgres.start(Path(directory), durable=False) as server,
    ):
        yield server


def main() -> None:
    """Migrates a throw-away database and writes the snapshot."""
    with _server() as server, server.database() as url:
        migrate(url, out=io.StringIO())
        SNAPSHOT.write_text(render(url))
    sys.stderr.write(f"wrote {SNAPSHOT}\n")


if __name__ == "__main__":
    main()
