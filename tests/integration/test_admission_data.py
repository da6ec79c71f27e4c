"""A protected database's volume claims and Secrets, and its children with their marks taken off.

While no operator runs, so that nothing is repaired before it is deleted.
"""

from collections.abc import AsyncIterator

import pytest

from tests.fix_admission import As, guarded_namespace
from tests.support import admission
from tests.support.admission import (
    CHILDREN_OF,
    delete,
    refusal,
    until_deleted,
    with_data,
)
from tests.support.admission_objects import CLAIMS_OF, SECRETS_OF, claim
from tests.support.api import Api, Object, path
from tests.support.databases import Databases
from tests.support.eventually import eventually

CLAIM = "persistentvolumeclaims"
EVERYBODY = [
    admission.ADMIN,
    admission.MEMBER,
    admission.STRANGER,
    admission.RESTORER,
    admission.GITOPS,
    admission.COLLECTOR,
    admission.NAMESPACE_CONTROLLER,
    admission.CONTROLLER_MANAGER,
]


@pytest.fixture
async def api(as_person: As) -> Api:
    return await as_person(admission.ADMIN)


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Databases]:
    """A namespace that belongs to no team."""
    async with guarded_namespace(api, "data") as name:
        yield Databases(api, name)


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.name)
async def test_nobody_deletes_the_volumes_of_a_protected_database(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    await with_data(shop, "orders", deletionProtection=True)
    they = await as_person(person)
    for name in CLAIMS_OF:
        said = await refusal(delete(they, CLAIM, shop.namespace, name.format("orders")))
        assert f"PersistentVolumeClaim {shop.namespace}/{name.format('orders')}" in said
        assert "has data of the DaapDatabase orders" in said
        assert "spec.deletionProtection is true: set that to false first" in said
    assert await refusal(they.call("DELETE", path(CLAIM, shop.namespace)))


@pytest.mark.parametrize(
    "person",
    [admission.MEMBER, admission.STRANGER, admission.COLLECTOR],
    ids=lambda person: person.name,
)
async def test_the_secrets_of_a_protected_database_stay(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    await with_data(shop, "orders", deletionProtection=True)
    they = await as_person(person)
    for name in SECRETS_OF:
        said = await refusal(delete(they, "secrets", shop.namespace, name.format("orders")))
        assert f"Secret {shop.namespace}/{name.format('orders')} is not deleted" in said
        assert "the DaapDatabase orders needs it" in said
        assert "set that to false first, or have the platform team do it" in said
    assert await refusal(they.call("DELETE", path("secrets", shop.namespace)))


async def test_the_platform_team_replaces_the_certificates(shop: Databases) -> None:
    """As docs/operating.md says, by hand."""
    await with_data(shop, "orders", deletionProtection=True)
    for end in ("ca", "server", "replication", "pooler"):
        await delete(shop.api, "secrets", shop.namespace, f"daap-orders-{end}")


async def test_those_who_run_the_database_may(shop: Databases, as_person: As) -> None:
    """A database that shrinks loses a claim, by CloudNativePG; a Secret is created again."""
    await with_data(shop, "orders", deletionProtection=True)
    cnpg = await as_person(admission.CNPG)
    await delete(cnpg, CLAIM, shop.namespace, "daap-orders-2")
    await delete(cnpg, "secrets", shop.namespace, "daap-orders-server")
    operator = await as_person(admission.OPERATOR)
    await delete(operator, "secrets", shop.namespace, "daap-orders-connection")


async def test_a_label_taken_off_first_changes_nothing(shop: Databases, as_person: As) -> None:
    await with_data(shop, "orders", deletionProtection=True)
    they = await as_person(admission.STRANGER)
    bare: Object = {"metadata": {"labels": None, "ownerReferences": None}}
    for plural, name in ((CLAIM, "daap-orders-1"), ("secrets", "daap-orders-app")):
        await they.patch(plural, shop.namespace, name, bare)
        assert await refusal(delete(they, plural, shop.namespace, name))


async def test_a_name_taken_from_a_child_changes_nothing(shop: Databases) -> None:
    """The marks, by somebody who may take them off: it is the name in the status that counts."""
    await with_data(shop, "orders", deletionProtection=True)
    bare: Object = {"metadata": {"labels": None, "annotations": None, "ownerReferences": None}}
    for plural, name in CHILDREN_OF.items():
        await shop.api.patch(plural, shop.namespace, name.format("orders"), bare)
        said = await refusal(delete(shop.api, plural, shop.namespace, name.format("orders")))
        assert "belongs to the DaapDatabase orders" in said


async def test_garbage_collection_is_no_way_round(shop: Databases, as_person: As) -> None:
    """What somebody gave an owner that does not exist: garbage collection would remove it."""
    await with_data(shop, "orders", deletionProtection=True)
    they = await as_person(admission.STRANGER)
    owner = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none"}
    orphan: Object = {"metadata": {"ownerReferences": [owner]}}
    await they.patch(CLAIM, shop.namespace, "daap-orders-1", orphan)
    await they.patch("secrets", shop.namespace, "daap-orders-app", orphan)
    # It does work: what is not protected goes
    await shop.api.create(CLAIM, claim(shop, "others", "daap-others-1"))
    await they.patch(CLAIM, shop.namespace, "daap-others-1", orphan)
    await eventually(
        lambda: shop.child(CLAIM, "daap-others-1"), lambda found: found is None or _going(found)
    )
    for plural, name in ((CLAIM, "daap-orders-1"), ("secrets", "daap-orders-app")):
        left = await shop.child(plural, name)
        assert left
        assert not _going(left)


def _going(obj: Object) -> bool:
    return "deletionTimestamp" in obj["metadata"]


async def test_what_is_not_a_protected_databases_may_be_deleted(
    shop: Databases, as_person: As
) -> None:
    await with_data(shop, "orders", deletionProtection=True)
    await with_data(shop, "ledger")
    they, place = await as_person(admission.STRANGER), shop.namespace
    for name in ("daap-orders-cache-1", "daap-orders-1-backup", "orders-1"):
        await shop.api.create(CLAIM, claim(shop, "others", name))
    await shop.api.create("secrets", {"metadata": {"name": "daap-orders-x", "namespace": place}})
    for name in ("daap-orders-cache-1", "daap-orders-1-backup", "orders-1", "daap-ledger-1"):
        await delete(they, CLAIM, place, name)
    for name in ("daap-orders-x", "daap-ledger-app", "daap-ledger-connection"):
        await delete(they, "secrets", place, name)


async def test_what_an_earlier_database_left_goes_before_a_new_one_serves(
    shop: Databases, as_person: As
) -> None:
    """Otherwise the new one, which waits for it, would keep it from going."""
    await with_data(shop, "orders", deletionProtection=True)
    fresh: Object = {"status": {"secretName": None}}
    await shop.api.patch("daapdatabases", shop.namespace, "orders", fresh, "status")
    bare: Object = {"metadata": {"labels": {"daap.io/database-uid": "of-an-earlier-one"}}}
    for plural, name in CHILDREN_OF.items():
        await shop.api.patch(plural, shop.namespace, name.format("orders"), bare)
    collector = await as_person(admission.COLLECTOR)
    await until_deleted(collector, CLAIM, shop.namespace, "daap-orders-1")
    await until_deleted(collector, "secrets", shop.namespace, "daap-orders-app")
    await until_deleted(collector, "poolers", shop.namespace, "daap-orders-pooler")
    await until_deleted(collector, "clusters", shop.namespace, "daap-orders")


async def test_a_lifted_protection_lets_the_data_go(shop: Databases, as_person: As) -> None:
    await with_data(shop, "orders", deletionProtection=True)
    await shop.edit("orders", deletionProtection=False)
    they = await as_person(admission.STRANGER)
    for plural, names in ((CLAIM, CLAIMS_OF), ("secrets", SECRETS_OF)):
        for name in names:
            await until_deleted(they, plural, shop.namespace, name.format("orders"))


async def test_who_may_change_a_secret_may_change_its_password(
    shop: Databases, as_person: As
) -> None:
    """What docs/using.md says of a new password; the operator repairs its own Secret."""
    await with_data(shop, "orders", deletionProtection=True)
    they = await as_person(admission.MEMBER)
    touched: Object = {
        "metadata": {"annotations": {"daap.io/touched": "now"}},
        "stringData": {"password": "another"},
    }
    await they.patch("secrets", shop.namespace, "daap-orders-app", touched)
