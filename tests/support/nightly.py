"""What is left to `make nightly`: the tests that are slow and seldom fail.

A test marked `nightly(TARGET)` is deselected unless pytest is given `--nightly`, and the run ends
by saying how many tests were left out and which `make TARGET` runs them.
"""

from collections import Counter

import pytest

MARK, OPTION = "nightly", "--nightly"

LEFT_OUT = pytest.StashKey[dict[str, int]]()
"""How many tests were left out, by the target that runs them."""

Mark = pytest.MarkDecorator


def nightly(target: str) -> Mark:
    """The mark of a test that only `make TARGET` runs."""
    return pytest.mark.nightly(target)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("nightly")
    group.addoption(
        OPTION,
        action="store_true",
        default=False,
        help="run also the tests that are left to `make nightly` (default: no)",
    )


def pytest_configure(config: pytest.Config) -> None:
    line = f"{MARK}(target): run by `make TARGET`, or with {OPTION}, only"
    config.addinivalue_line("markers", line)
    config.stash[LEFT_OUT] = {}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption(MARK):
        return
    left = {item: mark.args[0] for item in items if (mark := item.get_closest_marker(MARK))}
    items[:] = [item for item in items if item not in left]
    config.hook.pytest_deselected(items=list(left))
    config.stash[LEFT_OUT] = Counter(left.values())


def pytest_sessionfinish(session: pytest.Session) -> None:
    counts = session.config.stash[LEFT_OUT]
    output = getattr(session.config, "workeroutput", None)
    if output is not None:  # a process of pytest-xdist, which prints nothing itself
        output[MARK] = dict(counts)  # as it can be sent


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Every process of pytest-xdist has collected the same tests."""
    output = getattr(node, "workeroutput", None) or {}  # none of one that has crashed
    if MARK in output:
        node.config.stash[LEFT_OUT] = output[MARK]  # type: ignore[attr-defined]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for target, count in sorted(terminalreporter.config.stash[LEFT_OUT].items()):
        terminalreporter.write_line(f"left to `make {target}`: {count} tests ({OPTION})")
