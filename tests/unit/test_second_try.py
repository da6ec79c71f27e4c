"""The second try of integration and e2e tests, each case a run of pytest of its own."""

import re
import signal
from pathlib import Path
from re import MULTILINE

import pytest

from dev import repeat
from tests.fix_postgres import wait_until
from tests.support import second_try
from tests.unit.tree import Tree

ROOT = Path(__file__).parents[2]

TWO_PROCESSES = ("--second-try", "-p", "xdist", "-n2", "--dist=loadfile")
FUNCTION_LOOPS = ("-o", "asyncio_default_fixture_loop_scope=function")
INTEGRATION, E2E = "tests/integration", "tests/e2e"

STEADY = "def test_steady(plane): pass\n"
UNSTEADY = """
def test_unsteady(own, plane, outcomes):
    print(f"said in try {own}")
    assert plane == own, "the session's fixture was not set up again"
    assert own == outcomes == 2, f"lost in try {own}"
"""
BROKEN = """
def test_broken(own):
    assert False, f"broken in try {own}"
"""


@pytest.fixture
def tree(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Tree:
    return Tree(pytester, monkeypatch)


@pytest.mark.parametrize("folder", [INTEGRATION, E2E])
def test_what_passes_the_second_time_is_unsteady_and_fails_nothing(folder: str, tree: Tree) -> None:
    tree.add(folder, STEADY + UNSTEADY + "def test_last(plane): pass")
    result = tree.run()
    assert result.ret == 0
    assert result.parseoutcomes() == {"passed": 2, "unsteady": 1}
    assert (tree.count("plane"), tree.count("plane-ended")) == (2, 2)
    assert tree.count("outcomes") == 2
    said = result.stdout.str()
    first, closing = said.split("= unsteady: failed, and passed when run once more =")
    assert "AssertionError: lost in try 1" in first
    assert "said in try 1" in first
    assert re.search(rf"^{folder}/test_it.py::test_unsteady$", closing, MULTILINE)
    assert re.search(
        r"^    said first    in call: AssertionError: lost in try 1", closing, MULTILINE
    )
    assert re.search(r"^    took          \d+\.\d s, then \d+\.\d s$", closing, MULTILINE)
    (kept,) = re.findall(r"^    both outputs  (.+\.txt)$", closing, MULTILINE)
    before, after = Path(kept).read_text().split("=== second try")
    assert "lost in try 1" in before
    assert "said in try 1" in before
    assert "said in try 2" in after
    assert "try 1" not in after


def test_what_fails_again_fails_the_run_and_both_outputs_are_kept(tree: Tree) -> None:
    tree.add(INTEGRATION, STEADY + BROKEN)
    result = tree.run()
    assert result.ret == 1
    assert result.parseoutcomes() == {"passed": 1, "failed": 1}
    assert tree.count("test_broken") == 2
    assert "broken in try 2" in result.stdout.str()
    assert "unsteady" not in result.stdout.str()
    (kept,) = tree.kept()
    assert "broken in try 1" in kept
    assert "broken in try 2" in kept


@pytest.mark.parametrize(("count", "code"), [(3, 0), (4, 1)])
def test_more_than_three_unsteady_tests_fail_the_run(count: int, code: int, tree: Tree) -> None:
    tree.add(
        INTEGRATION,
        f"@pytest.mark.parametrize('number', range({count}))\n"
        "def test_many(number, own): assert own == 2\n",
    )
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (code, {"unsteady": count})
    assert ("more than 3: the run has failed" in result.stdout.str()) == bool(code)


def test_nothing_is_repeated_when_so_many_fail_that_it_was_no_slow_moment(tree: Tree) -> None:
    count = second_try.MOST_REPEATED + 1
    tree.add(
        INTEGRATION,
        f"@pytest.mark.parametrize('number', range({count}))\n"
        "def test_many(number, plane):\n"
        "    tries('many')\n"
        "    assert not plane, 'for all'\n",
    )
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (1, {"failed": count})
    assert tree.count("many") == count
    assert f"second try: none, since {count} tests failed" in result.stdout.str()


@pytest.mark.parametrize("folder", ["tests/unit", "tests/chart", "tests/integration_of"])
def test_others_are_never_repeated(folder: str, tree: Tree) -> None:
    tree.add(folder, UNSTEADY)
    tree.add(INTEGRATION, "def test_other(own): assert own == 2", "test_other")
    result = tree.run()
    assert result.ret == 1
    assert result.parseoutcomes() == {"failed": 1, "unsteady": 1}
    assert tree.count("test_unsteady") == 1


@pytest.mark.parametrize("option", ["-q", "--no-second-try"])
def test_nothing_is_repeated_unasked(option: str, tree: Tree) -> None:
    tree.add(INTEGRATION, UNSTEADY)
    result = tree.run(option)
    assert (result.ret, result.parseoutcomes()) == (1, {"failed": 1})
    assert tree.count("test_unsteady") == 1


def test_a_run_that_is_to_end_at_the_first_failure_does(tree: Tree) -> None:
    tree.add(INTEGRATION, UNSTEADY + "def test_z(): pass\n")
    result = tree.run("--second-try", "--exitfirst")
    assert (result.ret, result.parseoutcomes()) == (1, {"failed": 1})
    assert tree.count("test_unsteady") == 1
    assert "second try: none, since the run ends early" in result.stdout.str()


SETUP = """
@pytest.fixture
def shaky(own):
    assert own == 2, f"not ready in try {own}"

def test_setup(shaky): pass
"""
TEARDOWN = """
@pytest.fixture
def shaky(own):
    yield
    assert own == 2, f"not gone in try {own}"

def test_teardown(shaky): pass
"""


@pytest.mark.parametrize(
    ("tests", "said"),
    [
        (SETUP, "in setup: AssertionError: not ready"),
        (TEARDOWN, "in teardown: AssertionError: not"),
    ],
    ids=["setup", "teardown"],
)
def test_setup_and_teardown_have_a_second_try(tests: str, said: str, tree: Tree) -> None:
    tree.add(INTEGRATION, tests + STEADY)
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (0, {"unsteady": 1, "passed": 1})
    assert said in result.stdout.str()


@pytest.mark.parametrize(
    ("tests", "outcomes"),
    [
        (SETUP.replace("own == 2", "own > 2"), {"passed": 1, "errors": 1}),
        (TEARDOWN.replace("own == 2", "own > 2"), {"passed": 2, "errors": 1}),
    ],
    ids=["setup", "teardown"],
)
def test_setup_and_teardown_that_fail_again_are_errors(
    tests: str, outcomes: dict[str, int], tree: Tree
) -> None:
    tree.add(INTEGRATION, tests + STEADY)
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (1, outcomes)


def test_what_fails_first_and_is_skipped_then_has_failed(tree: Tree) -> None:
    tree.add(
        INTEGRATION, "def test_it(own):\n    if own == 2: pytest.skip()\n    assert own == 2\n"
    )
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (1, {"failed": 1})


def test_a_test_that_is_expected_to_fail_has_no_second_try(tree: Tree) -> None:
    tree.add(
        INTEGRATION,
        "@pytest.mark.xfail(strict=True)\ndef test_strict(): tries('strict')\n"
        "@pytest.mark.xfail\ndef test_fails(): assert tries('fails') == 2\n",
    )
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (1, {"failed": 1, "xfailed": 1})
    assert (tree.count("strict"), tree.count("fails")) == (1, 1)


def test_a_fixture_of_the_session_that_fails_at_the_end_fails_the_run(tree: Tree) -> None:
    tree.add(
        INTEGRATION,
        "@pytest.fixture(scope='session')\n"
        "def rights():\n    yield\n    assert 0, 'asked for more'\n"
        "def test_it(rights): pass\n" + UNSTEADY,
    )
    result = tree.run()
    assert result.ret == 1
    assert result.parseoutcomes() == {"passed": 1, "unsteady": 1, "errors": 1}
    assert "asked for more" in result.stdout.str()


ENDED_LATER = """
def test_broken(own): assert 0
def test_z(own): raise KeyboardInterrupt
"""
ENDED_AT_ONCE = """
@pytest.fixture
def ended():
    yield
    raise KeyboardInterrupt

def test_broken(ended): assert 0
"""
ENDED_AGAIN = """
import os
def test_broken(own):
    if own == 2:
        os._exit(9)
    assert 0
"""


@pytest.mark.parametrize("tests", [ENDED_AT_ONCE, ENDED_LATER], ids=["in its teardown", "later"])
def test_what_failed_before_the_run_was_ended_is_reported(tests: str, tree: Tree) -> None:
    tree.add(INTEGRATION, tests)
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (2, {"failed": 1})


def test_what_fails_first_and_is_cut_short_then_has_failed(tree: Tree) -> None:
    tree.add(INTEGRATION, ENDED_AGAIN)
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (1, {"failed": 1})
    assert "ended early: see output.log beside this file" in tree.kept()[0]


ENDLESS = """
import signal, threading
signal.signal(signal.SIGTERM, signal.default_int_handler)

@pytest.fixture
def tidied(own):
    yield
    tries("tidied")

def test_endless(own, tidied):
    tries("begun")
    if own == 2:
        threading.Event().wait()
    assert 0
"""


def test_who_ends_the_run_ends_the_second_try_which_tidies_up(tree: Tree) -> None:
    tree.add(INTEGRATION, ENDLESS)
    with tree.start("-p", "tests.support.second_try", "--second-try") as running:
        wait_until(lambda: tree.count("begun") == 2, "the second try")
        running.send_signal(signal.SIGINT)
        said, _ = running.communicate()
    assert running.returncode == 2
    assert "1 failed" in said
    assert tree.count("tidied") == 2


SLOW = """
import asyncio

@pytest.fixture
async def event(own):
    yield asyncio.Event()

@pytest.mark.timeout(1)
async def test_slow(own, event):
    if own == 2:
        event.set()
    await event.wait()
"""


def test_coroutines_and_timeouts_have_a_second_try(tree: Tree) -> None:
    tree.add(INTEGRATION, SLOW)
    plugins = ("-p", "pytest_asyncio.plugin", "-p", "pytest_timeout")
    result = tree.run("--second-try", *plugins, "-o", "asyncio_mode=auto", *FUNCTION_LOOPS)
    assert (result.ret, result.parseoutcomes()) == (0, {"unsteady": 1})
    assert "said first    in call: Failed: Timeout" in result.stdout.str()


def test_tests_and_fixtures_may_ask_what_is_to_run_and_whether_it_is_the_second_try(
    tree: Tree,
) -> None:
    """Such as those that make the trials of all tests of a module at once."""
    tree.add(
        INTEGRATION,
        "from tests.support.second_try import is_second_try\n"
        "@pytest.fixture(scope='module')\n"
        "def wanted(request):\n"
        "    return [item.name for item in request.session.items]\n"
        "def test_one_of_them(wanted): assert len(wanted) == 2\n"
        "def test_two_of_them(wanted, request):\n"
        "    assert is_second_try(request.config) == (len(wanted) == 1)\n"
        "    assert wanted == ['test_two_of_them']\n",
    )
    result = tree.run()
    assert (result.ret, result.parseoutcomes()) == (0, {"passed": 1, "unsteady": 1})


# --- several processes ----------------------------------------------------------------------------


def test_tests_of_several_processes_have_their_second_try_in_one(tree: Tree) -> None:
    tree.add(INTEGRATION, "def test_one(own, plane): assert own == 2", "test_one")
    tree.add(INTEGRATION, "def test_two(own, plane): assert own == 2, 'two'", "test_two")
    tree.add(E2E, BROKEN)
    tree.add("tests/unit", "def test_unit(): assert tries('unit') == 2", "test_unit")
    result = tree.run(*TWO_PROCESSES)
    assert (result.ret, result.parseoutcomes()) == (1, {"unsteady": 2, "failed": 2})
    assert tree.count("unit") == 1
    assert "said first    in call: AssertionError: two" in result.stdout.str()
    (broken,) = (text for text in tree.kept() if "test_broken" in text)
    assert "broken in try 1" in broken
    assert "broken in try 2" in broken


def test_many_failures_of_several_processes_are_counted_together(tree: Tree) -> None:
    for name in ("test_one", "test_two"):
        tree.add(
            INTEGRATION,
            f"@pytest.mark.parametrize('number', range({second_try.MOST_REPEATED // 2 + 1}))\n"
            "def test_many(number): assert 0\n",
            name,
        )
    result = tree.run(*TWO_PROCESSES)
    count = 2 * (second_try.MOST_REPEATED // 2 + 1)
    assert (result.ret, result.parseoutcomes()) == (1, {"failed": count})
    assert f"second try: none, since {count} tests failed" in result.stdout.str()


def test_a_fixture_of_a_process_that_fails_at_its_end_fails_the_run(tree: Tree) -> None:
    tree.add(
        INTEGRATION,
        "@pytest.fixture(scope='session')\n"
        "def rights():\n    yield\n    assert 0, 'asked for more'\n"
        "def test_it(rights): pass\n",
    )
    tree.add(INTEGRATION, "def test_other(own): assert own == 2", "test_other")
    result = tree.run(*TWO_PROCESSES)
    assert result.ret == 1
    assert result.parseoutcomes() == {"passed": 1, "unsteady": 1, "errors": 1}


def test_a_process_that_crashes_fails_the_run(tree: Tree) -> None:
    tree.add(INTEGRATION, f"import os\n{STEADY}def test_crash(own): own == 2 or os._exit(9)\n")
    result = tree.run(*TWO_PROCESSES)
    assert result.ret == 1
    assert "crashed while running" in result.stdout.str()


@pytest.mark.parametrize("options", [("--second-try",), TWO_PROCESSES], ids=["one", "two"])
def test_the_second_try_is_measured_too(options: tuple[str, ...], tree: Tree) -> None:
    (tree.path / ".coveragerc").write_text("[run]\nparallel = true\nsource = measured\n")
    (tree.path / "measured.py").write_text("def first():\n    pass\ndef then():\n    pass\n")
    tree.add(
        INTEGRATION,
        "import measured\n"
        "def test_it(own):\n"
        "    assert own == 2 or measured.first()\n"
        "    measured.then()\n",
    )
    measuring = ("-p", "pytest_cov", "--cov", "--cov-fail-under=100")
    with tree.start("-p", "tests.support.second_try", *options, *measuring) as running:
        said, _ = running.communicate()
    assert "1 unsteady" in said
    assert "Total coverage: 100.00%" in said
    assert running.returncode == 0


def test_what_measures_steadiness_repeats_nothing_and_ci_does() -> None:
    recipes = (ROOT / "Makefile").read_text()
    runs = dict(re.findall(r"^([\w-]+):.*## .*\n\t@.*-m pytest (.*)$", recipes, MULTILINE))
    asked = {target: set(re.findall(r"--(?:no-)?second-try", run)) for target, run in runs.items()}
    assert asked == {
        "test": {"--second-try"},
        "test-integration": {"--second-try"},
        "test-unit": set(),
        "test-chart": set(),
        "chaos": {"--no-second-try"},
        "faults": {"--no-second-try"},
        "large": {"--no-second-try"},
    }
    assert "--no-second-try" in repeat.OPTIONS
    assert '"--second-try"' in (ROOT / "dev/e2e.py").read_text()
