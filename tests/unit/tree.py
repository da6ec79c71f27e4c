"""A tree of tests in a directory of its own, run by a pytest of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

FIXTURES = """
import pathlib
import pytest

def tries(name):
    '''How often this was asked for the name, with this time.'''
    with open(f"{name}.tries", "a") as file:
        file.write("x")
    return pathlib.Path(file.name).stat().st_size

@pytest.fixture(scope="session")
def plane():
    yield tries("plane")
    tries("plane-ended")

@pytest.fixture(scope="module")
def outcomes(plane):
    return tries("outcomes")

@pytest.fixture
def own(outcomes, request):
    yield tries(request.node.name)
"""


class Tree:
    """A tree of tests, run by a pytest of its own."""

    def __init__(self, pytester: pytest.Pytester, patch: pytest.MonkeyPatch) -> None:
        patch.delenv("PYTEST_ADDOPTS", raising=False)
        patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
        patch.setenv("PYTHONPATH", str(ROOT))
        pytester.syspathinsert()
        self._pytester = pytester
        self.path = pytester.path
        pytester.makeini("[pytest]\naddopts = -p no:cacheprovider --import-mode=importlib\n")
        pytester.makeconftest(FIXTURES)

    def add(self, folder: str, tests: str, name: str = "test_it") -> None:
        place = self.path / folder
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{name}.py").write_text(f"import pytest\nfrom conftest import tries\n{tests}")

    def run(self, *options: str) -> pytest.RunResult:
        options = options or ("--second-try",)
        return self._pytester.runpytest_inprocess(
            "-p", "tests.support.second_try", *options, no_reraise_ctrlc=True
        )

    def start(self, *options: str) -> subprocess.Popen[str]:
        """The same as a process, with the plugins that the options name."""
        command = [sys.executable, "-m", "pytest", *options]
        return subprocess.Popen(
            command, cwd=self.path, stdout=subprocess.PIPE, text=True, process_group=0
        )

    def count(self, name: str) -> int:
        file = self.path / f"{name}.tries"
        return file.stat().st_size if file.exists() else 0

    def kept(self) -> list[str]:
        return [file.read_text() for file in (self.path / ".artifacts").rglob("*.txt")]
