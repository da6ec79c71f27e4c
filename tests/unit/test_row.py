"""The row in the inventory."""

import dataclasses
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from daap_operator.kinds.database.row import MOST_SPEC_BYTES, Row, row
from daap_operator.kinds.database.subject import subject
from daap_operator.mirror import Json
from tests.unit import builders, strategies

Object = dict[str, Any]

STATUS: Object = {
    "phase": "Ready",
    "host": "h.example",
    "port": 5432,
    "secretName": "daap-orders-connection",
    "clusterName": "daap-orders",
    "poolerName": "daap-orders-pooler",
    "conditions": [builders.condition("Ready", "True", message="Clients can connect")],
}


def made(spec: Object | None = None, status: Object | None = None) -> Row | None:
    looked_at = subject(builders.database(spec, STATUS | (status or {}), generation=4))
    return row(looked_at.metadata, looked_at.spec, looked_at.status)


def test_the_row_has_what_the_object_says() -> None:
    assert made({"purpose": "Order history"}) == Row(
        id=builders.UID,
        name="orders",
        owner_team="checkout",
        purpose="Order history",
        namespace="shop",
        cluster_name="daap-orders",
        pooler_name="daap-orders-pooler",
        status="ready",
        host="h.example",
        port=5432,
        secret_name="daap-orders-connection",
        error_message=None,
        generation=4,
        created_at=datetime(2026, 3, 1, 11, 0, tzinfo=UTC),
        spec=Json('{"ownerTeam": "checkout", "purpose": "Order history"}'),
    )


def test_the_row_has_what_was_allotted() -> None:
    allotted = {"databaseName": "orders", "postgresVersion": 17, "locale": "icu/und"}
    found = made(status=allotted)
    assert found is not None
    assert (found.database_name, found.postgres_version) == ("orders", 17)
    assert found.locale == "icu/und"


def test_a_spec_is_the_same_text_in_whatever_order_its_fields_come() -> None:
    """Or a row would be written although nothing has changed."""
    one, other = ({"pooler": {}, "instances": 3}, {"instances": 3, "pooler": {}})
    assert made(one) == made(other) != made({"instances": 2, "pooler": {}})


def test_a_spec_that_is_not_known_whole_or_has_no_room_is_left_out() -> None:
    large = {"conditions": [builders.condition("Stalled", "True", "ObjectTooLarge")]}
    assert spec_of(made(status=large)) is None
    least = len('{"ownerTeam": "checkout", "x": ""}')
    assert spec_of(made({"x": "a" * (MOST_SPEC_BYTES - least)})) is not None
    assert spec_of(made({"x": "a" * (MOST_SPEC_BYTES - least + 1)})) is None
    assert spec_of(made({"x": "ä" * (MOST_SPEC_BYTES // 2)})) is None  # PostgreSQL counts bytes


def test_of_a_spec_is_cut_what_postgresql_cannot_store_and_nothing_else() -> None:
    odd = {"a\0": ["b\0c", {"d": "\0"}, 1, None, True], "e": "\\u0000"}
    kept = {"a": ["bc", {"d": ""}, 1, None, True], "e": "\\u0000", "ownerTeam": "checkout"}
    assert json.loads(spec_of(made(odd)) or "") == kept


def spec_of(found: Row | None) -> str | None:
    assert found is not None
    return found.spec


def test_an_object_without_a_database_has_no_row() -> None:
    assert made(status={"clusterName": ""}) is None
    looked_at = subject(builders.database())
    assert row(looked_at.metadata, looked_at.spec, looked_at.status) is None


def test_an_object_whose_name_another_has_has_no_row_even_if_it_once_was_allotted_one() -> None:
    """Its row would take the name from the holder's, and the other way round, for ever."""
    stalled = {"conditions": [builders.condition("Stalled", "True", "NameTaken")]}
    assert made(status=stalled) is None
    assert made(status={"conditions": [builders.condition("Stalled", "True", "DiskFull")]})


CONNECTED = builders.condition("Ready", "True", message="Clients can connect")
DOWN = builders.condition("Ready", "False", "NotServing", message="down")
REFUSED = builders.condition("Stalled", "True", "Rejected", message="no: change it")
NO = builders.condition("Stalled", "True", "Rejected", message="no")

PHASES: dict[str, tuple[Object, str, str | None]] = {
    "provisioning": ({"phase": "Provisioning"}, "provisioning", None),
    "no phase yet": ({"phase": None}, "provisioning", None),
    "deleting": ({"phase": "Deleting"}, "deleting", None),
    "error": ({"phase": "Error"}, "error", "Clients can connect"),
    "error without a condition": ({"phase": "Error", "conditions": []}, "error", None),
    "refused, and serving": ({"conditions": [CONNECTED, REFUSED]}, "ready", "no: change it"),
    "refused, and never served": (
        {"phase": "Error", "conditions": [builders.condition("Ready", "False", message="no"), NO]},
        "error",
        "no",
    ),
    "refused, and down for another reason": (
        {"phase": "Error", "conditions": [DOWN, REFUSED]},
        "error",
        "down; no: change it",
    ),
    "error that PostgreSQL cannot store": (
        {"phase": "Error", "conditions": [builders.condition("Ready", "False", message="a\0b")]},
        "error",
        "ab",
    ),
}


@pytest.mark.parametrize(("status", "word", "message"), PHASES.values(), ids=PHASES)
def test_the_phase_is_told_in_lower_case_and_an_error_with_why(
    status: Object, word: str, message: str | None
) -> None:
    found = made(status=status)
    assert found is not None
    assert (found.status, found.error_message) == (word, message)


def test_the_poolers_name_follows_from_the_clusters() -> None:
    found = made(status={"poolerName": None})
    assert found is not None
    assert found.pooler_name == "daap-orders-pooler"


@pytest.mark.parametrize(
    ("owner", "kept"),
    [("a" * 300, "a" * 255), ("a\0b", "ab"), (7, ""), (None, "")],
    ids=["too long", "NUL", "number", "missing"],
)
def test_an_owner_that_no_column_takes_is_cut(owner: object, kept: str) -> None:
    found = made({"ownerTeam": owner})
    assert found is not None
    assert found.owner_team == kept


def test_a_name_is_never_cut() -> None:
    """Cut, it could be another's."""
    looked_at = subject(builders.database(None, STATUS, name="a" * 64))
    found = row(looked_at.metadata, looked_at.spec, looked_at.status)
    assert found is not None
    assert found.name == "a" * 64


@given(strategies.objects_with({"ownerTeam": [], "purpose": []}))
def test_any_spec_has_a_row_that_postgresql_can_store(spec: Object) -> None:
    found = made(spec)
    assert found is not None
    texts = [value for value in dataclasses.astuple(found) if isinstance(value, str)]
    assert not any("\0" in text for text in texts)
    assert len(found.owner_team) <= 255
