"""The connection Secret: everything a client needs, and a revision that follows its content."""

import base64
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import pytest
from hypothesis import given

from daap_operator.desired.resolved import Resolved
from daap_operator.desired.secret import (
    Credentials,
    CredentialVersions,
    connection_secret,
    revision,
)
from tests.unit import builders, strategies

Object = dict[str, Any]

CREDENTIALS = Credentials(username="orders", password="p@ss w/rd:+%", ca="-----BEGIN…")
VERSIONS = CredentialVersions(application="11", server_ca="12")


def entries(made: Resolved, credentials: Credentials = CREDENTIALS) -> dict[str, str]:
    data: dict[str, str] = connection_secret(made, credentials)["data"]
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


def test_a_client_finds_everything() -> None:
    pooler = "daap-orders-pooler.shop.svc.cluster.local"
    primary = "daap-orders-rw.shop.svc.cluster.local"
    user = "orders:p%40ss%20w%2Frd%3A%2B%25"
    assert entries(builders.resolved()) == {
        "type": "postgresql",
        "provider": "daap",
        "host": pooler,
        "port": "5432",
        "database": "orders",
        "username": "orders",
        "password": "p@ss w/rd:+%",
        "uri": f"postgresql://{user}@{pooler}:5432/orders?sslmode=require",
        "jdbc-uri": (
            f"jdbc:postgresql://{pooler}:5432/orders"
            "?user=orders&password=p%40ss+w%2Frd%3A%2B%25&sslmode=require"
        ),
        "direct-host": primary,
        "direct-uri": f"postgresql://{user}@{primary}:5432/orders?sslmode=require",
        "ca.crt": "-----BEGIN…",
    }


def test_several_instances_have_a_host_to_read_from() -> None:
    made = entries(builders.resolved({"instances": 2}))
    assert made["ro-host"] == "daap-orders-ro.shop.svc.cluster.local"
    assert made["ro-uri"].endswith(
        "@daap-orders-ro.shop.svc.cluster.local:5432/orders?sslmode=require"
    )


def test_it_is_a_secret_for_service_binding_and_belongs_to_the_database() -> None:
    made = connection_secret(builders.resolved({"connectionSecretName": "mine"}), CREDENTIALS)
    assert (made["kind"], made["type"]) == ("Secret", "servicebinding.io/postgresql")
    assert made["metadata"] == builders.resolved().metadata("mine")


@given(strategies.plain_texts, strategies.plain_texts)
def test_any_user_and_password_survive_the_uris(user: str, password: str) -> None:
    made = entries(builders.resolved(), Credentials(user, password, "ca"))
    for key in ("uri", "direct-uri"):
        parts = urlsplit(made[key])
        assert unquote(parts.username or "") == user
        assert unquote(parts.password or "") == password
        assert parts.path == "/orders"
    query = parse_qs(urlsplit(made["jdbc-uri"].removeprefix("jdbc:")).query, keep_blank_values=True)
    assert query == {"user": [user], "password": [password], "sslmode": ["require"]}


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
    "another policy": ({"deletionPolicy": "Retain"}, VERSIONS),
}


@pytest.mark.parametrize(("spec", "versions"), CHANGES.values(), ids=CHANGES)
def test_the_revision_changes_with_the_secret(spec: Object, versions: CredentialVersions) -> None:
    changed = revision(builders.resolved(spec), versions)
    assert changed != revision(builders.resolved(), VERSIONS)
    assert len(changed) <= 64
