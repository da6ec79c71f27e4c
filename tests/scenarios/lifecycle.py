"""The life of a database, the same on the stand-in and on the real CloudNativePG.

What the stand-in plays has to be what CloudNativePG does: a scenario that passes on one and fails
on the other shows which of the two is wrong.
"""

from tests.support.databases import Databases, condition, phase
from tests.support.eventually import eventually
from tests.support.rows import Rows

SLOW = 120.0
"""Seconds for what starts or stops PostgreSQL."""


async def life(databases: Databases, rows: Rows, name: str) -> None:
    """All of it."""
    await birth(databases, rows, name)
    await from_birth_to_death(databases, rows, name)


async def from_birth_to_death(databases: Databases, rows: Rows, name: str) -> None:
    """What befalls one that is Ready, until it is gone."""
    await edits(databases, rows, name)
    await scaling(databases, name)
    await repair(databases, name)
    await lost_cluster(databases, name)
    await death(databases, rows, name)


async def birth(databases: Databases, rows: Rows, name: str) -> None:
    """From nothing to Ready: status, Secret and row tell the same."""
    created = await databases.create(name, purpose="Order history of the web shop")
    assert created["status"] == {"observedGeneration": -1}
    found = await databases.ready(name, seconds=SLOW)
    status, namespace = found["status"], databases.namespace
    assert status["phase"] == "Ready"
    assert status["clusterName"] == f"daap-{name}"
    assert status["host"] == f"daap-{name}-pooler.{namespace}.svc.cluster.local"
    assert (status["instances"], status["readyInstances"]) == (1, 1)
    assert status["postgresVersion"] == 17
    assert status["binding"] == {"name": status["secretName"]}
    secret = await databases.child("secrets", status["secretName"])
    assert secret
    assert secret["type"] == "servicebinding.io/postgresql"
    assert {"uri", "direct-uri", "ca.crt", "password"} <= set(secret["data"])
    row = await rows.becomes(name, status="ready")
    assert (row["host"], row["port"]) == (status["host"], 5432)
    assert row["secret_name"] == status["secretName"]
    assert str(row["id"]) == found["metadata"]["uid"]


async def edits(databases: Databases, rows: Rows, name: str) -> None:
    """Owner and purpose reach the row."""
    await databases.edit(name, ownerTeam="payments", purpose="All orders")
    await rows.becomes(name, owner_team="payments", purpose="All orders")
    await databases.ready(name, seconds=SLOW)


async def scaling(databases: Databases, name: str) -> None:
    """Two instances where there was one; Ready all the time, and a read-only host at the end."""
    await databases.edit(name, instances=2)
    found = await databases.ready(name, seconds=SLOW)
    assert (found["status"]["instances"], found["status"]["readyInstances"]) == (2, 2)
    secret = await databases.child("secrets", found["status"]["secretName"])
    assert secret
    assert "ro-uri" in secret["data"]


async def repair(databases: Databases, name: str) -> None:
    """What is changed or deleted by hand comes back."""
    cluster, pooler = f"daap-{name}", f"daap-{name}-pooler"
    await databases.api.patch(
        "clusters", databases.namespace, cluster, {"spec": {"smartShutdownTimeout": 99}}
    )
    await eventually(
        lambda: databases.child("clusters", cluster),
        lambda obj: obj and obj["spec"]["smartShutdownTimeout"] == 10,
    )
    before = await databases.child("poolers", pooler)
    assert before
    await databases.api.delete("poolers", databases.namespace, pooler)
    await eventually(
        lambda: databases.child("poolers", pooler),
        lambda obj: obj and obj["metadata"]["uid"] != before["metadata"]["uid"],
    )
    await databases.ready(name, seconds=SLOW)


async def lost_cluster(databases: Databases, name: str) -> None:
    """A Cluster deleted by hand comes back, empty, and the status told of it meanwhile."""
    before = await databases.child("clusters", f"daap-{name}")
    assert before
    await databases.api.delete("clusters", databases.namespace, f"daap-{name}")
    await eventually(
        lambda: databases.child("clusters", f"daap-{name}"),
        lambda obj: obj and obj["metadata"]["uid"] != before["metadata"]["uid"],
    )
    await databases.ready(name, seconds=SLOW)


async def death(databases: Databases, rows: Rows, name: str) -> None:
    """Nothing is left but the row."""
    await databases.delete(name)
    await databases.gone(name, seconds=SLOW)
    gone = ("clusters/", "poolers/", f"secrets/daap-{name}-connection")
    assert [one for one in await databases.remains() if name in one and one.startswith(gone)] == []
    kinds = ("deployments/", "persistentvolumeclaims/")  # garbage collection's, which comes later
    await eventually(
        databases.remains,
        lambda left: not [one for one in left if name in one and one.startswith(kinds)],
        seconds=SLOW,
    )
    row = await rows.becomes(name, status="deleted")
    assert row["deleted_at"] is not None


async def rivals(one: Databases, other: Databases, name: str) -> None:
    """One name in two namespaces: the first has it, and the second gets it afterwards."""
    await one.create(name)
    await one.ready(name, seconds=SLOW)
    await other.create(name)
    found = await other.stalled(name, "NameTaken")
    assert phase(found) == "Error"
    assert one.namespace not in condition(found, "Stalled")["message"]
    assert await other.child("clusters", f"daap-{name}") is None
    await one.delete(name)
    await one.gone(name, seconds=SLOW)
    await other.ready(name, seconds=SLOW)
