"""Fixtures: the toy kinds on the control plane, and operators that serve them beside databases."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

import pytest

from dev.cluster import ControlPlane
from tests.support import toys
from tests.support.api import Api
from tests.support.audit import Audit
from tests.support.databases import Databases
from tests.support.operator import PORTS, Operators
from tests.support.rows import Rows
from tests.toys.task import TASK
from tests.toys.team import TEAM


@pytest.fixture(scope="module")
def installed_toys(control_plane: ControlPlane) -> Iterator[None]:
    """The API server knows the toys while the tests of a module run."""
    toys.install(control_plane)
    yield

    async def remove() -> None:
        async with Api(control_plane.kubeconfig) as api:
            await toys.remove(api)

    asyncio.run(remove())


@asynccontextmanager
async def running_pods(api: Api) -> AsyncIterator[None]:
    """The pods of Jobs succeed meanwhile."""
    running = asyncio.create_task(toys.run_pods(api))
    try:
        yield
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@pytest.fixture
async def tasks(api: Api, namespace: str, installed_toys: None) -> AsyncIterator[toys.Toys]:
    """Tasks in a namespace of their own, whose pods succeed."""
    async with running_pods(api):
        yield toys.Toys(api, TASK, namespace)


@pytest.fixture
def teams(api: Api, installed_toys: None) -> toys.Toys:
    """Teams, which are in no namespace."""
    return toys.Toys(api, TEAM)


@pytest.fixture
async def toy_user(api: Api, namespace: str) -> AsyncIterator[str]:
    """A user of this test alone, who may nothing yet."""
    user = f"toys-{namespace}"
    yield user
    await toys.revoke(api, user)


@pytest.fixture
async def toy_operators(
    api: Api,
    control_plane: ControlPlane,
    databases: Databases,
    toy_user: str,
    migrated_database: str,
    rows: Rows,
) -> AsyncIterator[Operators]:
    """Starts operators that serve databases and toys, for a user who has the rights to lead only.

    `toys.grant` gives the others.
    """
    await toys.add_table(rows)
    await toys.grant_lease(api, toy_user, databases.namespace, "toys")
    environment = {
        "KUBECONFIG": str(control_plane.user_kubeconfig(toy_user)),
        "DATABASE_URL": migrated_database,
        **PORTS,
        "DAAP_METRICS_AUTHENTICATION": "none",
        "DAAP_LEASE_NAME": "toys",
        "DAAP_LEASE_NAMESPACE": databases.namespace,
        "DB_MIN_CONNS": "1",
        "DAAP_LEASE_DURATION": "5m",
        "DAAP_IDENTITY": "tests",
    }
    async with Operators(environment, toys.WITH_TOYS) as made:
        yield made


@pytest.fixture
def toy_audit(control_plane: ControlPlane, toy_user: str) -> Audit:
    """What the operator of this test asked of the API server."""
    return Audit(control_plane.audit_log, toy_user)
