"""The marks by which the operator knows what belongs to a database: who may change them."""

from collections.abc import AsyncIterator

import pytest

from daap_operator import names
from daap_operator.kinds import known
from daap_operator.kinds.database import ownership
from tests.fix_admission import As, guarded_namespace
from tests.support import admission
from tests.support.admission import child, refusal, with_data
from tests.support.api import Api, Object
from tests.support.daapbackups import backup
from tests.support.databases import Databases
from tests.toys.task import TASK

MARKED = ("clusters/daap-orders", "poolers/daap-orders-pooler", "secrets/daap-orders-connection")
OTHERS_OWNER: Object = {"apiVersion": "v1", "kind": "ConfigMap", "name": "mine", "uid": "of-mine"}
CHANGES: dict[str, Object] = {
    "labels['daap.io/database-uid']": {"labels": {known.DATABASE.uid_label: None}},
    "labels['daap.io/database']": {"labels": {names.DATABASE_LABEL: "ledger"}},
    "labels['app.kubernetes.io/managed-by']": {"labels": {names.MANAGED_BY_LABEL: "me"}},
    "labels['daap.io/task-uid']": {"labels": {TASK.uid_label: "of-a-task"}},
    "labels['daap.io/trial']": {"labels": {"daap.io/trial": "true"}},
    "annotations['daap.io/retained-from']": {"annotations": {names.RETAINED_FROM: "a/b"}},
    "annotations['daap.io/retained-team']": {"annotations": {names.RETAINED_TEAM: "payments"}},
    "annotations['daap.io/defaults-revision']": {"annotations": {names.DEFAULTS_REVISION: "9"}},
}
PEOPLE = [admission.MEMBER, admission.STRANGER, admission.CNPG]


@pytest.fixture
async def api(as_person: As) -> Api:
    return await as_person(admission.ADMIN)


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Databases]:
    async with guarded_namespace(api, "marks") as name:
        yield Databases(api, name)


async def changed(api: Api, where: str, place: str, metadata: Object) -> Object:
    plural, _, name = where.partition("/")
    return await api.patch(plural, place, name, {"metadata": metadata})


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
@pytest.mark.parametrize("where", MARKED)
async def test_the_marks_are_the_operators(
    where: str, person: admission.Person, shop: Databases, as_person: As
) -> None:
    await with_data(shop, "orders")
    they, place = await as_person(person), shop.namespace
    kind = {"clusters": "Cluster", "poolers": "Pooler", "secrets": "Secret"}[
        where.partition("/")[0]
    ]
    for field, metadata in CHANGES.items():
        said = await refusal(changed(they, where, place, metadata))
        assert f"{kind} {place}/{where.split('/')[1]}: metadata.{field}" in said
        assert "change the DaapDatabase instead, or have the platform team do it" in said


async def test_an_owner_is_neither_taken_nor_given(shop: Databases, as_person: As) -> None:
    parent = await with_data(shop, "orders")
    they, place = await as_person(admission.STRANGER), shop.namespace
    for owners in (None, [], [OTHERS_OWNER]):
        said = await refusal(
            changed(they, "clusters/daap-orders", place, {"ownerReferences": owners})
        )
        assert "metadata.ownerReferences (of a DaapDatabase)" in said
    mine = child(parent, "clusters", "mine", labels={}, ownerReferences=[])
    await they.create("clusters", mine)
    owner = child(parent, "clusters", "any")["metadata"]["ownerReferences"]
    assert await refusal(changed(they, "clusters/mine", place, {"ownerReferences": owner}))
    ours = {"labels": {names.MANAGED_BY_LABEL: names.FIELD_MANAGER}}
    assert await refusal(changed(they, "clusters/mine", place, ours))


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
async def test_nobody_else_creates_what_has_marks(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    """It would be taken for the operator's own: what its marks say decides who gets a name."""
    parent = await with_data(shop, "orders")
    they, place = await as_person(person), shop.namespace
    unmarked: Object = {"labels": {}, "ownerReferences": []}
    ours = child(parent, "clusters", "any")["metadata"]
    marked = CHANGES | {
        "labels['daap.io/database-uid']": {
            "labels": {known.DATABASE.uid_label: ours["labels"]["daap.io/database-uid"]}
        },
        "labels['app.kubernetes.io/managed-by']": {
            "labels": {names.MANAGED_BY_LABEL: names.FIELD_MANAGER}
        },
        "ownerReferences (of a DaapDatabase)": {"ownerReferences": ours["ownerReferences"]},
    }
    for plural in ("clusters", "poolers"):
        for field, metadata in marked.items():
            made = child(parent, plural, f"mine-{plural}", **(unmarked | metadata))
            said = await refusal(they.create(plural, made))
            assert f"{made['kind']} {place}/mine-{plural}: metadata.{field}" in said
            assert "only the operator sets it: leave it out, or have the platform team" in said
        free = {"labels": {names.MANAGED_BY_LABEL: "Helm", "app": "x"}, "annotations": {"a": "b"}}
        await they.create(plural, child(parent, plural, f"mine-{plural}", **(unmarked | free)))


@pytest.mark.parametrize(
    "person", [admission.ADMIN, admission.RESTORER], ids=lambda person: person.name
)
async def test_a_backup_comes_back_with_its_marks(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    parent = await with_data(shop, "orders")
    they = await as_person(person)
    for plural in ("clusters", "poolers"):
        await they.create(plural, child(parent, plural, f"restored-{plural}"))


@pytest.mark.parametrize("person", [admission.MEMBER, admission.BOTH], ids=lambda p: p.name)
async def test_nobody_makes_the_backup_before_a_restore_sooner(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    """It would be taken for the state that is replaced, and be that of hours before."""
    await with_data(shop, "orders")
    they, place = await as_person(person), shop.namespace
    marks: list[Object] = [
        {"labels": {known.DAAP_RESTORE.uid_label: "of-a-restore"}},
        {"labels": {names.MANAGED_BY_LABEL: names.FIELD_MANAGER}},
    ]
    mine = backup(place, "mine", "orders")
    await they.create("daapbackups", mine)
    for number, metadata in enumerate(marks):
        (label,) = metadata["labels"]
        made = backup(place, f"made-{number}", "orders")
        made["metadata"] |= metadata
        said = await refusal(they.create("daapbackups", made))
        assert f"DaapBackup {place}/made-{number}: metadata.labels['{label}']" in said
        assert await refusal(changed(they, "daapbackups/mine", place, metadata))
    fine = {"labels": {"example.com/tier": "gold", names.MANAGED_BY_LABEL: "Helm"}}
    await changed(they, "daapbackups/mine", place, fine)


async def test_a_copy_of_a_secret_may_have_its_marks(shop: Databases, as_person: As) -> None:
    """Controllers that copy Secrets to other places copy what is on them."""
    parent = await with_data(shop, "orders")
    they = await as_person(admission.STRANGER)
    labels = ownership.labels("orders", parent["metadata"]["uid"])
    copy = {"name": "copy", "namespace": shop.namespace, "labels": labels}
    await they.create("secrets", {"metadata": copy, "type": names.SECRET_TYPE})


async def test_what_others_write_there_passes(shop: Databases, as_person: As) -> None:
    """What docs/operating.md says may be added by hand, and what CloudNativePG writes."""
    parent = await with_data(shop, "orders")
    they, place = await as_person(admission.STRANGER), shop.namespace
    owners = child(parent, "clusters", "any")["metadata"]["ownerReferences"]
    fine: list[Object] = [
        {"labels": {"example.com/tier": "gold", "app.kubernetes.io/instance": "orders"}},
        {"annotations": {"cnpg.io/hibernation": "on", "example.com/note": "hello"}},
        {"ownerReferences": [*owners, OTHERS_OWNER]},
        {"finalizers": ["example.com/hold"]},
        {"finalizers": None},
    ]
    for where in MARKED:
        for metadata in fine[: 2 if where.startswith("secrets") else None]:
            assert await refusal(changed(they, where, place, metadata)) == ""
    spec: Object = {"spec": {"postgresql": {"parameters": {"log_connections": "on"}}}}
    await they.patch("clusters", place, "daap-orders", spec)
    cnpg = await as_person(admission.CNPG)
    await cnpg.patch("clusters", place, "daap-orders", {"status": {"phase": "x"}}, "status")


async def test_what_has_no_mark_of_ours_is_nobodys_business(shop: Databases, as_person: As) -> None:
    they, place = await as_person(admission.STRANGER), shop.namespace
    metadata = {"name": "app", "namespace": place, "labels": {names.MANAGED_BY_LABEL: "Helm"}}
    await they.create("secrets", {"metadata": metadata, "type": names.SECRET_TYPE})
    await changed(they, "secrets/app", place, {"labels": {names.MANAGED_BY_LABEL: "me"}})


@pytest.mark.parametrize(
    "person",
    [
        admission.ADMIN,
        admission.RESTORER,
        admission.COLLECTOR,
        admission.CONTROLLER_MANAGER,
    ],
    ids=lambda person: person.name,
)
async def test_who_has_to_may(person: admission.Person, shop: Databases, as_person: As) -> None:
    """An administrator hands on what was retained; garbage collection orphans dependents."""
    await with_data(shop, "orders")
    they = await as_person(person)
    for where in MARKED:
        for metadata in (*CHANGES.values(), {"ownerReferences": None}):
            await changed(they, where, shop.namespace, metadata)


async def test_the_operator_retains_a_database(shop: Databases, as_person: As) -> None:
    await with_data(shop, "orders")
    operator = await as_person(admission.OPERATOR)
    marks = {names.RETAINED_FROM: f"{shop.namespace}/orders"}
    for where in MARKED:
        retained: Object = {"annotations": marks, "ownerReferences": None}
        await changed(operator, where, shop.namespace, retained)
