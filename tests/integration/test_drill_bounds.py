"""What the operator's own account may write of the drills that a database's schedule makes."""

from collections.abc import Callable
from typing import Any

import pytest

from daap_operator.engine.child import Owner
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.drill import drill
from daap_operator.kinds.schema import rehearsing
from tests.support.admission import delete, refusal
from tests.support.api import APPLY, Api, Object, path
from tests.support.job_changes import Change

DRY = "dryRun=All"
NAME = "orders-202603010413"


def made(place: str) -> Object:
    """A DaapDrill as the operator makes it; nobody collects it."""
    owner = Owner(known.DATABASE, place, "orders", "5e1ec7ab-1e00-4000-8000-000000000001")
    child = drill(owner, NAME, ())
    assert child.manifest
    child.manifest["metadata"]["ownerReferences"] = []
    return child.manifest


def rehearsal(place: str) -> Object:
    """A DaapDrill whose copy a DaapSchema rehearses its plan on."""
    owner = Owner(known.DAAP_SCHEMA, place, "orders", "5e1ec7ab-1e00-4000-8000-000000000001")
    manifest = rehearsing.child(owner, NAME, "orders").manifest
    assert manifest
    return manifest


async def create(api: Api, obj: Object) -> str:
    where = f"{path(known.DAAP_DRILL, obj['metadata']['namespace'])}?{DRY}"
    return await refusal(api.call("POST", where, obj))


@pytest.mark.parametrize("make", [made, rehearsal])
async def test_a_drill_as_it_makes_them_passes(
    make: Callable[[str], Object], operator: Api, place: str
) -> None:
    query = f"?fieldManager=daap-operator&force=true&{DRY}"
    where = path(known.DAAP_DRILL, place, NAME) + query
    assert await refusal(operator.call("PATCH", where, make(place), APPLY)) == ""


@pytest.mark.parametrize("make", [made, rehearsal])
async def test_it_may_delete_it(
    make: Callable[[str], Object], operator: Api, admin: Api, place: str
) -> None:
    there = make(place)
    there["metadata"].pop("ownerReferences")  # nobody collects it
    await admin.create(known.DAAP_DRILL, there)
    assert await refusal(delete(operator, "daapdrills", place, NAME)) == ""


WRONG: dict[str, tuple[Object, str]] = {
    "another database": (
        {"databaseRef": {"name": "payroll"}},
        "spec.databaseRef.name must be the DaapDatabase of the label",
    ),
    "a moment": ({"at": "2026-03-01T00:00:00Z"}, "spec.at and spec.backup must be left out"),
    "a backup": ({"backup": "20260301T031200"}, "spec.at and spec.backup must be left out"),
}


@pytest.mark.parametrize("wrong", WRONG)
async def test_no_drill_but_as_it_makes_them(wrong: str, operator: Api, place: str) -> None:
    spec, said = WRONG[wrong]
    tried = made(place)
    tried["spec"] |= spec
    refused = await create(operator, tried)
    assert f"DaapDrill {place}/{NAME}" in refused
    assert said in refused


REHEARSALS: dict[str, tuple[Change, str]] = {
    "with queries": (
        lambda obj: obj["spec"].update(queries=[{"sql": "SELECT 1"}]),
        "spec.queries must be left out of a DaapSchema's",
    ),
    "of the schedule": (
        lambda obj: obj["metadata"]["labels"].update({"daap.io/scheduled": "true"}),
        "and left out of a DaapSchema's",
    ),
    "of another schema": (
        lambda obj: obj["metadata"]["ownerReferences"][0].update(uid="another"),
        "must be the DaapSchema of the label daap.io/schema-uid alone",
    ),
    "of nobody": (
        lambda obj: obj["metadata"].pop("ownerReferences"),
        "must be the DaapSchema of the label daap.io/schema-uid alone",
    ),
    "of a moment": (
        lambda obj: obj["spec"].update(at="2026-03-01T00:00:00Z"),
        "spec.at and spec.backup must be left out",
    ),
}


@pytest.mark.parametrize("wrong", REHEARSALS)
async def test_no_rehearsal_but_as_it_makes_them(wrong: str, operator: Api, place: str) -> None:
    change, said = REHEARSALS[wrong]
    tried = rehearsal(place)
    change(tried)
    assert said in await create(operator, tried)


@pytest.mark.parametrize("label", ["app.kubernetes.io/managed-by", "daap.io/database-uid"])
async def test_none_of_others(label: str, operator: Api, admin: Api, place: str) -> None:
    theirs = made(place)
    del theirs["metadata"]["labels"][label]
    assert "is not a DaapDatabase's" in await create(operator, theirs)
    await admin.create(known.DAAP_DRILL, theirs)
    said = await refusal(delete(operator, "daapdrills", place, NAME, dry=True))
    assert "is not a DaapDatabase's" in said


async def test_none_that_is_not_of_the_schedule(operator: Api, place: str) -> None:
    tried = made(place)
    del tried["metadata"]["labels"]["daap.io/scheduled"]
    assert "the label daap.io/scheduled must be 'true'" in await create(operator, tried)


@pytest.mark.parametrize("where", ["kube-system", "daap-system"])
async def test_none_where_no_database_belongs(where: str, operator: Api, system: Any) -> None:
    del system
    said = await create(operator, made(where))
    assert "would be in a namespace where the operator creates nothing but its Lease" in said


async def test_people_create_and_delete_them_as_they_like(admin: Api, place: str) -> None:
    tried = made(place)
    del tried["metadata"]["labels"]
    tried["spec"]["at"] = "2026-03-01T00:00:00Z"
    assert await create(admin, tried) == ""
    await admin.create(known.DAAP_DRILL, tried)
    assert await refusal(delete(admin, "daapdrills", place, NAME)) == ""
