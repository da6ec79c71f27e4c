"""`python -m dev.demo start|clean`."""

import argparse
import sys
import time

from daap_operator.migrate import MigrationError
from dev.cluster.errors import ClusterError
from dev.cluster.progress import duration, say
from dev.demo import platform, team
from dev.postgres import PostgresError


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
        say("\ninterrupted; `make demo` goes on where it was, `make demo-clean` removes it")
        return 130
    return 0


def start() -> None:
    """From nothing to a database that answers; harmless when it is all there."""
    started = time.monotonic()
    platform.cluster()
    platform.api()
    url = platform.inventory()
    platform.operator(url)
    team.ask_for_database()
    status = team.wait_until_ready()
    team.query(status["secretName"])
    team.show(url)
    team.suggest(url)
    say(f"demo: done in {duration(time.monotonic() - started)}")


def clean() -> None:
    """Remove what `start` left running."""
    platform.remove()
    say("demo: removed")


if __name__ == "__main__":
    sys.exit(main())
