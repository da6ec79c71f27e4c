"""What a test marked `unmeasured` runs is not traced and not counted, and all else is."""

import re

import pytest

from tests.unit.tree import Tree

PROGRAM = """
def once():
    return 1

def often():
    return 2

def seldom():
    return 3

def seldom_in_a_thread():
    return 4
"""
TESTS = """
import sys
import threading
import program
from tests.support.unmeasured import unmeasured

@pytest.fixture(scope="module")
def costly():
    return program.seldom()

@unmeasured
def test_seldom(costly):
    assert sys.gettrace() is None
    other = threading.Thread(target=program.seldom_in_a_thread)
    other.start()
    other.join()

def test_often():
    assert program.often() == 2
    other = threading.Thread(target=program.once)
    other.start()
    other.join()
"""
SELDOM = ["8", "11"]
"""The lines of what only the test runs that is not measured, and the fixture it is first to use."""


@pytest.mark.parametrize("processes", [0, 2])
def test_only_what_is_marked_is_left_out(
    processes: int, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = Tree(pytester, monkeypatch)
    pytester.makepyfile(program=PROGRAM)
    monkeypatch.setenv("PYTHONPATH", str(tree.path), prepend=":")
    tree.add("tests", TESTS)
    plugins = ("tests.support.unmeasured", "pytest_cov", "xdist")
    named = (word for plugin in plugins for word in ("-p", plugin))
    options = ("--strict-markers", "--cov=program", "--cov-report=term-missing", f"-n{processes}")
    with tree.start(*named, "--dist=loadfile", *options) as running:
        said, _ = running.communicate()
    assert running.returncode == 0, said
    (missing,) = re.findall(r"^program\.py .*% +(.*)$", said, re.MULTILINE)
    assert missing.split(", ") == SELDOM
