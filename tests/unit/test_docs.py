"""The docs say what the code does: reasons, settings, targets, files."""

import re
from pathlib import Path

import pytest

from daap_operator.phases import PHASES, Meaning
from tests.support.failure_table import EXPECTED

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "daap_operator"
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("migrations/*.md")])

_SITUATION = re.compile(r"\b(?:Stalled|Waiting|Awaited|MetadataError)\(\s*f?\"(?P<reason>\w+)\"")
_BY_KIND = re.compile(r"\bf\"\{(?:manifest\['kind'\]|kind)\}(?P<what>\w+)\"")


def reasons_in_the_code() -> set[str]:
    source = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    literal = {match["reason"] for match in _SITUATION.finditer(source)}
    composed = {
        f"{kind}{match['what']}"
        for match in _BY_KIND.finditer(source)
        for kind in ("Cluster", "Pooler")
    }
    phases = {phase.reason for phase in PHASES.values() if phase.meaning is not Meaning.SETTLED}
    return literal | composed | phases


NEVER_TOLD = {"Changed", "StatusRefused"}
"""These end a pass early and are in no status."""


def test_every_reason_is_in_the_status_page() -> None:
    told = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "status.md").read_text()))
    missing = reasons_in_the_code() - told - NEVER_TOLD
    assert not missing


def test_every_failure_in_the_table_is_brought_about_and_no_other() -> None:
    source = (ROOT / "tests" / "e2e" / "test_failures.py").read_text()
    named = re.findall(r'(?:\.failure|created)\(\s*"([^"]+)"', source)
    assert sorted(named) == sorted(EXPECTED)


def test_a_failure_is_told_in_reasons_that_exist() -> None:
    known = reasons_in_the_code() | {"Ready", "NotServing", "Retrying", ""}
    for name, row in EXPECTED.items():
        assert row.ready_reasons | row.reconciling | row.stalled <= known, name
        assert row.says, name


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
    assert [link for link in links if not (page.parent / link).exists()] == []


def test_every_target_that_is_named_exists() -> None:
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    texts = [page.read_text() for page in DOCS] + [(ROOT / ".ci" / "run").read_text()]
    named = {
        word
        for text in texts
        for line in re.findall(
            r"`make ([a-z -]+)`|^ +make ([a-z-]+)|step make (\S+)", text, re.MULTILINE
        )
        for group in line
        for word in group.split()
    }
    assert named - targets == set()


def test_no_line_of_the_docs_names_a_place_of_one_machine() -> None:
    for page in DOCS:
        assert not re.search(r"/(?:root|home|work)/\w", page.read_text()), page
