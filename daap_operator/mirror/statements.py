"""The SQL, made for each table. Pure.

Parameters are always passed, never formatted in; only a table's own names are.
"""

from collections.abc import Sequence
from functools import cache
from typing import Any, LiteralString

from daap_operator.mirror.table import Table


def _listed(names: Sequence[str], form: str = "{}") -> str:
    return ", ".join(form.format(name) for name in names)


def _literal(text: str) -> LiteralString:
    """psycopg takes literals only; ours are put together from names that a Table has checked."""
    return text


_IF_LEADING = """
WITH leader AS (
    SELECT FROM leaders WHERE lease = %(lease)s AND epoch = %(leader_epoch)s FOR SHARE
), written AS ({})
SELECT count(*) FROM leader
"""
"""Gives 1 for the leader, and 0, with nothing written, for everybody else. The lock makes a new
leader's claim wait for writes under way; after it there are none of an earlier epoch."""


@cache
def save(table: Table[Any]) -> LiteralString:
    """Makes a row what it should be; `updated_at` moves only with a change."""
    columns, compared = table.columns, [name for name in table.columns if name != "id"]
    written = f"""
    INSERT INTO {table.name} ({_listed(columns)}, leader_epoch)
    SELECT {_listed(columns, "%({})s")}, %(leader_epoch)s FROM leader
    ON CONFLICT (id) DO UPDATE SET
        ({_listed(compared)}, leader_epoch, deleted_at, updated_at)
        = ({_listed(compared, "excluded.{}")}, excluded.leader_epoch, NULL, now())
    WHERE ({_listed(compared, f"{table.name}.{{}}")}, {table.name}.deleted_at)
          IS DISTINCT FROM ({_listed(compared, "excluded.{}")}, NULL)
"""  # noqa: S608 - a Table's names
    return _literal(_IF_LEADING.format(written))


@cache
def mark_deleted(table: Table[Any]) -> LiteralString:
    """Marks the row with an id as deleted, if it is live."""
    return _deleted(table, "id = %(id)s")


@cache
def supersede(table: Table[Any]) -> LiteralString:
    """Takes the unique value from whatever other live row has it."""
    return _deleted(table, f"{table.unique} = %({table.unique})s AND id <> %(id)s")


def _deleted(table: Table[Any], which: str) -> LiteralString:
    written = f"""
    UPDATE {table.name}
    SET status = 'deleted', deleted_at = now(), updated_at = now(), leader_epoch = %(leader_epoch)s
    FROM leader WHERE {which} AND deleted_at IS NULL
"""  # noqa: S608 - a Table's names
    return _literal(_IF_LEADING.format(written))


@cache
def live_page(table: Table[Any]) -> LiteralString:
    """Ids of live rows in their order, after one of them, and whether each is of our namespaces.

    Nothing else is read: what others have written may be of any size and in any state. Rows of
    other namespaces are told apart and not left out, so that a page is as many rows, however many
    there are of theirs.
    """
    here = "true"
    if table.namespaced:
        here = "%(namespaces)s::text[] IS NULL OR namespace = ANY(%(namespaces)s)"
    return _literal(f"""
SELECT id::text, {here} FROM {table.name}
WHERE deleted_at IS NULL AND id > %(after)s::uuid
ORDER BY id LIMIT %(page)s
""")  # noqa: S608 - a Table's names


LONGEST = 255
"""Characters that are read of a value: whatever is in a row, no more of it leaves PostgreSQL."""


@cache
def newest_deleted(table: Table[Any], paths: tuple[str, ...], known: str) -> LiteralString:
    """Texts of the row that was deleted last of a namespace and a name, where a column is known.

    Paths are columns, or lead into one of JSON, with dots. A column that the schema lacks is NULL.
    """
    texts = _listed(
        [path.replace(".", ",") for path in paths],
        f"left(to_jsonb(found) #>> '{{{{{{}}}}}}', {LONGEST})",
    )
    return _literal(f"""
SELECT {texts} FROM (
    SELECT * FROM {table.name}
    WHERE namespace = %(namespace)s AND name = %(name)s
      AND deleted_at IS NOT NULL AND {known} IS NOT NULL
    ORDER BY deleted_at DESC LIMIT 1
) AS found
""")  # noqa: S608 - a Table's names


@cache
def differing(table: Table[Any]) -> LiteralString:
    """Ids of the rows that are not live, or not as they should be; of these, by arrays of values.

    PostgreSQL compares: the rows, whatever is in them, never leave it.
    """
    compared = [name for name in table.columns if name != "id"]
    arrays = ", ".join(f"%({name})s::{table.type_of(name)}[]" for name in table.columns)
    return _literal(f"""
SELECT wanted.id::text FROM unnest({arrays}) AS wanted ({_listed(table.columns)})
LEFT JOIN {table.name} AS found ON found.id = wanted.id AND found.deleted_at IS NULL
WHERE found.id IS NULL
   OR ({_listed(compared, "found.{}")}) IS DISTINCT FROM ({_listed(compared, "wanted.{}")})
""")  # noqa: S608 - a Table's names


CLAIM = """
INSERT INTO leaders (lease, epoch, holder) VALUES (%(lease)s, %(leader_epoch)s, %(holder)s)
ON CONFLICT (lease) DO UPDATE SET (epoch, holder, since) = (excluded.epoch, excluded.holder, now())
WHERE leaders.epoch < excluded.epoch
"""
"""Ends the time of all earlier leaders."""

CLAIMED = "SELECT epoch FROM leaders WHERE lease = %(lease)s"

FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

HAS_MIGRATIONS = "SELECT to_regclass('_yoyo_migration') IS NOT NULL"
APPLIED = "SELECT DISTINCT migration_id FROM _yoyo_migration WHERE migration_id = ANY(%(ids)s)"
"""Of these: there may be others, of a newer version or of anybody."""
NEWER = """
SELECT left(max(migration_id COLLATE "C"), 100) FROM _yoyo_migration
WHERE migration_id COLLATE "C" > %(last)s AND migration_id ~ '^[0-9]{3}_'
"""
"""The newest of a later version, if there is one; anybody may have written it."""
IS_READ_ONLY = "SHOW transaction_read_only"
