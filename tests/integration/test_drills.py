"""DaapDrills on a real API server, with a real garbage collection and a real inventory."""

import pytest

from daap_operator.kinds import known
from tests.support.api import Api, ApiError
from tests.support.databases import Databases, condition, is_ready
from tests.support.drilling import Drills, checked, drill
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.restores import Restores
from tests.support.rows import Rows

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def drills(api: Api, namespace: str) -> Drills:
    return Drills(api, namespace)


async def recoverable(drills: Drills) -> None:
    """The database `orders` can be restored."""
    await Restores(drills.api, drills.namespace).recoverable()


async def test_the_life_of_a_drill(
    databases: Databases, drills: Drills, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await recoverable(drills)
    before = await databases.ready("orders")
    told = [{"name": "sum", "ok": True, "value": "15"}]
    async with checked(drills.api, queries=told):
        await drills.create("proof", queries=[{"name": "sum", "sql": "SELECT 15"}])
        done = await drills.is_in("proof", "Passed", "Failed")
    assert is_ready(done), done["status"]
    assert done["status"]["checks"]["queries"] == told
    assert done["status"]["backupId"] == "20260301T110000"
    assert await drills.left() == []
    (row,) = await rows.execute(
        "SELECT * FROM drills WHERE name = 'proof' AND namespace = %s", drills.namespace
    )
    assert (row["status"], row["database_name"], row["rows_counted"]) == ("passed", "orders", 7)
    assert row["archive"] == before["status"]["backup"]["archive"]
    assert row["queries_asked"] == 1
    after = await databases.ready("orders")
    assert after["status"]["clusterName"] == before["status"]["clusterName"]
    await drills.delete("proof")
    await drills.gone("proof")
    (row,) = await rows.execute(
        "SELECT * FROM drills WHERE name = 'proof' AND namespace = %s", drills.namespace
    )
    assert row["status"] == "deleted"


async def test_damage_is_a_failure_and_leaves_nothing(drills: Drills, operators: Operators) -> None:
    await operators.start()
    await recoverable(drills)
    async with checked(drills.api, corrupt=1, corruption='heap table "orders.public.t"'):
        await drills.create("proof")
        found = await drills.is_in("proof", "Passed", "Failed")
    assert condition(found, "Stalled")["reason"] == "CorruptionFound"
    assert "orders.public.t" in condition(found, "Stalled")["message"]
    assert await drills.left() == []


@pytest.mark.parametrize("phase", ["Restoring", "Checking"])
async def test_an_operator_that_is_killed_leaves_nothing(
    phase: str, drills: Drills, operators: Operators
) -> None:
    first = await operators.start()
    await recoverable(drills)
    await drills.create("proof")
    await drills.is_in("proof", phase, "Checking")
    await first.kill()
    async with checked(drills.api):
        await operators.start()
        await drills.is_in("proof", "Passed")
    assert await drills.left() == []


async def test_deleted_underway_while_no_operator_runs_it_still_leaves_nothing(
    drills: Drills, operators: Operators
) -> None:
    first = await operators.start()
    await recoverable(drills)
    await drills.create("proof")
    await drills.says("proof", "CheckingBackup")
    await first.kill()
    await drills.delete("proof")
    await operators.start()
    await drills.gone("proof")
    await eventually(drills.left, lambda left: left == [])


async def test_two_take_turns(drills: Drills, operators: Operators) -> None:
    await operators.start()
    await recoverable(drills)
    await drills.create("first")
    await drills.says("first", "CheckingBackup")
    await drills.create("second")
    await drills.says("second", "Queued")
    async with checked(drills.api):
        for name in ("first", "second"):
            await drills.is_in(name, "Passed")
    assert await drills.left() == []


async def test_the_api_server_refuses_what_was_not_meant(drills: Drills, api: Api) -> None:
    place, at = drills.namespace, "2026-11-28T03:00:00Z"

    async def said(**spec: object) -> str:
        with pytest.raises(ApiError) as raised:
            await api.create(known.DAAP_DRILL, drill(place, "x", "orders", **spec))
        return str(raised.value)

    assert "must not have both 'at' and 'backup'" in await said(at=at, backup="x")
    assert "time zone" in await said(at="2026-11-28T03:00:00")
    assert "must not be blank" in await said(queries=[{"sql": " \n"}])
    assert "at most 63 characters" in await said(queries=[{"name": "-", "sql": "SELECT 1"}])
    assert "must have at most 16 items" in await said(queries=[{"sql": "SELECT 1"}] * 17)
    await drills.create("proof", at=at)
    with pytest.raises(ApiError, match="create a new DaapDrill"):
        await api.patch(known.DAAP_DRILL, place, "proof", {"spec": {"at": at[:-2] + "1Z"}})
    await drills.delete("proof")
