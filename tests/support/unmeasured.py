"""Tests whose coverage is not measured: what they run, shorter tests have run, too.

Measured, Python takes two to three times as long. For tests that keep a core busy for minutes, with
many operators in one process, that is most of their time. A test marked `unmeasured` counts for
nothing in the coverage; the bound that `make test` holds stays what it is.
"""

from collections.abc import Generator

import pytest
from coverage import Coverage

MARK = "unmeasured"

unmeasured = pytest.mark.unmeasured
"""The mark of a test, or of all tests of a module, with the fixtures that they are first to use."""


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", f"{MARK}: its coverage is not measured, to save time")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.get_closest_marker(MARK) is None:
        return (yield)
    stopped = []
    # In a process of pytest-xdist pytest-cov has begun twice, and the first waits under the second
    while (measuring := Coverage.current()) is not None:
        measuring.stop()
        stopped.append(measuring)
    try:
        return (yield)
    finally:
        for measuring in reversed(stopped):
            measuring.start()
