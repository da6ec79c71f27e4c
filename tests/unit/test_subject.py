"""A DaapDatabase as a pass sees it: readable whatever was stored, judged by today's rules."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import names
from daap_operator.api.v1alpha1 import DaapDatabaseStatus, Phase
from daap_operator.errors import Stalled
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.subject import database, is_protected, is_retained, subject
from tests.unit import builders, strategies

Object = dict[str, Any]

STATUS: Object = {
    "observedGeneration": 3,
    "phase": "Ready",
    "clusterName": "daap-orders",
    "conditions": [builders.condition("Ready", "True")],
}


def test_the_object_is_read_as_it_stands() -> None:
    seen = builders.database({"instances": 3}, STATUS, generation=3)
    looked_at = subject(seen)
    assert looked_at.key == ref("shop", "orders")
    assert looked_at.spec == seen["spec"]
    assert looked_at.status_before == STATUS
    assert looked_at.status == DaapDatabaseStatus.model_validate(STATUS)
    moment = looked_at.moment(builders.NOW)
    assert (moment.previous, moment.metadata, moment.now) == (
        looked_at.status,
        looked_at.metadata,
        builders.NOW,
    )


@pytest.mark.parametrize(
    ("spec", "finalizers", "claims"),
    [
        ({}, [], (False, False, False)),
        ({}, ["example.org/x", names.FINALIZER], (True, False, False)),
        ({"deletionPolicy": "Retain"}, [], (False, True, False)),
        ({"deletionPolicy": "Delete"}, [], (False, False, False)),
        ({"deletionProtection": True}, [], (False, False, True)),
        ({"deletionProtection": "true", "deletionPolicy": 1}, [], (False, False, False)),
    ],
    ids=str,
)
def test_ours_retained_and_protected_are_read_from_the_object(
    spec: Object, finalizers: list[str], claims: tuple[bool, bool, bool]
) -> None:
    looked_at = subject(builders.database(spec, finalizers=finalizers))
    assert (looked_at.ours, is_retained(looked_at), is_protected(looked_at)) == claims


VANDALISED: dict[str, tuple[Object, Object]] = {
    "a number for a text": ({"clusterName": 7, "host": "h"}, {"host": "h"}),
    "an unknown phase": ({"phase": "Sleeping", "port": 5432}, {"port": 5432}),
    "a condition without a reason": (
        {"conditions": [{"type": "Ready", "status": "True"}], "host": "h"},
        {"host": "h"},
    ),
    "a field of a newer version": ({"host": "h", "backups": [1]}, {"host": "h"}),
    "all at once": ({"clusterName": [], "instances": "x", "binding": 1, "port": 1}, {"port": 1}),
}


@pytest.mark.parametrize(("status", "readable"), VANDALISED.values(), ids=VANDALISED)
def test_what_cannot_be_read_of_a_status_is_left_out(status: Object, readable: Object) -> None:
    looked_at = subject(builders.database(status=status))
    assert looked_at.status == DaapDatabaseStatus.model_validate(readable)
    assert looked_at.status_before == status
    assert database(builders.database(status=status)).status == looked_at.status


FIELDS: dict[str, list[Any]] = {
    "observedGeneration": [1, -1],
    "phase": list(Phase),
    "host": ["h"],
    "port": [5432],
    "databaseName": ["orders"],
    "username": ["orders"],
    "secretName": ["s"],
    "secretRevision": ["0"],
    "binding": [{"name": "s"}],
    "clusterName": ["daap-orders"],
    "poolerName": ["daap-orders-pooler"],
    "postgresVersion": [17],
    "instances": [1],
    "readyInstances": [1],
    "storage": ["10Gi"],
    "conditions": [[builders.condition("Ready", "True")], []],
    "newer": [],
}


@given(strategies.objects_with(FIELDS), strategies.json_values)
def test_no_status_and_no_spec_keeps_an_object_from_being_read(status: Object, spec: Any) -> None:
    looked_at = subject(builders.database(status=status) | {"spec": spec})
    assert isinstance(looked_at.status, DaapDatabaseStatus)
    assert isinstance(is_retained(looked_at), bool)
    assert isinstance(is_protected(looked_at), bool)


@given(
    st.dictionaries(st.sampled_from(["ownerTeam", "instances", "storage"]), strategies.json_values)
)
def test_a_spec_is_usable_or_stalled_with_a_reason_for_people(spec: Object) -> None:
    told = ""
    try:
        database(builders.database() | {"spec": spec})
    except Stalled as stalled:
        told = f"{stalled.finding.reason}: {stalled.finding.message}"
    assert not told or told.startswith("InvalidSpec: spec.")


def test_every_broken_rule_is_told() -> None:
    with pytest.raises(Stalled) as stalled:
        database(builders.database({"instances": 10, "ownerTeam": " ", "storage": {"size": "1"}}))
    assert stalled.value.finding.reason == "InvalidSpec"
    assert stalled.value.finding.message == (
        "spec.ownerTeam ' ' must be one line of text that begins and ends with a visible character "
        "and contains no control characters, and none that are invisible or change the direction "
        "of text; "
        "spec.instances '10': Input should be less than or equal to 9; "
        "spec.storage.size '1' must be from 1Gi to 64Ti; write the unit, as in 20Gi"
    )
