"""Every choice made once: by the user, by the status, else by the platform."""

import dataclasses
from typing import Any

import pytest
from hypothesis import given

from daap_operator import names
from daap_operator.kinds.database import ownership
from daap_operator.kinds.database.desired.resolved import resolve, tagged_major
from tests.unit import builders, strategies

Object = dict[str, Any]


def test_without_choices_the_platform_chooses() -> None:
    made = builders.resolved()
    assert (made.name, made.namespace, made.uid) == ("orders", "shop", builders.UID)
    assert made.cluster == "daap-orders"
    assert made.pooler == "daap-orders-pooler"
    assert made.secret == "daap-orders-connection"
    assert made.database == "orders"
    assert made.postgres_version == 17
    assert made.image == "registry.example/postgresql:17-standard-trixie"
    assert made.host == "daap-orders-pooler.shop.svc.cluster.local"


VERSIONS: dict[str, tuple[Object, Object, int]] = {
    "the platform's": ({}, {}, 17),
    "the user's": ({"postgresVersion": 15}, {}, 15),
    "the one allotted": ({}, {"postgresVersion": 16}, 16),
    "a rise": ({"postgresVersion": 18}, {"postgresVersion": 16}, 18),
    "never a fall": ({"postgresVersion": 15}, {"postgresVersion": 16}, 16),
}


@pytest.mark.parametrize(("spec", "status", "version"), VERSIONS.values(), ids=VERSIONS)
def test_a_version_is_the_users_the_allotted_or_the_platforms(
    spec: Object, status: Object, version: int
) -> None:
    made = builders.resolved(spec, status)
    assert made.postgres_version == version
    assert f":{version}-" in made.image


def test_a_major_version_may_have_an_image_of_its_own() -> None:
    pinned = f"registry.example/postgresql:17.6-x@sha256:{'0' * 64}"
    platform = dataclasses.replace(builders.PLATFORM, postgres_images={17: pinned})
    seventeen, sixteen = (
        resolve(builders.model({"postgresVersion": major}), platform) for major in (17, 16)
    )
    assert seventeen.image == pinned
    assert tagged_major(seventeen.image) == 17
    assert sixteen.image == "registry.example/postgresql:16-standard-trixie"


def test_what_was_allotted_is_never_worked_out_again() -> None:
    allotted = {"clusterName": "daap-elsewhere", "databaseName": "old"}
    made = builders.resolved({"databaseName": "new"}, allotted)
    assert made.cluster == "daap-elsewhere"
    assert made.pooler == "daap-elsewhere-pooler"
    assert made.host.startswith("daap-elsewhere-pooler.")
    assert made.database == "old"


def test_the_user_names_database_and_secret() -> None:
    made = builders.resolved({"databaseName": "tickets", "connectionSecretName": "mine"})
    assert (made.database, made.secret) == ("tickets", "mine")


@given(strategies.names)
def test_every_name_gives_a_database_of_63_characters_at_most(name: str) -> None:
    if not names.reserved(names.database_name(name)):
        assert len(builders.resolved(name=name).database) <= 63


def test_a_child_is_owned_and_labelled() -> None:
    metadata = builders.resolved().metadata("child")
    assert metadata["name"] == "child"
    assert metadata["namespace"] == "shop"
    assert metadata["labels"] == ownership.labels("orders", builders.UID)
    assert metadata["ownerReferences"] == [
        {
            "apiVersion": "daap.io/v1alpha1",
            "kind": "DaapDatabase",
            "name": "orders",
            "uid": builders.UID,
            "controller": True,
        }
    ]


def test_a_retained_child_is_labelled_but_not_owned() -> None:
    metadata = builders.resolved({"deletionPolicy": "Retain"}).metadata("child")
    assert metadata["labels"] == ownership.labels("orders", builders.UID)
    assert "ownerReferences" not in metadata


def test_the_users_labels_and_annotations_are_not_copied() -> None:
    metadata = {"labels": {"a": "b"}, "annotations": {"c": "d"}}
    assert builders.resolved(**metadata) == builders.resolved()


def test_a_version_goes_back_to_that_of_the_data() -> None:
    """The status tells that of the data, whatever was asked for meanwhile."""
    assert (
        builders.resolved({"postgresVersion": 18}, {"postgresVersion": 17}).postgres_version == 18
    )
    assert (
        builders.resolved({"postgresVersion": 17}, {"postgresVersion": 17}).postgres_version == 17
    )
    assert builders.resolved({}, {"postgresVersion": 17}).postgres_version == 17
