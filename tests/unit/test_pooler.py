"""The Pooler that is applied."""

from typing import Any

import pytest

from daap_operator.desired.pooler import pooler
from tests.unit import builders

Object = dict[str, Any]


def spec(**changed: Any) -> Object:
    made: Object = pooler(builders.resolved({"pooler": changed}))["spec"]
    return made


def test_it_is_named_and_owned_and_serves_the_primary_of_the_cluster() -> None:
    made = pooler(builders.resolved())
    assert (made["apiVersion"], made["kind"]) == ("postgresql.cnpg.io/v1", "Pooler")
    assert made["metadata"] == builders.resolved().metadata("daap-orders-pooler")
    assert made["spec"]["cluster"] == {"name": "daap-orders"}
    assert made["spec"]["type"] == "rw"


@pytest.mark.parametrize(
    ("mode", "pool_mode"), [("Transaction", "transaction"), ("Session", "session")]
)
def test_the_mode_is_told_in_pgbouncers_words(mode: str, pool_mode: str) -> None:
    assert spec(mode=mode)["pgbouncer"]["poolMode"] == pool_mode


@pytest.mark.parametrize(
    ("instances", "pool"), [(1, "20"), (4, "20"), (5, "16"), (8, "10"), (10, "8")]
)
def test_all_pods_together_leave_connections_for_others(instances: int, pool: str) -> None:
    made = spec(instances=instances)
    assert made["instances"] == instances
    assert made["pgbouncer"]["parameters"]["default_pool_size"] == pool
    assert instances * int(pool) <= 80


def test_parameters_are_texts_and_plain_text_connections_are_refused() -> None:
    assert spec(maxClientConnections=2000)["pgbouncer"]["parameters"] == {
        "client_tls_sslmode": "require",
        "default_pool_size": "20",
        "max_client_conn": "2000",
        "max_prepared_statements": "200",
        "server_connect_timeout": "5",
        "server_login_retry": "0.5",
    }


def test_pods_are_spread_labelled_and_replaced_before_they_go() -> None:
    made = spec(instances=2)
    assert made["template"]["metadata"]["labels"] == {"daap.io/database": "orders"}
    pod = made["template"]["spec"]
    assert [container["name"] for container in pod["containers"]] == ["pgbouncer"]
    (spread,) = pod["topologySpreadConstraints"]
    assert spread["labelSelector"] == {"matchLabels": {"cnpg.io/poolerName": "daap-orders-pooler"}}
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert made["deploymentStrategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
