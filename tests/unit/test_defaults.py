"""Which revision of the defaults a database has: its own, until somebody asks for a newer one."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import names
from daap_operator.engine.conditions import Moment, dumped
from daap_operator.kinds import known
from daap_operator.kinds.database import status, trim
from daap_operator.kinds.database.desired import defaults, locales
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.resolved import Left, resolve
from tests.unit import builders
from tests.unit.stage import CLUSTER, POOLER, ready

CHILDREN = ((known.CLUSTER, CLUSTER), (known.POOLER, POOLER))
LIVE = {"clusterName": "daap-orders"}


def asked(revision: object) -> dict[str, Any]:
    return {"annotations": {names.DEFAULTS_REVISION: revision}}


def annotated(revision: str) -> Callable[[dict[str, Any]], None]:
    def change(obj: dict[str, Any]) -> None:
        obj["metadata"] |= asked(revision)

    return change


def test_a_new_database_has_the_newest() -> None:
    assert builders.resolved().defaults == defaults.NEWEST


def test_one_from_before_there_were_revisions_keeps_the_first() -> None:
    assert builders.resolved(status=LIVE).defaults == defaults.FIRST


def test_a_live_one_keeps_its_own() -> None:
    assert builders.resolved(status=LIVE | {"defaultsRevision": 1}).defaults == 1
    assert builders.resolved(status=LIVE | {"defaultsRevision": 2}).defaults == 2
    assert builders.resolved(status=LIVE | {"defaultsRevision": 3}).defaults == 3


@pytest.mark.parametrize(
    ("text", "revision"),
    [("2", 2), ("3", 3), ("1", 1), ("99", 1), ("9" * 5000, 1), ("-2", 1), ("²", 1), ("", 1)],
)
def test_the_annotation_raises_it_to_one_that_there_is(text: str, revision: int) -> None:
    assert builders.resolved(status=LIVE, **asked(text)).defaults == revision


NONE = ["0", "-1", "99", "2.0", " 2", "newest", "²", "9" * 5000, str(defaults.NEWEST + 1)]


@pytest.mark.parametrize("text", NONE, ids=[text[:9] for text in NONE])
async def test_an_annotation_that_asks_for_none_there_is_is_told(text: str) -> None:
    stage = await ready()
    children = [stage.kube.one(*child) for child in CHILDREN]
    stage.kube.change(known.DATABASE, "orders", annotated(text))
    await stage.settle()
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Stalled") == ("True", "NoSuchRevision")
    told = stage.message("Stalled")
    assert f"'{text[:63]}'" in told
    assert f"from 1 to {defaults.NEWEST}" in told
    assert [stage.kube.one(*child) for child in CHILDREN] == children
    stage.kube.change(known.DATABASE, "orders", annotated("1"))
    await stage.settle()
    assert stage.condition("Stalled") is None


def test_a_revision_of_a_newer_operator_is_kept_and_not_complained_of() -> None:
    newer = defaults.NEWEST + 1
    assert defaults.asked_in_vain(newer, asked(str(newer))["annotations"]) is None


@given(st.integers(1, 9) | st.none(), st.booleans(), st.text(max_size=8))
def test_it_never_falls(allotted: int | None, made: bool, text: str) -> None:
    found = defaults.revision(allotted, made=made, annotations={names.DEFAULTS_REVISION: text})
    assert found >= (allotted or 1)
    assert found <= max(defaults.NEWEST, allotted or 1)


@pytest.mark.parametrize("revision", [1, 2, 3])
def test_what_is_taken_over_keeps_its_own(revision: int) -> None:
    made = builders.resolved({"deletionPolicy": "Retain"}, LIVE | {"defaultsRevision": revision})
    annotations = cluster(made)["metadata"].get("annotations", {})
    left = Left(17, defaults.of_cluster(annotations), locales.PLAIN)
    assert resolve(builders.model(), builders.PLATFORM, left=left).defaults == revision


def test_the_first_revision_changes_nothing_of_what_there_is() -> None:
    made = builders.resolved(status=LIVE)
    assert names.DEFAULTS_REVISION not in cluster(made)["metadata"].get("annotations", {})
    moment = Moment(builders.model(status=LIVE).status, builders.model().metadata, builders.NOW)
    assert "defaultsRevision" not in dumped(status.first_status(moment, made))


def test_the_status_names_the_revision_that_the_children_are_made_by() -> None:
    made = builders.resolved()
    moment = Moment(builders.model().status, builders.model().metadata, builders.NOW)
    assert dumped(status.first_status(moment, made))["defaultsRevision"] == defaults.NEWEST


def test_the_cache_keeps_what_it_is_read_from() -> None:
    seen = builders.database(**asked("2"))
    seen["metadata"]["annotations"]["others"] = "x" * 1000
    assert trim.database(seen)["metadata"]["annotations"] == {names.DEFAULTS_REVISION: "2"}
    made = builders.cluster(**asked("2"))
    assert trim.cluster(made)["metadata"]["annotations"] == {names.DEFAULTS_REVISION: "2"}
