"""What the platform team has: the cluster, the API, the inventory and the operator."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress

from daap_operator import crd, migrate
from dev.cluster import cnpg, commands, provider
from dev.cluster.errors import ClusterError
from dev.cluster.established import wait_established
from dev.cluster.progress import Step, say
from dev.demo import places
from dev.demo.kubectl import kubectl, program
from dev.postgres import Postgres, from_environment

READY_SECONDS = 30.0
STOP_SECONDS = 15.0


def cluster() -> None:
    """The cluster with CloudNativePG, made unless it is there."""
    chosen = provider.current()
    say(f"cluster: {chosen.path} ({chosen.reason})")
    running = commands.run(chosen.path, "get", "clusters").split()
    if places.CLUSTER in running:
        say(f"cluster: {places.CLUSTER} is running already")
        places.kubeconfig().write_text(
            commands.run(chosen.path, "get", "kubeconfig", f"--name={places.CLUSTER}")
        )
    else:
        create = [str(chosen.path), "create", "cluster", f"--name={places.CLUSTER}"]
        done = subprocess.run([*create, f"--kubeconfig={places.kubeconfig()}"], check=False)
        if done.returncode:
            raise ClusterError("the cluster could not be created; the message above says why")
    if chosen.real:
        cnpg.install(program(), places.kubeconfig(), pull=True)


def api() -> None:
    """The kind DaapDatabase."""
    kubectl("apply", "--server-side", "--force-conflicts", "--filename=-", text=crd.render())
    wait_established(kubectl, "daapdatabases.daap.io")


def inventory() -> str:
    """The metadata database with the schema of today; its URL."""
    given = from_environment()
    if given is not None:
        say("metadata database: the one of DATABASE_URL")
    else:
        say("metadata database: PostgreSQL 16 of our own")
    url = (given or Postgres.start(places.postgres())).url
    migrate.migrate(url, out=sys.stderr, wait_seconds=10)
    return url


def operator(url: str) -> None:
    """The operator on this machine, started anew; waits until it looks after databases."""
    stop_operator()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {
        **os.environ,
        "KUBECONFIG": str(places.kubeconfig()),
        "DATABASE_URL": url,
        "DAAP_HEALTH_HOST": "127.0.0.1",
        "DAAP_HEALTH_PORT": str(port),
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
            raise ClusterError(f"the operator does not get ready; it said:\n{said}")
        time.sleep(0.1)


def _ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=2) as reply:
            return bool(reply.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def stop_operator() -> None:
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
    """Take away the operator, the cluster and the metadata database."""
    stop_operator()
    chosen = provider.current()
    if places.CLUSTER in commands.run(chosen.path, "get", "clusters").split():
        delete = [str(chosen.path), "delete", "cluster", f"--name={places.CLUSTER}"]
        subprocess.run([*delete, f"--kubeconfig={places.kubeconfig()}"], check=False)
    if places.postgres().is_dir():
        Postgres(places.postgres()).remove()
