"""`python -m dev.pooler_reset`: what it costs to have PgBouncer reset a connection between clients.

pgbench through PgBouncer in transaction mode, with each of VARIANTS in turn, ROUNDS times over; the
median counts. What PgBouncer and PostgreSQL spend of the processor for a transaction is told beside
the rate, for the rate follows whatever else the machine does. For Linux. Wants the tests'
PostgreSQL, and on the PATH PgBouncer 1.21 or newer and pgbench, which Debian has in its packages
`pgbouncer` and `postgresql-contrib`.
"""

import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dev.cluster.progress import say
from dev.postgres import binaries
from dev.postgres.local import Postgres
from dev.postgres.ports import free_ports

LIGHT = (
    "SET SESSION AUTHORIZATION DEFAULT; RESET ALL; CLOSE ALL; UNLISTEN *; "
    "SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP"
)
"""All that DISCARD ALL does but forgetting plans and prepared statements."""

VARIANTS = {
    "no reset": "",
    "DISCARD ALL": "server_reset_query_always = 1",
    "light": f"server_reset_query_always = 1\nserver_reset_query = {LIGHT}",
}
LOADS = {
    "SELECT by key, simple": ("--select-only", "--protocol=simple"),
    "SELECT by key, prepared": ("--select-only", "--protocol=prepared"),
    "TPC-B, simple": ("--protocol=simple",),
    "TPC-B, prepared": ("--protocol=prepared",),
}
CLIENTS = 16
START_SECONDS = 10.0


class ToolError(Exception):
    """What is missing, or what a tool said."""


@dataclass(frozen=True)
class Run:
    """What one run of pgbench came to."""

    rate: float
    """Transactions per second."""
    microseconds: float
    """Processor time that PgBouncer and PostgreSQL spent for one."""


def main() -> int:
    """Measure, and print a table for docs/adr."""
    rounds, seconds = int(os.environ.get("ROUNDS") or 5), int(os.environ.get("SECONDS") or 5)
    try:
        _check_tools()
        with tempfile.TemporaryDirectory(prefix="daap-pooler-") as directory:
            _measure(Path(directory), rounds, seconds)
    except (ToolError, binaries.PostgresError) as error:
        say(f"ERROR: {error}")
        return 1
    return 0


def _check_tools() -> None:
    missing = [name for name in ("pgbouncer", "pgbench") if shutil.which(name) is None]
    if missing:
        raise ToolError(
            f"{' and '.join(missing)} not found on the PATH: Debian's packages are pgbouncer and "
            "postgresql-contrib"
        )
    said = _run("pgbouncer", "--version")
    version = re.search(r"PgBouncer (\d+)\.(\d+)", said)
    if not version or (int(version[1]), int(version[2])) < (1, 21):
        first = said.splitlines()[0] if said else "nothing"
        raise ToolError(
            f"pgbouncer on the PATH says '{first}', and prepared statements need 1.21 or newer: "
            "put a newer one before it"
        )


def _measure(directory: Path, rounds: int, seconds: int) -> None:
    with Postgres.start(directory / "postgres", durable=False) as server:
        _run("pgbench", "--initialize", "--quiet", "--scale=10", server.url)
        found: dict[tuple[str, str], list[Run]] = {}
        for number in range(1, rounds + 1):
            say(f"round {number} of {rounds}")
            for variant, settings in VARIANTS.items():
                with _pgbouncer(directory, settings, server.url) as (url, pid):
                    for load, options in LOADS.items():
                        run = _bench(url, options, seconds, (pid, server.pid or 0))
                        found.setdefault((load, variant), []).append(run)
    print(f"{rounds} rounds of {seconds} s, {CLIENTS} clients, {os.cpu_count()} cores, median")
    _table("processor time for a transaction, µs", found, lambda run: run.microseconds)
    _table("transactions per second", found, lambda run: run.rate)


def _table(
    title: str, found: dict[tuple[str, str], list[Run]], value: Callable[[Run], float]
) -> None:
    print(f"\n| {title} | {' | '.join(VARIANTS)} |")
    print("|---|" + "---|" * len(VARIANTS))
    for load in LOADS:
        runs = [found[load, variant] for variant in VARIANTS]
        middle = [statistics.median(map(value, each)) for each in runs]
        told = [f"{number:,.0f} ({number / middle[0] - 1:+.0%})" for number in middle]
        print(f"| {load} | {' | '.join(told)} |")


def _bench(url: str, options: tuple[str, ...], seconds: int, servers: tuple[int, ...]) -> Run:
    before = sum(map(_processor_seconds, servers))
    said = _run(
        *("pgbench", "--no-vacuum", f"--client={CLIENTS}", "--jobs=2", f"--time={seconds}"),
        *(*options, url),
    )
    spent = sum(map(_processor_seconds, servers)) - before
    rate, done = re.search(r"tps = ([\d.]+)", said), re.search(r"processed: (\d+)", said)
    failed = re.search(r"failed transactions: ([1-9]\d*)", said)
    if rate is None or done is None or failed:
        raise ToolError(f"pgbench did not run through:\n{said}")
    return Run(rate=float(rate[1]), microseconds=spent / int(done[1]) * 1e6)


def _processor_seconds(pid: int) -> float:
    """What a process, its children and those that it has buried have spent; proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    own = sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(_processor_seconds(int(child)) for child in children)


@contextmanager
def _pgbouncer(directory: Path, settings: str, url: str) -> Iterator[tuple[str, int]]:
    """One that runs, with the operator's settings: the URL through it, and its process id."""
    port, server = next(iter(free_ports())), urlsplit(url)
    place = Path(tempfile.mkdtemp(dir=directory))
    place.joinpath("users").write_text(f'"{server.username}" "{server.password}"\n')
    place.joinpath("pgbouncer.ini").write_text(
        f"[databases]\n* = host=127.0.0.1 port={server.port}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\n"
        f"auth_type = scram-sha-256\nauth_file = {place}/users\npool_mode = transaction\n"
        "default_pool_size = 20\nmax_prepared_statements = 200\nlog_connections = 0\n"
        f"log_disconnections = 0\nignore_startup_parameters = extra_float_digits\n{settings}\n"
    )
    for path in (directory, place, *place.iterdir()):
        path.chmod(0o755)
    account = binaries.account()
    user = account.pw_name if account else None
    with (place / "log").open("wb") as log:
        command = ["pgbouncer", str(place / "pgbouncer.ini")]
        process = subprocess.Popen(command, stdout=log, stderr=log, user=user)
    try:
        _wait(process, port, place / "log")
        yield url.replace(f":{server.port}/", f":{port}/"), process.pid
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    give_up = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < give_up:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise ToolError(f"pgbouncer did not start:\n{log.read_text()}")


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ToolError(f"{command[0]} failed:\n{done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    sys.exit(main())
