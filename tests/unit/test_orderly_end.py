"""The processes of the tests when somebody ends them early, each case a pytest of its own."""

import os
import signal

import pytest

from tests.fix_postgres import wait_until
from tests.unit.tree import Tree

IMPATIENT = """
import xdist.workermanage
xdist.workermanage.NodeManager.EXIT_TIMEOUT = 0
"""
ENDLESS = """
import os, pathlib, threading, time

@pytest.fixture(scope="session")
def server():
    pathlib.Path(f"{os.getpid()}.pid").touch()
    yield
    tries("stopping")
    while not pathlib.Path("may-stop").exists():
        time.sleep(0.01)
    tries("stopped")

def test_endless(server):
    tries("begun")
    threading.Event().wait()
"""


@pytest.fixture
def tree(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Tree:
    tree = Tree(pytester, monkeypatch)
    with (tree.path / "conftest.py").open("a") as conftest:
        conftest.write(IMPATIENT)
    for name in ("test_one", "test_two"):
        tree.add("tests", ENDLESS, name)
    return tree


@pytest.mark.parametrize("processes", [0, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C"])
def test_every_process_puts_away_what_it_has(
    number: signal.Signals, processes: int, tree: Tree
) -> None:
    count = max(1, processes)
    options = ("-p", "tests.support.orderly_end", "-p", "xdist", "--dist=loadfile")
    with tree.start(*options, f"-n{processes}") as running:
        wait_until(lambda: tree.count("begun") == count, "the tests that last")
        if number == signal.SIGINT:  # a terminal sends it to all
            os.killpg(running.pid, number)
        else:
            running.send_signal(number)
        wait_until(lambda: tree.count("stopping") == count, "the end of the sessions")
        for file in tree.path.glob("*.pid") if processes else ():
            os.kill(int(file.stem), signal.SIGTERM)  # they know
        (tree.path / "may-stop").touch()
        running.communicate()
    assert running.returncode == 2
    assert tree.count("stopped") == count
