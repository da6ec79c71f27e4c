"""The connection Secret: everything a client needs, and a revision that follows its content."""

import base64
import json
import re
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given

from daap_operator import names
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.desired.secret import (
    CredentialVersions,
    DatabaseCredentials,
    connection_secret,
    revision,
)
from tests.unit import builders, strategies

Object = dict[str, Any]

CREDENTIALS = DatabaseCredentials(username="orders", password="p@ss w/rd:+%", ca="-----BEGIN…")
VERSIONS = CredentialVersions(application="11", server_ca="12")


def entries(made: Resolved, credentials: DatabaseCredentials = CREDENTIALS) -> dict[str, str]:
    data: dict[str, str] = connection_secret(made, credentials)["data"]
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


def test_a_client_finds_everything() -> None:
    pooler = "daap-orders-pooler.shop.svc.cluster.local"
    primary = "daap-orders-rw.shop.svc.cluster.local"
    user = "orders:p%40ss%20w%2Frd%3A%2B%25"
    jdbc_user = "user=orders&password=p%40ss+w%2Frd%3A%2B%25"
    verified = "sslmode=verify-full&sslrootcert=/var/run/secrets/daap/orders/ca.crt"
    assert entries(builders.resolved()) == {
        "type": "postgresql",
        "provider": "daap",
        "host": pooler,
        "port": "5432",
        "database": "orders",
        "username": "orders",
        "password": "p@ss w/rd:+%",
        "uri": f"postgresql://{user}@{pooler}:5432/orders?sslmode=require",
        "uri-verify-full": f"postgresql://{user}@{pooler}:5432/orders?{verified}",
        "jdbc-uri": f"jdbc:postgresql://{pooler}:5432/orders?{jdbc_user}&sslmode=require",
        "jdbc-uri-verify-full": f"jdbc:postgresql://{pooler}:5432/orders?{jdbc_user}&{verified}",
        "direct-host": primary,
        "direct-uri": f"postgresql://{user}@{primary}:5432/orders?sslmode=require",
        "direct-uri-verify-full": f"postgresql://{user}@{primary}:5432/orders?{verified}",
        "direct-jdbc-uri": f"jdbc:postgresql://{primary}:5432/orders?{jdbc_user}&sslmode=require",
        "direct-jdbc-uri-verify-full": (
            f"jdbc:postgresql://{primary}:5432/orders?{jdbc_user}&{verified}"
        ),
        "ca.crt": "-----BEGIN…",
        "pgpass": (
            f"{pooler}:5432:orders:orders:p@ss w/rd\\:+%\n"
            f"{primary}:5432:orders:orders:p@ss w/rd\\:+%\n"
        ),
    }


def test_several_instances_have_a_host_to_read_from() -> None:
    made = entries(builders.resolved({"instances": 2}))
    assert made["ro-host"] == "daap-orders-ro.shop.svc.cluster.local"
    assert made["ro-uri"].endswith(
        "@daap-orders-ro.shop.svc.cluster.local:5432/orders?sslmode=require"
    )


def test_every_way_in_has_the_same_keys() -> None:
    made = entries(builders.resolved({"instances": 2}))
    kinds = {"host", "uri", "uri-verify-full", "jdbc-uri", "jdbc-uri-verify-full"}
    for way in ("", "direct-", "ro-"):
        assert {f"{way}{kind}" for kind in kinds} <= made.keys()
        assert all(made[f"{way}host"] in made[f"{way}{kind}"] for kind in kinds)
        assert made[f"{way}host"] in made["pgpass"]
    assert not any(key.startswith("ro-") for key in entries(builders.resolved()))


def test_the_password_file_is_read_back_as_libpq_does() -> None:
    made = entries(builders.resolved(), DatabaseCredentials("u:s", "p\\:w", "ca"))
    for line in made["pgpass"].splitlines():
        fields = re.split(r"(?<!\\):", line.replace("\\\\", "\0"))
        user, password = (re.sub(r"\\(.)", r"\1", f).replace("\0", "\\") for f in fields[3:])
        assert (user, password) == ("u:s", "p\\:w")


ASKED = {"labels": {"team": "a", "daap": "b"}, "annotations": {"replicate-to": "x"}}


def test_it_has_the_labels_and_annotations_that_were_asked_for() -> None:
    spec = {"connectionSecretMetadata": ASKED, "deletionPolicy": "Retain"}
    made = connection_secret(builders.resolved(spec), CREDENTIALS)["metadata"]
    plain = connection_secret(builders.resolved({"deletionPolicy": "Retain"}), CREDENTIALS)
    assert made["labels"] == plain["metadata"]["labels"] | ASKED["labels"]
    noted = made["annotations"].pop(names.SECRET_METADATA)
    assert json.loads(noted) == {"labels": ["daap", "team"], "annotations": ["replicate-to"]}
    assert made["annotations"] == plain["metadata"]["annotations"] | ASKED["annotations"]


@pytest.mark.parametrize("asked", [{}, {"labels": {}}, {"labels": {}, "annotations": {}}])
def test_nothing_asked_for_changes_nothing(asked: Object) -> None:
    made = connection_secret(builders.resolved({"connectionSecretMetadata": asked}), CREDENTIALS)
    assert made == connection_secret(builders.resolved(), CREDENTIALS)


def test_it_is_a_secret_for_service_binding_and_belongs_to_the_database() -> None:
    made = connection_secret(builders.resolved({"connectionSecretName": "mine"}), CREDENTIALS)
    assert (made["kind"], made["type"]) == ("Secret", "servicebinding.io/postgresql")
    assert made["metadata"] == builders.resolved().metadata("mine")


@given(strategies.plain_texts, strategies.plain_texts)
def test_any_user_and_password_survive_the_uris(user: str, password: str) -> None:
    made = entries(builders.resolved(), DatabaseCredentials(user, password, "ca"))
    for key in ("uri", "direct-uri", "uri-verify-full"):
        parts = urlsplit(made[key])
        assert unquote(parts.username or "") == user
        assert unquote(parts.password or "") == password
        assert parts.path == "/orders"
    for key in ("jdbc-uri", "direct-jdbc-uri", "direct-jdbc-uri-verify-full"):
        query = parse_qs(urlsplit(made[key].removeprefix("jdbc:")).query, keep_blank_values=True)
        assert (query["user"], query["password"]) == ([user], [password])


def test_credentials_do_not_show_the_password() -> None:
    assert "p@ss" not in f"{CREDENTIALS!r} {CREDENTIALS}"
    assert "orders" in repr(CREDENTIALS)


# --- the revision ---------------------------------------------------------------------------------


def test_the_same_secret_has_the_same_revision() -> None:
    assert revision(builders.resolved(), VERSIONS) == revision(builders.resolved(), VERSIONS)
    assert revision(builders.resolved(), VERSIONS) == revision(
        builders.resolved({"purpose": "other", "storage": {"size": "20Gi"}}), VERSIONS
    )


CHANGES: dict[str, tuple[Object, CredentialVersions]] = {
    "the application's Secret": ({}, CredentialVersions("13", "12")),
    "the authority's Secret": ({}, CredentialVersions("11", "13")),
    "the versions swapped": ({}, CredentialVersions("12", "11")),
    "a second instance": ({"instances": 2}, VERSIONS),
    "another name": ({"connectionSecretName": "mine"}, VERSIONS),
    "another database": ({"databaseName": "tickets"}, VERSIONS),
    "other labels": ({"connectionSecretMetadata": {"labels": {"a": "b"}}}, VERSIONS),
    "another policy": ({"deletionPolicy": "Retain"}, VERSIONS),
}


@pytest.mark.parametrize(("spec", "versions"), CHANGES.values(), ids=CHANGES)
def test_the_revision_changes_with_the_secret(spec: Object, versions: CredentialVersions) -> None:
    changed = revision(builders.resolved(spec), versions)
    assert changed != revision(builders.resolved(), VERSIONS)
    assert len(changed) <= 64
