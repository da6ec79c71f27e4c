"""Fixtures: a control plane with the chart's admission policies in force, and people on it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from dev.cluster import ControlPlane
from dev.installation import NAMESPACE
from tests.fix_cluster import own_name, plane_with_crds
from tests.support import admission
from tests.support.admission import Person
from tests.support.api import Api, ApiError

As = Callable[[Person], Awaitable[Api]]


@pytest.fixture(scope="session")
def guarded_plane() -> Iterator[ControlPlane]:
    """A control plane where everybody may do everything that the chart's policies let pass."""
    with plane_with_crds("guarded") as plane:
        plane.kubectl("apply", "-f", "-", input=admission.EVERYBODY_MAY)
        admission.apply(plane, admission.policies(admission.VALUES))
        asyncio.run(_in_force(plane))
        yield plane


async def _in_force(plane: ControlPlane) -> None:
    stranger, operator = (
        plane.user_kubeconfig(person.name, person.groups)
        for person in (admission.STRANGER, admission.OPERATOR)
    )
    async with Api(plane.kubeconfig) as api, Api(stranger) as outsider, Api(operator) as bounded:
        await admission.in_force(api, outsider, bounded)


@pytest.fixture
async def as_person(guarded_plane: ControlPlane) -> AsyncIterator[As]:
    """The client of a person on the guarded plane."""
    async with AsyncExitStack() as stack:

        async def made(person: Person) -> Api:
            kubeconfig = guarded_plane.user_kubeconfig(person.name, person.groups)
            return await stack.enter_async_context(Api(kubeconfig))

        yield made


@asynccontextmanager
async def guarded_namespace(api: Api, prefix: str, **labels: str) -> AsyncIterator[str]:
    """A namespace that nobody else has; afterwards it goes, with what is protected in it."""
    name = own_name(prefix)
    await api.create("namespaces", {"metadata": {"name": name, "labels": labels}})
    yield name
    free = {"metadata": {"finalizers": None}, "spec": {"deletionProtection": False}}
    for obj in await api.list("daapdatabases", name):
        with suppress(ApiError):  # it is gone by now
            await api.patch("daapdatabases", name, obj["metadata"]["name"], free)
    await admission.until_deleted(api, "namespaces", "", name)


@pytest.fixture
async def system(as_person: As) -> str:
    """The namespace of the chart's release."""
    api = await as_person(admission.ADMIN)
    with suppress(ApiError):  # it is there
        await api.create("namespaces", {"metadata": {"name": NAMESPACE}})
    return NAMESPACE


@pytest.fixture
async def admin(as_person: As) -> Api:
    """Whoever may administer databases."""
    return await as_person(admission.ADMIN)


@pytest.fixture
async def operator(as_person: As) -> Api:
    """Whoever has the operator's token. By RBAC everything is allowed on the guarded plane."""
    return await as_person(admission.OPERATOR)


@pytest.fixture
async def place(admin: Api) -> AsyncIterator[str]:
    """A namespace on the guarded plane for what the operator's account tries."""
    async with guarded_namespace(admin, "bounds") as name:
        yield name
