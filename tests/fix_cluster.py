"""Fixtures: a real control plane with a stand-in for CloudNativePG, and operators on it."""

import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import pytest

from daap_operator.kube import Kind
from dev.cluster import ControlPlane
from tests.standin.cnpg import CONTROL_PLANE_FLAGS, StandIn
from tests.support import rights
from tests.support.api import Api, ApiError
from tests.support.audit import Audit, Rights
from tests.support.databases import Databases
from tests.support.disclosed import disclosed
from tests.support.furnished import furnish
from tests.support.kinds import CUSTOM
from tests.support.operator import PORTS, Operators
from tests.support.rows import Rows


@pytest.fixture(scope="session")
def control_plane() -> Iterator[ControlPlane]:
    """etcd, kube-apiserver and kube-controller-manager with CloudNativePG's CRDs and ours."""
    with plane_with_crds("tests") as plane:
        yield plane


@contextmanager
def plane_with_crds(prefix: str) -> Iterator[ControlPlane]:
    """A control plane of one's own, made ready for the operator and the stand-in."""
    name = f"{prefix}-{uuid.uuid4().hex[:8]}"
    with ControlPlane.create(name, audit=True, flags=CONTROL_PLANE_FLAGS) as plane:
        furnish(plane)
        yield plane


@pytest.fixture(scope="session")
def operator_kubeconfig(control_plane: ControlPlane) -> Iterator[Path]:
    """The operator's own user, who has the rights that the chart ships and no other.

    In no test of the session it may have asked for more. An API server that has just started
    refuses even what is granted, for a moment.
    """
    told = Rights(control_plane.audit_log)
    yield rights.grant(control_plane)
    assert told.refused(rights.USER) <= rights.DECLARED


@pytest.fixture(scope="session")
def shared_standin(control_plane: ControlPlane) -> Iterator[StandIn]:
    """The stand-in for CloudNativePG."""
    standin = StandIn(control_plane.user_kubeconfig("cnpg", ("system:masters",)))
    standin.start()
    yield standin
    standin.stop()


@pytest.fixture
def standin(shared_standin: StandIn) -> Iterator[StandIn]:
    """The stand-in, awake and at full speed before and after the test."""
    yield shared_standin
    shared_standin.pace(0)
    shared_standin.wake()


@pytest.fixture
async def api(control_plane: ControlPlane) -> AsyncIterator[Api]:
    """A client with all rights."""
    async with Api(control_plane.kubeconfig) as client:
        yield client


@pytest.fixture
async def namespace(api: Api) -> AsyncIterator[str]:
    """A namespace for this test alone."""
    async with own_namespace(api, "t") as name:
        yield name


@pytest.fixture
async def other_namespace(api: Api) -> AsyncIterator[str]:
    """Another namespace for this test alone."""
    async with own_namespace(api, "t") as name:
        yield name


def own_name(prefix: str) -> str:
    """A name that nobody else has."""
    return f"{prefix}-{uuid.uuid4().hex[:10]}"


@asynccontextmanager
async def own_namespace(api: Api, prefix: str) -> AsyncIterator[str]:
    """A namespace that nobody else has; removed afterwards."""
    name = own_name(prefix)
    await api.create("namespaces", {"metadata": {"name": name}})
    try:
        yield name
    finally:
        await remove_namespace(api, name)


async def remove_namespace(api: Api, name: str) -> None:
    """Delete a namespace, with what a failed test may have left hanging."""
    await remove_objects(api, name)
    await api.delete("namespaces", "", name)


async def remove_objects(api: Api, name: str) -> None:
    """Delete what a namespace has of custom kinds, with what a failed test may have left hanging.

    First the deletion, then the finalizers: an operator that still runs cannot put its own back.
    """
    for kind in CUSTOM:
        if kind.namespaced:
            for obj in await api.list(kind, name):
                own = obj["metadata"]["name"]
                await api.delete(kind, name, own)
                await _let_go(api, kind, name, own)


async def _let_go(api: Api, kind: Kind, namespace: str, name: str) -> None:
    try:
        await api.patch(kind, namespace, name, {"metadata": {"finalizers": None}})
    except ApiError as error:
        if error.status != 404:  # gone meanwhile
            raise


@pytest.fixture
async def operator_environment(
    api: Api, operator_kubeconfig: Path, migrated_database: str
) -> dict[str, str]:
    """What every operator of a test needs: its metadata database, and a Lease of the test's own."""
    lease = f"tests-{uuid.uuid4().hex[:8]}"
    await rights.grant_lease(api, rights.NAMESPACE, lease)
    return {
        "KUBECONFIG": str(operator_kubeconfig),
        "DATABASE_URL": migrated_database,
        **PORTS,
        "DAAP_METRICS_AUTHENTICATION": "none",
        "DAAP_LEASE_NAME": lease,
    }


@pytest.fixture
async def operators(operator_environment: dict[str, str]) -> AsyncIterator[Operators]:
    """Starts operators with a metadata database of their own."""
    environment = {
        **operator_environment,
        "DB_MIN_CONNS": "1",
        # One after the other, never at the same time: the next need not wait for the Lease
        "DAAP_LEASE_DURATION": "5m",
        "DAAP_IDENTITY": "tests",
    }
    async with Operators(environment) as made:
        yield made


@pytest.fixture
async def databases(api: Api, namespace: str, standin: StandIn) -> AsyncIterator[Databases]:
    """DaapDatabases in a namespace of their own, with a stand-in to look after their children.

    Afterwards none may have told a tenant where the platform's own servers are.
    """
    yield Databases(api, namespace)
    assert await disclosed(api, namespace) == []


@pytest.fixture
def rows(migrated_database: str) -> Rows:
    """The operator's inventory."""
    return Rows(migrated_database)


@pytest.fixture
def audit(control_plane: ControlPlane) -> Audit:
    """What the operator asked of the API server."""
    return Audit(control_plane.audit_log, rights.USER)
