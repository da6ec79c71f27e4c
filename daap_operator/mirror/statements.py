"""The SQL. Parameters are always passed, never formatted in; only column names of ours are."""

import dataclasses
from collections.abc import Sequence

from daap_operator.row import Row

_COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
_COMPARED = tuple(name for name in _COLUMNS if name != "id")


def _listed(names: Sequence[str], form: str = "{}") -> str:
    return ", ".join(form.format(name) for name in names)


SAVE = f"""
INSERT INTO databases ({_listed(_COLUMNS)}, leader_epoch)
VALUES ({_listed(_COLUMNS, "%({})s")}, %(leader_epoch)s)
ON CONFLICT (id) DO UPDATE SET
    ({_listed(_COMPARED)}, leader_epoch, deleted_at, updated_at)
    = ({_listed(_COMPARED, "excluded.{}")}, excluded.leader_epoch, NULL, now())
WHERE (databases.leader_epoch, databases.generation)
      <= (excluded.leader_epoch, excluded.generation)
  AND ({_listed(_COMPARED, "databases.{}")}, databases.deleted_at)
      IS DISTINCT FROM ({_listed(_COMPARED, "excluded.{}")}, NULL)
"""  # noqa: S608 - column names are constants of ours
"""Makes a row what it should be; `updated_at` moves only with a change."""

MARK_DELETED = """
UPDATE databases SET status = 'deleted', deleted_at = now(), updated_at = now()
WHERE id = %(id)s AND deleted_at IS NULL AND leader_epoch <= %(leader_epoch)s
"""

SUPERSEDE = """
UPDATE databases SET status = 'deleted', deleted_at = now(), updated_at = now()
WHERE name = %(name)s AND id <> %(id)s AND deleted_at IS NULL
  AND leader_epoch <= %(leader_epoch)s
"""
"""Takes the name from whatever other live row has it."""

LIVE_PAGE = f"""
SELECT {_listed([name if name != "id" else "id::text" for name in _COLUMNS])} FROM databases
WHERE deleted_at IS NULL AND id > %(after)s::uuid
  AND (%(namespaces)s::text[] IS NULL OR namespace = ANY(%(namespaces)s))
ORDER BY id LIMIT %(page)s
"""  # noqa: S608 - column names are constants of ours

FIRST_ID = "00000000-0000-0000-0000-000000000000"

HAS_MIGRATIONS = "SELECT to_regclass('_yoyo_migration') IS NOT NULL"
APPLIED = "SELECT migration_id FROM _yoyo_migration"
IS_READ_ONLY = "SHOW transaction_read_only"
