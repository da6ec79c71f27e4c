"""The databases that the inventory had at a moment: what `daap-operator rebuild` begins with.

The operator itself never reads its rows. Whoever may write there can have put anything into them,
so every value is read as text of a bounded length, and judged by who uses it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import class_row, dict_row

_DATABASES = """
SELECT left(id::text, 36) AS uid, left(name, 300) AS name, left(namespace, 300) AS namespace,
       left(status, 40) AS status, left(archive, 300) AS archive, left(store, 300) AS store,
       left(database_name, 300) AS database_name, left(postgres_version::text, 20) AS version,
       left(locale, 300) AS locale,
       CASE WHEN octet_length(spec::text) <= %(most)s THEN spec::text END AS spec,
       EXISTS (SELECT FROM databases AS other WHERE other.name = mine.name AND other.id <> mine.id
               AND other.deleted_at IS NULL) AND mine.deleted_at IS NOT NULL AS there_again
FROM databases AS mine
WHERE (%(namespaces)s::text[] IS NULL OR namespace = ANY(%(namespaces)s))
  AND CASE WHEN %(moment)s::timestamptz IS NULL THEN deleted_at IS NULL
           ELSE created_at <= %(moment)s::timestamptz
                AND (deleted_at IS NULL OR deleted_at > %(moment)s::timestamptz) END
ORDER BY namespace COLLATE "C", name COLLATE "C", id
"""

_MARKED = """
SELECT count(*) AS rows, left(min(deleted_at)::text, 40) AS since FROM databases
WHERE deleted_at > now() - interval '1 day'
"""


@dataclass(frozen=True)
class Lost:
    """A row as it was found; any of it may be wrong."""

    uid: str
    name: str
    namespace: str
    status: str
    archive: str | None
    store: str | None
    database_name: str | None
    version: str | None
    locale: str | None
    spec: str | None
    """JSON; None where there is none, or more of it than a row may have."""
    there_again: bool
    """Whether another database has the name by now."""


@dataclass(frozen=True)
class Marked:
    """Rows that were marked as deleted within a day."""

    rows: int
    since: str
    """When the first of them was; empty where there is none."""


def lost(
    connection: Connection[Any],
    *,
    moment: datetime | None,
    namespaces: Sequence[str],
    most_bytes: int,
) -> list[Lost]:
    """The databases that were there at the moment, by namespace and name; without one, all live.

    Of all namespaces where none is named. A spec of more than `most_bytes` is left out. Raises
    psycopg.Error when the rows cannot be read.
    """
    asked = {"moment": moment, "namespaces": list(namespaces) or None, "most": most_bytes}
    with connection.cursor(row_factory=class_row(Lost)) as cursor:
        return cursor.execute(_DATABASES, asked).fetchall()


def marked(connection: Connection[Any]) -> Marked:
    """What was marked as deleted of late, as by a new cluster's operator. Raises psycopg.Error."""
    with connection.cursor(row_factory=dict_row) as cursor:
        (found,) = cursor.execute(_MARKED).fetchall()
    return Marked(found["rows"], found["since"] or "")
