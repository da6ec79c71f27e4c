"""The pytest of the second try: the same command again, in one process, for some tests alone."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

OPTION = "--second-try-of"
"""Names the directory that lists the tests in `TESTS`; what came of them is in `REPORTS`."""

TESTS, REPORTS, OUTPUT = "tests.json", "reports.jsonl", "output.log"


def run(config: pytest.Config, tests: list[str], place: Path) -> dict[str, list[pytest.TestReport]]:
    """The reports of a second run of `tests`, by test; of some none when it ended early."""
    (place / TESTS).write_text(json.dumps(tests))
    (place / REPORTS).touch()
    with (place / OUTPUT).open("wb") as output:
        process = subprocess.Popen(
            _command(config, place),
            cwd=config.invocation_params.dir,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is passed on once
        )
        try:
            process.wait()
        except BaseException:
            process.terminate()
            process.wait()
            raise
    made: dict[str, list[pytest.TestReport]] = {}
    for line in (place / REPORTS).read_text().splitlines():
        load = config.hook.pytest_report_from_serializable
        report = load(config=config, data=json.loads(line))
        made.setdefault(report.nodeid, []).append(report)
    return made


def _command(config: pytest.Config, place: Path) -> list[str]:
    measured = config.getoption("cov_source", None) and not config.getoption("no_cov")
    program = ["coverage", "run", "-m", "pytest"] if measured else ["pytest"]
    plugins = config.pluginmanager
    one_process = ["-n0"] if plugins.hasplugin("xdist") else []
    no_report = ["--no-cov"] if plugins.hasplugin("pytest_cov") else []
    of = [f"{OPTION}={place}"]
    given = config.invocation_params.args
    return [sys.executable, "-m", *program, *map(str, given), *one_process, *no_report, *of]


class Again:
    """The plugin there: selects the tests and writes their reports."""

    def __init__(self, config: pytest.Config, place: str) -> None:
        self._config = config
        self._tests = set(json.loads((Path(place) / TESTS).read_text()))
        self._reports = Path(place) / REPORTS

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(
        self, config: pytest.Config, items: list[pytest.Item]
    ) -> None:
        others = [item for item in items if item.nodeid not in self._tests]
        items[:] = [item for item in items if item.nodeid in self._tests]
        config.hook.pytest_deselected(items=others)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        dump = self._config.hook.pytest_report_to_serializable
        data = dump(config=self._config, report=report)
        with self._reports.open("a") as file:
            file.write(json.dumps(data, default=str) + "\n")
