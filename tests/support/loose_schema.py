"""A time before the rules: objects that today's schema would refuse, stored all the same."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from daap_operator import crd
from daap_operator.api.v1alpha1.database import DEFINITION
from tests.support.api import Api, ApiError, Object
from tests.support.databases import database
from tests.support.eventually import eventually

ANYTHING = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}


@asynccontextmanager
async def loose_schema(api: Api, namespace: str) -> AsyncIterator[None]:
    """While it lasts a DaapDatabase may hold anything; then the real schema is back."""
    await _install(api, ANYTHING)
    try:
        await eventually(lambda: _taken(api, namespace))
        yield
    finally:
        await _install(api, None)
        await eventually(lambda: _taken(api, namespace), lambda taken: not taken)


async def _install(api: Api, schema: Object | None) -> None:
    definition = crd.manifest(DEFINITION)
    if schema:
        version = definition["spec"]["versions"][0]
        version["schema"]["openAPIV3Schema"] = schema
        del version["selectableFields"]
    name = definition["metadata"]["name"]
    there = await api.get("customresourcedefinitions", "", name)
    assert there
    definition["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
    url = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{name}"
    await api.call("PUT", url, definition)


async def _taken(api: Api, namespace: str) -> bool:
    """Whether an object that breaks the rules would be taken."""
    url = f"/apis/daap.io/v1alpha1/namespaces/{namespace}/daapdatabases?dryRun=All"
    try:
        await api.call("POST", url, database(namespace, "probe", ownerTeam=5))
    except ApiError:
        return False
    return True
