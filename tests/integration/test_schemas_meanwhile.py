"""What comes between while a schema is planned and applied: see `test_schemas`."""

import pytest

from daap_operator.kinds import known
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.schema_runner import Runner
from tests.support.schemas import FIVE, Schemas, ready

pytestmark = pytest.mark.timeout(240)

FILES = {"001_users.sql": FIVE["001_users.sql"], "002_orders.sql": FIVE["002_orders.sql"]}
LAST = "002_orders.sql"
SIXTH = {"006_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n"}


# --- the operator is killed -----------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["check", "apply", "verify"])
async def test_an_operator_that_is_killed_applies_once(
    mode: str, databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    first = await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    if mode == "verify":
        runner.held_after_apply.add("check")
    else:
        runner.held.add(mode)
    await schemas.create("tables")
    if mode == "verify":
        await eventually(lambda: _modes(runner), lambda modes: "apply" in modes)
        await schemas.waits("tables", lambda obj: obj["status"].get("applied") == len(FILES))
    else:
        await schemas.under_way("tables", mode)
    await first.kill()
    runner.held.clear()
    runner.held_after_apply.clear()
    await operators.start()
    await schemas.applied("tables", LAST)
    runner.applied_once(schemas.namespace, *FILES)


async def _modes(runner: Runner) -> list[str]:
    return [run.order.mode for run in runner.runs]


@pytest.mark.parametrize("mode", ["check", "apply"])
async def test_deleted_under_way_while_no_operator_runs_it_leaves_nothing(
    mode: str, databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    first = await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    runner.held.add(mode)
    await schemas.create("tables")
    await schemas.under_way("tables", mode)
    await first.kill()
    await schemas.delete("tables")
    await operators.start()
    await schemas.gone("tables")
    await eventually(schemas.runs, lambda jobs: jobs == [])
    assert runner.applied(schemas.namespace) == {}


# --- its database ---------------------------------------------------------------------------------


async def test_a_database_that_is_created_again_gets_all_files(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    await schemas.create("tables")
    await schemas.applied("tables", LAST)
    await databases.delete("orders")
    await databases.gone("orders")
    await schemas.says("tables", "WaitingForDatabase")
    await ready(databases)
    await schemas.applied("tables", LAST)
    found = runner.applied(schemas.namespace)
    assert len({cluster for cluster, _ in found}) == 2
    assert set(found.values()) == {1}
    assert len(found) == 2 * len(FILES)


async def test_a_database_that_goes_while_files_are_applied_is_waited_for(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    runner.held.add("apply")
    await schemas.create("tables")
    await schemas.under_way("tables", "apply")
    await databases.delete("orders")
    await databases.gone("orders")
    await schemas.says("tables", "WaitingForDatabase")
    await ready(databases)
    runner.held.clear()
    await schemas.applied("tables", LAST)
    runner.applied_once(schemas.namespace, *FILES)


async def test_of_two_with_one_ledger_the_older_has_it(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("first", FILES)
    await schemas.files("second", FILES | SIXTH)
    await schemas.files("third", FILES)
    older = await schemas.create("first")
    await schemas.applied("first", LAST)
    await schemas.after(older)
    await schemas.create("second")
    await schemas.create("third", ledger="of_third")
    taken = await schemas.says("second", "LedgerTaken")
    assert condition(taken, "Stalled")["status"] == "True"
    assert "DaapSchema first" in condition(taken, "Ready")["message"]
    await schemas.applied("third", LAST)
    await schemas.delete("first")
    await schemas.gone("first")
    await schemas.applied("second", "006_note.sql")
    assert {run.order.ledger for run in runner.runs} == {"default", "of_third"}


# --- its files ------------------------------------------------------------------------------------


async def test_a_config_map_without_the_label_is_waited_for(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES, labelled=False)
    await schemas.create("tables")
    missing = await schemas.says("tables", "FilesMissing")
    assert "kubectl label configmap tables" in condition(missing, "Ready")["message"]
    await schemas.files("tables", FILES)
    await schemas.applied("tables", LAST)
    runner.applied_once(schemas.namespace, *FILES)


async def test_a_config_map_that_goes_takes_nothing_away(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.files("tables", FILES)
    await schemas.create("tables")
    await schemas.applied("tables", LAST)
    await schemas.api.delete(known.CONFIG_MAP, schemas.namespace, "tables")
    await schemas.says("tables", "FilesMissing")
    await schemas.files("tables", FILES)
    await schemas.applied("tables", LAST)
    runner.applied_once(schemas.namespace, *FILES)
