"""Plans that are rehearsed on a copy, on a real API server with a real garbage collection.

What runs in the Jobs is a stand-in, and what CloudNativePG restores is one, too.
"""

from functools import partial

import pytest

from daap_operator.kinds import known
from tests.support.databases import Databases, condition
from tests.support.drilling import Drills
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.restores import Restores
from tests.support.rows import Rows
from tests.support.schema_plans import BROKEN, REHEARSE
from tests.support.schema_runner import Runner
from tests.support.schemas import FIVE, Schemas, ready

pytestmark = pytest.mark.timeout(240)

FILES = {"001_users.sql": FIVE["001_users.sql"], "002_orders.sql": FIVE["002_orders.sql"]}
LAST = "002_orders.sql"
SIXTH = {"006_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n"}


@pytest.fixture
def drills(databases: Databases) -> Drills:
    return Drills(databases.api, databases.namespace)


async def nothing_left(drills: Drills) -> None:
    """Neither a copy, nor the drill that restored it."""
    await eventually(drills.left, lambda left: not left)
    there = partial(drills.api.list, known.DAAP_DRILL, drills.namespace)
    await eventually(there, lambda found: not found)


async def applied_once(schemas: Schemas, runner: Runner, *files: str) -> None:
    """Each to the database itself, once."""
    cluster = await schemas.api.get(known.CLUSTER, schemas.namespace, "daap-orders")
    assert cluster
    uid = cluster["metadata"]["uid"]
    found = runner.applied(schemas.namespace)
    assert {file: count for (of, file), count in found.items() if of == uid} == dict.fromkeys(
        files, 1
    )


async def rehearses(schemas: Schemas, files: dict[str, str] = FILES) -> None:
    """A database with backups, and a schema whose plans are rehearsed."""
    await Restores(schemas.api, schemas.namespace).recoverable()
    await schemas.files("tables", files)
    await schemas.create("tables", rehearsal="Always")


async def test_a_plan_is_rehearsed_and_then_applied(
    schemas: Schemas, drills: Drills, operators: Operators, runner: Runner, rows: Rows
) -> None:
    await operators.start()
    await rehearses(schemas)
    done = await schemas.applied("tables", LAST)
    assert [run.order.mode for run in runner.runs] == ["check", REHEARSE, "apply", "check"]
    found = done["status"]["rehearsal"]
    assert (found["state"], found["milliseconds"]) == ("Passed", 200)
    assert [(each["file"], each["locks"]) for each in found["files"]] == [
        (name, ["ACCESS EXCLUSIVE on orders"]) for name in FILES
    ]
    assert found["restoreSeconds"] >= 0
    await nothing_left(drills)
    await applied_once(schemas, runner, *FILES)
    (row,) = await rows.execute("SELECT * FROM drills WHERE namespace = %s", schemas.namespace)
    assert (row["database_name"], row["status"]) == ("orders", "deleted")
    await schemas.files("tables", FILES | SIXTH)
    later = await schemas.applied("tables", "006_note.sql")
    assert [each["file"] for each in later["status"]["rehearsal"]["files"]] == [*SIXTH]
    await nothing_left(drills)


async def test_a_plan_that_fails_on_the_copy_is_corrected(
    schemas: Schemas, drills: Drills, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await rehearses(schemas, FILES | {"003_x.sql": f"{BROKEN};"})
    failed = await schemas.says("tables", "RehearsalFailed")
    error = failed["status"]["rehearsal"]["error"]
    assert (error["file"], error["line"], error["sqlstate"]) == ("003_x.sql", 1, "42601")
    assert condition(failed, "Stalled")["status"] == "True"
    await nothing_left(drills)
    await applied_once(schemas, runner)
    await schemas.files("tables", FILES | {"003_x.sql": "SELECT 1;"})
    await schemas.applied("tables", "003_x.sql")
    await applied_once(schemas, runner, *FILES, "003_x.sql")
    await nothing_left(drills)


async def test_whoever_approves_has_the_result_before(
    schemas: Schemas, drills: Drills, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await Restores(schemas.api, schemas.namespace).recoverable()
    await schemas.files("tables", FILES)
    await schemas.create("tables", rehearsal="Always", approval="Required")
    waits = await schemas.says("tables", "ApprovalRequired")
    assert waits["status"]["rehearsal"]["state"] == "Passed"
    assert "applied to a restored copy in 0.2 s" in condition(waits, "Ready")["message"]
    await nothing_left(drills)
    await applied_once(schemas, runner)
    await schemas.edit("tables", approve=waits["status"]["plan"])
    await schemas.applied("tables", LAST)
    await applied_once(schemas, runner, *FILES)


async def test_a_database_without_backups_says_what_to_do(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    await schemas.create("tables", rehearsal="Always")
    blocked = await schemas.says("tables", "RehearsalBlocked")
    assert "spec.backup.enabled to true, or spec.rehearsal to Never" in str(blocked["status"])
    await schemas.edit("tables", rehearsal="Never")
    await schemas.applied("tables", LAST)
    await applied_once(schemas, runner, *FILES)


@pytest.mark.parametrize("when", ["Restoring", "Applying"])
async def test_an_operator_that_is_killed_leaves_nothing(
    when: str, schemas: Schemas, drills: Drills, operators: Operators, runner: Runner
) -> None:
    first = await operators.start()
    runner.held.add(REHEARSE)
    await rehearses(schemas)
    await schemas.waits(
        "tables", lambda obj: obj["status"].get("rehearsal", {}).get("state") in (when, "Applying")
    )
    await first.kill()
    runner.held.clear()
    await operators.start()
    await schemas.applied("tables", LAST)
    await applied_once(schemas, runner, *FILES)
    assert [run.order.mode for run in runner.runs] == ["check", REHEARSE, "apply", "check"]
    await nothing_left(drills)


@pytest.mark.parametrize("what", ["schema", "database", "files", "rehearsals"])
async def test_a_copy_that_is_not_wanted_any_more_goes(
    what: str,
    databases: Databases,
    schemas: Schemas,
    drills: Drills,
    operators: Operators,
    runner: Runner,
) -> None:
    await operators.start()
    runner.held.add(REHEARSE)
    await rehearses(schemas)
    before = await schemas.under_way("tables", REHEARSE)
    if what == "schema":
        await schemas.delete("tables")
        await schemas.gone("tables")
    elif what == "database":
        await databases.delete("orders")
        await eventually(
            partial(drills.get, before["status"]["rehearsal"]["drill"]),
            lambda obj: condition(obj, "Ready").get("reason") == "DatabaseMissing",
        )
    elif what == "files":
        await schemas.files("tables", FILES | SIXTH)
        await schemas.waits(
            "tables",
            lambda obj: (
                obj["status"].get("rehearsal", {}).get("plan")
                not in (None, before["status"]["plan"])
            ),
        )
        runner.held.clear()
        await schemas.applied("tables", "006_note.sql")
    else:
        await schemas.edit("tables", rehearsal="Never")
        await schemas.applied("tables", LAST)
    await eventually(drills.left, lambda left: not left)
