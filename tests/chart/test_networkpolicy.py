"""The NetworkPolicy: off by default, and when on no wider than it has to be."""

from typing import Any

import pytest

from tests.support.helm import HelmError, only, render

Object = dict[str, Any]


def policy(values: Object | None = None) -> Object:
    spec = only(render({"networkPolicy": {"enabled": True} | (values or {})}), "NetworkPolicy")[
        "spec"
    ]
    assert isinstance(spec, dict)
    return spec


def test_by_default_there_is_no_network_policy() -> None:
    assert not [obj for obj in render() if obj["kind"] == "NetworkPolicy"]


def test_a_network_policy_lets_in_monitoring_only_and_out_what_the_operator_needs() -> None:
    spec = policy()
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    (inwards,) = spec["ingress"]
    containers = only(render(), "Deployment")["spec"]["template"]["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in containers[0]["ports"]}
    monitoring = {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}
    assert inwards == {
        "ports": [{"port": ports[name], "protocol": "TCP"} for name in ("metrics", "probes")],
        "from": [{"namespaceSelector": monitoring}],
    }
    assert [[(p["port"], p["protocol"]) for p in rule["ports"]] for rule in spec["egress"]] == [
        [(53, "UDP"), (53, "TCP")],
        [(443, "TCP"), (6443, "TCP")],
        [(5432, "TCP")],
    ]
    assert not any("to" in rule for rule in spec["egress"])


def test_a_network_policy_is_of_the_operator_and_its_migrations() -> None:
    objects = render({"networkPolicy": {"enabled": True}})
    selector = only(objects, "NetworkPolicy")["spec"]["podSelector"]
    (components,) = selector["matchExpressions"]
    assert components["operator"] == "In"
    for owner in (only(objects, "Deployment"), only(objects, "Job")):
        labels = owner["spec"]["template"]["metadata"]["labels"]
        assert selector["matchLabels"].items() <= labels.items()
        assert labels["app.kubernetes.io/component"] in components["values"]


def test_nobody_reads_metrics_when_nobody_is_named() -> None:
    """In a NetworkPolicy a rule without `from` lets everybody in."""
    assert policy({"ingress": {"from": []}})["ingress"] == []


def test_a_network_policy_names_places() -> None:
    peers = [{"ipBlock": {"cidr": "192.0.2.1/32"}}]
    more = {"ports": [{"port": 443, "protocol": "TCP"}]}
    egress = {
        "apiServer": {"ports": [16443], "to": peers},
        "metadataDatabase": {"to": peers},
        "extra": [more],
    }
    spec = policy({"egress": egress})
    assert spec["egress"][1:] == [
        {"ports": [{"port": 16443, "protocol": "TCP"}], "to": peers},
        {"ports": [{"port": 5432, "protocol": "TCP"}], "to": peers},
        more,
    ]


@pytest.mark.parametrize("ports", [[], ["https"], [0]])
def test_ports_that_cannot_be_meant_are_refused(ports: list[object]) -> None:
    with pytest.raises(HelmError, match="ports"):
        policy({"egress": {"apiServer": {"ports": ports}}})
