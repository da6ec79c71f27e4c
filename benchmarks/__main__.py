"""`make bench`: the operator with N databases, a table on stdout, a line of JSON and a picture."""

import asyncio
import sys
from pathlib import Path

from benchmarks import chart, options, record, table
from benchmarks.errors import BenchError
from benchmarks.figures import Figures
from benchmarks.options import Options
from benchmarks.run import measure
from benchmarks.systems import Ours
from dev.cluster.errors import ClusterError
from dev.cluster.progress import say
from dev.postgres import PostgresError

RESULTS, PICTURE = "bench.jsonl", "bench.svg"


def main() -> int:
    """Measure each size; what was measured before an error is kept."""
    chosen = options.read()
    directory = chosen.directory.resolve()
    directory.mkdir(parents=True, exist_ok=True)
    runs: list[Figures] = []
    try:
        for count in chosen.sizes:
            runs.append(_one(count, chosen, directory))
            print(table.render(runs), flush=True)
    except (BenchError, ClusterError, PostgresError) as error:
        say(f"ERROR: {error}")
        return 1
    say(f"{directory / RESULTS} has all figures, {directory / PICTURE} the picture")
    return 0


def _one(count: int, chosen: Options, directory: Path) -> Figures:
    """A run, written down."""
    logs = directory / f"n{count}"
    logs.mkdir(exist_ok=True)
    figures = asyncio.run(measure(Ours(), count, chosen, logs))
    results = directory / RESULTS
    with results.open("a") as file:
        file.write(record.line(figures))
    runs = record.latest(results.read_text().splitlines())
    (directory / PICTURE).write_text(chart.render(runs, caption(figures)))
    return figures


def caption(figures: Figures) -> str:
    """When, where and of what, in one line."""
    machine = figures["machine"]
    where = f"{machine['cores']} cores ({machine['cpu']}), Python {machine['python']}"
    return f"make bench, {figures['at'][:10]}, commit {figures['commit'] or 'unknown'}, {where}"


if __name__ == "__main__":
    sys.exit(main())
