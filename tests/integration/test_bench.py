"""`make bench` from end to end with a few databases: every figure is measured, nothing is left."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import pytest

from benchmarks import chart, table
from benchmarks.figures import found
from dev.cluster import homes

COUNT = 3


@pytest.mark.timeout(600)
async def test_a_run_measures_every_figure_and_leaves_nothing(tmp_path: Path) -> None:
    command = ("-m", "benchmarks", f"--sizes={COUNT}", "--idle=1", "--trickle=1")
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *command,
        f"--directory={tmp_path}",
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ,
    )
    try:
        out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode == 0, err.decode()
    (run,) = [json.loads(line) for line in (tmp_path / "bench.jsonl").read_text().splitlines()]
    assert out.decode() == table.render([run]) + "\n"
    assert [title for title, column in table.ROWS if table.ABSENT in column(run).split()] == []
    lines = [path for one in chart.CHARTS for path in one.lines.values()]
    assert [path for path in lines if found(run, path) is None] == []
    assert (tmp_path / "bench.svg").read_text().count("<circle") == len(lines)
    assert run["create"]["requests"]["by_kind"]["patch clusters"] == COUNT
    assert run["create"]["sql"]["statements"] >= COUNT
    assert run["restart"]["requests"]["writes"] == 0
    assert run["edit"]["to_child_ms"]["count"] == COUNT
    assert [name for name in homes.names() if name.startswith(f"bench-{process.pid}-")] == []
