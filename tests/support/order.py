"""The order of the tests when several processes share them: what takes longest begins first.

pytest-xdist hands out whole files (`--dist=loadfile`) in the order in which their tests stand here,
so that fixtures of a module are set up once, and no process is left alone with a long file. Files
that share what is costly to set up and to have are handed out as one.
"""

from pathlib import PurePath
from typing import Any

import pytest
from xdist.scheduler import LoadFileScheduling

LONGEST_FIRST = (
    "tests/integration/test_faults.py",
    "tests/integration/test_watches.py",
    "tests/integration/test_fair_shares.py",
    "tests/integration/test_inventory.py",
    "tests/integration/test_dev_postgres.py",
    "tests/integration/test_admission.py",
    "tests/integration/test_rbac.py",
    "tests/integration/test_large_objects.py",
    "tests/integration/test_bad_input.py",
    "tests/integration/test_control_plane.py",
    "tests/integration/test_metadata.py",
    "tests/integration/test_chaos.py",
    "tests/integration/test_schemas.py",
    "tests/integration/test_many_objects.py",
    "tests/integration/test_bench.py",
    "tests/integration/test_recorded.py",
    "tests/integration",
    "tests/chart",
    "tests/unit/test_install_steps.py",
    "tests/unit/test_second_try.py",
    "tests/unit/test_elector.py",
    "tests/unit/test_chaos.py",
    "tests/unit",
)
"""Files, by what `--durations` says of them; others have the place of their folder. Beside the
faults, which keep a core busy for minutes, come files that mostly wait, and the rights after them:
what both have to be certain of takes the longer the slower the machine is."""

TOGETHER = ("tests/integration/test_admission*.py", "tests/integration/test_*_bounds.py")
"""Files that run in one process, begun as the first of them: on the control plane with the chart's
policies, which takes its share of a core also while nobody asks it."""


class Scheduling(LoadFileScheduling):  # type: ignore[misc] # xdist has no types
    """Hands out files, and as one those that run together."""

    def _split_scope(self, nodeid: str) -> str:
        file = super()._split_scope(nodeid)
        return TOGETHER[0] if runs_together(file) else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Scheduling | None:
    return Scheduling(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):  # a process of pytest-xdist
        items.sort(key=lambda item: place(item.nodeid))


def place(test: str) -> int:
    """Where a test belongs in the order."""
    file = test.partition("::")[0]
    places = [
        n for n, name in enumerate(LONGEST_FIRST) if file == name or file.startswith(f"{name}/")
    ]
    return min(places, default=len(LONGEST_FIRST))


def runs_together(file: str) -> bool:
    """Whether a file is one of those that run together."""
    return any(PurePath(file).match(pattern) for pattern in TOGETHER)
