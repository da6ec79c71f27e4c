"""A run as a line of JSON, and lines read back. Pure."""

import json
from collections.abc import Iterable

from benchmarks.figures import Figures


def line(figures: Figures) -> str:
    """One line, with its newline."""
    return json.dumps(figures, ensure_ascii=False, separators=(",", ":")) + "\n"


def latest(lines: Iterable[str]) -> list[Figures]:
    """The last run of each size, in the order of sizes."""
    runs = [json.loads(text) for text in lines if text.strip()]
    by_size = {run["n"]: run for run in runs}
    return [by_size[size] for size in sorted(by_size)]
