"""What the metadata of a DaapDatabase, and its name, may be."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import yaml

from daap_operator import names
from dev.installation import NAMESPACE, RELEASE
from tests.fix_admission import As, guarded_namespace
from tests.support import admission
from tests.support.admission import LABELS, refusal
from tests.support.admission_objects import WATCHED_LABEL, labelled
from tests.support.api import Api, Object, path
from tests.support.databases import Databases, database
from tests.support.eventually import eventually

ROOT = Path(__file__).parents[2]
COUNT = "count/daapdatabases.daap.io"
TESTER = admission.account(NAMESPACE, f"{RELEASE}-test")
OWNER: Object = {"apiVersion": "v1", "kind": "ConfigMap", "name": "none", "uid": "none"}
TOO_MUCH: dict[str, tuple[Object, str]] = {
    "finalizers": (
        {"finalizers": [f"example.com/f{n}" for n in range(17)]},
        "metadata.finalizers has 17 items: have at most 16",
    ),
    "owners": (
        {"ownerReferences": [OWNER | {"uid": f"u{n}"} for n in range(17)]},
        "metadata.ownerReferences has 17 items: have at most 16",
    ),
    "an owner": (
        {"ownerReferences": [OWNER | {"kind": "K" * 2000}]},
        "metadata.ownerReferences has one with more than 1024 characters",
    ),
    "labels": (
        {"labels": {f"example.com/l{n}": "x" for n in range(65)}},
        "metadata.labels has 65 items: have at most 64",
    ),
    "annotations": (
        {"annotations": {"example.com/a": "é" * 16384}},
        "metadata.annotations has 32781 bytes: have at most 32768",
    ),
    "many annotations": (
        {"annotations": {f"example.com/{n}": "x" for n in range(5000)}},
        "metadata.annotations has 262144 bytes: have at most 32768",
    ),
}
ENOUGH: Object = {
    "finalizers": [f"example.com/f{n}" for n in range(16)],
    "ownerReferences": [OWNER | {"uid": f"u{n}"} for n in range(16)],
    "labels": {f"example.com/l{n}": "x" * 63 for n in range(64)},
    "annotations": {"example.com/a": "é" * 16377},
}


@pytest.fixture
async def api(as_person: As) -> Api:
    return await as_person(admission.ADMIN)


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Databases]:
    async with guarded_namespace(api, "metadata", **{"daap.io/team": "checkout"}) as name:
        yield Databases(api, name)


def with_metadata(place: str, metadata: Object) -> Object:
    obj = database(place, "orders")
    obj["metadata"] |= metadata
    return obj


# --- the operator's finalizer ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "person", [admission.MEMBER, admission.GITOPS], ids=lambda person: person.name
)
async def test_the_finalizer_is_the_operators(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    they, place = await as_person(person), shop.namespace
    held: Object = {"finalizers": ["example.com/mine", names.FINALIZER]}
    said = await refusal(they.create("daapdatabases", with_metadata(place, held)))
    assert f"DaapDatabase {place}/orders: metadata.finalizers has 'daap.io/cleanup'" in said
    assert "leave it out, or have the platform team restore the object" in said
    await they.create("daapdatabases", database(place, "orders"))
    assert await refusal(they.patch("daapdatabases", place, "orders", {"metadata": held}))


async def test_what_the_operator_holds_may_be_changed_and_let_go(
    shop: Databases, as_person: As
) -> None:
    """As kubectl replace and GitOps controllers write: with the finalizer as it is, or without."""
    they, place = await as_person(admission.MEMBER), shop.namespace
    operator = await as_person(admission.OPERATOR)
    await they.create("daapdatabases", database(place, "orders"))
    held: Object = {"metadata": {"finalizers": [names.FINALIZER]}}
    await operator.patch("daapdatabases", place, "orders", held)
    found = await they.get("daapdatabases", place, "orders")
    assert found
    found["spec"]["instances"] = 3
    await they.call("PUT", path("daapdatabases", place, "orders"), found)
    await they.apply("daapdatabases", database(place, "orders", purpose="By git"), "argocd")
    await they.patch("daapdatabases", place, "orders", {"metadata": {"finalizers": None}})


async def test_a_backup_is_restored_with_its_finalizer(shop: Databases, as_person: As) -> None:
    """Velero brings back what an object had, the status aside, and may do everything."""
    restorer = await as_person(admission.RESTORER)
    held = with_metadata(shop.namespace, {"finalizers": [names.FINALIZER]})
    said = await refusal(restorer.create("daapdatabases", held))
    assert f"'{admission.METADATA}'" not in said
    assert f"'{admission.MEMBERS}'" in said  # it is no member here
    admin = await as_person(admission.ADMIN)
    await admin.create("daapdatabases", held)


# --- how much -------------------------------------------------------------------------------------


@pytest.mark.parametrize("which", TOO_MUCH)
async def test_metadata_has_bounds(which: str, shop: Databases, as_person: As) -> None:
    """For everybody: an administrator's GitOps controller writes what teams ask it to."""
    metadata, told = TOO_MUCH[which]
    await shop.create("others")
    for person in (admission.MEMBER, admission.ADMIN):
        they = await as_person(person)
        said = await refusal(they.create("daapdatabases", with_metadata(shop.namespace, metadata)))
        assert f"DaapDatabase {shop.namespace}/orders: {told}" in said
        said = await refusal(
            they.patch("daapdatabases", shop.namespace, "others", {"metadata": metadata})
        )
        assert told in said


async def test_what_is_within_the_bounds_passes(shop: Databases) -> None:
    await shop.api.create("daapdatabases", with_metadata(shop.namespace, ENOUGH))


async def test_what_is_too_large_since_before_may_stay_and_shrink(
    shop: Databases, as_person: As
) -> None:
    """A controller, which is not asked, stands in for a time without the policy."""
    controller = await as_person(admission.COLLECTOR)
    metadata = {"finalizers": TOO_MUCH["finalizers"][0]["finalizers"]}
    metadata |= {"labels": {f"example.com/l{n}": "x" for n in range(70)}}
    await controller.create("daapdatabases", with_metadata(shop.namespace, metadata))
    fewer: list[Object] = [
        {"finalizers": metadata["finalizers"][1:]},
        {"labels": {f"example.com/l{n}": None for n in range(10)}},
        {"finalizers": None},
    ]
    for each in fewer:
        # Each bound is judged by itself, so both have to shrink at once where both are exceeded
        await shop.api.patch(
            "daapdatabases", shop.namespace, "orders", {"metadata": each | fewer[1]}
        )


async def test_a_quota_counts_what_a_policy_cannot(shop: Databases, as_person: As) -> None:
    """The shipped example, with less of it."""
    quota = yaml.safe_load((ROOT / "examples/quota/databases.yaml").read_text())
    assert list(quota["spec"]["hard"]) == [COUNT]
    quota["metadata"]["namespace"], quota["spec"]["hard"] = shop.namespace, {COUNT: "1"}
    await shop.api.create("resourcequotas", quota)
    await eventually(
        lambda: shop.api.get("resourcequotas", shop.namespace, "databases"),
        lambda found: found and found.get("status", {}).get("hard") == {COUNT: "1"},
    )
    ann = Databases(await as_person(admission.MEMBER), shop.namespace)
    await ann.create("orders")
    said = await refusal(ann.create("ledger"))
    assert f"exceeded quota: databases, requested: {COUNT}=1" in said


# --- names ----------------------------------------------------------------------------------------


async def test_the_name_of_helm_tests_database_is_reserved(shop: Databases, as_person: As) -> None:
    create = path("daapdatabases", shop.namespace) + "?dryRun=All"
    wanted = database(shop.namespace, f"{RELEASE}-test")
    said = await refusal(shop.api.call("POST", create, wanted))
    assert f"{RELEASE}-test: the name is that of the database which helm test creates" in said
    assert "choose another" in said
    tester = await as_person(TESTER)
    await tester.call("POST", create, wanted)


@pytest.mark.parametrize(
    "name", ["orders-1-tbs-fast", "a-10-tbs-b", "orders-1-tbs", "orders-1-tbsx"]
)
async def test_no_database_is_called_like_the_volume_claims_of_another(
    name: str, shop: Databases
) -> None:
    """Its own claims would be protected, or not, with those of the other one."""
    create = path("daapdatabases", shop.namespace) + "?dryRun=All"
    said = await refusal(shop.api.call("POST", create, database(shop.namespace, name)))
    assert f"{name}: names with a number and '-tbs' in them are those of the volume claims" in said
    for other in (name.replace("-tbs", "-wal"), "orders-tbs-fast", "orders-x-tbs", "tbs-1"):
        await shop.api.call("POST", create, database(shop.namespace, other))


# --- labels by which the operator finds objects ---------------------------------------------------


@pytest.mark.parametrize("value", ["daap-x-pooler", ""])
@pytest.mark.parametrize("plural", LABELS)
async def test_only_who_makes_them_labels_what_is_looked_for(
    plural: str, value: str, as_person: As
) -> None:
    mallory = await as_person(admission.STRANGER)
    said = await refusal(labelled(mallory, plural, value=value)())
    assert f"the label {WATCHED_LABEL[plural]} is for those that CloudNativePG makes" in said
    for person in (admission.CNPG, admission.RESTORER, admission.CONTROLLER_MANAGER):
        await labelled(await as_person(person), plural, value=value)()
    await labelled(mallory, plural, label="example.com/app")()
