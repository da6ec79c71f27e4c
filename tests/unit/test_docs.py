"""The docs say what the code does: reasons, settings, targets, files."""

import ast
import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterable
from fnmatch import fnmatch
from pathlib import Path

import pytest

import daap_operator
from daap_operator.api.reasons import CommonEvent, CommonReason, Interruption, InventoryReason
from daap_operator.engine.kinds import sources
from daap_operator.findings import Reason
from daap_operator.kinds.backup.reasons import BackupReason
from daap_operator.kinds.database.reasons import BackupHealthReason, DatabaseEvent, DatabaseReason
from daap_operator.kinds.drill.reasons import DrillReason
from daap_operator.kinds.restore.reasons import RestoreReason
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.served import KINDS
from tests.support.failure_table import EXPECTED, EXPECTED_OF_BACKUPS

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "daap_operator"
INIT = PACKAGE / "__init__.py"
DOCS = sorted(
    page
    for place in ("*.md", "docs/**/*.md", "migrations/*.md", "examples/**/*.md")
    for page in ROOT.glob(place)
)

REASONS: dict[str, tuple[type[Reason], ...]] = {
    "## Reasons": (CommonReason, DatabaseReason),
    "## MetadataSynced": (InventoryReason,),
    "## BackupHealthy": (BackupHealthReason,),
    "## Events": (CommonEvent, DatabaseEvent),
    "## DaapBackup": (BackupReason,),
    "## DaapRestore": (RestoreReason,),
    "## DaapDrill": (DrillReason,),
    "## DaapSchema": (SchemaReason,),
}
"""The parts of the status page, each from its heading on, and the families it tells of."""


def values(families: Iterable[type[Reason]]) -> list[str]:
    return [str(reason) for family in families for reason in family]


def reasons_in_the_status_page(heading: str) -> list[str]:
    """What stands in the first column of the tables from a heading to the next of REASONS."""
    page = (ROOT / "docs" / "status.md").read_text().partition(heading)[2]
    for other in REASONS.keys() - {heading}:
        page = page.partition(f"\n{other}")[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE)
    return [word for cell in cells for word in re.findall(r"`(\w+)`", cell)]


def families() -> list[type[Reason]]:
    """The reasons of the operator itself; toys have some of their own."""
    own = f"{daap_operator.__name__}."
    return [family for family in Reason.__subclasses__() if family.__module__.startswith(own)]


@pytest.mark.parametrize("heading", REASONS)
def test_every_reason_is_in_the_status_page_and_no_other(heading: str) -> None:
    assert set(reasons_in_the_status_page(heading)) == set(values(REASONS[heading]))


def test_a_reason_belongs_to_one_family_of_its_condition() -> None:
    for families in REASONS.values():
        found = values(families)
        assert sorted(found) == sorted(set(found))


def test_every_family_of_reasons_has_its_place_in_the_status_page() -> None:
    for module in pkgutil.walk_packages(daap_operator.__path__, "daap_operator."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    told = {family for families in REASONS.values() for family in families}
    assert set(families()) == told | {Interruption}


@pytest.mark.parametrize("family", families(), ids=lambda family: family.__name__)
def test_every_reason_is_used(family: type[Reason]) -> None:
    sources = "\n".join(path.read_text() for path in PACKAGE.rglob("*.py"))
    used = set(re.findall(rf"\b{family.__name__}\.([A-Z_]+)\b", sources))
    assert {reason.name for reason in family} == used


def test_every_failure_in_the_table_is_brought_about_and_no_other() -> None:
    source = (ROOT / "tests" / "e2e" / "test_failures.py").read_text()
    named = re.findall(r'(?:\.failure|created)\(\s*"([^"]+)"', source)
    assert sorted(named) == sorted(EXPECTED)


def test_every_failure_of_backups_in_the_table_is_brought_about_and_no_other() -> None:
    source = (ROOT / "tests" / "e2e" / "test_backup_failures.py").read_text()
    named = re.findall(r'(?:\bfailure(?:, \w+)? = |\btold\()"([^"]+)"', source)
    assert set(named) == set(EXPECTED_OF_BACKUPS)


def test_a_failure_is_told_in_reasons_that_exist() -> None:
    known = {*values(families()), ""}
    for name, row in EXPECTED.items():
        assert row.ready_reasons | row.reconciling | row.stalled <= known, name
        assert row.says, name
    for name, told in EXPECTED_OF_BACKUPS.items():
        assert told.reason in values(REASONS["## BackupHealthy"]), name
        assert told.says, name
        assert set(told.backup[1:]) <= set(values(REASONS["## DaapBackup"])), name


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
            r"`make ([a-z -]+)`|^ +make ([a-z-]+)|step make (?:--jobs=\d )?([a-z0-9 -]+)",
            text,
            re.MULTILINE,
        )
        for group in line
        for word in group.split()
    }
    assert named - targets == set()


def test_no_line_of_the_docs_names_a_place_of_one_machine() -> None:
    for page in DOCS:
        assert not re.search(r"/(?:root|home|work)/\w", page.read_text()), page


def test_what_says_that_it_is_pure_is_held_to_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [one for one in settings["contracts"] if one["name"].startswith("The core is")]
    held = tuple(name.removesuffix(".**").replace(".", "/") for name in contract["source_modules"])
    excepted = [one.split(" -> ")[0].replace(".", "/") for one in contract["ignore_imports"]]
    claims = {
        str(path.relative_to(ROOT).with_suffix(""))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\bPure\b", ast.get_docstring(ast.parse(path.read_text())) or "")
    }
    assert {claim for claim in claims if not f"{claim}/".startswith(held)} == set()
    assert {claim for claim in claims for one in excepted if fnmatch(claim, one)} == set()


def test_the_package_names_modules_that_exist() -> None:
    named = re.findall(r"`([a-z]+)`", ast.get_docstring(ast.parse(INIT.read_text())) or "")
    there = {path.stem for path in PACKAGE.iterdir()} | {"async", "def"}
    assert set(named) <= there


def test_the_resync_is_as_many_lists_as_kinds_are_watched() -> None:
    words = {18: "eighteen", 21: "twenty-one", 22: "twenty-two"}
    streams = sources(watch for kind in KINDS for watch in kind.watches)
    text = (ROOT / "docs" / "operating.md").read_text()
    assert f"is {words[len(streams)]} paged LISTs" in text
