"""Runs every program here, and gives back what each said: the pod's part of the e2e test."""

import json
import os
import socket
import subprocess
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
BINDING = Path("/var/run/secrets/daap/orders")
SECONDS = 60
AT_ONCE = 4
ANOTHER_NAME = "another-name.test"
"""Leads to the same server, whose certificate does not have it."""

PROGRAMS = {
    "psycopg": ("python", "psycopg3.py"),
    "asyncpg": ("python", "asyncpg_.py"),
    "SQLAlchemy, psycopg": ("python", "sqlalchemy_psycopg.py"),
    "SQLAlchemy, asyncpg": ("python", "sqlalchemy_asyncpg.py"),
    "SQLAlchemy, pg8000": ("python", "sqlalchemy_pg8000.py"),
    "Django": ("python", "django_.py"),
    "node-postgres": ("node", "node/pg.js"),
    "Postgres.js": ("node", "node/postgres.js"),
    "pgx": ("bin/pgx",),
    "lib/pq": ("bin/libpq",),
    "JDBC, HikariCP": ("java", "-XX:TieredStopAtLevel=1", "-cp", "java:jars/*", "Hikari"),
    "pgcli": ("sh", "pgcli.sh"),
}


def entry(key: str) -> str:
    """An entry of the connection Secret."""
    return (BINDING / key).read_text()


def environment(way: str, *, another_name: bool = False) -> dict[str, str]:
    """What a program connects with: `way` is `pooler` or `direct`."""
    host = entry("host" if way == "pooler" else "direct-host")
    called = ANOTHER_NAME if another_name else host
    if another_name:
        _name(called, socket.gethostbyname(host))
    return {
        "DATABASE_URL": entry("uri" if way == "pooler" else "direct-uri").replace(host, called),
        "JDBC_URL": entry("jdbc-uri" if way == "pooler" else "direct-jdbc-uri").replace(
            host, called
        ),
        "DB_HOST": called,
        "DB_PORT": entry("port"),
        "DB_NAME": entry("database"),
        "DB_USER": entry("username"),
        "DB_PASSWORD": entry("password"),
    }


def _name(name: str, address: str) -> None:
    hosts = Path("/etc/hosts")
    if name not in hosts.read_text():
        with hosts.open("a") as file:
            file.write(f"{address} {name}\n")


def run(program: str, tls: str, surroundings: dict[str, str]) -> Any:
    """The JSON that a program prints, or what went wrong, as text."""
    command = PROGRAMS[program]
    first = HERE / command[0] if "/" in command[0] else command[0]
    done = subprocess.run(
        [first, *command[1:], tls],
        cwd=HERE,
        env=os.environ | surroundings,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    if done.returncode == 0 and done.stdout.strip():
        return json.loads(done.stdout.strip().splitlines()[-1])
    return f"status {done.returncode}: {(done.stdout + done.stderr)[-6000:]}"


def every(cases: Iterable[tuple[str, str, bool]]) -> list[tuple[str, str, str, Any]]:
    """Program, TLS, way and what came out, for each program in each case of TLS, way and name."""
    todo = [
        (program, tls, way, environment(way, another_name=another_name))
        for tls, way, another_name in cases
        for program in PROGRAMS
    ]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        said = pool.map(lambda one: run(one[0], one[1], one[3]), todo)
        return [
            (program, tls, way, out) for (program, tls, way, _), out in zip(todo, said, strict=True)
        ]
