"""Deletions that could hang, and what is left for whoever comes after."""

import re
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from daap_operator import crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.kinds.database import removal
from dev.cluster import ControlPlane
from dev.cluster.established import wait_established
from tests.standin.cnpg import CONTROL_PLANE_FLAGS, StandIn
from tests.support import prerequisites, rights
from tests.support.api import Api, ApiError, Object
from tests.support.databases import Databases, condition, phase
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows

USING = Path(__file__).parents[2] / "docs" / "using.md"
PLURALS = {
    "Cluster": "clusters",
    "Pooler": "poolers",
    "Deployment": "deployments",
    "Secret": "secrets",
    "PersistentVolumeClaim": "persistentvolumeclaims",
}
FORCED: Object = {"metadata": {"finalizers": None}}
BLOCKED_SECONDS = 30.0
"""What the docs promise: by then a deletion has ended, or says who has to do what."""


def promised(name: str, policy: str) -> set[str]:
    """What survives a database of that name, by the table of docs/using.md, as plural/name."""
    lines = USING.read_text().splitlines()
    rows = [re.match(r"\| (\w+) `([^`]+)`.*\| (yes|no) \| (yes|no) \|", line) for line in lines]
    column = {"Delete": 3, "Retain": 4}[policy]
    return {
        f"{PLURALS[row[1]]}/{row[2].format(name=name)}"
        for row in rows
        if row and row[column] == "yes"
    }


# --- what survives --------------------------------------------------------------------------------


async def test_what_survives_is_what_the_docs_promise_whatever_the_cascade(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    ways = ("Background", "Foreground", "Orphan")
    policies = {
        f"{policy}-{way}".lower(): policy for policy in ("Delete", "Retain") for way in ways
    }
    for name, policy in policies.items():
        await databases.create(name, deletionPolicy=policy)
    for name in policies:
        await databases.ready(name)
    for name in policies:
        await databases.delete(name, {"propagationPolicy": name.partition("-")[2].capitalize()})
    for name in policies:
        await databases.gone(name)
        await rows.becomes(name, status="deleted")
    wanted = set().union(*(promised(name, policy) for name, policy in policies.items()))
    assert len(wanted) == 8 * len(ways)
    await eventually(databases.remains, lambda left: left == wanted)
    ours = [one for one in wanted if one.startswith(("cluster", "pooler")) or "-conn" in one]
    assert len(ours) == 3 * len(ways)
    for kept in ours:
        child = await databases.child(*kept.split("/"))
        assert child
        assert "ownerReferences" not in child["metadata"], kept


async def test_a_namespace_goes_with_what_was_to_be_retained(
    api: Api, databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await databases.create("orders", deletionPolicy="Retain")
    await databases.ready("orders")
    await api.delete("namespaces", "", databases.namespace)
    await databases.namespace_gone()
    await rows.becomes("orders", status="deleted")


# --- nothing hangs in silence ---------------------------------------------------------------------


async def test_a_deletion_that_a_stranger_holds_says_who_must_act(
    databases: Databases, operators: Operators, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert removal.BLOCKED_SECONDS + 2 * removal.POLL_SECONDS < BLOCKED_SECONDS
    monkeypatch.setattr(removal, "BLOCKED_SECONDS", 1.0)
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    held = {"metadata": {"finalizers": ["example.com/hold"]}}
    await databases.api.patch("clusters", databases.namespace, "daap-orders", held)
    await databases.delete("orders")
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "Reconciling").get("reason") == "DeletionBlocked",
    )
    assert phase(found) == "Deleting"
    assert "example.com/hold on Cluster daap-orders" in condition(found, "Reconciling")["message"]
    await eventually(lambda: databases.events("orders"), lambda seen: "DeletionBlocked" in seen)
    await databases.api.patch("clusters", databases.namespace, "daap-orders", FORCED)
    await databases.gone("orders")


async def test_a_database_of_an_older_operator_goes(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    """It knew neither our labels nor most of the status."""
    operator = await operators.start()
    await databases.create("orders")
    status = (await databases.ready("orders"))["status"]
    await operator.stop()
    old = dict.fromkeys(status) | {"phase": "Ready", "clusterName": "daap-orders"}
    await databases.api.patch(
        "daapdatabases", databases.namespace, "orders", {"status": old}, "status"
    )
    for plural, name in (
        ("clusters", "daap-orders"),
        ("poolers", "daap-orders-pooler"),
        ("secrets", "daap-orders-connection"),
    ):
        unlabelled = {"metadata": {"labels": None}}
        await databases.api.patch(plural, databases.namespace, name, unlabelled)
    await databases.delete("orders")
    await operators.start()
    await databases.gone("orders")
    await rows.becomes("orders", status="deleted")
    await eventually(databases.remains, lambda left: left == set())


async def test_a_finalizer_removed_by_force_leaves_nothing_that_was_to_go(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    operator = await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await operator.stop()
    await databases.delete("orders")
    await databases.api.patch("daapdatabases", databases.namespace, "orders", FORCED)
    await databases.gone("orders")
    await operators.start()
    await rows.becomes("orders", status="deleted")
    await eventually(databases.remains, lambda left: left == set())


@pytest.fixture
def own_plane() -> Iterator[ControlPlane]:
    """A control plane with CloudNativePG's kinds, which may be taken away."""
    name = f"ending-{uuid.uuid4().hex[:8]}"
    with ControlPlane.create(name, flags=CONTROL_PLANE_FLAGS) as plane:
        prerequisites.install(plane)
        plane.kubectl("apply", "--server-side", "-f", "-", input=crd.render(*DEFINITIONS))
        wait_established(plane.kubectl)
        yield plane


@pytest.fixture
async def own_databases(own_plane: ControlPlane) -> AsyncIterator[Databases]:
    """DaapDatabases there, with a stand-in for CloudNativePG."""
    standin = StandIn(own_plane.user_kubeconfig("cnpg", ("system:masters",)))
    standin.start()
    async with Api(own_plane.kubeconfig) as api:
        yield Databases(api, "default")
    standin.stop()


async def test_cloudnativepg_may_be_uninstalled_with_all_its_kinds(
    own_plane: ControlPlane,
    own_databases: Databases,
    operators: Operators,
    rows: Rows,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its Clusters go with their kind, and garbage collection no longer knows whose claims are."""
    monkeypatch.setattr(removal, "BLOCKED_SECONDS", 1.0)
    await operators.start(**rights.environment(own_plane))
    for name, policy in (("orders", "Delete"), ("kept", "Retain")):
        await own_databases.create(name, deletionPolicy=policy)
        await own_databases.ready(name)
    own_plane.stop("kube-controller-manager")
    api = own_databases.api
    for plural in ("clusters", "poolers"):
        await api.delete("customresourcedefinitions", "", f"{plural}.postgresql.cnpg.io")
        await eventually(lambda plural=plural: unknown(api, plural))  # type: ignore[misc]
    own_plane.start("kube-controller-manager")
    for name in ("orders", "kept"):
        await own_databases.delete(name)
    await own_databases.gone("kept")
    found = await eventually(
        lambda: own_databases.get("orders"),
        lambda obj: condition(obj, "Reconciling").get("reason") == "DeletionBlocked",
    )
    said = condition(found, "Reconciling")["message"]
    assert "PersistentVolumeClaim daap-orders-1" in said
    assert "delete it by hand when CloudNativePG is no longer installed" in said
    await api.delete("persistentvolumeclaims", "default", "daap-orders-1")
    await own_databases.gone("orders")
    await rows.becomes("orders", status="deleted")


async def unknown(api: Api, plural: str) -> bool:
    """Whether the API server has forgotten the kind."""
    try:
        await api.list(plural)
    except ApiError as error:
        return error.status == 404
    return False
