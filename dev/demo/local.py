"""MODE=local: the operator as a process on this machine, with a PostgreSQL of its own."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

import psycopg

from daap_operator import crd, migrate
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.cluster import commands
from dev.cluster.errors import ClusterError
from dev.cluster.established import wait_established
from dev.cluster.progress import Step, say
from dev.demo import places
from dev.demo.kubectl import kubectl
from dev.postgres import Postgres, from_environment

READY_SECONDS = 30.0
STOP_SECONDS = 15.0


def start() -> None:
    """The kinds, the inventory and the operator; harmless when they are there."""
    _api()
    _operator(_inventory())


def _api() -> None:
    """The kinds of ours."""
    text = crd.render(*DEFINITIONS)
    kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", text=text)
    wait_established(kubectl, *(definition.name for definition in DEFINITIONS))


def inventory() -> str:
    """The rows, as a table."""
    with psycopg.connect(_url()) as connection:
        cursor = connection.execute(places.ROWS.encode())
        names = tuple(column.name for column in cursor.description or ())
        rows = [names, *(tuple(map(str, row)) for row in cursor.fetchall())]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = ("  ".join(f"{c:<{w}}" for c, w in zip(row, widths, strict=True)) for row in rows)
    return "\n".join(line.rstrip() for line in lines)


def suggestions() -> str:
    """How to reach the inventory and the operator's log."""
    return f"""export DATABASE_URL='{_url()}'
    tail -f {places.operator_log()}"""


def _url() -> str:
    given = from_environment()
    return (given or Postgres.start(places.postgres())).url


def _inventory() -> str:
    """The metadata database with the schema of today; its URL."""
    ours = from_environment() is None
    name = "PostgreSQL 16 of our own" if ours else "the one of DATABASE_URL"
    say(f"metadata database: {name}")
    url = _url()
    migrate.migrate(url, out=sys.stderr, wait_seconds=10)
    return url


def _operator(url: str) -> None:
    """The operator on this machine, restarted; waits until it reconciles databases."""
    stop()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {
        **os.environ,
        "KUBECONFIG": str(places.kubeconfig()),
        "DATABASE_URL": url,
        "DAAP_HEALTH_HOST": "127.0.0.1",
        "DAAP_HEALTH_PORT": str(port),
        "DAAP_METRICS_HOST": "127.0.0.1",
        "DAAP_METRICS_PORT": "0",
        "DAAP_METRICS_AUTHENTICATION": "none",
        "DAAP_IDENTITY": "demo",  # a predecessor that was killed has ended: go on at once
        "DAAP_LOG_FORMAT": "text",
    }
    with Step(f"starting the operator (log: {places.operator_log()})"):
        with places.operator_log().open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "daap_operator", "run"],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        places.operator_pid().write_text(f"{process.pid}\n")
        _wait_ready(process, port)


def _wait_ready(process: "subprocess.Popen[bytes]", port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not _ready(port):
        if process.poll() is not None or time.monotonic() > deadline:
            said = commands.tail(places.operator_log().read_text(errors="replace"))
            raise ClusterError(f"the operator does not become ready; it said:\n{said}")
        time.sleep(0.1)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop() -> None:
    """Stop the operator that an earlier run left, if it still runs."""
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):
        pid = int(places.operator_pid().read_text())
        if not _is_operator(pid):
            return
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_SECONDS
        while _is_operator(pid) and time.monotonic() < deadline:
            time.sleep(0.05)


def _is_operator(pid: int) -> bool:
    """Whether that process is one of ours: process ids are used again."""
    arguments = commands.ask("ps", "-o", "args=", "-p", str(pid))
    return "daap_operator" in arguments


def remove() -> None:
    """Stop the operator and take its inventory away."""
    stop()
    if places.postgres().is_dir():
        Postgres(places.postgres()).remove()
