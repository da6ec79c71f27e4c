"""The order of the tests when several processes share them."""

import re
from pathlib import Path

import pytest

from tests.support.order import LONGEST_FIRST, place, runs_together
from tests.unit.tree import Tree

ROOT = Path(__file__).parents[2]

GUARDED = re.compile(r"\b(guarded_plane|as_person|fix_admission|admin: Api|place: str)\b")
"""How tests come by the control plane with the chart's policies."""

WHERE = """
import os, pathlib
def test_it(request):
    pathlib.Path(f"{request.path.stem}.pid").write_text(str(os.getpid()))
"""


@pytest.mark.parametrize("name", LONGEST_FIRST)
def test_what_has_a_place_is_there(name: str) -> None:
    assert (ROOT / name).exists()


def test_long_files_come_before_the_others_of_their_folder_and_unknown_folders_last() -> None:
    names = [
        "tests/integration/test_faults.py::test_any[a::b]",
        "tests/integration/test_addresses.py::test_any",
        "tests/chart/test_values.py::test_any",
        "tests/unit/test_elector.py::test_any",
        "tests/unit/test_addresses.py::test_any",
        "tests/e2e/test_pooler.py::test_any",
    ]
    assert sorted(sorted(names), key=place) == names


def test_those_that_share_the_guarded_plane_run_together_and_no_others() -> None:
    files = sorted((ROOT / "tests/integration").glob("test_*.py"))
    sharing = [file.name for file in files if GUARDED.search(file.read_text())]
    names = [file.name for file in files if runs_together(str(file.relative_to(ROOT)))]
    assert names
    assert names == sharing


def test_what_runs_together_runs_in_one_process(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = Tree(pytester, monkeypatch)
    for name in ("test_admission", "test_admission_data", "test_operator_bounds", "test_tables"):
        tree.add("tests/integration", WHERE, name)
    options = ("-p", "tests.support.order", "-p", "xdist", "-n2", "--dist=loadfile")
    with tree.start(*options, "--no-loadscope-reorder") as running:
        running.communicate()
    assert running.returncode == 0
    *together, other = [path.read_text() for path in sorted(tree.path.glob("*.pid"))]
    assert len(set(together)) == 1
    assert other not in together
