"""Whether the tables are those that this version knows, by the migrations that were applied."""

import logging
from collections.abc import Callable, Collection
from typing import Any

from psycopg import AsyncConnection
from psycopg.rows import scalar_row

from daap_operator.lines import quoted
from daap_operator.mirror import statements
from daap_operator.mirror.problems import outdated, read_only

log = logging.getLogger(__name__)


class Schema:
    """What this version ships, compared with what a database has."""

    def __init__(self, missing: Callable[[Collection[str]], list[str]], job: str = "") -> None:
        """`missing` tells what the applied migrations lack; `job` is to be looked at then."""
        self._missing = missing
        self._job = job
        self._newer = ""

    async def verify(self, connection: AsyncConnection[Any]) -> None:
        """See that all migrations of this version are applied, and that rows can be written.

        Migrations of a newer version are no obstacle: they only add (`migrations/README.md`).
        Raises MetadataError saying what is wrong.
        """
        ours = self._missing(())
        async with connection.cursor(row_factory=scalar_row) as cursor:
            await cursor.execute(statements.HAS_MIGRATIONS)
            applied: list[str] = []
            newer = ""
            if await cursor.fetchone():
                await cursor.execute(statements.APPLIED, {"ids": ours})
                applied = await cursor.fetchall()
                await cursor.execute(statements.NEWER, {"last": max(ours, default="")})
                newer = await cursor.fetchone() or ""
            if missing := self._missing(applied):
                raise outdated(missing, self._job)
            await cursor.execute(statements.IS_READ_ONLY)
            if await cursor.fetchone() == "on":
                raise read_only()
        self._tell(newer, max(ours, default=""))

    def _tell(self, newer: str, last: str) -> None:
        """Say once that a newer version has migrated: what fails afterwards may be due to it."""
        if newer and newer != self._newer:
            log.warning(
                "The schema has migrations of a newer version",
                extra={"newest": quoted(newer), "newest_known": last},
            )
        self._newer = newer
