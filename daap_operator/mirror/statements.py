"""The SQL. Parameters are always passed, never formatted in; only column names of ours are."""

import dataclasses
from collections.abc import Sequence

from daap_operator.row import Row

_COLUMNS = tuple(field.name for field in dataclasses.fields(Row))
_COMPARED = tuple(name for name in _COLUMNS if name != "id")


def _listed(names: Sequence[str], form: str = "{}") -> str:
    return ", ".join(form.format(name) for name in names)


_IF_LEADING = """
WITH leader AS (
    SELECT FROM leaders WHERE lease = %(lease)s AND epoch = %(leader_epoch)s FOR SHARE
), written AS ({})
SELECT count(*) FROM leader
"""
"""Gives 1 for the leader, and 0, with nothing written, for everybody else. The lock makes a new
leader's claim wait for writes under way; after it there are none of an earlier epoch."""

SAVE = _IF_LEADING.format(f"""
    INSERT INTO databases ({_listed(_COLUMNS)}, leader_epoch)
    SELECT {_listed(_COLUMNS, "%({})s")}, %(leader_epoch)s FROM leader
    ON CONFLICT (id) DO UPDATE SET
        ({_listed(_COMPARED)}, leader_epoch, deleted_at, updated_at)
        = ({_listed(_COMPARED, "excluded.{}")}, excluded.leader_epoch, NULL, now())
    WHERE ({_listed(_COMPARED, "databases.{}")}, databases.deleted_at)
          IS DISTINCT FROM ({_listed(_COMPARED, "excluded.{}")}, NULL)
""")  # noqa: S608 - column names are constants of ours
"""Makes a row what it should be; `updated_at` moves only with a change."""

MARK_DELETED = _IF_LEADING.format("""
    UPDATE databases
    SET status = 'deleted', deleted_at = now(), updated_at = now(), leader_epoch = %(leader_epoch)s
    FROM leader WHERE id = %(id)s AND deleted_at IS NULL
""")

SUPERSEDE = _IF_LEADING.format("""
    UPDATE databases
    SET status = 'deleted', deleted_at = now(), updated_at = now(), leader_epoch = %(leader_epoch)s
    FROM leader WHERE name = %(name)s AND id <> %(id)s AND deleted_at IS NULL
""")
"""Takes the name from whatever other live row has it."""

CLAIM = """
INSERT INTO leaders (lease, epoch, holder) VALUES (%(lease)s, %(leader_epoch)s, %(holder)s)
ON CONFLICT (lease) DO UPDATE SET (epoch, holder, since) = (excluded.epoch, excluded.holder, now())
WHERE leaders.epoch < excluded.epoch
"""
"""Ends the time of all earlier leaders."""

CLAIMED = "SELECT epoch FROM leaders WHERE lease = %(lease)s"

LIVE_PAGE = f"""
SELECT {_listed([name if name != "id" else "id::text" for name in _COLUMNS])} FROM databases
WHERE deleted_at IS NULL AND id > %(after)s::uuid
  AND (%(namespaces)s::text[] IS NULL OR namespace = ANY(%(namespaces)s))
ORDER BY id LIMIT %(page)s
"""  # noqa: S608 - column names are constants of ours

FIRST_ID = "00000000-0000-0000-0000-000000000000"
LAST_ID = "ffffffff-ffff-ffff-ffff-ffffffffffff"

HAS_MIGRATIONS = "SELECT to_regclass('_yoyo_migration') IS NOT NULL"
APPLIED = "SELECT migration_id FROM _yoyo_migration"
IS_READ_ONLY = "SHOW transaction_read_only"
