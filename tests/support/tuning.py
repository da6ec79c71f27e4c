"""Settings of a PostgreSQL server, changed while it runs."""

import psycopg

from dev.postgres import Postgres
from tests.support.eventually import eventually
from tests.support.rows import Rows

RESERVED = 3
"""Connections that PostgreSQL keeps for superusers, if it is not told otherwise."""


async def configure(server: Postgres, setting: str, value: str) -> None:
    """Change a setting of the server, for the sessions there are as well; in a moment it holds."""
    async with await psycopg.AsyncConnection.connect(
        server.admin_url, autocommit=True
    ) as connection:
        await connection.execute("SET default_transaction_read_only = off")
        await connection.execute(f"ALTER SYSTEM SET {setting} = {value}".encode())
        await connection.execute("SELECT pg_reload_conf()")


async def in_force(server: Postgres, setting: str, value: str) -> None:
    """Wait until it holds: before a new session has it, all others have been told."""
    rows = Rows(server.admin_url)

    async def seen() -> object:
        found = await rows.execute("SELECT setting FROM pg_settings WHERE name = %s", setting)
        return found[0]["setting"]

    await eventually(seen, lambda setting: setting == value)
