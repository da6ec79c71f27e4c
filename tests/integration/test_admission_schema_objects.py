"""Who may write what of a DaapSchema: its team, and the operator's account."""

import json

import pytest

from daap_operator import names
from daap_operator.api.v1alpha1.schema.sources import INLINE_LENGTH
from daap_operator.kinds import known
from tests.fix_admission import As
from tests.support import admission
from tests.support.admission import METADATA, REFERENCES, refusal
from tests.support.api import Api, Object
from tests.support.databases import Databases, database
from tests.support.eventually import eventually
from tests.support.schema_jobs import HASH

KIND = known.DAAP_SCHEMA
APPROVED: Object = {"spec": {"approve": HASH}}
LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def schema(place: str, files: int = 1, size: int = 10, **metadata: object) -> Object:
    """A DaapSchema of the database `orders` with so many inline files of so many bytes."""
    inline = [{"name": f"{at:03}_x.sql", "sql": "-" * size} for at in range(files)]
    return {
        "apiVersion": KIND.api_version,
        "kind": KIND.name,
        "metadata": {"name": "orders", "namespace": place, **metadata},
        "spec": {"databaseRef": {"name": "orders"}, "schema": [{"inline": inline}]},
    }


# --- the operator ---------------------------------------------------------------------------------


@pytest.mark.parametrize("files", [1, 20])
async def test_the_operator_holds_lets_go_and_tells(
    files: int, operator: Api, admin: Api, place: str
) -> None:
    """Also of one that has more in it than the operator accepts, up to what is stored at all."""
    await admin.create(KIND, schema(place, files, INLINE_LENGTH))
    for finalizers in ([names.FINALIZER], []):
        body: Object = {"metadata": {"finalizers": finalizers}}
        assert await refusal(operator.patch(KIND, place, "orders", body)) == ""
    status = {"status": {"observedGeneration": 1, "plan": HASH}}
    await operator.patch(KIND, place, "orders", status, "status")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        (APPROVED, "spec"),
        ({"spec": {"approval": "Automatic"}}, "spec"),
        ({"spec": {"onDestructive": "Allow"}}, "spec"),
        ({"metadata": {"labels": {"a": "b"}}}, "metadata.labels"),
        ({"metadata": {"annotations": {"a": "b"}}}, "metadata.annotations"),
    ],
    ids=str,
)
async def test_the_operator_approves_nothing(
    body: Object, field: str, operator: Api, admin: Api, place: str
) -> None:
    made = schema(place)
    made["spec"] |= {"approval": "Required"}
    await admin.create(KIND, made)
    said = await refusal(operator.patch(KIND, place, "orders", body))
    assert f"DaapSchema {place}/orders: {field} is not the operator's to change" in said


# --- its metadata ---------------------------------------------------------------------------------


async def test_the_finalizer_is_the_operators(as_person: As, place: str) -> None:
    they = await as_person(admission.MEMBER)
    held = schema(place, finalizers=[names.FINALIZER])
    said = await refusal(they.create(KIND, held))
    assert f"'{METADATA}'" in said
    assert f"DaapSchema {place}/orders: metadata.finalizers has 'daap.io/cleanup'" in said


async def test_what_kubectl_notes_of_the_files_counts_for_nothing(
    as_person: As, place: str
) -> None:
    """`kubectl apply` writes the manifest into an annotation, with all inline files."""
    they = await as_person(admission.MEMBER)
    noted = {LAST_APPLIED: json.dumps(schema(place, 2, INLINE_LENGTH))}
    await they.create(KIND, schema(place, 2, INLINE_LENGTH, annotations=noted))
    change: Object = {"metadata": {"annotations": {LAST_APPLIED: "x" * 200_000}}}
    assert await refusal(they.patch(KIND, place, "orders", change)) == ""
    change = {"metadata": {"annotations": {"example.com/a": "x" * 32_769}}}
    said = await refusal(they.patch(KIND, place, "orders", change))
    assert "metadata.annotations has 32782 bytes: have at most 32768" in said


async def test_of_a_database_it_counts(as_person: As, place: str) -> None:
    they = await as_person(admission.PLATFORM)
    made = database(place, "orders")
    made["metadata"]["annotations"] = {LAST_APPLIED: "x" * 32_769}
    assert f"'{METADATA}'" in await refusal(they.create(known.DATABASE, made))


# --- its team -------------------------------------------------------------------------------------


async def test_only_its_team_changes_a_databases_schema(
    as_person: As, admin: Api, place: str
) -> None:
    """And so approves: whoever may change a DaapSchema may approve its plans."""
    await Databases(admin, place).create("orders")
    ann, bob = await as_person(admission.MEMBER), await as_person(admission.OTHER)
    # What the API server knows of the databases is a watch behind
    said = await eventually(
        lambda: refusal(bob.create(KIND, schema(place))), lambda said: f"'{REFERENCES}'" in said
    )
    assert f"DaapSchema {place}/orders: the DaapDatabase orders belongs to the team" in said
    await ann.create(KIND, schema(place))
    assert f"'{REFERENCES}'" in await refusal(bob.patch(KIND, place, "orders", APPROVED))
    assert f"'{REFERENCES}'" in await refusal(bob.delete(KIND, place, "orders"))
    assert await refusal(ann.patch(KIND, place, "orders", APPROVED)) == ""
    assert await refusal(ann.delete(KIND, place, "orders")) == ""
