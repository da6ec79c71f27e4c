"""What the operator's own account may write of backups, and whose their marks are."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.child import Owner
from daap_operator.kinds import known
from daap_operator.kinds.backup import desired
from daap_operator.kinds.database import final_backup
from tests.fix_admission import As
from tests.support import admission
from tests.support.admission import delete, refusal
from tests.support.api import APPLY, MERGE, Api, Object, path
from tests.support.daapbackups import Backups

DRY = "dryRun=All"
NAME = "now-5e1ec7ab"


def made(place: str) -> Object:
    """A Backup as the operator makes it; nobody collects it."""
    owner = Owner(known.DAAP_BACKUP, place, "now", "5e1ec7ab-1e00-4000-8000-000000000001")
    child = desired.backup(owner, NAME, database="orders", cluster="daap-orders")
    assert child.manifest
    child.manifest["metadata"]["ownerReferences"] = []
    return child.manifest


async def create(api: Api, obj: Object) -> str:
    where = f"{path(known.BACKUP, obj['metadata']['namespace'])}?{DRY}"
    return await refusal(api.call("POST", where, obj))


async def patch(api: Api, place: str, body: Object) -> str:
    where = f"{path(known.BACKUP, place, NAME)}?{DRY}"
    return await refusal(api.call("PATCH", where, body, MERGE))


async def test_a_backup_as_it_makes_them_passes(operator: Api, place: str) -> None:
    query = f"?fieldManager=daap-operator&force=true&{DRY}"
    where = path(known.BACKUP, place, NAME) + query
    assert await refusal(operator.call("PATCH", where, made(place), APPLY)) == ""


def final(place: str) -> Object:
    """The last Backup of a database, as the operator makes it; it has no owner at all."""
    owner = Owner(known.DATABASE, place, "orders", "5e1ec7ab-1e00-4000-8000-000000000001")
    return final_backup.manifest(owner, NAME, "daap-orders")


async def test_the_last_backup_of_a_database_passes(operator: Api, admin: Api, place: str) -> None:
    query = f"?fieldManager=daap-operator&force=true&{DRY}"
    where = path(known.BACKUP, place, NAME) + query
    assert await refusal(operator.call("PATCH", where, final(place), APPLY)) == ""
    await admin.create(known.BACKUP, final(place))
    assert await refusal(delete(operator, "backups", place, NAME)) == ""


async def test_it_may_delete_it(operator: Api, admin: Api, place: str) -> None:
    await admin.create(known.BACKUP, made(place))
    assert await refusal(delete(operator, "backups", place, NAME)) == ""


ATTACKS: dict[str, tuple[Object, str]] = {
    "another plugin": (
        {"pluginConfiguration": {"name": "evil.example"}},
        "spec.pluginConfiguration.name 'barman-cloud.cloudnative-pg.io'",
    ),
    "the plugin told something": (
        {
            "pluginConfiguration": {
                "name": names.BACKUP_PLUGIN,
                "parameters": {"barmanObjectName": "theirs"},
            }
        },
        "spec.pluginConfiguration.parameters is not",
    ),
    "a snapshot": ({"method": "volumeSnapshot"}, "spec.method must be 'plugin'"),
    "a Cluster of nobody's": (
        {"cluster": {"name": "payments"}},
        "spec.cluster.name must begin with 'daap-'",
    ),
    "another way of its own": (
        {"onlineConfiguration": {"immediateCheckpoint": True}},
        "spec.onlineConfiguration is not",
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
async def test_no_backup_but_as_it_makes_them(attack: str, operator: Api, place: str) -> None:
    spec, said = ATTACKS[attack]
    tried = made(place)
    tried["spec"] |= spec
    refused = await create(operator, tried)
    assert f"Backup {place}/{NAME}" in refused
    assert said in refused


@pytest.mark.parametrize("label", ["app.kubernetes.io/managed-by", "daap.io/backup-uid"])
async def test_nothing_of_others(label: str, operator: Api, admin: Api, place: str) -> None:
    theirs = made(place)
    del theirs["metadata"]["labels"][label]
    assert "is neither a DaapBackup's nor a DaapDatabase's" in await create(operator, theirs)
    await admin.create(known.BACKUP, theirs)
    mine = {"metadata": {"labels": {label: "daap-operator"}}}
    assert "is neither a DaapBackup's nor a DaapDatabase's" in await patch(operator, place, mine)
    said = await refusal(delete(operator, "backups", place, NAME, dry=True))
    assert "is neither a DaapBackup's nor a DaapDatabase's" in said
    assert await refusal(delete(admin, "backups", place, NAME)) == ""


@pytest.mark.parametrize("where", ["kube-system", "daap-system"])
async def test_no_backup_where_no_database_belongs(where: str, operator: Api, system: str) -> None:
    del system
    said = await create(operator, made(where))
    assert "would be in a namespace where the operator creates nothing but its Lease" in said


async def test_no_annotation_that_cloudnativepg_obeys(
    operator: Api, admin: Api, place: str
) -> None:
    await admin.create(known.BACKUP, made(place))
    body = {"metadata": {"annotations": {"cnpg.io/pluginParameters": "[]"}}}
    assert "annotation cnpg.io/pluginParameters is not" in await patch(operator, place, body)
    assert await patch(admin, place, body) == ""


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"metadata": {"labels": {"a": "b"}}}, "metadata.labels"),
        ({"metadata": {"finalizers": ["example.com/hold"]}}, "metadata.finalizers"),
    ],
)
async def test_of_a_daapbackup_nothing_but_the_finalizer_and_the_status(
    body: Object, field: str, operator: Api, admin: Api, place: str
) -> None:
    await Backups(admin, place).create("now")
    kind: Any = known.DAAP_BACKUP
    for finalizers in (["daap.io/cleanup"], []):
        own = {"metadata": {"finalizers": finalizers}}
        assert await refusal(operator.patch(kind, place, "now", own)) == ""
    await operator.patch(kind, place, "now", {"status": {"phase": "Running"}}, "status")
    said = await refusal(operator.patch(kind, place, "now", body))
    assert f"DaapBackup {place}/now: {field} is not the operator's to change" in said


async def test_nobody_else_sets_the_finalizer_or_more_metadata_than_is_needed(
    as_person: As, place: str
) -> None:
    platform = await as_person(admission.PLATFORM)
    await Backups(platform, place).create("now")
    kind: Any = known.DAAP_BACKUP
    body: Object = {"metadata": {"finalizers": ["daap.io/cleanup"]}}
    said = await refusal(platform.patch(kind, place, "now", body))
    assert f"DaapBackup {place}/now: metadata.finalizers has 'daap.io/cleanup'" in said
    many = {"metadata": {"labels": {f"label-{number}": "" for number in range(65)}}}
    assert "have at most 64" in await refusal(platform.patch(kind, place, "now", many))


async def test_the_marks_of_a_backup_are_the_operators(
    as_person: As, admin: Api, operator: Api, place: str
) -> None:
    await admin.create(known.BACKUP, made(place))
    platform = await as_person(admission.PLATFORM)
    body: Object = {"metadata": {"labels": {"daap.io/backup-uid": None}}}
    assert "is how the operator knows what belongs to" in await patch(platform, place, body)
    ordinary = {"metadata": {"labels": {"cost-center": "7"}}}
    assert await patch(platform, place, ordinary) == ""
    assert await patch(operator, place, ordinary) == ""
