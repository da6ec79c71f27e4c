"""What is left to `make nightly` is left out by name, counted, and run there."""

import re
from pathlib import Path

import pytest

from tests.unit.tree import Tree

ROOT = Path(__file__).parents[2]
PLUGIN = ("-p", "tests.support.nightly", "--strict-markers")
TWO_PROCESSES = ("-p", "xdist", "-n2", "--dist=loadfile")

SOME = """
from tests.support.nightly import nightly
def test_often(): pass
@nightly("slow")
def test_seldom(): pass
@pytest.mark.parametrize("n", [1, pytest.param(2, marks=nightly("other")),
                               pytest.param(3, marks=nightly("other"))])
def test_in_part(n): pass
"""
LEFT = ["left to `make other`: 2 tests (--nightly)", "left to `make slow`: 1 tests (--nightly)"]


@pytest.fixture
def tree(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Tree:
    made = Tree(pytester, monkeypatch)
    made.add("tests/integration", SOME)
    return made


@pytest.mark.parametrize("processes", [(), TWO_PROCESSES], ids=["one process", "two processes"])
def test_what_is_left_out_is_counted_with_the_target_that_runs_it(
    processes: tuple[str, ...], tree: Tree
) -> None:
    result = tree.run(*PLUGIN, *processes)
    assert result.ret == 0
    assert result.parseoutcomes()["passed"] == 2
    assert re.findall(r"^left to .*$", result.stdout.str(), re.MULTILINE) == LEFT


@pytest.mark.parametrize("processes", [(), TWO_PROCESSES], ids=["one process", "two processes"])
def test_all_of_it_runs_with_the_option_and_nothing_is_said(
    processes: tuple[str, ...], tree: Tree
) -> None:
    result = tree.run(*PLUGIN, *processes, "--nightly")
    assert result.parseoutcomes() == {"passed": 5}
    assert "left to" not in result.stdout.str()


def test_what_is_left_out_alone_can_be_asked_for(tree: Tree) -> None:
    result = tree.run(*PLUGIN, "--nightly", "-m", "nightly")
    assert result.parseoutcomes() == {"passed": 3, "deselected": 2}


def test_a_run_of_nothing_but_what_is_left_out_is_not_green(tree: Tree) -> None:
    result = tree.run(*PLUGIN, "-k", "seldom")
    assert result.ret == pytest.ExitCode.NO_TESTS_COLLECTED
    assert LEFT[1] in result.stdout.str()


def test_what_failed_there_has_its_second_try(tree: Tree) -> None:
    made = "from tests.support.nightly import nightly\n@nightly('slow')"
    test = f"{made}\ndef test_it(own): assert own == 2"
    tree.add("tests/e2e", test)
    result = tree.run(*PLUGIN, "--nightly", "--second-try", "tests/e2e")
    assert result.parseoutcomes() == {"unsteady": 1}


def test_make_nightly_runs_every_target_that_a_mark_names() -> None:
    makefile = (ROOT / "Makefile").read_text()
    (targets,) = re.findall(r"^nightly: ([\w -]+) ##", makefile, re.MULTILINE)
    levels = ROOT / "tests/integration", ROOT / "tests/e2e"
    texts = [path.read_text() for level in levels for path in level.glob("*.py")]
    marks = {target for text in texts for target in re.findall(r"\bnightly\((.*?)\)", text)}
    named = {mark.strip('"') for mark in marks}
    assert named
    assert named <= set(targets.split())
    for target in named:
        recipe = re.findall(rf"^{target}:.*\n((?:\t.*\n)+)", makefile, re.MULTILINE)
        assert "--nightly" in "".join(recipe), target
