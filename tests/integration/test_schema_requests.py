"""What DaapSchemas cost the API server, counted in its audit log; and what those cost that wait."""

import asyncio
import time
from collections import Counter
from functools import partial

import pytest

from tests.integration.test_fair_shares import edited
from tests.integration.test_requests import LISTED, without_lists
from tests.support.api import Api, Object
from tests.support.audit import Audit
from tests.support.databases import Databases, condition
from tests.support.drilling import Drills
from tests.support.eventually import eventually
from tests.support.nightly import nightly
from tests.support.operator import Operators
from tests.support.restores import Restores
from tests.support.rows import Rows
from tests.support.schema_runner import running
from tests.support.schemas import Schemas

FILES = {"001_users.sql": "CREATE TABLE users (id int);\n", "002_rows.sql": "SELECT 1;\n"}
LAST = "002_rows.sql"
OF_DATABASE = [{"configMap": {"name": "tables"}}]
EVENTS = {"Planning", "PlanReady", "Applying", "Ready"}
RESYNCS = 3
AT_ONCE, MANY_SECONDS = 25, 600.0
WAITING = 300
"""Schemas of one tenant that cannot get on."""
AT_MOST = 1.0
"""Requests a second that all of these may cost."""

WAITS = Counter({("WaitingForDatabase", "True"): WAITING})

pytestmark = pytest.mark.timeout(300)


async def resyncs(audit: Audit) -> int:
    return sum((r.verb, r.resource) == ("list", "daapschemas") for r in audit.requests())


async def test_the_requests_of_a_schemas_life(
    databases: Databases, schemas: Schemas, operators: Operators, audit: Audit
) -> None:
    operator = await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await schemas.files("tables", FILES)
    audit.forget()
    async with running(schemas.api, schemas.namespace):
        await schemas.create("tables")
        await schemas.applied("tables", LAST)
    await operator.stop()  # its Events have been posted then
    asked = [r for r in audit.requests() if r.resource != "leases"]
    made = Counter((r.verb, r.resource) for r in asked)
    listed = {each for each in made if each[0] == "list" and each[1] != "pods"}
    assert Counter({each: count for each, count in made.items() if each not in listed}) == {
        ("patch", "daapschemas"): 1,  # the finalizer
        ("get", "configmaps"): 1,
        # A look, a run and a look: each begun and ended, and the plan that is ready; then Ready
        ("patch", "daapschemas/status"): 7,
        ("patch", "jobs"): 3,
        ("list", "pods"): 3,
        ("get", "pods/log"): 2,
        ("create", "events"): made["create", "events"],
    }
    assert made["create", "events"] <= len(EVENTS) + 2


async def test_the_requests_of_a_rehearsal(
    schemas: Schemas, operators: Operators, audit: Audit
) -> None:
    """Those of the schema; a drill's are a drill's."""
    operator = await operators.start()
    await Restores(schemas.api, schemas.namespace).recoverable()
    await schemas.files("tables", FILES)
    audit.forget()
    async with running(schemas.api, schemas.namespace):
        await schemas.create("tables", rehearsal="Always")
        await schemas.applied("tables", LAST)
        await eventually(Drills(schemas.api, schemas.namespace).left, lambda left: not left)
    await operator.stop()
    asked = Counter((r.verb, r.resource) for r in audit.requests())
    # What the drill has to say is passed on: that it restores, and that it lends
    assert asked.pop(("patch", "daapschemas/status")) <= 7 + 4 + 3
    wanted = {
        ("get", "configmaps"): 1,
        ("patch", "jobs"): 4,
        ("get", "pods/log"): 3,
        ("delete", "daapdrills"): 1,
        ("patch", "clusters"): 1,
        ("patch", "networkpolicies"): 1,
        ("delete", "clusters"): 1,
    }
    assert {each: asked[each] for each in wanted} == wanted


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("count", [8, pytest.param(100, marks=nightly("large"))], ids=["8", "100"])
async def test_applied_schemas_cost_no_request_and_a_restart_none_either(
    count: int,
    databases: Databases,
    schemas: Schemas,
    operators: Operators,
    audit: Audit,
    rows: Rows,
) -> None:
    """All of one database: each has a ledger of its own."""
    first = await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await databases.create("orders")
    await databases.ready("orders")
    await schemas.files("tables", FILES)
    names = [f"tables-{number}" for number in range(count)]
    async with running(schemas.api, schemas.namespace):
        for some in range(0, count, AT_ONCE):
            made = [
                schemas.create(name, schema=OF_DATABASE, ledger=name.replace("-", "_"))
                for name in names[some : some + AT_ONCE]
            ]
            await asyncio.gather(*made)
        for name in names:
            await schemas.applied(name, LAST, seconds=MANY_SECONDS)
    await eventually(partial(_quiet, audit), seconds=MANY_SECONDS)
    await first.stop()
    before = await _stored(rows)
    audit.forget()
    second = await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await eventually(
        partial(resyncs, audit), lambda times: times > RESYNCS, seconds=MANY_SECONDS, every=1.0
    )
    await second.stop()
    asked = audit.requests()
    assert without_lists(asked) == []
    assert {r.resource for r in asked} <= LISTED | {"leases"}
    assert await _stored(rows) == before
    assert len(before) == count


async def _quiet(audit: Audit) -> bool:
    """Whether nothing is asked from one resync to some later one."""
    audit.forget()
    await eventually(partial(resyncs, audit), lambda times: times >= RESYNCS, seconds=MANY_SECONDS)
    return without_lists(audit.requests()) == []


async def _stored(rows: Rows) -> list[Object]:
    return await rows.execute("SELECT id, xmin::text, updated_at FROM schemas ORDER BY id")


async def test_schemas_that_wait_cost_little_and_delay_nobody(
    api: Api, databases: Databases, other_namespace: str, operators: Operators, audit: Audit
) -> None:
    """Those of one tenant whose databases do not exist."""
    theirs = Schemas(api, other_namespace)
    await theirs.files("tables", FILES)
    for some in range(0, WAITING, AT_ONCE):
        numbers = range(some, some + AT_ONCE)
        await asyncio.gather(
            *(theirs.create(f"x-{n}", f"nobody-{n}", schema=OF_DATABASE) for n in numbers)
        )
    await operators.start(DAAP_RESYNC_INTERVAL="2s")
    await databases.create("orders")
    await databases.ready("orders")
    for number in range(3):  # while there is much to do
        await edited(databases, number)
    await eventually(partial(_told, theirs), lambda told: told == WAITS, seconds=120)
    await eventually(partial(_quiet, audit), seconds=120)
    audit.forget()
    began = time.monotonic()
    for number in range(3):  # each wakes all of them
        data = FILES | {"003_x.sql": f"SELECT {number};"}
        await theirs.files("tables", data)
        await edited(databases, 10 + number)
    await eventually(partial(resyncs, audit), lambda times: times >= 5, seconds=120)
    lasted = time.monotonic() - began
    asked = [r for r in without_lists(audit.requests()) if r.name.startswith(("x-", "tables"))]
    assert len(asked) < AT_MOST * lasted, Counter((r.verb, r.resource) for r in asked)


async def _told(schemas: Schemas) -> Counter[tuple[str, str]]:
    """What they say, and whether the inventory has it."""
    found = await schemas.api.list("daapschemas", schemas.namespace)
    return Counter(
        (
            condition(obj, "Ready").get("reason", ""),
            condition(obj, "MetadataSynced").get("status", ""),
        )
        for obj in found
    )
