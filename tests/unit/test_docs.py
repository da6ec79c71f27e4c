"""The docs say what the code does: reasons, settings, targets, files."""

import ast
import re
import tomllib
from pathlib import Path

import pytest

from daap_operator.intake import WATCHED
from tests.support.failure_table import EXPECTED

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "daap_operator"
INIT = PACKAGE / "__init__.py"
DOCS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("migrations/*.md")])

_REASON = re.compile(r"[A-Z][a-z]+(?:[A-Z][A-Za-z]*)*")
"""How a reason is written; whatever else is written so in the code has to be named below."""

NO_REASONS = {
    "kinds": {"Cluster", "Pooler", "Secret", "Lease", "Event", "Status", "DeleteOptions"}
    | {"DaapDatabase", "CustomResourceDefinition", "ClusterList", "PoolerList"},
    "values of Kubernetes": {"True", "False", "Unknown", "Normal", "Warning", "Reconcile"}
    | {"Apply", "ClientIP", "Namespaced", "RollingUpdate", "ScheduleAnyway"},
    "amounts": {"ClusterMi", "PoolerMi"},
    "values of the API": {"Delete", "Retain", "Session", "Transaction", "Error", "Stalled"}
    | {"Reconciling"},
    "what Kubernetes says of pods": {
        "PodScheduled",
        "ReplicaFailure",
        "FailedCreate",
        "Deployment",
        "Job",
        "Pod",
        "Pending",
    }
    | {"FailedAttachVolume", "FailedBinding", "FailedCreatePodSandBox", "FailedMapVolume"}
    | {"FailedMount", "FailedScheduling", "ProvisioningFailed"},
    "what it says of containers": {"CrashLoopBackOff", "ErrImageNeverPull", "ErrImagePull"}
    | {"CreateContainerConfigError", "CreateContainerError", "ImageInspectError"}
    | {"ImagePullBackOff", "InvalidImageName", "PostStartHookError", "PreCreateHookError"}
    | {"RegistryUnavailable", "RunContainerError", "SignatureValidationFailed"},
    "what it says of volumes": {"ControllerResizeError", "FileSystemResizeFailed", "Resizing"}
    | {"FileSystemResizePending", "NodeResizeError", "ResizeInfeasible"},
    "columns": {"Age", "Host", "Message", "Owner", "Version"},
    "logs and probes": {"Leading", "Starting", "Stopped", "Stopping"},
    "HTTP": {"Accept", "BearerToken"},
    "Python": {"Answer", "Item", "None", "Steps", "Work"},
    "what ends a pass early and is in no status": {"Changed", "StatusRefused"},
}


def reasons_in(source: str) -> set[str]:
    """Every literal that is written as a reason is, and those that begin with a child's kind."""
    found: set[str] = set()
    whole = ast.parse(source)
    parts = {
        id(part)
        for node in ast.walk(whole)
        if isinstance(node, ast.JoinedStr)
        for part in node.values
    }
    exported = {
        id(name)
        for node in whole.body
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__"
        for name in ast.walk(node.value)
    }
    for node in ast.walk(whole):
        match node:
            case ast.Constant(value=str(text)) if id(node) not in parts | exported:
                found |= {text} if _REASON.fullmatch(text) else set()
            case ast.JoinedStr(values=[ast.FormattedValue(), ast.Constant(value=str(text))]):
                suffixed = {f"Cluster{text}", f"Pooler{text}"} if _REASON.fullmatch(text) else set()
                found |= suffixed
    return found


def camel_case_in_the_code() -> set[str]:
    return set().union(*(reasons_in(path.read_text()) for path in PACKAGE.rglob("*.py")))


def reasons_in_the_code() -> set[str]:
    return camel_case_in_the_code() - set().union(*NO_REASONS.values())


def reasons_in_the_status_page() -> set[str]:
    """What stands in the first column of its tables of reasons."""
    page = (ROOT / "docs" / "status.md").read_text().partition("## Reasons")[2]
    cells = re.findall(r"^\| (`[^|]+`) \|", page, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}


def test_every_reason_is_in_the_status_page_and_no_other() -> None:
    assert reasons_in_the_code() == reasons_in_the_status_page()


def test_what_is_said_to_be_no_reason_is_there() -> None:
    assert set().union(*NO_REASONS.values()) <= camel_case_in_the_code()


@pytest.mark.parametrize(
    ("source", "reasons"),
    [
        ('Verdict(phase, "NotServing", x)', {"NotServing"}),
        ('f(reason="DeletionBlocked")', {"DeletionBlocked"}),
        ('def f(reason="Deleting"): pass', {"Deleting"}),
        ('y = "Updating" if x else z', {"Updating"}),
        ('f"{kind}Deleted"', {"ClusterDeleted", "PoolerDeleted"}),
        ('f"{kind} Deleted"', set()),
        ('__all__ = ["Kube"]', set()),
        ('f("Not a reason", "lower", "UPPER")', set()),
    ],
)
def test_a_reason_is_found_wherever_it_is_written(source: str, reasons: set[str]) -> None:
    assert reasons_in(source) == reasons


def test_every_failure_in_the_table_is_brought_about_and_no_other() -> None:
    source = (ROOT / "tests" / "e2e" / "test_failures.py").read_text()
    named = re.findall(r'(?:\.failure|created)\(\s*"([^"]+)"', source)
    assert sorted(named) == sorted(EXPECTED)


def test_a_failure_is_told_in_reasons_that_exist() -> None:
    known = reasons_in_the_code() | {""}
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


def test_what_says_that_it_is_pure_is_held_to_it() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = [one for one in settings["contracts"] if one["name"].startswith("The core is")]
    held = tuple(name.replace(".", "/") for name in contract["source_modules"])
    claims = {
        str(path.relative_to(ROOT).with_suffix(""))
        for path in PACKAGE.rglob("*.py")
        if re.search(r"\bPure\b", ast.get_docstring(ast.parse(path.read_text())) or "")
    }
    assert {claim for claim in claims if not f"{claim}/".startswith(held)} == set()


def test_the_package_names_modules_that_exist() -> None:
    named = re.findall(r"`([a-z]+)`", ast.get_docstring(ast.parse(INIT.read_text())) or "")
    there = {path.stem for path in PACKAGE.iterdir()} | {"async", "def"}
    assert set(named) <= there


def test_the_resync_is_as_many_lists_as_kinds_are_watched() -> None:
    words = {4: "four", 5: "five", 6: "six", 7: "seven", 8: "eight"}
    text = (ROOT / "docs" / "operating.md").read_text()
    assert f"is {words[len(WATCHED)]} paged LISTs" in text
