"""The Pooler that is applied."""

from decimal import Decimal
from typing import Any

import pytest

from daap_operator import names, quantity
from daap_operator.kinds.database.desired.mark import unmarked
from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.desired.tuning import server_connections
from tests.unit import builders

Object = dict[str, Any]


LIVE: Object = {"clusterName": "daap-orders"}
"""The status of a database that was made before defaults had revisions."""


def spec(status: Object | None = None, **changed: Any) -> Object:
    made: Object = unmarked(pooler(builders.resolved({"pooler": changed}, status)))["spec"]
    return made


def paths(before: Any, after: Any, path: str = "") -> set[str]:
    """Where two manifests differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        below = before.keys() | after.keys()
        return set().union(*(paths(before.get(k), after.get(k), f"{path}.{k}") for k in below))
    return set() if before == after else {path}


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
    ("instances", "pool", "most"),
    [(1, "20", "40"), (2, "20", "26"), (3, "20", "20"), (4, "16", "16"), (10, "7", "7")],
)
@pytest.mark.parametrize("status", [None, LIVE], ids=["new", "made before revisions"])
def test_all_pods_together_leave_connections_for_others_whatever_the_number_of_roles(
    instances: int, pool: str, most: str, status: Object | None
) -> None:
    made = spec(status, instances=instances)
    assert made["instances"] == instances
    parameters = made["pgbouncer"]["parameters"]
    assert (parameters["default_pool_size"], parameters["max_db_connections"]) == (pool, most)
    surge = made["deploymentStrategy"]["rollingUpdate"]["maxSurge"]
    assert (instances + surge) * int(most) <= server_connections(builders.resolved()) == 80


def test_parameters_are_texts_and_plain_text_connections_are_refused() -> None:
    assert spec(maxClientConnections=2000)["pgbouncer"]["parameters"] == {
        "client_tls_sslmode": "require",
        "default_pool_size": "20",
        "max_client_conn": "2000",
        "max_db_connections": "40",
        "max_prepared_statements": "200",
        "server_connect_timeout": "5",
        "server_login_retry": "0.5",
        "server_reset_query_always": "1",
        "track_extra_parameters": "IntervalStyle,default_transaction_read_only",
    }


@pytest.mark.parametrize("mode", ["Transaction", "Session"])
@pytest.mark.parametrize("status", [None, LIVE], ids=["new", "made before revisions"])
def test_what_a_client_leaves_behind_is_discarded(mode: str, status: Object | None) -> None:
    parameters = spec(status, mode=mode)["pgbouncer"]["parameters"]
    assert parameters["server_reset_query_always"] == "1"
    assert "server_reset_query" not in parameters  # PgBouncer's own is the whole: DISCARD ALL


def test_a_client_stays_with_its_pod_so_that_a_cancel_finds_the_query() -> None:
    for made in (spec(instances=3), spec(LIVE, instances=3)):
        service = made["serviceTemplate"]["spec"]
        assert service["sessionAffinity"] == "ClientIP"
        assert service["sessionAffinityConfig"] == {"clientIP": {"timeoutSeconds": 86400}}


def test_an_upgrade_reloads_the_pods_that_run_and_replaces_none() -> None:
    assert spec(LIVE)["template"] == {
        "metadata": {"labels": {"daap.io/database": "orders"}},
        "spec": {
            "containers": [
                {"name": "pgbouncer", "resources": {"requests": {"cpu": "50m", "memory": "64Mi"}}}
            ],
            "topologySpreadConstraints": spec()["template"]["spec"]["topologySpreadConstraints"],
        },
    }
    # PgBouncer reads it when it starts, so that nobody could say which pods have it
    assert "track_extra_parameters" not in spec(LIVE)["pgbouncer"]["parameters"]


def test_every_container_has_limits_so_that_quotas_are_met() -> None:
    pod = spec()["template"]["spec"]
    (pgbouncer,), (bootstrap,) = pod["containers"], pod["initContainers"]
    assert bootstrap["name"] == "bootstrap-controller"
    for container in (pgbouncer, bootstrap):
        limits, requests = container["resources"]["limits"], container["resources"]["requests"]
        assert limits.keys() == requests.keys() == {"cpu", "memory"}
        assert all(quantity.parse(requests[k]) <= quantity.parse(limits[k]) for k in limits)


@pytest.mark.parametrize("clients", [10, 1000, 10000])
def test_the_memory_carries_the_clients(clients: int) -> None:
    (container,) = spec(maxClientConnections=clients)["template"]["spec"]["containers"]
    has = quantity.parse(container["resources"]["limits"]["memory"])
    assert has >= Decimal(128 * 2**20 + clients * 64 * 2**10)


def test_a_pod_serves_on_until_nobody_is_led_to_it() -> None:
    pod = spec()["template"]["spec"]
    (container,) = pod["containers"]
    leave = container["lifecycle"]["preStop"]["sleep"]["seconds"]  # no shell in the image needed
    assert 6 <= leave < pod["terminationGracePeriodSeconds"]


@pytest.mark.parametrize("status", [None, LIVE], ids=["new", "made before revisions"])
def test_a_change_of_mode_reloads_the_pods_that_run(status: Object | None) -> None:
    changed = paths(spec(status), spec(status, mode="Session"))
    assert changed == {".pgbouncer.poolMode"}


def test_a_change_of_clients_replaces_pods_where_their_memory_follows() -> None:
    parameter = ".pgbouncer.parameters.max_client_conn"
    assert paths(spec(LIVE), spec(LIVE, maxClientConnections=5000)) == {parameter}
    new = paths(spec(), spec(maxClientConnections=5000))
    assert new == {parameter, ".template.spec.containers", ".template.spec.initContainers"}


def test_the_mark_of_certificates_stands_beside_what_a_retained_pooler_says() -> None:
    assert "annotations" not in pooler(builders.resolved())["metadata"]
    for policy, others in (("Delete", {}), ("Retain", names.retained_from("shop", "orders"))):
        made = pooler(builders.resolved({"deletionPolicy": policy}), certificates="12.13")
        assert made["metadata"]["annotations"] == others | {names.CERTIFICATES: "12.13"}


def test_pods_are_spread_labelled_and_replaced_before_they_go() -> None:
    made = spec(instances=2)
    assert made["template"]["metadata"]["labels"] == {"daap.io/database": "orders"}
    pod = made["template"]["spec"]
    assert [container["name"] for container in pod["containers"]] == ["pgbouncer"]
    (spread,) = pod["topologySpreadConstraints"]
    assert spread["labelSelector"] == {"matchLabels": {"cnpg.io/poolerName": "daap-orders-pooler"}}
    assert spread["whenUnsatisfiable"] == "ScheduleAnyway"
    assert made["deploymentStrategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
