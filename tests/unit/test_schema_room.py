"""What a status of a DaapSchema lists, however much was found and however large the object is."""

from typing import Any

import pytest

from daap_operator.api.v1alpha1.schema.plan import MOST_FINDINGS
from daap_operator.engine.bounds import KEPT_BYTES, weight
from tests.unit.schema_stage import (
    PLAN,
    SCHEMA,
    SchemaStage,
    applied,
    finding,
    going,
    pending,
    planned,
)
from tests.unit.test_schema_rehearsal import BROKEN, rehearsing

Object = dict[str, Any]


def found(letter: str = "m", **more: Any) -> Object:
    return finding() | {"rule": "r" * 40, "message": letter * 400, "remedy": letter * 200} | more


def file(number: int, *findings: Object) -> Object:
    locks = [{"mode": "ACCESS EXCLUSIVE", "relation": f"{'t' * 60}{each}"} for each in range(9)]
    return pending(f"{number:03d}_{'x' * 60}.sql", findings=list(findings), locks=locks)


DRIFT = [
    {
        "change": "changed",
        "kind": "column",
        "name": "n" * 120,
        "file": "f.sql",
        "message": "z" * 500,
    }
] * 20


async def looked_at(files: list[Object], **spec: Any) -> SchemaStage:
    said = planned(*files, drift=DRIFT, driftCount=len(DRIFT))
    stage = await going(said, approval="Required", **spec)
    await stage.restart()
    await stage.passes(3)
    return stage


@pytest.mark.parametrize("letter", ["m", "й"])
@pytest.mark.parametrize("files", [3, 10, 20])
async def test_a_plan_that_waits_for_approval_can_be_read(files: int, letter: str) -> None:
    findings = [found(letter) for _ in range(MOST_FINDINGS)]
    stage = await looked_at([file(number, *findings) for number in range(files)])
    its = stage.its()
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ApprovalRequired")
    assert [each["file"][:3] for each in its["pending"]] == [f"{n:03d}" for n in range(files)]
    assert its["pending"][0]["findings"]
    assert (its["pendingCount"], its["findingsCount"]) == (files, 5 * files)
    kept = stage.store.get(SCHEMA)
    assert kept is not None
    assert "tooLarge" not in kept
    assert weight(kept, 2 * KEPT_BYTES) <= KEPT_BYTES


async def test_what_deletes_data_is_listed_before_all_else() -> None:
    harmless = [found() for _ in range(9)]
    deletes = finding(destructive=True)
    stage = await looked_at([file(number, *harmless, deletes) for number in range(20)])
    listed = stage.its()["pending"]
    assert len(listed) > 10
    for each in listed:
        assert each["findings"][0]["destructive"]
    assert stage.its()["destructiveCount"] == 20


async def test_an_object_with_many_inline_files_lists_less() -> None:
    """And none of what it lists is lost with the next status."""
    inline = [
        [{"name": f"{part}{number:02d}_{'n' * 90}.sql", "sql": "SELECT 1;"} for number in range(32)]
        for part in "ab"
    ]
    stage = await looked_at(
        [file(number, found()) for number in range(20)],
        schema=[{"inline": each} for each in inline],
    )
    its = stage.its()
    assert 0 < len(its["pending"]) <= 20
    stage.respecified(approve="f" * 64)
    await stage.passes(2)
    assert stage.its()["pending"] == its["pending"]
    stage.respecified(approve=PLAN)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Applying")


async def test_short_lists_are_whole() -> None:
    stage = await going(planned(pending(findings=[finding(), finding(destructive=True)])))
    (its,) = stage.its()["pending"]
    assert [each["destructive"] for each in its["findings"]] == [True, False]
    assert its["locks"] == ["ACCESS EXCLUSIVE on users"]


@pytest.mark.parametrize("number", [60, 80, 85, 90])
async def test_what_is_listed_makes_no_object_too_large(number: int) -> None:
    """Whatever the tenant did about such a plan, it would not be looked at any more."""
    files = [{"name": f"{each:03d}_make_a_table.sql", "sql": ";"} for each in range(number)]
    sources = [{"inline": files[first : first + 32]} for first in range(0, number, 32)]
    stage = await looked_at([file(each, found()) for each in range(20)], schema=sources)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "ApprovalRequired")
    stage.respecified(approve=PLAN)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Applying")


# --- beside a rehearsal ---------------------------------------------------------------------------


@pytest.mark.parametrize("letter", ["t", "й"])
@pytest.mark.parametrize("files", [1, 6, 10, 20])
@pytest.mark.parametrize("broken", [False, True], ids=["passed", "failed"])
async def test_what_a_rehearsal_measured_takes_nothing_from_the_plan(
    files: int, letter: str, broken: bool
) -> None:
    """The store keeps so much of an object: a list too many, and plan and rehearsal were lost."""
    plan = planned(*(file(each, *[found(letter)] * MOST_FINDINGS) for each in range(files)))
    stage = await rehearsing(said=plan, approval="Required")
    before = stage.its()["pending"]
    stage.reports(told(files, letter, broken=broken))
    await stage.passes(3)
    await stage.restart()
    await stage.passes(3)
    its = stage.its()
    assert its["pending"] == before != []
    assert its["rehearsal"]["state"] == ("Failed" if broken else "Passed")
    assert bool(its["rehearsal"].get("error")) is broken
    kept = stage.store.get(SCHEMA)
    assert kept is not None
    assert "tooLarge" not in kept
    assert weight(kept, 2 * KEPT_BYTES) <= KEPT_BYTES
    ordered = [each for each in stage.kube.requests if each.startswith("create DaapDrill")]
    assert len(ordered) == 1


def told(files: int, letter: str, *, broken: bool) -> Object:
    """What a run on a copy says of so many files, at the greatest length."""
    locks = [{"mode": "ACCESS EXCLUSIVE", "relation": f"{letter * 60}.{letter * 60}"}] * 4
    rows = [
        {"part": "schema", "file": f"{each:03d}_{'x' * 60}.sql", "seconds": 1.5, "locks": locks}
        for each in range(files)
    ]
    if not broken:
        return applied(applied=rows)
    words = dict.fromkeys(("message", "detail", "hint"), letter * 900)
    error: Any = BROKEN["lastError"]
    return BROKEN | {"applied": rows, "lastError": error | words}
