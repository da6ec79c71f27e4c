"""What the chart has for Prometheus and Grafana: off by default, and true when switched on."""

import asyncio
import json
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from daap_operator import names
from daap_operator.engine.workqueue import Result
from daap_operator.kinds.database import metrics as database_metrics
from daap_operator.kube import Request
from daap_operator.metrics import Known, Metrics, Seen
from dev.cluster import programs
from dev.installation import CHART
from tests.support.helm import HelmError, only, render

Object = dict[str, Any]

SWITCHES = {
    "podMonitor": ["PodMonitor"],
    "serviceMonitor": ["Service", "ServiceMonitor"],
    "prometheusRule": ["PrometheusRule"],
    "dashboard": ["ConfigMap"],
}


@cache
def rendered_kinds() -> list[str]:
    return sorted(obj["kind"] for obj in render())


def switched_on(part: str, **values: Any) -> list[Object]:
    return render({"monitoring": {part: {"enabled": True} | values}})


def the_port(objects: list[Object]) -> Object:
    containers = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    (port,) = containers[0]["ports"]
    assert isinstance(port, dict)
    return port


def promtool() -> Path:
    """Prometheus' own check of its rules; `make` builds it before the tests."""
    return programs.build(["promtool"])["promtool"]


def check(*arguments: str | Path) -> None:
    """Have promtool look; what it says is the failure."""
    done = subprocess.run([promtool(), *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def check_rules(groups: list[Object]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
        yaml.safe_dump({"groups": groups}, file)
        file.flush()
        check("check", "rules", file.name)


# --- switches -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("part", "kinds"), SWITCHES.items())
def test_a_switch_brings_its_own_objects_and_no_other(part: str, kinds: list[str]) -> None:
    on = sorted(obj["kind"] for obj in switched_on(part))
    assert on == sorted([*rendered_kinds(), *kinds])


def test_by_default_nothing_needs_the_prometheus_operator() -> None:
    assert not [obj for obj in render() if obj["apiVersion"].startswith("monitoring.coreos.com")]


@pytest.mark.parametrize(
    ("part", "kind"),
    [(part, kinds[-1]) for part, kinds in SWITCHES.items()],
)
def test_labels_for_who_picks_it_go_before_the_charts_own(part: str, kind: str) -> None:
    mine = {"release": "monitoring", "app.kubernetes.io/part-of": "mine"}
    found = only(switched_on(part, labels=mine), kind)["metadata"]["labels"]
    assert mine.items() <= found.items()
    assert found["app.kubernetes.io/name"] == "daap-operator"


# --- what is read ---------------------------------------------------------------------------------


def selects(selector: Object, obj: Object) -> bool:
    labels: Object = obj["metadata"].get("labels", {})
    return bool(selector) and selector.items() <= labels.items()


def test_a_pod_monitor_reads_the_operators_pods_and_no_others() -> None:
    objects = switched_on("podMonitor", interval="1m")
    spec = only(objects, "PodMonitor")["spec"]
    selector = spec["selector"]["matchLabels"]
    assert selector == only(objects, "Deployment")["spec"]["selector"]["matchLabels"]
    assert not selects(selector, only(objects, "Job")["spec"]["template"])
    assert spec["podMetricsEndpoints"] == [
        {
            "port": the_port(objects)["name"],
            "path": "/metrics",
            "honorLabels": True,
            "interval": "1m",
            "scrapeTimeout": "10s",
        }
    ]


def test_a_service_monitor_reads_every_replica_through_its_service() -> None:
    objects = switched_on("serviceMonitor")
    service, spec = only(objects, "Service"), only(objects, "ServiceMonitor")["spec"]
    assert selects(spec["selector"]["matchLabels"], service)
    pods = only(objects, "Deployment")["spec"]["selector"]["matchLabels"]
    assert service["spec"]["selector"] == pods
    (port,) = service["spec"]["ports"]
    (endpoint,) = spec["endpoints"]
    assert endpoint["port"] == port["name"]
    assert port["targetPort"] == the_port(objects)["name"]
    assert endpoint["honorLabels"] is True
    assert service["spec"]["publishNotReadyAddresses"] is True


def test_nothing_is_read_twice() -> None:
    both = {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}
    with pytest.raises(HelmError, match=r"scraped twice\. Set one of them to false"):
        render({"monitoring": both})


def test_the_page_itself_passes_prometheus_own_lint() -> None:
    metrics = Metrics([names.KIND])
    metrics.count_pass(names.KIND, Result.SUCCESS, 0.1)
    metrics.count_request(Request("get", "secrets", 200, 0.1))
    database = {
        "metadata": {"namespace": "shop", "name": "orders"},
        "spec": {"ownerTeam": 'a "quoted" team'},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    known = Known(database_metrics.measured([database]), True, {names.KIND: 0})
    seen = Seen("1.2.3", leader=True, known=known)
    page, _ = asyncio.run(metrics.page("", seen))
    done = subprocess.run(
        [promtool(), "check", "metrics"], input=page, capture_output=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")


# --- alerts ---------------------------------------------------------------------------------------


def test_the_alerts_say_what_they_should_to_what_there_is() -> None:
    check("test", "rules", Path(__file__).with_name("alerts.yaml"))


def test_every_alert_is_tried() -> None:
    tested = Path(__file__).with_name("alerts.yaml").read_text()
    for group in yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())["groups"]:
        for rule in group["rules"]:
            assert f"alertname: {rule['alert']}\n        exp_alerts" in tested


def test_by_default_the_rules_are_the_file() -> None:
    spec = only(switched_on("prometheusRule"), "PrometheusRule")["spec"]
    assert spec == yaml.safe_load((CHART / "files" / "alerts.yaml").read_text())


def test_the_rules_are_of_this_release() -> None:
    values = {
        "monitoring": {
            "prometheusRule": {"enabled": True, "runbookUrl": "https://runbooks.example/daap/"}
        }
    }
    objects = render(values, release="mine", namespace="databases")
    groups = only(objects, "PrometheusRule")["spec"]["groups"]
    check_rules(groups)
    operator, databases = ([rule["expr"] for rule in group["rules"]] for group in groups)
    name = only(objects, "Deployment")["metadata"]["name"]
    assert name != "daap-operator"
    for expression in operator:
        assert 'namespace="databases"' in expression
    for expression in operator + databases:
        assert f'pod=~"{name}-.+"' in expression
        assert '"daap-' not in expression
    urls = {rule["annotations"]["runbook_url"] for group in groups for rule in group["rules"]}
    assert "https://runbooks.example/daap/DaapNoLeader.md" in urls
    assert not any("github.com" in url for url in urls)


# --- the dashboard --------------------------------------------------------------------------------


def test_the_dashboard_arrives_whole_where_grafana_looks() -> None:
    annotations = {"grafana_folder": "Databases"}
    objects = switched_on("dashboard", namespace="grafana", annotations=annotations)
    found = only(objects, "ConfigMap")
    assert found["metadata"]["namespace"] == "grafana"
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert found["metadata"]["annotations"] == annotations
    dashboard = json.loads(found["data"]["daap-operator.json"])
    assert dashboard == json.loads((CHART / "files" / "dashboard.json").read_text())


def test_prometheus_understands_the_dashboard() -> None:
    dashboard = json.loads((CHART / "files" / "dashboard.json").read_text())
    rules = [
        {"record": "tried", "expr": target["expr"].replace("$__rate_interval", "5m")}
        for panel in dashboard["panels"]
        for target in panel["targets"]
    ]
    for number, rule in enumerate(rules):
        check_rules([{"name": f"panel-{number}", "rules": [rule]}])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"monitoring": {"podMonitor": {"interval": "often"}}}, "interval"),
        ({"monitoring": {"serviceMonitor": {"label": {}}}}, "label"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: Object, said: str) -> None:
    with pytest.raises(HelmError, match=said):
        render(values)
