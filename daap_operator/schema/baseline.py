"""Which files a database has already that was there before its ledger."""

from collections.abc import Callable, Sequence

from daap_operator import lines
from daap_operator.schema import catalogue
from daap_operator.schema.errors import RefusedError
from daap_operator.schema.model import Applied, Part, SqlFile
from daap_operator.schema.sessions import Connection


def taken(
    connection: Connection,
    files: Sequence[SqlFile],
    name: str,
    applied: Sequence[Applied],
    say: Callable[[str], None],
) -> list[SqlFile]:
    """The schema's files up to the one of that name; none once there is a ledger.

    Raises RefusedError when there is no such file, psycopg.Error.
    """
    if not name:
        return []
    schema = [file for file in files if file.part is Part.SCHEMA]
    names = [file.name for file in schema]
    if name not in names:
        raise RefusedError(
            f"--baseline {lines.quoted(name)} is none of the files: {', '.join(names)}"
        )
    if applied:
        return []
    if not catalogue.seen(connection):
        say(f"--baseline {name} is left out: the database is empty")
        return []
    return schema[: names.index(name) + 1]


def rows(files: Sequence[SqlFile]) -> list[Applied]:
    """The rows of a ledger that has them."""
    return [Applied(file.part, file.name, file.checksum) for file in files]
