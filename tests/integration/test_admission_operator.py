"""The operator at work under the chart's policies: they stand in nobody's way who means well."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from daap_operator.kinds.database.desired.cluster import STOP_SECONDS
from dev.cluster import ControlPlane
from tests.fix_admission import As, guarded_namespace
from tests.scenarios import lifecycle
from tests.standin.cnpg import StandIn
from tests.support import admission
from tests.support.admission import delete, protection_known, refusal, until_deleted
from tests.support.api import Api
from tests.support.audit import Audit
from tests.support.databases import Databases, condition
from tests.support.drilling import Drills, checked
from tests.support.eventually import eventually
from tests.support.operator import PORTS, Operators
from tests.support.restores import Restores
from tests.support.rows import Rows
from tests.support.schema_runner import running
from tests.support.schemas import FIVE, PLANS, Schemas

FORBIDDEN = 403


@pytest.fixture(scope="module")
def operator_kubeconfig(guarded_plane: ControlPlane) -> Path:
    """The service account that the chart makes."""
    return guarded_plane.user_kubeconfig(admission.OPERATOR.name, admission.OPERATOR.groups)


@pytest.fixture
def operator_environment(
    operator_kubeconfig: Path, migrated_database: str, system: str
) -> dict[str, str]:
    """With the Lease that the chart names: the policies let its account have no other."""
    return {
        "KUBECONFIG": str(operator_kubeconfig),
        "DATABASE_URL": migrated_database,
        **PORTS,
        "DAAP_LEASE_NAME": admission.OPERATOR.name.rpartition(":")[2],
        "DAAP_LEASE_NAMESPACE": system,
    }


@pytest.fixture(scope="module")
def shared_standin(guarded_plane: ControlPlane) -> Iterator[StandIn]:
    """CloudNativePG under its own service account."""
    cnpg = admission.CNPG
    standin = StandIn(guarded_plane.user_kubeconfig(cnpg.name, cnpg.groups))
    standin.start()
    yield standin
    standin.stop()


@pytest.fixture
async def api(as_person: As) -> Api:
    """The platform team's client: it may change every team's databases."""
    return await as_person(admission.PLATFORM)


@pytest.fixture
async def namespace(api: Api) -> AsyncIterator[str]:
    """A namespace that belongs to no team, so that a database may change its owner."""
    async with guarded_namespace(api, "free") as name:
        yield name


async def test_a_whole_life(databases: Databases, operators: Operators, rows: Rows) -> None:
    await operators.start()
    await lifecycle.life(databases, rows, "orders")


async def test_the_life_of_a_drill(
    databases: Databases, operators: Operators, as_person: As
) -> None:
    await operators.start()
    drills = Drills(await as_person(admission.ADMIN), databases.namespace)
    await Restores(drills.api, databases.namespace).recoverable()
    async with checked(drills.api, databases.namespace):
        await drills.create("proof")
        found = await drills.is_in("proof", "Passed", "Failed")
    assert found["status"]["phase"] == "Passed", found["status"]
    assert await drills.left() == []


async def test_the_life_of_a_schema(
    databases: Databases, operators: Operators, as_person: As, guarded_plane: ControlPlane
) -> None:
    """Its Jobs are created, replaced when its files change, and deleted: nothing is refused."""
    audit = Audit(guarded_plane.audit_log, admission.OPERATOR.name)
    await operators.start()
    schemas = Schemas(await as_person(admission.ADMIN), databases.namespace)
    await schemas.files("tables", {"001_users.sql": FIVE["001_users.sql"]})
    inline = [{"inline": [{"name": name, "sql": sql}]} for name, sql in PLANS.items()]
    files = [{"configMap": {"name": "tables", "files": "00?_*.sql"}}]
    async with running(schemas.api, schemas.namespace):
        await schemas.create("tables", schema=files, fixtures=inline)
        await databases.create("orders")
        await schemas.applied("tables", "001_users.sql")
        await schemas.files("tables", FIVE)
        await schemas.applied("tables", "005_orders_status.sql")
    await schemas.delete("tables")
    await schemas.gone("tables")
    await eventually(schemas.runs, lambda jobs: jobs == [])
    refused = [request for request in audit.requests() if request.code == FORBIDDEN]
    assert [request for request in refused if request.name.startswith("tables")] == []


async def test_a_protected_database_is_repaired_and_ends_when_it_may(
    databases: Databases, operators: Operators, rows: Rows, as_person: As
) -> None:
    await operators.start()
    await databases.create("orders", deletionProtection=True)
    await databases.ready("orders")
    await protection_known(databases.api, databases.namespace, "orders")
    team = Databases(await as_person(admission.MEMBER), databases.namespace)
    for plural, name in (
        ("daapdatabases", "orders"),
        ("clusters", "daap-orders"),
        ("poolers", "daap-orders-pooler"),
        ("namespaces", ""),
    ):
        place = databases.namespace
        where = ("", place) if plural == "namespaces" else (place, name)
        assert "spec.deletionProtection is true" in await refusal(delete(team.api, plural, *where))
    vandalism = {"spec": {"instances": 0}}
    await team.api.patch("poolers", databases.namespace, "daap-orders-pooler", vandalism)
    await eventually(
        lambda: databases.child("poolers", "daap-orders-pooler"),
        lambda obj: obj and obj["spec"]["instances"] == 1,
    )
    await databases.ready("orders")
    await team.edit("orders", deletionProtection=False)
    await lifecycle.death(team, rows, "orders")


async def test_a_deletion_from_before_the_policies_is_still_held(
    databases: Databases, operators: Operators
) -> None:
    """The operator's own protection stays as the second line."""
    operator = await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await operator.stop()
    await databases.delete("orders")
    await databases.edit("orders", deletionProtection=True)
    await operators.start()
    await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "Reconciling").get("reason") == "DeletionProtected",
    )
    await protection_known(databases.api, databases.namespace, "orders")
    assert await refusal(delete(databases.api, "clusters", databases.namespace, "daap-orders"))
    assert await databases.child("clusters", "daap-orders")
    await databases.edit("orders", deletionProtection=False)
    await databases.gone("orders")


async def test_what_was_retained_is_taken_over(databases: Databases, operators: Operators) -> None:
    await operators.start()
    protected = {"deletionPolicy": "Retain", "deletionProtection": True}
    await databases.create("orders", **protected)
    await databases.ready("orders")
    before = await databases.child("clusters", "daap-orders")
    assert before
    await databases.edit("orders", deletionProtection=False)
    await databases.delete("orders")
    await databases.gone("orders")
    await databases.create("orders", **protected)
    await databases.ready("orders")
    after = await databases.child("clusters", "daap-orders")
    assert after
    assert after["metadata"]["uid"] == before["metadata"]["uid"]
    await protection_known(databases.api, databases.namespace, "orders")
    assert await refusal(delete(databases.api, "clusters", databases.namespace, "daap-orders"))


async def test_all_that_can_be_asked_for_passes(
    databases: Databases, operators: Operators, guarded_plane: ControlPlane
) -> None:
    """Each step writes other fields of the children; the API server is asked what it refused."""
    audit = Audit(guarded_plane.audit_log, admission.OPERATOR.name)
    await operators.start()
    await databases.create("asked")
    await databases.ready("asked")
    for spec in (
        {"instances": 2, "pooler": {"instances": 2, "mode": "Session", "maxClientConnections": 50}},
        {"resources": {"requests": {"cpu": "1", "memory": "2Gi"}}, "storage": {"size": "20Gi"}},
        {"deletionPolicy": "Retain"},
        {"connectionSecretName": "asked-other", "connectionSecretMetadata": {"labels": {"a": "b"}}},
        {"deletionPolicy": "Delete", "postgresVersion": 18},
    ):
        await databases.edit("asked", **spec)
        await databases.ready("asked")
    await databases.delete("asked")
    await databases.gone("asked")
    refused = [request for request in audit.requests() if request.code == FORBIDDEN]
    # By the name: in a namespace of an earlier test, which goes, nobody may create anything
    assert [request for request in refused if "asked" in request.name] == []


async def test_what_has_the_first_defaults_gets_the_newest(
    databases: Databases, operators: Operators, as_person: As
) -> None:
    operator = await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await operator.stop()
    place, api = databases.namespace, databases.api
    first = {"status": {"defaultsRevision": 1}}
    await api.patch("daapdatabases", place, "orders", first, "status")
    none = {"metadata": {"annotations": {"daap.io/defaults-revision": None}}}
    admin = await as_person(admission.ADMIN)
    await admin.patch("clusters", place, "daap-orders", none)
    await operators.start()
    await eventually(
        lambda: databases.child("clusters", "daap-orders"),
        lambda obj: obj and obj["spec"].get("stopDelay") != STOP_SECONDS,
    )
    newest = {"metadata": {"annotations": {"daap.io/defaults-revision": "3"}}}
    await api.patch("daapdatabases", place, "orders", newest)
    await eventually(
        lambda: databases.child("clusters", "daap-orders"),
        lambda obj: obj and obj["spec"].get("stopDelay") == STOP_SECONDS,
    )
    await databases.ready("orders")


async def test_a_namespace_goes_with_its_databases(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    for name, protected in (("orders", False), ("ledger", True)):
        await databases.create(name, deletionProtection=protected)
        await databases.ready(name)
    api, namespace = databases.api, databases.namespace
    await protection_known(api, namespace, "ledger")
    assert "DaapDatabase ledger" in await refusal(delete(api, "namespaces", "", namespace))
    await databases.edit("ledger", deletionProtection=False)
    await until_deleted(api, "namespaces", "", namespace)
    await databases.namespace_gone()
    for name in ("orders", "ledger"):
        await rows.becomes(name, status="deleted")
