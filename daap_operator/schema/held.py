"""Which locks a file holds: asked of PostgreSQL at the end of a transaction, which has them all."""

from collections.abc import Sequence

from daap_operator.schema.locks import MODES
from daap_operator.schema.model import Lock
from daap_operator.schema.sessions import Connection

_THERE_SQL = """
SELECT c.oid::pg_catalog.int8,
       CASE WHEN n.nspname = 'public' THEN c.relname::text
            ELSE pg_catalog.concat(n.nspname, '.', c.relname) END
FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'm', 'v', 'f')
  AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast', 'daap_schema')
"""
_HELD_SQL = """
SELECT DISTINCT relation::pg_catalog.int8, mode FROM pg_catalog.pg_locks
WHERE pid = pg_catalog.pg_backend_pid() AND granted AND locktype = 'relation'
  AND database = (SELECT oid FROM pg_catalog.pg_database
                  WHERE datname = pg_catalog.current_database())
"""
_RANKS = {f"{mode.title().replace(' ', '')}Lock": rank for rank, mode in enumerate(MODES)}
"""How strong a lock is, by its name in pg_locks."""


class Held:
    """The strongest lock of one file on each relation that was there before it.

    What a query holds, ACCESS SHARE, is left out: the runner's own queries hold it, too.
    """

    def __init__(self) -> None:
        self._there: dict[int, str] = {}
        self._ranks: dict[str, int] = {}

    def begin(self, connection: Connection) -> None:
        """Forget the file before; take down what is there. Raises psycopg.Error."""
        self._there = dict(connection.execute(_THERE_SQL).fetchall())
        self._ranks = {}

    def note(self, connection: Connection) -> None:
        """Note what the open transaction holds. Raises psycopg.Error."""
        for oid, mode in connection.execute(_HELD_SQL).fetchall():
            name, rank = self._there.get(oid, ""), _RANKS.get(mode, 0)
            if name and rank:
                self._ranks[name] = max(rank, self._ranks.get(name, 0))

    @property
    def locks(self) -> Sequence[Lock]:
        """What was noted, the strongest first."""
        found = sorted(self._ranks.items(), key=lambda each: (-each[1], each[0]))
        return [Lock(MODES[rank], name) for name, rank in found]
