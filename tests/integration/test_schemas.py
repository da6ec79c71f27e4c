"""DaapSchemas on a real API server, with real Jobs, a real garbage collection and inventory.

What runs in the Jobs is a stand-in (`tests/support/schema_runner.py`): a database is its ledger.
"""

from functools import partial
from typing import Any

import pytest

from tests.support.api import ApiError
from tests.support.databases import Databases, condition, phase
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows
from tests.support.schema_plans import BROKEN, DELETES
from tests.support.schema_runner import Runner
from tests.support.schemas import FIVE, PLANS, Schemas, ready

pytestmark = pytest.mark.timeout(240)

FILES = {"001_users.sql": FIVE["001_users.sql"], "002_orders.sql": FIVE["002_orders.sql"]}
LAST = "002_orders.sql"
SIXTH = {"006_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n"}
DROPS = {"007_drop.sql": f"{DELETES} TABLE orders;\n"}


async def row(rows: Rows, schemas: Schemas, name: str = "tables") -> dict[str, Any]:
    """Its row in the inventory."""
    (found,) = await rows.execute(
        "SELECT * FROM schemas WHERE name = %s AND namespace = %s", name, schemas.namespace
    )
    return found


async def test_the_life_of_a_schema(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner, rows: Rows
) -> None:
    await operators.start()
    await schemas.files("tables", FIVE)
    await schemas.files("rows", PLANS)
    await schemas.create("tables", fixtures=[{"configMap": {"name": "rows"}}])
    await schemas.says("tables", "WaitingForDatabase")
    await ready(databases)
    done = await schemas.applied("tables", "005_orders_status.sql")
    status = done["status"]
    assert (status["phase"], status["applied"], status["pendingCount"]) == ("Applied", 6, 0)
    assert status["files"]["count"] == 6
    assert [run.order.mode for run in runner.runs] == ["check", "apply", "check"]
    told = await eventually(partial(row, rows, schemas), lambda found: found["status"] == "applied")
    assert (told["current_file"], told["files_applied"]) == ("005_orders_status.sql", 6)
    assert (told["database_name"], told["ledger"]) == ("orders", "default")

    await schemas.files("tables", FIVE | SIXTH)
    await schemas.applied("tables", "006_note.sql")
    assert [each["file"] for each in runner.runs[-2].report["applied"]] == ["006_note.sql"]

    before = await databases.ready("orders")
    await schemas.delete("tables")
    await schemas.gone("tables")
    assert (await row(rows, schemas))["status"] == "deleted"
    await eventually(schemas.runs, lambda jobs: jobs == [])
    after = await databases.ready("orders")
    assert after["status"]["clusterName"] == before["status"]["clusterName"]


async def test_inline_files_are_applied_as_they_are_written(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    text = "-- $(PATH) ${x} %s \t Ünïcode\nSELECT 1;\n"
    inline = [{"inline": [{"name": "001_x.sql", "sql": text}]}]
    await schemas.create("tables", schema=inline)
    await schemas.applied("tables", "001_x.sql")
    runner.applied_once(schemas.namespace, "001_x.sql")


async def test_of_a_config_map_only_the_chosen_keys_are_files(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("all", FIVE)
    some = [{"configMap": {"name": "all", "files": "00[12]_*.sql"}}]
    with pytest.raises(ApiError, match="must be the name of a key"):
        await schemas.create("tables", schema=some)
    await schemas.create("tables", schema=[{"configMap": {"name": "all", "files": "*users.sql"}}])
    await schemas.applied("tables", "001_users.sql")
    runner.applied_once(schemas.namespace, "001_users.sql")


# --- approval -------------------------------------------------------------------------------------


async def test_nothing_is_applied_before_its_plan_is_approved(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    await schemas.create("tables", approval="Required")
    first = await schemas.says("tables", "ApprovalRequired")
    assert (phase(first), condition(first, "Stalled")["status"]) == ("AwaitingApproval", "True")
    await schemas.files("tables", FILES | SIXTH)
    other = await schemas.waits(
        "tables", lambda obj: obj["status"].get("plan") not in (None, first["status"]["plan"])
    )
    await schemas.edit("tables", approve=first["status"]["plan"])
    await schemas.waits("tables", lambda obj: "another plan" in condition(obj, "Ready")["message"])
    assert [run.order.mode for run in runner.runs] == ["check", "check"]
    await schemas.edit("tables", approve=other["status"]["plan"])
    await schemas.applied("tables", "006_note.sql")
    runner.applied_once(schemas.namespace, *FILES, *SIXTH)


@pytest.mark.parametrize(
    ("policy", "reason"), [("Approve", "ApprovalRequired"), ("Refuse", "DestructiveRefused")]
)
async def test_what_deletes_data_waits_for_a_person(
    policy: str,
    reason: str,
    databases: Databases,
    schemas: Schemas,
    operators: Operators,
    runner: Runner,
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    await schemas.create("tables", onDestructive=policy)
    await schemas.applied("tables", LAST)
    await schemas.files("tables", FILES | DROPS)
    waits = await schemas.says("tables", reason)
    runner.applied_once(schemas.namespace, *FILES)
    await schemas.edit("tables", onDestructive="Approve", approve=waits["status"]["plan"])
    await schemas.applied("tables", "007_drop.sql")
    runner.applied_once(schemas.namespace, *FILES, *DROPS)


# --- changes under way ----------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["check", "apply"])
async def test_files_that_change_under_way_are_looked_at_anew(
    mode: str, databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    runner.held.add(mode)
    await schemas.create("tables")
    before = (await schemas.under_way("tables", mode))["status"]["job"]
    await schemas.files("tables", FILES | SIXTH)
    await eventually(schemas.runs, lambda jobs: before not in jobs)
    runner.held.clear()
    await schemas.applied("tables", "006_note.sql")
    runner.applied_once(schemas.namespace, *FILES, *SIXTH)
    assert {run.report["result"] for run in runner.runs} == {"Checked", "Applied"}


async def test_a_file_that_fails_is_applied_once_it_is_corrected(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES | {"003_x.sql": f"{BROKEN};"})
    await schemas.create("tables")
    failed = await schemas.says("tables", "FileFailed")
    error = failed["status"]["lastError"]
    assert (error["file"], error["line"], error["sqlstate"]) == ("003_x.sql", 1, "42601")
    assert condition(failed, "Stalled")["status"] == "True"
    runner.applied_once(schemas.namespace, *FILES)
    await schemas.files("tables", FILES | {"003_x.sql": "SELECT 1;"})
    done = await schemas.applied("tables", "003_x.sql")
    assert "lastError" not in done["status"]
    runner.applied_once(schemas.namespace, *FILES, "003_x.sql")


async def test_what_differs_is_reported_and_so_is_its_end(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start(DAAP_SCHEMA_VERIFY_INTERVAL="2s")
    await ready(databases)
    await schemas.files("tables", FILES)
    await schemas.create("tables")
    await schemas.applied("tables", LAST)
    ledger = await runner.ledger(schemas.namespace, "daap-orders")
    ledger.drift = [
        {"change": "extra", "kind": "table", "name": "public.by_hand", "file": ""}
        | {"message": "table public.by_hand: no file has made it"}
    ]
    drifted = await schemas.says("tables", "Drifted")
    assert drifted["status"]["driftCount"] == 1
    assert "by_hand" in condition(drifted, "Stalled")["message"]
    ledger.drift = []
    await schemas.applied("tables", LAST)
    runner.applied_once(schemas.namespace, *FILES)
