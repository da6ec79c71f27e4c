"""A second try: integration and e2e tests that failed are run once more at the end of the run.

With `--second-try`. What passes then is *unsteady*: listed at the end with what it said first, both
outputs kept. More than three unsteady tests fail the run, and so does what fails again. The second
try has the session's fixtures; those of modules and functions are set up anew. Unit and chart tests
are never repeated.
"""

import argparse
import copy
import tempfile
import time
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from _pytest.runner import runtestprotocol  # pytest offers no public way to run a test again

from tests.support import second_try_report as told

FOLDERS = (Path("tests/integration"), Path("tests/e2e"))
MOST_UNSTEADY = 3
MOST_REPEATED = 10
"""When more have failed it was no slow moment; none of them is repeated."""

AGAIN, UNSTEADY = "again", "unsteady"
STATUS = {
    AGAIN: ("", "R", ("AGAIN", {"yellow": True})),  # counted once its second try is over
    UNSTEADY: (UNSTEADY, "U", ("UNSTEADY", {"yellow": True})),
}

NAME = "daap-second-try"

Reports = list[pytest.TestReport]


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.getgroup("second try").addoption(
        "--second-try",
        action=argparse.BooleanOptionalAction,
        default=False,
        help="run integration and e2e tests that failed once more at the end (default: no)",
    )


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("second_try"):
        config.pluginmanager.register(SecondTry(config), NAME)


def to_run(session: pytest.Session) -> list[pytest.Item]:
    """The tests that this part of the session runs: all, or those that have a second try."""
    repeated = _repeated(session)
    return repeated or [item for item in session.items if not isinstance(item, Pause)]


def is_repeated(session: pytest.Session) -> bool:
    """Whether tests have their second try just now, and must leave what the first wrote."""
    return bool(_repeated(session))


def _repeated(session: pytest.Session) -> list[pytest.Item]:
    plugin = session.config.pluginmanager.get_plugin(NAME)
    return plugin.repeated() if isinstance(plugin, SecondTry) else []


@dataclass
class Failed:
    """A test that failed, and what came of its second try."""

    item: pytest.Item
    first: Reports
    second: Reports = field(default_factory=list)
    kept: Path | None = None

    @property
    def unsteady(self) -> bool:
        """Whether it passed the second time; what was skipped then has not."""
        called = [report for report in self.second if report.when == "call"]
        return any(report.passed for report in called) and not fails(self.second)


def fails(reports: Iterable[pytest.TestReport]) -> bool:
    return any(report.failed for report in reports)


def log(item: pytest.Item, reports: Iterable[pytest.TestReport]) -> None:
    for report in reports:
        item.ihook.pytest_runtest_logreport(report=report)


def marked(report: pytest.TestReport, outcome: str) -> pytest.TestReport:
    """The report with an outcome that pytest counts neither as passed nor as failed."""
    made = copy.copy(report)
    made.outcome = outcome  # type: ignore[assignment]
    return made


class Pause(pytest.Item):
    """A place among the tests where nothing is set up but the session's fixtures."""

    def runtest(self) -> None:
        """Nothing to run."""


class SecondTry:
    """The plugin. Reports are held back until it is known what they mean."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._stops_early = bool(config.getoption("maxfail"))
        self._failed: list[Failed] = []
        self._repeating = False
        self._too_many = 0
        self._made: Reports = []

    def repeated(self) -> list[pytest.Item]:
        """The tests that have a second try; empty while there is none."""
        return [failed.item for failed in self._failed] if self._repeating else []

    def pytest_report_header(self) -> str:
        if self._stops_early:
            return "second try: none, since the run ends early when tests fail (-x, --maxfail)"
        folders = " and ".join(map(str, FOLDERS))
        return f"second try: what fails in {folders}, once, at the end"

    @pytest.hookimpl(wrapper=True)
    def pytest_runtestloop(self, session: pytest.Session) -> Generator[None, object, object]:
        collected = list(session.items)
        if not self._stops_early:
            self._begin = Pause.from_parent(session, name="before the second try")
            self._end = Pause.from_parent(session, name="end of the session")
            session.items += [self._begin, self._end]
        try:
            return (yield)
        finally:  # also after Ctrl-C
            session.items[:] = collected
            for failed in self._failed:
                if not failed.second:
                    log(failed.item, failed.first)
            self._failed = [failed for failed in self._failed if failed.second]
            self._repeating = False
            if len(self._unsteady()) > MOST_UNSTEADY:
                session.testsfailed += 1

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self._made.append(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(
        self, item: pytest.Item, nextitem: pytest.Item | None
    ) -> bool | None:
        self._made = []
        if isinstance(item, Pause):
            self._pause(item, nextitem)
            return True
        if not self._may_be_repeated(item):
            return None
        item.ihook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
        run = self._run_again if self._repeating else self._run
        run(item, nextitem)
        item.ihook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
        return True

    def _may_be_repeated(self, item: pytest.Item) -> bool:
        if self._stops_early or item.get_closest_marker("xfail"):
            return False
        return any(item.path.is_relative_to(self._config.rootpath / folder) for folder in FOLDERS)

    def _pause(self, pause: Pause, nextitem: pytest.Item | None) -> None:
        # A fixture of the session that fails in its teardown is told of here
        reports = runtestprotocol(pause, log=False, nextitem=nextitem)
        log(pause, [report for report in reports if report.failed])
        if pause is not self._begin:
            return
        if len(self._failed) > MOST_REPEATED:
            self._too_many = len(self._failed)
            return
        self._repeating = True
        place = pause.session.items.index(pause) + 1
        pause.session.items[place:place] = self.repeated()

    def _run(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        try:
            runtestprotocol(item, log=False, nextitem=nextitem)
        except BaseException:  # cut short: what is known by now is told
            log(item, self._made)
            raise
        if fails(self._made):
            self._failed.append(Failed(item, self._made))
            first = next(report for report in self._made if report.failed)
            log(item, [marked(first, AGAIN)])
        else:
            log(item, self._made)

    def _run_again(self, item: pytest.Item, nextitem: pytest.Item | None) -> None:
        failed = next(failed for failed in self._failed if failed.item is item)
        item._report_sections.clear()  # else the first try's output is there, too
        reports = runtestprotocol(item, log=False, nextitem=nextitem)
        failed.second = reports
        failed.kept = self._keep(failed)
        if failed.unsteady:
            reports = [marked(r, UNSTEADY) if r.when == "call" else r for r in reports]
        log(item, reports if failed.unsteady or fails(reports) else failed.first)

    def _keep(self, failed: Failed) -> Path:
        place = self._directory() / told.file_name(failed.item.nodeid)
        place.write_text(told.both(failed.item.nodeid, failed.first, failed.second))
        return place

    def _directory(self) -> Path:
        for failed in self._failed:
            if failed.kept:
                return failed.kept.parent
        parent = self._config.rootpath / ".artifacts" / "second-try"
        parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=time.strftime("%Y%m%d-%H%M%S-"), dir=parent))

    def _unsteady(self) -> list[told.Row]:
        return [
            told.Row(failed.item.nodeid, failed.first, failed.second, failed.kept)
            for failed in self._failed
            if failed.kept and failed.unsteady
        ]

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_terminal_summary(
        self, terminalreporter: pytest.TerminalReporter
    ) -> Generator[None, None, None]:
        unsteady = self._unsteady()
        if unsteady:
            told.first_failures(terminalreporter, unsteady)
        yield
        again = [failed for failed in self._failed if not failed.unsteady]
        for failed in again:
            terminalreporter.write_line(f"failed twice: {failed.item.nodeid}: {failed.kept}")
        if self._too_many:
            terminalreporter.write_line(
                f"second try: none, since {self._too_many} tests failed, more than {MOST_REPEATED}"
            )
        if unsteady:
            told.table(terminalreporter, unsteady, MOST_UNSTEADY)

    @pytest.hookimpl(tryfirst=True)
    def pytest_report_teststatus(
        self, report: pytest.TestReport
    ) -> tuple[str, str, tuple[str, dict[str, bool]]] | None:
        return STATUS.get(report.outcome)
