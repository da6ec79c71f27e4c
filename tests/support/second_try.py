"""A second try: integration and e2e tests that failed are run once more at the end of the run.

With `--second-try`. However many processes ran them first, they are run again one after the other,
in a pytest of their own with fixtures of its own. What passes then is *unsteady*: listed at the end
with what it said first, both outputs kept. More than three unsteady tests fail the run, and so does
what fails again. Unit and chart tests are never repeated, nor is a test of whose process nothing
else was to run when its teardown failed: that may have been the session's.
"""

import argparse
import copy
import tempfile
import time
from collections.abc import Generator, Iterable
from pathlib import Path

import pytest

from tests.support import second_try_process as process
from tests.support import second_try_report as texts

FOLDERS = ("tests/integration/", "tests/e2e/")
MOST_UNSTEADY = 3
MOST_REPEATED = 10
"""When more have failed it was no slow moment; none of them is repeated."""

AGAIN, UNSTEADY = "again", "unsteady"
STATUS = {
    AGAIN: ("", "R", ("AGAIN", {"yellow": True})),  # counted once its second try is over
    UNSTEADY: (UNSTEADY, "U", ("UNSTEADY", {"yellow": True})),
}

LAST = "daap-last-of-its-process"
PHASES = ("setup", "call", "teardown")
"""Of a test that ran; pytest-xdist reports a process that crashed as a phase of its own."""

Reports = list[pytest.TestReport]


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("second try")
    group.addoption(
        "--second-try",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="run integration and e2e tests that failed once more at the end (default: no)",
    )
    group.addoption(process.OPTION, dest="second_try_of", help=argparse.SUPPRESS)


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput"):  # a process of pytest-xdist: its reports are judged together
        return
    if is_second_try(config):
        config.pluginmanager.register(process.Again(config, config.getoption("second_try_of")))
    elif config.getoption("second_try"):
        config.pluginmanager.register(SecondTry(config))


def is_second_try(config: pytest.Config) -> bool:
    """Whether this is the second try, whose tests must leave what the first wrote."""
    return config.getoption("second_try_of") is not None


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    if nextitem is None:
        item.user_properties.append((LAST, True))


def fails(reports: Iterable[pytest.TestReport]) -> bool:
    return any(report.failed for report in reports)


def unsteady(second: Reports) -> bool:
    """Whether a second try is whole and passed; what was skipped then has not."""
    passed = {report.when for report in second if report.passed}
    return passed.issuperset(PHASES) and not fails(second)


class SecondTry:
    """The plugin. What failed is counted when it is known what that means."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stops_early = bool(config.getoption("maxfail"))
        self._first: dict[str, Reports] = {}
        self._rows: list[texts.Row] = []
        self._too_many = 0
        self._judged = False

    def pytest_report_header(self) -> str:
        if self._stops_early:
            return "second try: none, since the run ends early when tests fail (-x, --maxfail)"
        return f"second try: what fails in {' and '.join(FOLDERS)}, once, at the end"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_logreport(
        self, report: pytest.TestReport
    ) -> Generator[None, object, object]:
        if self._may_be_repeated(report):
            first = self._first.setdefault(report.nodeid, [])
            first.append(copy.copy(report))
            if report.failed:
                report.outcome = AGAIN  # type: ignore[assignment]
            elif report.when == "teardown" and not fails(first):
                del self._first[report.nodeid]
        return (yield)

    def _may_be_repeated(self, report: pytest.TestReport) -> bool:
        if self._stops_early or self._judged or "xfail" in report.keywords:
            return False
        of_the_session = report.failed and any(key == LAST for key, _ in report.user_properties)
        return report.nodeid.startswith(FOLDERS) and report.when in PHASES and not of_the_session

    @pytest.hookimpl(wrapper=True, trylast=True)  # before the coverage is put together
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        try:
            done = yield
            self._repeat()
        finally:  # also after Ctrl-C
            self._judge(session)
        return done

    def _repeat(self) -> None:
        self._first = {test: first for test, first in self._first.items() if fails(first)}
        if len(self._first) > MOST_REPEATED:
            self._too_many = len(self._first)
        elif self._first:
            parent = self._config.rootpath / ".artifacts" / "second-try"
            parent.mkdir(parents=True, exist_ok=True)
            place = tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=parent)
            second = process.run(self._config, list(self._first), Path(place))
            self._rows = [
                texts.Row.kept_in(Path(place), test, first, second.get(test, []))
                for test, first in self._first.items()
            ]

    def _judge(self, session: pytest.Session) -> None:
        self._judged = True
        second = {row.test: row.second for row in self._rows}
        for test, first in self._first.items():
            again = second.get(test, [])
            if unsteady(again):
                self._count_as_unsteady(test, again)
            else:
                self._log(report for report in (again if fails(again) else first) if report.failed)
        if len(self._unsteady()) > MOST_UNSTEADY:
            session.testsfailed += 1

    def _count_as_unsteady(self, test: str, second: Reports) -> None:
        terminal = self._config.pluginmanager.get_plugin("terminalreporter")
        if terminal:  # where only its teardown failed it has been counted as passed
            passed = terminal.stats.get("passed", [])
            passed[:] = [report for report in passed if report.nodeid != test]
        (call,) = (report for report in second if report.when == "call")
        call.outcome = UNSTEADY  # type: ignore[assignment]
        self._log([call])

    def _log(self, reports: Iterable[pytest.TestReport]) -> None:
        for report in reports:
            self._config.hook.pytest_runtest_logreport(report=report)

    def _unsteady(self) -> list[texts.Row]:
        return [row for row in self._rows if any(r.outcome == UNSTEADY for r in row.second)]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, None, None]:
        rows = self._unsteady()
        if rows:
            texts.first_failures(terminalreporter, rows)
        yield
        for row in self._rows:
            if row not in rows:
                terminalreporter.write_line(f"failed twice: {row.test}: {row.kept}")
        if self._too_many:
            terminalreporter.write_line(
                f"second try: none, since {self._too_many} tests failed, more than {MOST_REPEATED}"
            )
        if rows:
            texts.table(terminalreporter, rows, MOST_UNSTEADY)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        return STATUS.get(report.outcome)
