"""The inventory as tests read it."""

from typing import Any

import psycopg
from psycopg import sql
from psycopg.rows import dict_row

from tests.support.eventually import SECONDS, eventually

Row = dict[str, Any]


class Rows:
    """The rows of a metadata database."""

    def __init__(self, url: str) -> None:
        self._url = url

    async def execute(self, statement: str, *parameters: object) -> list[Row]:
        """Run a statement of a test's own."""
        async with await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, row_factory=dict_row
        ) as connection:
            cursor = await connection.execute(statement.encode(), parameters)
            return await cursor.fetchall() if cursor.description else []

    async def tables(self, *tables: str) -> list[list[Row]]:
        """All rows of each table, asked for through one connection."""
        async with await psycopg.AsyncConnection.connect(
            self._url, autocommit=True, row_factory=dict_row
        ) as connection:
            asked = [sql.SQL("SELECT * FROM {}").format(sql.Identifier(each)) for each in tables]
            answers = [await connection.execute(each) for each in asked]
            return [await answer.fetchall() for answer in answers]

    async def named(self, name: str) -> list[Row]:
        """All rows of that name, the live one last."""
        return await self.execute(
            "SELECT * FROM databases WHERE name = %s ORDER BY deleted_at IS NULL, updated_at", name
        )

    async def live(self, name: str) -> Row | None:
        """The live row of that name."""
        rows = [row for row in await self.named(name) if row["deleted_at"] is None]
        assert len(rows) <= 1
        return rows[0] if rows else None

    async def becomes(self, name: str, *, seconds: float = SECONDS, **columns: object) -> Row:
        """Wait until the newest row of that name has these values."""

        async def newest() -> Row:
            rows = await self.named(name)
            return rows[-1] if rows else {}

        return await eventually(newest, lambda row: columns.items() <= row.items(), seconds=seconds)
