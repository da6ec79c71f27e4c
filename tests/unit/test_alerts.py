"""Alerts and dashboard name what there is: metrics, labels, runbooks. promtool does the rest."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client import CollectorRegistry, ProcessCollector

from daap_operator.api.meta import ConditionType
from daap_operator.engine.workqueue import Result
from daap_operator.kinds.database.reasons import BackupHealthReason
from daap_operator.kinds.served import METRICS
from daap_operator.metrics import CATALOGUE
from daap_operator.schema import outcome

ROOT = Path(__file__).parents[2]
FILES = ROOT / "charts" / "daap-operator" / "files"
RUNBOOKS = ROOT / "docs" / "runbooks"

Rule = dict[str, Any]


def rules() -> list[Rule]:
    groups = yaml.safe_load((FILES / "alerts.yaml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def dashboard() -> dict[str, Any]:
    made: dict[str, Any] = json.loads((FILES / "dashboard.json").read_text())
    return made


def expressions() -> Iterator[tuple[str, str]]:
    """Where each expression stands, and the expression."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in dashboard()["panels"]:
        for target in panel["targets"]:
            yield f"{panel['title']} {target['refId']}", target["expr"]
    for variable in dashboard()["templating"]["list"]:
        if variable["type"] == "query":
            yield f"${variable['name']}", variable["query"]["query"]
    for page in RUNBOOKS.glob("*.md"):
        for line in page.read_text().splitlines():
            if line.startswith("    ") and "daap_" in line:
                yield page.name, line


def series() -> dict[str, set[str]]:
    """The labels of each series there is, beside those of the scrape itself."""
    found: dict[str, set[str]] = {}
    for metric in (*CATALOGUE, *METRICS):
        parts = ("_bucket", "_sum", "_count") if metric.type == "histogram" else ("",)
        for part in parts:
            found[metric.name + part] = {*metric.labels, *(["le"] if part == "_bucket" else [])}
    process = CollectorRegistry()
    ProcessCollector(registry=process)
    return found | {s.name: set() for family in process.collect() for s in family.samples}


OF_THE_SCRAPE = {"namespace", "pod"}
_SELECTED = re.compile(r"\b((?:daap|process)_\w+)(?:\{([^}]*)\})?")
_MADE = re.compile(r'label_replace\([^)]*?, "(\w+)", "\$1", "\w+"')
"""The labels that an expression makes itself."""

_GROUPED = re.compile(r"\b(?:by|on|group_left) \(([^)]*)\)")


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_an_expression_names_metrics_and_labels_that_exist(where: str, expression: str) -> None:
    known = series()
    selected = _SELECTED.findall(expression)
    assert selected
    labels = set(OF_THE_SCRAPE)
    for name, matchers in selected:
        assert name in known, where
        labels |= known[name]
        matched = set(re.findall(r"(\w+)(?:=~|!~|!=|=)\"", matchers))
        assert matched <= known[name] | OF_THE_SCRAPE, where
    labels |= set(_MADE.findall(expression))
    grouped = {
        label.strip() for group in _GROUPED.findall(expression) for label in group.split(",")
    }
    assert grouped <= labels, where


@pytest.mark.parametrize(("where", "expression"), list(expressions()))
def test_an_expression_names_values_that_exist(where: str, expression: str) -> None:
    types = set(re.findall(r'\btype="(\w+)"', expression))
    assert types <= {str(kind) for kind in ConditionType}, where
    statuses = set(re.findall(r'\bstatus!?="(\w+)"', expression))
    assert statuses <= {"True", "False", "Unknown"}, where
    results = set(re.findall(r'\bresult!?="(\w+)"', expression))
    assert results <= {str(result) for result in Result}, where
    reasons = {
        reason
        for found in re.findall(r'\breason=~?"([\w|]+)"', expression)
        for reason in found.split("|")
    }
    assert reasons <= set(map(str, BackupHealthReason)), where


def test_of_each_reason_for_backups_that_are_not_healthy_one_alert_tells() -> None:
    told = [
        reason
        for rule in rules()
        for found in re.findall(r'\breason=~"([\w|]+)"', rule["expr"])
        for reason in found.split("|")
    ]
    # What a store keeps, people have decided: it is told on the object and wakes nobody at night
    untold = {BackupHealthReason.RECOVERABLE, BackupHealthReason.RETENTION_TOO_SHORT}
    # Has a metric of its own, which no reason can hide that counts more
    untold.add(BackupHealthReason.VERIFICATION_FAILED)
    assert sorted(told) == sorted(set(map(str, BackupHealthReason)) - untold)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_has_all_that_somebody_at_night_needs(rule: Rule) -> None:
    assert re.fullmatch(r"Daap[A-Z][A-Za-z]+", rule["alert"])
    assert rule["labels"]["severity"] in ("critical", "warning", "info")
    assert re.fullmatch(r"\d+m", rule["for"])
    assert rule["annotations"].keys() == {"summary", "description", "runbook_url"}
    assert "{{" not in rule["annotations"]["summary"]
    base, _, page = rule["annotations"]["runbook_url"].rpartition("/")
    assert base.endswith("/docs/runbooks")
    assert page == f"{rule['alert']}.md"


def test_every_alert_has_a_runbook_as_has_what_a_job_tells_and_no_other_is_there() -> None:
    alerts = {rule["alert"] for rule in rules()} | set(outcome.RUNBOOKS.values())
    assert {page.stem for page in RUNBOOKS.glob("*.md")} - {"README"} == alerts
    for alert in alerts:
        text = (RUNBOOKS / f"{alert}.md").read_text()
        assert text.startswith(f"# {alert}\n")
        assert "\n## Look\n" in text
        assert "\n## Act\n" in text
        assert f"({alert}.md)" in (RUNBOOKS / "README.md").read_text()


def test_the_panels_do_not_overlap() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in dashboard()["panels"]:
        at = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(at["x"], at["x"] + at["w"])
            for y in range(at["y"], at["y"] + at["h"])
        }
        assert not taken & cells, panel["title"]
        assert at["x"] + at["w"] <= 24
        taken |= cells
    identifiers = [panel["id"] for panel in dashboard()["panels"]]
    assert len(set(identifiers)) == len(identifiers)
