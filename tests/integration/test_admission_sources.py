"""Whose data a new database may begin with: that of a database which its creator can read."""

from collections.abc import AsyncIterator

import pytest

from dev.cluster import ControlPlane
from tests.fix_admission import guarded_namespace
from tests.support import admission
from tests.support.admission import refusal
from tests.support.api import Api, Object
from tests.support.databases import Databases, database
from tests.support.eventually import eventually

ANN = "system:anonymous"
"""Somebody who is not in `system:authenticated`, which may do everything on the guarded plane."""
TEAM = "team:checkout"


@pytest.fixture
async def shop(admin: Api) -> AsyncIterator[Databases]:
    async with guarded_namespace(admin, "shop") as name:
        yield Databases(admin, name)


@pytest.fixture
async def other(admin: Api) -> AsyncIterator[Databases]:
    async with guarded_namespace(admin, "other") as name:
        yield Databases(admin, name)


@pytest.fixture
async def ann(guarded_plane: ControlPlane) -> AsyncIterator[Api]:
    """A member of the team, who has the rights that a test gives and no other."""
    async with Api(guarded_plane.kubeconfig) as api:
        api.act_as(ANN, TEAM)
        yield api


async def may(admin: Api, namespace: str, *verbs: str) -> None:
    """Give her rights to the databases of a namespace."""
    metadata = {"name": "-".join(("ann", *verbs)), "namespace": namespace}
    rule = {"apiGroups": ["daap.io"], "resources": ["daapdatabases"], "verbs": list(verbs)}
    await admin.create("roles", {"metadata": metadata, "rules": [rule]})
    group = "rbac.authorization.k8s.io"
    role = {"apiGroup": group, "kind": "Role", "name": metadata["name"]}
    subject = {"apiGroup": group, "kind": "User", "name": ANN}
    body = {"metadata": metadata, "roleRef": role, "subjects": [subject]}
    await admin.create("rolebindings", body)


def copy(shop: Databases, other: Databases, **spec: object) -> Object:
    """A database of one namespace made from the backups of one in another."""
    source = {"database": "orders", "namespace": other.namespace}
    return database(shop.namespace, "copy", source=source, **spec)


async def test_the_data_of_another_namespace_takes_the_right_to_read_it(
    shop: Databases, other: Databases, admin: Api, ann: Api
) -> None:
    await may(admin, shop.namespace, "create", "get", "patch")
    wanted = copy(shop, other)

    async def said() -> str:
        return await refusal(ann.create("daapdatabases", wanted))

    message = await eventually(said, lambda answer: f"'{admission.SOURCES}'" in answer)
    assert f"spec.source is a database in the namespace '{other.namespace}'" in message
    assert f"the user '{ANN}' may not get DaapDatabases there" in message
    await may(admin, other.namespace, "get")
    await eventually(said, lambda answer: answer == "")


async def test_the_data_of_the_same_namespace_takes_no_more(
    shop: Databases, admin: Api, ann: Api
) -> None:
    await may(admin, shop.namespace, "create")
    for name, namespace in (("one", {}), ("two", {"namespace": shop.namespace})):
        wanted = database(shop.namespace, name, source={"database": "orders", **namespace})

        async def said(wanted: Object = wanted) -> str:
            return await refusal(ann.create("daapdatabases", wanted))

        await eventually(said, lambda answer: answer == "")


async def test_a_source_that_stays_is_not_asked_about_again(
    shop: Databases, other: Databases, admin: Api, ann: Api
) -> None:
    await admin.create("daapdatabases", copy(shop, other))
    await may(admin, shop.namespace, "get", "patch")
    edit = {"spec": {"purpose": "Another"}}

    async def said() -> str:
        return await refusal(ann.patch("daapdatabases", shop.namespace, "copy", edit))

    await eventually(said, lambda answer: answer == "")
    more = {"spec": {"source": {"at": "2026-11-28T03:00:00Z"}}}
    refused = await refusal(ann.patch("daapdatabases", shop.namespace, "copy", more))
    assert f"'{admission.SOURCES}'" in refused
