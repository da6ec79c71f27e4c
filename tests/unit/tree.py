"""A tree of tests in a directory of its own, run by a pytest of its own."""

import pytest

FIXTURES = """
import pathlib
import pytest

def tries(name):
    '''How often this was asked for the name, with this time.'''
    file = pathlib.Path(f"{name}.tries")
    count = int(file.read_text()) + 1 if file.exists() else 1
    file.write_text(str(count))
    return count

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

    def __init__(self, pytester: pytest.Pytester) -> None:
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

    def count(self, name: str) -> int:
        return int((self.path / f"{name}.tries").read_text())

    def kept(self) -> list[str]:
        return [file.read_text() for file in (self.path / ".artifacts").rglob("*.txt")]
