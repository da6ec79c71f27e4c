"""`python -m dev.demo start|clean`; with MODE=local the operator runs on this machine."""

import argparse
import os
import shutil
import sys
import time
from typing import Protocol

from daap_operator.migrate import MigrationError
from dev.cluster.errors import ClusterError
from dev.cluster.progress import duration, say
from dev.demo import local, places, platform, release, team
from dev.postgres import PostgresError

HOW = {
    "helm": "installed by Helm into the cluster (MODE=local: a process on this machine)",
    "local": "a process on this machine, as MODE=local asks",
}


class Mode(Protocol):
    """A way to run the operator."""

    def start(self) -> None:
        """Start it with its inventory; harmless when it runs."""

    def stop(self) -> None:
        """Stop the operator, if it runs."""

    def inventory(self) -> str:
        """Its rows."""

    def suggestions(self) -> str:
        """How to look at it."""


def main() -> int:
    """Start or clean; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m dev.demo", description=__doc__)
    parser.add_argument("action", choices=("start", "clean"))
    action = {"start": start, "clean": clean}[parser.parse_args().action]
    try:
        action()
    except (ClusterError, PostgresError, MigrationError) as error:
        say(f"\nERROR: {error}")
        return 1
    except KeyboardInterrupt:
        say("\ninterrupted; `make demo` continues where it was, `make demo-clean` removes it")
        return 130
    return 0


def start() -> None:
    """From nothing to a database that answers; harmless when it is all there."""
    started = time.monotonic()
    chosen, other = _modes()
    platform.cluster()
    other.stop()
    chosen.start()
    team.ask_for_database()
    status = team.wait_until_ready()
    team.query(status["secretName"])
    team.show(chosen.inventory())
    team.suggest(chosen.suggestions())
    say(f"demo: done in {duration(time.monotonic() - started)}")


def clean() -> None:
    """Remove what `start` left running."""
    local.remove()
    platform.remove()
    shutil.rmtree(places.home())
    say("demo: removed")


def _modes() -> tuple[Mode, Mode]:
    """The way the operator is to run, and the other one."""
    name = os.environ.get("MODE") or "helm"
    ways: dict[str, tuple[Mode, Mode]] = {"helm": (release, local), "local": (local, release)}
    if name not in ways:
        raise ClusterError(f"MODE={name}: must be one of {', '.join(ways)}")
    say(f"operator: {HOW[name]}")
    return ways[name]


if __name__ == "__main__":
    sys.exit(main())
