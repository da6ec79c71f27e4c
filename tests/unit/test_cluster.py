"""The Cluster that is applied."""

import base64
from dataclasses import replace
from typing import Any

import pytest

from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.secret import DatabaseCredentials, connection_secret
from tests.unit import builders

Object = dict[str, Any]


def spec(**changed: Any) -> Object:
    made: Object = cluster(builders.resolved(changed))["spec"]
    return made


def test_it_is_named_and_owned() -> None:
    made = cluster(builders.resolved())
    assert (made["apiVersion"], made["kind"]) == ("postgresql.cnpg.io/v1", "Cluster")
    annotations = {"annotations": {"daap.io/defaults-revision": "3"}}
    assert made["metadata"] == builders.resolved().metadata("daap-orders") | annotations


@pytest.mark.parametrize(
    ("instances", "budget", "method"),
    [(1, False, "restart"), (2, True, "switchover"), (9, True, "switchover")],
)
def test_one_instance_lets_its_node_be_drained_and_several_take_over(
    instances: int, budget: bool, method: str
) -> None:
    made = spec(instances=instances)
    assert made["instances"] == instances
    assert made["enablePDB"] is budget
    assert made["primaryUpdateMethod"] == method
    assert made["primaryUpdateStrategy"] == "unsupervised"


def test_the_image_is_named_with_its_major_version_and_no_superuser_is_exposed() -> None:
    made = spec(postgresVersion=16)
    assert made["imageName"] == "registry.example/postgresql:16-standard-trixie"
    assert made["enableSuperuserAccess"] is False


def test_the_database_is_owned_by_a_role_of_its_name() -> None:
    assert spec(databaseName="tickets")["bootstrap"] == {
        "initdb": {
            "database": "tickets",
            "owner": "tickets",
            "encoding": "UTF8",
            "dataChecksums": True,
            "localeProvider": "builtin",
            "builtinLocale": "C.UTF-8",
            "localeCollate": "C",
            "localeCType": "C.UTF-8",
        }
    }


def test_the_certificate_has_the_poolers_names_and_plain_text_is_refused() -> None:
    made = spec()
    assert made["certificates"]["serverAltDNSNames"] == [
        "daap-orders-pooler",
        "daap-orders-pooler.shop",
        "daap-orders-pooler.shop.svc",
        "daap-orders-pooler.shop.svc.cluster.local",
    ]
    assert made["postgresql"]["pg_hba"] == ["hostnossl all all all reject"]


@pytest.mark.parametrize("instances", [1, 3])
def test_with_another_domain_the_certificate_has_every_host_that_is_ever_published(
    instances: int,
) -> None:
    there = replace(builders.resolved({"instances": instances}), domain="corp.example")
    assert cluster(there)["spec"]["certificates"]["serverAltDNSNames"] == [
        "daap-orders-pooler",
        "daap-orders-pooler.shop",
        "daap-orders-pooler.shop.svc",
        "daap-orders-pooler.shop.svc.corp.example",
        "daap-orders-rw.shop.svc.corp.example",
        "daap-orders-ro.shop.svc.corp.example",
    ]


@pytest.mark.parametrize("domain", ["cluster.local", "corp.example"])
def test_no_host_of_the_secret_is_missing_in_the_certificate(domain: str) -> None:
    there = replace(builders.resolved({"instances": 2}), domain=domain)
    secret = connection_secret(there, DatabaseCredentials("app", "hunter2", "PEM"))["data"]
    published = {base64.b64decode(secret[key]).decode() for key in secret if key.endswith("host")}
    own = {f"daap-orders-{role}.shop.svc.cluster.local" for role in ("rw", "ro", "r")}
    certified = set(cluster(there)["spec"]["certificates"]["serverAltDNSNames"]) | own
    assert len(published) == 3
    assert published <= certified


@pytest.mark.parametrize(
    ("asked", "storage"),
    [
        ({}, {"size": "10Gi"}),
        ({"size": "1024Mi"}, {"size": "1024Mi"}),
        ({"size": "1Ti", "storageClass": "fast"}, {"size": "1Ti", "storageClass": "fast"}),
    ],
    ids=["default", "the user's text", "with a class"],
)
def test_storage_is_what_was_asked_for(asked: Object, storage: Object) -> None:
    assert spec(storage=asked)["storage"] == storage


@pytest.mark.parametrize(
    ("asked", "resources"),
    [
        (None, None),
        ({}, None),
        ({"requests": {}, "limits": {}}, None),
        (
            {"requests": {"cpu": 1}, "limits": {}},
            {"requests": {"cpu": "1"}},
        ),
        (
            {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
            {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"memory": "1Gi"}},
        ),
    ],
    ids=["none", "empty", "empty amounts", "one", "all"],
)
def test_of_the_first_defaults_only_the_resources_that_were_asked_for_are_ours(
    asked: Object | None, resources: Object | None
) -> None:
    made = cluster(builders.resolved({"resources": asked}, {"clusterName": "daap-orders"}))
    assert made["spec"].get("resources") == resources


def test_an_instance_that_does_not_stop_is_killed_in_minutes() -> None:
    made = spec()
    assert made["smartShutdownTimeout"] < made["stopDelay"] <= 300


def test_an_instance_that_has_started_is_seen_soon_and_has_an_hour_for_it() -> None:
    """CloudNativePG takes the failures from its own period, whatever is set here."""
    startup = spec()["probes"]["startup"]
    assert startup["periodSeconds"] == 1
    assert startup["periodSeconds"] * startup["failureThreshold"] == 3600


@pytest.mark.parametrize("revision", [1, 2])
def test_older_defaults_start_as_they_did(revision: int) -> None:
    live = {"clusterName": "daap-orders", "defaultsRevision": revision}
    assert "probes" not in cluster(builders.resolved({}, live))["spec"]


def test_no_field_is_empty() -> None:
    """An empty object in a manifest is owned as a whole: whatever others put there would differ."""
    pending = [cluster(builders.resolved({"resources": {"limits": {"cpu": "1"}}}))]
    while pending:
        for value in pending.pop().values():
            assert value not in ({}, [], None)
            if isinstance(value, dict):
                pending.append(value)
