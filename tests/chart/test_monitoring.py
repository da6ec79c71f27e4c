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

from daap_operator.engine.workqueue import Result
from daap_operator.kinds import known
from daap_operator.kinds.database import metrics as database_metrics
from daap_operator.kube import Request
from daap_operator.metrics import Known, Metrics, Seen
from daap_operator.ports import review
from dev.cluster import programs
from dev.installation import CHART
from tests.support.helm import HelmError, only, render

Object = dict[str, Any]

READER = ("ServiceAccount", "Secret", "ClusterRoleBinding")
"""Whose token Prometheus sends."""

SWITCHES = {
    "podMonitor": [*READER, "PodMonitor"],
    "serviceMonitor": [*READER, "Service", "ServiceMonitor"],
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
    (port,) = (each for each in containers[0]["ports"] if each["name"] == "metrics")
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
            "authorization": {
                "type": "Bearer",
                "credentials": {"name": "daap-operator-metrics-reader", "key": "token"},
            },
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
    assert endpoint["authorization"]["credentials"]["name"] == "daap-operator-metrics-reader"
    assert service["spec"]["publishNotReadyAddresses"] is True


def test_nothing_is_read_twice() -> None:
    both = {"podMonitor": {"enabled": True}, "serviceMonitor": {"enabled": True}}
    with pytest.raises(HelmError, match=r"scraped twice\. Set one of them to false"):
        render({"monitoring": both})


# --- who reads ------------------------------------------------------------------------------------


def the_endpoint(values: Object) -> Object:
    monitors = {"monitoring": {"podMonitor": {"enabled": True}} | values.get("monitoring", {})}
    (found,) = only(render(values | monitors), "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert isinstance(found, dict)
    return found


def test_the_token_that_is_sent_may_read_metrics_and_nothing_else() -> None:
    objects = switched_on("podMonitor")
    name = "daap-operator-metrics-reader"
    account, secret = only(objects, "ServiceAccount", name), only(objects, "Secret", name)
    assert account["automountServiceAccountToken"] is False
    assert secret["type"] == "kubernetes.io/service-account-token"
    assert secret["metadata"]["annotations"] == {"kubernetes.io/service-account.name": name}
    assert not {"data", "stringData"} & secret.keys()
    bound = [
        obj["roleRef"]["name"]
        for obj in objects
        if any(each.get("name") == name for each in obj.get("subjects", []))
    ]
    assert bound == [name]
    rules = only(objects, "ClusterRole", name)["rules"]
    assert rules == [{"nonResourceURLs": [review.PATH], "verbs": [review.VERB]}]


@pytest.mark.parametrize("namespaces", [[], ["shop"]])
def test_the_operator_may_ask_who_reads_whichever_namespaces_it_serves(
    namespaces: list[str],
) -> None:
    objects = render({"watchNamespaces": namespaces})
    (rule, other) = only(objects, "ClusterRole", "daap-operator-metrics-auth")["rules"]
    assert rule["resources"] + other["resources"] == ["tokenreviews", "subjectaccessreviews"]
    assert rule["verbs"] == other["verbs"] == ["create"]
    (subject,) = only(objects, "ClusterRoleBinding", "daap-operator-metrics-auth")["subjects"]
    assert subject["name"] == "daap-operator"


def test_another_token_may_be_sent() -> None:
    mine = {"tokenSecret": {"name": "mine", "key": "bearer"}, "podMonitor": {"enabled": True}}
    values = {"monitoring": mine}
    credentials = the_endpoint(values)["authorization"]["credentials"]
    assert credentials == {"name": "mine", "key": "bearer"}
    assert not [obj for obj in render(values) if obj["kind"] == "Secret"]


def test_without_authentication_there_is_no_token_and_no_right() -> None:
    objects = render(
        {"metrics": {"authentication": "none"}, "monitoring": {"podMonitor": {"enabled": True}}}
    )
    (endpoint,) = only(objects, "PodMonitor")["spec"]["podMetricsEndpoints"]
    assert "authorization" not in endpoint
    assert not [obj for obj in objects if obj["kind"] == "Secret"]
    assert not [obj for obj in objects if "-metrics-" in obj["metadata"]["name"]]
    (container,) = only(objects, "Deployment")["spec"]["template"]["spec"]["containers"]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    assert variables["DAAP_METRICS_AUTHENTICATION"] == "none"


def test_with_a_certificate_the_metrics_are_read_with_tls() -> None:
    tls = {"metrics": {"tls": {"secretName": "metrics-tls"}}}
    endpoint = the_endpoint(tls)
    assert endpoint["scheme"] == "https"
    assert endpoint["tlsConfig"] == {
        "serverName": "daap-operator-metrics.daap-system.svc",
        "ca": {"secret": {"name": "metrics-tls", "key": "ca.crt"}},
    }
    spec = only(render(tls), "Deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    variables = {each["name"]: each.get("value") for each in container["env"]}
    (mount,) = container["volumeMounts"]
    assert variables["DAAP_METRICS_TLS_DIRECTORY"] == mount["mountPath"]
    (volume,) = spec["volumes"]
    assert (volume["name"], volume["secret"]["secretName"]) == (mount["name"], "metrics-tls")


def test_the_page_itself_passes_prometheus_own_lint() -> None:
    metrics = Metrics([known.DATABASE.name])
    metrics.count_pass(known.DATABASE.name, Result.SUCCESS, 0.1)
    metrics.count_request(Request("get", "secrets", 200, 0.1))
    database = {
        "metadata": {"namespace": "shop", "name": "orders"},
        "spec": {"ownerTeam": 'a "quoted" team'},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }
    told = Known(database_metrics.measured([database]), True, {known.DATABASE.name: 0})
    seen = Seen("1.2.3", leader=True, known=told)
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
        ({"metrics": {"authentication": "basic"}}, "authentication"),
        ({"metrics": {"tls": {"secret": "x"}}}, "secret"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: Object, said: str) -> None:
    with pytest.raises(HelmError, match=said):
        render(values)
