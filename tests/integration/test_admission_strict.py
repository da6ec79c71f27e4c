"""Rules about teams that are off by default, in a namespace where they are on."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from dev.cluster import ControlPlane
from tests.fix_admission import As, guarded_namespace
from tests.support import admission
from tests.support.admission import Person, refusal
from tests.support.api import Api, Object, path
from tests.support.daapbackups import Backups
from tests.support.databases import Databases, database
from tests.support.eventually import eventually
from tests.support.helm import render
from tests.support.restores import Restores

STRICT = "strict"
EVERYONE = "system:authenticated"
FREE = "Équipe n° 7 / checkout"
MOMENT = "2026-03-01T12:00:00Z"
Strictly = Callable[[Object, Object], Awaitable[Databases]]


@pytest.fixture
async def api(as_person: As) -> Api:
    return await as_person(admission.ADMIN)


@pytest.fixture
async def strictly(api: Api, as_person: As, guarded_plane: ControlPlane) -> AsyncIterator[Strictly]:
    """A namespace where a second release's policies hold, in place of the first's for teams."""
    async with AsyncExitStack() as stack:

        async def made(values: Object, probe: Object) -> Databases:
            place = await stack.enter_async_context(guarded_namespace(api, "strict"))
            await stack.enter_async_context(_policies(api, guarded_plane, place, values))
            probe["metadata"]["namespace"] = place
            await eventually(
                lambda: creating(as_person, admission.PLATFORM, probe), lambda said: STRICT in said
            )
            return Databases(api, place)

        yield made


@asynccontextmanager
async def _policies(
    api: Api, plane: ControlPlane, place: str, values: Object
) -> AsyncIterator[None]:
    off = {group: {"enabled": False} for group in ("deletionProtection", "marks", "metadata")}
    wanted = {"admission": off | values, "watchNamespaces": [place]}
    rendered = render(wanted, release=STRICT)
    objects = [obj for obj in rendered if obj["kind"] in (admission.POLICY, admission.BINDING)]
    admission.apply(plane, objects)
    yield
    for obj in objects:
        policy = obj["kind"] == admission.POLICY
        plural = "validatingadmissionpolicies" if policy else "validatingadmissionpolicybindings"
        await api.delete(plural, "", obj["metadata"]["name"])


async def creating(as_person: As, person: Person, obj: Object) -> str:
    """What is said against a new database of that person."""
    they = await as_person(person)
    where = path("daapdatabases", obj["metadata"]["namespace"]) + "?dryRun=All"
    return await refusal(they.call("POST", where, obj))


def member(*groups: str) -> Person:
    """Somebody whom the first release's policies let do everything."""
    return Person("ann", ("platform", *groups))


# --- members only ---------------------------------------------------------------------------------


async def test_a_group_of_kubernetes_is_no_team(strictly: Strictly, as_person: As) -> None:
    """Without a prefix, as whoever calls groups as teams may want it."""
    members = {"membersOnly": True, "allowEmptyGroupPrefix": True, "exemptGroups": []}
    shop = await strictly({"ownership": members}, database("", "probe", ownerTeam="payments"))
    for team in (EVERYONE, "system:masters", FREE, "-checkout", "x" * 64):
        wanted = database(shop.namespace, "orders", ownerTeam=team)
        groups = [team] if team != "system:masters" else []
        said = await creating(as_person, member(*groups), wanted)
        assert f"spec.ownerTeam is '{team}', which cannot be a team with members" in said
        assert "set it to at most 63 letters, digits" in said
    ann = Databases(await as_person(member("checkout")), shop.namespace)
    await ann.create("orders")
    assert "which cannot be a team" in await refusal(ann.edit("orders", ownerTeam=EVERYONE))
    await ann.edit("orders", instances=3)
    assert "group 'payments'" in await refusal(ann.edit("orders", ownerTeam="payments"))


async def test_a_team_called_otherwise_keeps_what_it_has(strictly: Strictly, as_person: As) -> None:
    """Databases from before, whose members' group has a prefix; new ones are called by a name."""
    members = {"membersOnly": True, "groupPrefix": "oidc:", "exemptGroups": ["system:masters"]}
    shop = await strictly({"ownership": members}, database("", "probe", ownerTeam="x"))
    await shop.create("orders", ownerTeam=FREE)
    await shop.create("shared", ownerTeam=EVERYONE)
    ann = Databases(await as_person(member(f"oidc:{FREE}", "oidc:checkout")), shop.namespace)
    await ann.edit("orders", instances=3)
    assert "cannot be a team" in await refusal(ann.create("ledger", ownerTeam=FREE))
    everyone = Databases(await as_person(member(f"oidc:{EVERYONE}")), shop.namespace)
    assert "cannot be a team" in await refusal(everyone.edit("shared", instances=3))
    await ann.edit("orders", ownerTeam="checkout")
    await ann.delete("orders")


async def test_what_names_a_database_is_its_teams_as_the_database_is(
    strictly: Strictly, as_person: As
) -> None:
    members = {"membersOnly": True, "groupPrefix": "oidc:", "exemptGroups": ["system:masters"]}
    shop = await strictly({"ownership": members}, database("", "probe", ownerTeam="x"))
    for name, team in (("orders", "checkout"), ("ledger", "payments"), ("shared", EVERYONE)):
        await shop.create(name, ownerTeam=team)
    ann = Backups(await as_person(member("oidc:checkout", f"oidc:{EVERYONE}")), shop.namespace)
    bob = Backups(await as_person(member("oidc:payments")), shop.namespace)

    async def refused(name: str) -> str:
        return await refusal(ann.create(f"{name}-now", name))

    # What the API server knows of the databases is a watch behind
    said = await eventually(lambda: refused("ledger"), lambda said: "daapbackups" in said)
    assert f"DaapBackup {shop.namespace}/ledger-now: the DaapDatabase ledger belongs to" in said
    assert "the user 'ann' is not in the group 'oidc:payments': ask a member" in said
    assert "is not in the group" in await refused("shared")
    await ann.create("orders-now", "orders")
    await ann.create("later-now", "later")
    label = {"metadata": {"labels": {"a": "b"}}}
    edit = bob.api.patch("daapbackups", shop.namespace, "orders-now", label)
    assert "is not in the group 'oidc:checkout'" in await refusal(edit)
    assert "is not in the group 'oidc:checkout'" in await refusal(bob.delete("orders-now"))
    they = await as_person(admission.ADMIN)
    await they.patch("daapbackups", shop.namespace, "orders-now", label)
    await ann.delete("orders-now")


async def test_only_its_team_puts_a_database_back(strictly: Strictly, as_person: As) -> None:
    members = {"membersOnly": True, "groupPrefix": "oidc:", "exemptGroups": ["system:masters"]}
    shop = await strictly({"ownership": members}, database("", "probe", ownerTeam="x"))
    for name, team in (("orders", "checkout"), ("ledger", "payments")):
        await shop.create(name, ownerTeam=team)
    ann = Restores(await as_person(member("oidc:checkout")), shop.namespace)
    bob = Restores(await as_person(member("oidc:payments")), shop.namespace)

    async def refused(name: str) -> str:
        return await refusal(ann.create(f"{name}-back", name, at=MOMENT))

    # What the API server knows of the databases is a watch behind
    said = await eventually(lambda: refused("ledger"), lambda said: "daaprestores" in said)
    assert f"DaapRestore {shop.namespace}/ledger-back: the DaapDatabase ledger belongs to" in said
    assert "the user 'ann' is not in the group 'oidc:payments': ask a member" in said
    await ann.create("orders-back", "orders", at=MOMENT)
    label = {"metadata": {"labels": {"a": "b"}}}
    edit = bob.api.patch("daaprestores", shop.namespace, "orders-back", label)
    assert "is not in the group 'oidc:checkout'" in await refusal(edit)
    assert "is not in the group 'oidc:checkout'" in await refusal(bob.delete("orders-back"))
    they = await as_person(admission.ADMIN)
    await they.patch("daaprestores", shop.namespace, "orders-back", label)
    await ann.delete("orders-back")


# --- only namespaces of teams ---------------------------------------------------------------------


async def test_a_namespace_of_no_team_gets_no_database(strictly: Strictly, as_person: As) -> None:
    probe = database("", "probe")
    shop = await strictly({"ownership": {"requireLabel": True}}, probe)
    said = await creating(as_person, admission.PLATFORM, database(shop.namespace, "orders"))
    assert f"the namespace {shop.namespace} belongs to no team" in said
    assert (
        "use a namespace of the team 'checkout', or have the platform team label this one" in said
    )
    label = {"metadata": {"labels": {"daap.io/team": "checkout"}}}
    await shop.api.patch("namespaces", "", shop.namespace, label)
    await eventually(
        lambda: creating(as_person, admission.PLATFORM, database(shop.namespace, "orders")),
        lambda said: said == "",
    )
    await shop.create("orders")
    await shop.api.patch(
        "namespaces", "", shop.namespace, {"metadata": {"labels": {"daap.io/team": None}}}
    )
    await eventually(
        lambda: creating(as_person, admission.PLATFORM, database(shop.namespace, "ledger"))
    )
    await shop.edit("orders", instances=3)
    assert "belongs to no team" in await refusal(shop.edit("orders", ownerTeam="payments"))
    await shop.delete("orders")


# --- names ----------------------------------------------------------------------------------------


async def test_a_name_begins_with_the_team(strictly: Strictly, as_person: As) -> None:
    names = {"prefixWithTeam": True, "exemptServiceAccounts": ["velero/velero"]}
    shop = await strictly({"names": names}, database("", "probe"))
    for team, name, passes in (
        ("checkout", "orders", False),
        ("checkout", "checkouts", False),
        ("checkout", "checkout", True),
        ("checkout", "checkout-orders", True),
        ("Check_Out.eu", "check-out-eu-orders", True),
        ("Check_Out.eu", "check", False),
    ):
        wanted = database(shop.namespace, name, ownerTeam=team)
        said = await creating(as_person, admission.GITOPS, wanted)
        assert (said == "") is passes
        if not passes:
            assert f"the name does not begin with the team in spec.ownerTeam, '{team}'" in said
    wanted = database(shop.namespace, "orders")
    said = await creating(as_person, admission.GITOPS, wanted)
    assert "call it 'checkout' or 'checkout-orders'" in said
    said = await creating(as_person, admission.RESTORER, wanted)
    assert "does not begin" not in said  # it is no member, by the first release
