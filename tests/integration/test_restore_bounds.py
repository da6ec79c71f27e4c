"""What the operator's own account may write for a restore."""

from collections.abc import Callable

import pytest

from daap_operator.engine.child import Owner
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.secret import app_secret
from daap_operator.kinds.restore import desired
from daap_operator.kinds.schema import backing_up
from tests.support.admission import refusal
from tests.support.api import APPLY, MERGE, Api, Object, path

DRY = "dryRun=All"
NAME = "back-5e1ec7ab"
OF_DATABASE = {
    "app.kubernetes.io/managed-by": "daap-operator",
    "daap.io/database-uid": "5e1ec7ab-1e00-4000-8000-000000000001",
}


def made(place: str) -> Object:
    """A DaapBackup as the operator makes it for a DaapRestore."""
    owner = Owner(known.DAAP_RESTORE, place, "back", "5e1ec7ab-1e00-4000-8000-000000000001")
    child = desired.safety_backup(owner, NAME, "orders")
    assert child.manifest
    return child.manifest


def before_a_plan(place: str) -> Object:
    """The same for a DaapSchema."""
    owner = Owner(known.DAAP_SCHEMA, place, "back", "5e1ec7ab-1e00-4000-8000-000000000001")
    child = backing_up.child(owner, NAME, "orders")
    assert child.manifest
    return child.manifest


MAKES = [made, before_a_plan]


async def create(api: Api, obj: Object) -> str:
    where = f"{path(known.DAAP_BACKUP, obj['metadata']['namespace'])}?{DRY}"
    return await refusal(api.call("POST", where, obj))


@pytest.mark.parametrize("make", MAKES)
async def test_a_safety_backup_as_it_makes_them_passes(
    make: Callable[[str], Object], operator: Api, place: str
) -> None:
    query = f"?fieldManager=daap-operator&force=true&{DRY}"
    where = path(known.DAAP_BACKUP, place, NAME) + query
    assert await refusal(operator.call("PATCH", where, make(place), APPLY)) == ""


@pytest.mark.parametrize("make", MAKES)
@pytest.mark.parametrize("mark", ["app.kubernetes.io/managed-by", "-uid"])
async def test_no_daapbackup_of_its_own(
    mark: str, make: Callable[[str], Object], operator: Api, place: str
) -> None:
    tried = make(place)
    labels = tried["metadata"]["labels"]
    (label,) = [label for label in labels if label.endswith(mark)]
    del labels[label]
    said = await create(operator, tried)
    assert "is not a DaapRestore's or DaapSchema's, and the operator writes no other" in said
    assert "it must have the labels daap.io/restore-uid or daap.io/schema-uid, and" in said


async def test_people_create_them_as_before(admin: Api, place: str) -> None:
    tried = made(place)
    del tried["metadata"]["labels"]
    assert await create(admin, tried) == ""


async def test_it_changes_none(operator: Api, admin: Api, place: str) -> None:
    await admin.create(known.DAAP_BACKUP, made(place))
    where = f"{path(known.DAAP_BACKUP, place, NAME)}?{DRY}"
    label = {"metadata": {"labels": {"a": "b"}}}
    said = await refusal(operator.call("PATCH", where, label, MERGE))
    assert "is not the operator's to change" in said


async def test_the_credentials_that_are_kept_are_a_databases(operator: Api, place: str) -> None:
    where = f"{path(known.SECRET, place)}?{DRY}"
    metadata: Object = {"namespace": place, "name": app_secret("daap-orders")}
    kept: Object = {"apiVersion": "v1", "kind": "Secret", "type": "servicebinding.io/postgresql"}
    body = kept | {"metadata": metadata | {"labels": OF_DATABASE}}
    assert await refusal(operator.call("POST", where, body)) == ""
    assert await refusal(operator.call("POST", where, kept | {"metadata": metadata}))
