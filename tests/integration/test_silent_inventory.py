"""A metadata database that hangs: connections are accepted, and nothing is answered.

Neither an error nor the end of a connection tells the operator: it has to give up by itself.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, AsyncExitStack, contextmanager
from functools import partial

import pytest

from dev.postgres import Postgres
from tests.integration.test_inventory import announced, synced, unsynced
from tests.support.api import Object
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.frozen import frozen
from tests.support.http import probe
from tests.support.observer import Watched, watching
from tests.support.operator import Operators, RunningOperator
from tests.support.proxy import Proxy, proxy_to
from tests.support.rows import Rows

Silence = Callable[[], AbstractContextManager[None]]


@pytest.fixture
async def detour(own_migrated_postgres: Postgres) -> AsyncIterator[Proxy]:
    """The way to a server of the test's own."""
    proxy = proxy_to(own_migrated_postgres.url, 5432)
    await proxy.mend()
    yield proxy
    proxy.cut()


@pytest.fixture(params=["frozen server", "silent network"])
def silence(
    request: pytest.FixtureRequest, own_migrated_postgres: Postgres, detour: Proxy
) -> Silence:
    """Makes the server hang for a while."""
    pid = own_migrated_postgres.pid
    assert pid
    if request.param == "frozen server":
        return lambda: frozen(pid)
    return lambda: silent(detour)


@contextmanager
def silent(proxy: Proxy) -> Iterator[None]:
    proxy.fall_silent()
    yield
    proxy.go_on()


@pytest.fixture
def url(own_migrated_postgres: Postgres, detour: Proxy) -> str:
    """That server by the detour."""
    here = own_migrated_postgres
    return here.url.replace(f":{here.port}/", f":{detour.port}/")


@pytest.fixture
def direct(own_migrated_postgres: Postgres) -> Rows:
    """The inventory, past the detour."""
    return Rows(own_migrated_postgres.url)


async def is_live(running: RunningOperator) -> None:
    assert (await probe(running.operator, "/livez"))[0] == 200


async def test_a_server_that_hangs_holds_up_neither_create_nor_edit_nor_delete(
    databases: Databases, operators: Operators, url: str, direct: Rows, silence: Silence
) -> None:
    running = await operators.start(DATABASE_URL=url, DAAP_WORKERS="2")
    old = ["edited", "deleted"]
    for name in old:
        await databases.create(name)
    for name in old:
        await databases.ready(name)
        await direct.becomes(name, status="ready")
    new = [f"created-{number}" for number in range(4)]
    with silence():
        await databases.edit("edited", ownerTeam="payments")
        await databases.delete("deleted")
        for name in new:
            await databases.create(name)
        await databases.gone("deleted")
        for name in ["edited", *new]:
            assert "does not answer" in await unsynced(databases, name, "Unreachable")
        await is_live(running)
        await databases.edit("edited", ownerTeam="finance")
        await unsynced(databases, "edited", "Unreachable")
        await is_live(running)
    await direct.becomes("edited", owner_team="finance", generation=3)
    await direct.becomes("deleted", status="deleted")
    for name in new:
        await direct.becomes(name, status="ready")
    for name in ["edited", *new]:
        await synced(databases, name)
        await announced(databases, name)


async def test_an_operator_starts_and_ends_beside_a_server_that_hangs(
    databases: Databases, operators: Operators, url: str, direct: Rows, silence: Silence
) -> None:
    with silence():
        running = await operators.start(DATABASE_URL=url)
        await databases.create("orders")
        await databases.ready("orders")
        await is_live(running)
        await running.stop()
    await operators.start(DATABASE_URL=url)
    await direct.becomes("orders", status="ready")


async def test_an_operator_ends_while_a_statement_hangs(
    databases: Databases, operators: Operators, url: str, direct: Rows, detour: Proxy
) -> None:
    running = await operators.start(DATABASE_URL=url)
    await databases.create("orders")
    await databases.ready("orders")
    await direct.becomes("orders", status="ready")
    with silent(detour):
        await databases.edit("orders", ownerTeam="payments")
        await eventually(detour.withheld)
        await running.stop()
    await operators.start(DATABASE_URL=url)
    await direct.becomes("orders", owner_team="payments")


async def test_a_statement_that_was_given_up_changes_nothing_when_it_comes_late(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    """One backend hangs, the server answers on: what the one has read is of yesterday."""
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready")
    backends = await rows.execute(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name = 'daap-operator'"
    )
    assert backends
    async with AsyncExitStack() as hanging:
        watched = await hanging.enter_async_context(watching(databases, "orders"))
        await eventually(partial(states, watched))
        for backend in backends:
            hanging.enter_context(frozen(backend["pid"]))
        await databases.edit("orders", ownerTeam="payments")
        # The server answers, so that this is over within a moment, between two looks
        await eventually(partial(states, watched), lambda seen: any(map(is_lost, seen)))
        await synced(databases, "orders")
        await databases.edit("orders", ownerTeam="finance")
        await rows.becomes("orders", owner_team="finance")
        await synced(databases, "orders")
    left = "SELECT pid FROM pg_stat_activity WHERE pid = ANY(%s)"
    pids = [backend["pid"] for backend in backends]
    await eventually(lambda: rows.execute(left, pids), lambda there: not there)
    await rows.becomes("orders", owner_team="finance", seconds=0.0)


async def states(watched: Watched) -> list[Object]:
    """Each state that the database has had."""
    return [obj for _, obj in watched.statuses]


def is_lost(obj: Object) -> bool:
    """Whether it is Ready and says that the inventory does not answer."""
    return is_ready(obj) and condition(obj, "MetadataSynced").get("reason") == "Unreachable"
