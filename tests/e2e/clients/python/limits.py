"""What docs/clients.md says of drivers' own options, through the pooler and past it.

Prints for each case and way `works`, or what the driver said. With `verify-full` it does so for the
keys that end in it alone.
"""

import asyncio
import json
import sys
from concurrent.futures import ThreadPoolExecutor

import asyncpg
import every
import psycopg
from sqlalchemy import create_engine, make_url

WAYS = ("pooler", "direct")
TRACKED = {
    "application_name": "shop",
    "datestyle": "German, DMY",
    "timezone": "Asia/Tokyo",
    "intervalstyle": "iso_8601",
    "standard_conforming_strings": "off",
    "default_transaction_read_only": "on",
}
"""What the pooler keeps for each client."""


def url(way):
    return every.environment(way)["DATABASE_URL"]


def libpq(way, options):
    try:
        with psycopg.connect(url(way), connect_timeout=10, **options) as connection:
            return connection.execute("SELECT 'works'").fetchone()[0]
    except psycopg.OperationalError as error:
        return str(error)


def sqlalchemy(way, driver):
    made = make_url(url(way)).set(drivername=f"postgresql+{driver}")
    try:
        return str(create_engine(made).connect())
    except TypeError as error:
        return str(error)


def with_settings(way, settings):
    """asyncpg's `server_settings`: `works` when each is what was asked for."""

    async def ask():
        connection = await asyncpg.connect(url(way), server_settings=settings)
        shown = {name: await connection.fetchval(f"SHOW {name}") for name in settings}
        await connection.close()
        return "works" if shown == settings else str(shown)

    try:
        return asyncio.run(ask())
    except asyncpg.PostgresError as error:
        return str(error)


def program(way, name, tls="require", more=""):
    """One of the programs, with more at the end of its URL."""
    surroundings = every.environment(way)
    longer = {key: surroundings[key] + more for key in ("DATABASE_URL", "JDBC_URL")}
    return works(every.run(name, tls, surroundings | longer))


def verify_full(way, name, tls="require"):
    """One of the programs, with the key that says it already."""
    prefix = "" if way == "pooler" else "direct-"
    urls = {"DATABASE_URL": f"{prefix}uri", "JDBC_URL": f"{prefix}jdbc-uri"}
    urls = {name: every.entry(f"{key}-verify-full") for name, key in urls.items()}
    return works(every.run(name, tls, every.environment(way) | urls))


def works(said):
    return "works" if isinstance(said, dict) else said


def tuned():
    """asyncpg's cases, and libpq's."""
    for name, value in {"jit": "off", "lock_timeout": "7s", "work_mem": "77MB"}.items():
        yield f"asyncpg, {name}", (with_settings, {name: value})
    yield "asyncpg, tracked", (with_settings, TRACKED)
    for name, value in {"channel_binding": "require", "sslnegotiation": "direct"}.items():
        yield name, (libpq, {name: value})


BY_URL = ("psycopg", "asyncpg", "SQLAlchemy, psycopg", "Postgres.js", "pgx", "lib/pq", "pgcli")
VERIFY_FULL = {
    "node-postgres, verify-full": (verify_full, "node-postgres", "plain"),
    **{f"{name}, verify-full": (verify_full, name) for name in (*BY_URL, "JDBC, HikariCP")},
}
CASES = {
    "node-postgres": (program, "node-postgres", "plain"),
    "node-postgres, ssl": (program, "node-postgres", "authority"),
    "node-postgres, statement_timeout": (program, "node-postgres", "timeout"),
    "Django, cursors": (program, "Django", "cursors"),
    "pgx, search_path": (program, "pgx", "require", "&search_path=public"),
    "lib/pq, search_path": (program, "lib/pq", "require", "&search_path=public"),
    "JDBC, currentSchema": (program, "JDBC, HikariCP", "require", "&currentSchema=public"),
    "SQLAlchemy, asyncpg": (sqlalchemy, "asyncpg"),
    "SQLAlchemy, pg8000": (sqlalchemy, "pg8000"),
    **dict(tuned()),
    **VERIFY_FULL,
}


def main(cases):
    """Ask all at the same time: one waits for its timeout."""
    with ThreadPoolExecutor(every.AT_ONCE) as pool:
        said = {
            f"{case}, {way}": pool.submit(ask, way, *words)
            for case, (ask, *words) in cases.items()
            for way in WAYS
        }
        print(json.dumps({case: future.result() for case, future in said.items()}))


main(VERIFY_FULL if sys.argv[1:] == ["verify-full"] else CASES)
