"""`make bench-peers`: this operator and kro in turn, and the ratios of their figures."""

import asyncio
import sys
from itertools import product
from pathlib import Path

from benchmarks import options, ratios, record
from benchmarks.errors import BenchError
from benchmarks.figures import Figures
from benchmarks.kro import Kro
from benchmarks.options import PeerOptions
from benchmarks.run import COMPARED, measure
from benchmarks.systems import Ours
from dev.cluster import programs
from dev.cluster.errors import ClusterError
from dev.cluster.progress import say
from dev.postgres import PostgresError

RESULTS = "peers.jsonl"
SYSTEMS = (Ours, Kro)
NAMES = (Ours.name, Kro.name)


def main() -> int:
    """Measure both in each round, so that what else the machine does meets both."""
    chosen = options.read_peers()
    directory = chosen.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    runs: list[Figures] = []
    try:
        programs.build(["kro"])  # before the first round: it takes minutes
        for number, size in product(range(1, chosen.rounds + 1), chosen.sizes):
            runs += _round(number, size, chosen, directory)
            print(ratios.render(runs, chosen.sizes, NAMES), flush=True)
    except (BenchError, ClusterError, PostgresError) as error:
        say(f"ERROR: {error}")
        return 1
    say(f"{directory / RESULTS} has all figures")
    return 0


def _round(number: int, size: int, chosen: PeerOptions, directory: Path) -> list[Figures]:
    """Both systems once, written down; the one that is first changes from round to round."""
    made = []
    for system in SYSTEMS if number % 2 else SYSTEMS[::-1]:
        say(f"round {number} of {chosen.rounds}, N={size}: {system.name}")
        logs = directory / f"{system.name}-n{size}"
        logs.mkdir(exist_ok=True)
        figures = asyncio.run(measure(system(), size, chosen, logs, COMPARED))
        figures = {"system": system.name, "round": number, **figures}
        with (directory / RESULTS).open("a") as file:
            file.write(record.line(figures))
        made.append(figures)
    return made


if __name__ == "__main__":
    sys.exit(main())
