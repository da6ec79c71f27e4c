"""What the chart's policies refuse, and what they let pass, while no operator runs."""

from collections.abc import AsyncIterator

import pytest

from dev.cluster import ControlPlane
from tests.fix_admission import As, guarded_namespace
from tests.support import admission
from tests.support.admission import (
    CHILDREN_OF,
    child,
    delete,
    refusal,
    until_deleted,
    with_children,
)
from tests.support.api import Api, Object, path
from tests.support.databases import NAMESPACE_SECONDS, Databases, database
from tests.support.eventually import eventually

EVERYBODY = [
    admission.ADMIN,
    admission.MEMBER,
    admission.GITOPS,
    admission.OPERATOR,
    admission.COLLECTOR,
    admission.NAMESPACE_CONTROLLER,
    admission.CONTROLLER_MANAGER,
]
WRITERS = [person for person in EVERYBODY if person is not admission.OPERATOR]
"""The operator's own account writes no spec: test_operator_bounds.py."""


@pytest.fixture
async def api(as_person: As) -> Api:
    return await as_person(admission.ADMIN)


@pytest.fixture
async def shop(api: Api) -> AsyncIterator[Databases]:
    """A namespace of the team checkout."""
    async with guarded_namespace(api, "shop", **{"daap.io/team": "checkout"}) as name:
        yield Databases(api, name)


@pytest.fixture
async def anywhere(api: Api) -> AsyncIterator[Databases]:
    """A namespace that belongs to no team."""
    async with guarded_namespace(api, "anywhere") as name:
        yield Databases(api, name)


# --- the policies themselves ----------------------------------------------------------------------


async def test_the_api_server_finds_no_fault_and_adds_nothing(
    api: Api, guarded_plane: ControlPlane
) -> None:
    rendered = admission.policies(admission.VALUES)
    assert len(rendered) == 66
    for obj in rendered:
        found = await looked_through(api, obj)
        assert found["spec"] == obj["spec"]
        assert found.get("status", {}).get("typeChecking", {}) == {}


async def looked_through(api: Api, rendered: Object) -> Object:
    """A policy whose types were checked, or a binding, as the API server has it."""
    policy = rendered["kind"] == admission.POLICY
    plural = "validatingadmissionpolicies" if policy else "validatingadmissionpolicybindings"
    found = await eventually(
        lambda: api.get(plural, "", rendered["metadata"]["name"]),
        lambda obj: obj and (not policy or "typeChecking" in obj.get("status", {})),
    )
    assert found
    return found


# --- deletion protection --------------------------------------------------------------------------


@pytest.mark.parametrize("person", EVERYBODY, ids=lambda person: person.name)
async def test_nobody_deletes_what_is_protected(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    await with_children(shop, "orders", deletionProtection=True)
    place, they = shop.namespace, await as_person(person)
    said = await refusal(delete(they, "daapdatabases", place, "orders"))
    assert f"DaapDatabase {place}/orders is not deleted" in said
    assert "spec.deletionProtection is true: set it to false first" in said
    said = await refusal(delete(they, "namespaces", "", place))
    assert f"Namespace {place} is not deleted, because the DaapDatabase orders is in it" in said
    assert "spec.deletionProtection is true: set that to false first" in said
    if person is not admission.OPERATOR:
        for plural, name in CHILDREN_OF.items():
            said = await refusal(delete(they, plural, place, name.format("orders")))
            kind = plural.removesuffix("s").capitalize()
            assert f"{kind} {place}/{name.format('orders')} is not deleted" in said
            assert "belongs to the DaapDatabase orders" in said
            assert "spec.deletionProtection is true: set that to false first" in said
    for plural, name in (("daapdatabases", "orders"), ("clusters", "daap-orders")):
        left = await shop.child(plural, name)
        assert left
        assert "deletionTimestamp" not in left["metadata"]


async def test_no_way_of_deleting_gets_past(shop: Databases) -> None:
    await with_children(shop, "orders", deletionProtection=True)
    await shop.create("ledger")
    for policy in ("Foreground", "Background", "Orphan"):
        for plural, name in (("daapdatabases", "orders"), ("clusters", "daap-orders")):
            where = path(plural, shop.namespace, name)
            body = {"propagationPolicy": policy}
            assert await refusal(shop.api.call("DELETE", where, body))
    for plural in ("daapdatabases", "clusters", "poolers"):
        assert await refusal(shop.api.call("DELETE", path(plural, shop.namespace)))
    assert await shop.get("orders")
    assert {"clusters/daap-orders", "poolers/daap-orders-pooler"} <= await shop.remains()


async def test_a_lifted_protection_lets_all_of_it_go(shop: Databases, as_person: As) -> None:
    await shop.create("ledger")
    await with_children(shop, "orders", deletionProtection=True)
    await shop.edit("orders", deletionProtection=False)
    member = await as_person(admission.MEMBER)
    for plural, name in CHILDREN_OF.items():
        await until_deleted(member, plural, shop.namespace, name.format("orders"))
        assert await shop.child(plural, name.format("orders")) is None
    await delete(member, "daapdatabases", shop.namespace, "orders")
    await delete(member, "namespaces", "", shop.namespace)
    await shop.namespace_gone()


async def test_the_operator_removes_children_before_the_api_server_knows(
    shop: Databases, as_person: As
) -> None:
    await with_children(shop, "orders", deletionProtection=True)
    operator = await as_person(admission.OPERATOR)
    for plural, name in CHILDREN_OF.items():
        await delete(operator, plural, shop.namespace, name.format("orders"))
    stranger = await as_person(admission.STRANGER)
    assert await refusal(delete(stranger, "daapdatabases", shop.namespace, "orders"))


async def test_what_is_not_protected_is_nobodys_business(shop: Databases) -> None:
    parent = await with_children(shop, "orders", deletionProtection=True)
    await with_children(shop, "ledger")
    foreign = child(parent, "clusters", "foreign", labels={}, ownerReferences=[])
    earlier = child(parent, "clusters", "kept", ownerReferences=[])
    earlier["metadata"]["labels"]["daap.io/database-uid"] = "of-one-that-is-no-more"
    for made in (foreign, earlier):
        await shop.api.create("clusters", made)
    for plural, name in (
        ("clusters", "daap-ledger"),
        ("poolers", "daap-ledger-pooler"),
        ("clusters", "foreign"),
        ("clusters", "kept"),
        ("daapdatabases", "ledger"),
    ):
        await delete(shop.api, plural, shop.namespace, name)
        assert await shop.child(plural, name) is None


@pytest.mark.parametrize("policy", ["Foreground", "Background"])
async def test_garbage_collection_passes(policy: str, shop: Databases) -> None:
    await with_children(shop, "orders", deletionProtection=True)
    await shop.edit("orders", deletionProtection=False)
    await shop.delete("orders", {"propagationPolicy": policy})
    await shop.gone("orders")
    await eventually(shop.remains, lambda left: left == set())


@pytest.fixture
async def unguarded_namespaces(api: Api, guarded_plane: ControlPlane) -> AsyncIterator[None]:
    """Namespaces may be deleted whatever is in them, as when the policy is not there."""
    probe = lambda: refusal(delete(api, "namespaces", "", "probe", dry=True))  # noqa: E731
    await api.delete("validatingadmissionpolicybindings", "", admission.NAMESPACES)
    await eventually(probe, lambda said: said == "")
    yield
    admission.apply(guarded_plane, admission.policies(admission.VALUES))
    await eventually(probe)


@pytest.mark.usefixtures("unguarded_namespaces")
async def test_a_namespace_on_its_way_out_takes_everything_along(shop: Databases) -> None:
    """Also the children of a database that is held by its finalizer, as by an operator's."""
    await with_children(shop, "orders", deletionProtection=True)
    held: Object = {"metadata": {"finalizers": ["daap.io/cleanup"]}}
    await shop.api.patch("daapdatabases", shop.namespace, "orders", held)
    await delete(shop.api, "namespaces", "", shop.namespace)
    await eventually(shop.remains, lambda left: left == set(), seconds=NAMESPACE_SECONDS)
    free: Object = {"metadata": {"finalizers": None}}
    await shop.api.patch("daapdatabases", shop.namespace, "orders", free)
    await shop.namespace_gone()


# --- the CRDs -------------------------------------------------------------------------------------

PROTECTED_CRDS = (
    "daapdatabases.daap.io",
    "clusters.postgresql.cnpg.io",
    "poolers.postgresql.cnpg.io",
    "daapbackups.daap.io",
    "daaprestores.daap.io",
    "daapdrills.daap.io",
    "daapschemas.daap.io",
)
CRD = "customresourcedefinitions"


@pytest.mark.parametrize("name", PROTECTED_CRDS)
async def test_a_crd_is_deleted_only_by_those_who_say_so(name: str, api: Api) -> None:
    said = await refusal(delete(api, CRD, "", name, dry=True))
    kinds = {
        "daapbackups.daap.io": "DaapBackup",
        "daaprestores.daap.io": "DaapRestore",
        "daapdrills.daap.io": "DaapDrill",
        "daapschemas.daap.io": "DaapSchema",
    }
    goes = f"every {kinds.get(name, 'database')}"
    assert f"CustomResourceDefinition {name} is not deleted, because {goes} would go" in said
    assert f"kubectl annotate crd {name} daap.io/allow-deletion=true" in said
    for value, refused in (("yes", True), ("true", False), (None, True)):
        meant: Object = {"metadata": {"annotations": {"daap.io/allow-deletion": value}}}
        await api.patch(CRD, "", name, meant)
        assert bool(await refusal(delete(api, CRD, "", name, dry=True))) is refused


async def test_the_crds_are_not_deleted_with_all_others(api: Api) -> None:
    """Nor by a request that names none."""
    where = f"{path(CRD)}?dryRun=All"
    for selected in ("", "&labelSelector=servicebinding.io/provisioned-service=true"):
        said = await refusal(api.call("DELETE", where + selected))
        assert "is not deleted, because every " in said


async def test_another_crd_is_nobodys_business(api: Api) -> None:
    backups = "backups.postgresql.cnpg.io"
    assert await refusal(delete(api, CRD, "", backups, dry=True)) == ""


# --- ownership: the namespace's team --------------------------------------------------------------


@pytest.mark.parametrize("person", WRITERS, ids=lambda person: person.name)
async def test_the_owner_is_the_namespaces_team(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    they = await as_person(person)
    foreign = database(shop.namespace, "orders", ownerTeam="payments")
    for query in ("", "?dryRun=All"):
        where = path("daapdatabases", shop.namespace) + query
        said = await refusal(they.call("POST", where, foreign))
        assert f"DaapDatabase {shop.namespace}/orders: spec.ownerTeam is 'payments'" in said
        assert "belongs to the team 'checkout' (its label daap.io/team)" in said
        assert "set spec.ownerTeam to 'checkout'" in said
    await they.create("daapdatabases", database(shop.namespace, "orders"))
    said = await refusal(
        they.patch("daapdatabases", shop.namespace, "orders", {"spec": {"ownerTeam": "payments"}})
    )
    assert "set spec.ownerTeam to 'checkout'" in said


@pytest.fixture
async def members_alone(
    shop: Databases, as_person: As, guarded_plane: ControlPlane
) -> AsyncIterator[Databases]:
    """A member's DaapDatabases, judged by the members' policy and not by the namespace's."""
    foreign = database(shop.namespace, "orders", ownerTeam="payments")
    create = path("daapdatabases", shop.namespace) + "?dryRun=All"
    everybody = lambda: refusal(shop.api.call("POST", create, foreign))  # noqa: E731
    await shop.api.delete("validatingadmissionpolicybindings", "", admission.OWNERSHIP)
    await eventually(everybody, lambda said: said == "")
    yield Databases(await as_person(admission.MEMBER), shop.namespace)
    admission.apply(guarded_plane, admission.policies(admission.VALUES))
    await eventually(everybody)


async def test_whichever_policy_refuses_names_the_remedy(members_alone: Databases) -> None:
    """Both refuse what is not the namespace's team's, and the API server tells of either."""
    said = await refusal(members_alone.create("orders", ownerTeam="payments"))
    assert f"'{admission.MEMBERS}'" in said
    assert "belongs to the team 'checkout' (its label daap.io/team)" in said
    assert "set spec.ownerTeam to 'checkout'" in said


async def test_a_namespace_without_a_team_takes_any_owner(anywhere: Databases) -> None:
    await anywhere.create("orders", ownerTeam="Équipe n° 7 / checkout")
    await anywhere.edit("orders", ownerTeam="payments")


async def test_databases_that_were_there_before_the_label_stay(anywhere: Databases) -> None:
    await anywhere.create("orders", ownerTeam="payments")
    labels = {"metadata": {"labels": {"daap.io/team": "checkout"}}}
    await anywhere.api.patch("namespaces", "", anywhere.namespace, labels)
    create = path("daapdatabases", anywhere.namespace) + "?dryRun=All"  # it may still pass
    new = database(anywhere.namespace, "new", ownerTeam="payments")
    await eventually(lambda: refusal(anywhere.api.call("POST", create, new)))
    await anywhere.edit("orders", instances=2)
    status = {"status": {"observedGeneration": 1}}
    await anywhere.api.patch("daapdatabases", anywhere.namespace, "orders", status, "status")
    assert await refusal(anywhere.edit("orders", ownerTeam="core"))
    await anywhere.edit("orders", ownerTeam="checkout")
    await anywhere.delete("orders")


# --- ownership: the team's members ----------------------------------------------------------------


@pytest.mark.parametrize(
    "person", [admission.OTHER, admission.STRANGER, admission.CNPG], ids=lambda person: person.name
)
async def test_only_members_make_change_and_delete(
    person: admission.Person, shop: Databases, as_person: As
) -> None:
    they = await as_person(person)
    theirs, ours = Databases(they, shop.namespace), shop
    assert "spec.ownerTeam is 'checkout'" in await refusal(theirs.create("orders"))
    await ours.create("orders")
    patches: list[Object] = [
        {"spec": {"instances": 3}},
        {"metadata": {"annotations": {"example.com/note": "hello"}}},
        {"metadata": {"finalizers": ["example.com/hold"]}},
    ]
    for patch in patches:
        said = await refusal(they.patch("daapdatabases", shop.namespace, "orders", patch))
        assert f"DaapDatabase {shop.namespace}/orders: spec.ownerTeam is 'checkout'" in said
        assert f"the user '{person.name}' is not in the group 'team:checkout'" in said
        assert "ask a member of the team, or the platform team" in said
    assert "'team:checkout'" in await refusal(
        delete(they, "daapdatabases", shop.namespace, "orders")
    )
    status = {"status": {"observedGeneration": 1}}
    await they.patch("daapdatabases", shop.namespace, "orders", status, "status")


@pytest.mark.parametrize(
    "person",
    [*WRITERS, admission.PLATFORM, admission.BOTH],
    ids=lambda person: person.name,
)
async def test_members_and_those_who_are_exempt_pass(
    person: admission.Person, anywhere: Databases, as_person: As
) -> None:
    they = await as_person(person)
    theirs = Databases(they, anywhere.namespace)
    await theirs.create("orders")
    await theirs.edit("orders", instances=3)
    given_away = await refusal(theirs.edit("orders", ownerTeam="payments"))
    if person is admission.MEMBER:
        assert "spec.ownerTeam is 'payments'" in given_away
        assert "is not in the group 'team:payments'" in given_away
    else:
        assert given_away == ""
    await delete(they, "daapdatabases", anywhere.namespace, "orders")


async def test_a_team_does_not_take_another_teams_database(
    anywhere: Databases, as_person: As
) -> None:
    await anywhere.create("orders", ownerTeam="payments")
    theirs = Databases(await as_person(admission.MEMBER), anywhere.namespace)
    said = await refusal(theirs.edit("orders", ownerTeam="checkout"))
    assert "spec.ownerTeam is 'payments'" in said
