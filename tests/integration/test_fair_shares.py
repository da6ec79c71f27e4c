"""A tenant with many objects that get no further costs the API server and the others little."""

import asyncio
import time
from collections.abc import Awaitable, Callable

import pytest

from daap_operator import names
from daap_operator.kinds.database import removal
from tests.support.api import Api, Object
from tests.support.audit import Audit, Request
from tests.support.databases import Databases, condition, database
from tests.support.eventually import as_promised, eventually
from tests.support.operator import Operators

COUNT = 150
AT_ONCE = 25
RESYNCS = 10
"""So many it is measured for, one every two seconds."""
AT_MOST = 10.0
"""Requests a second for a thousand objects, as docs/reliability.md says."""
EDIT_SECONDS = 1.0
"""By so much no edit of another namespace is delayed, as it says there."""
HOUR = 3600.0


@pytest.fixture
def an_hour_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every deletion has been under way for an hour."""
    seconds = removal._seconds_since_asked
    monkeypatch.setattr(removal, "_seconds_since_asked", lambda *of: seconds(*of) + HOUR)


async def test_deletions_that_are_held_cost_little_and_delay_nobody(
    api: Api,
    databases: Databases,
    other_namespace: str,
    operators: Operators,
    audit: Audit,
    an_hour_later: None,
) -> None:
    """Each waits for a volume claim that its own tenant has made, and holds."""
    await for_each(lambda number: held(api, other_namespace, f"db-{number}"))
    await operators.start(DAAP_RESYNC_INTERVAL="2s")
    await databases.create("orders")
    await databases.ready("orders")
    for number in range(5):  # while there is much to do
        await edited(databases, number)
    await eventually(lambda: api.list("daapdatabases", other_namespace), all_blocked)
    # Each is looked at once more for its own status; some looks are in the log late
    await eventually(lambda: asked_meanwhile(audit), lambda asked: not asked)
    audit.forget()
    began = time.monotonic()
    await eventually(lambda: resyncs(audit), lambda count: count >= RESYNCS, seconds=10 * RESYNCS)
    lasted = time.monotonic() - began
    asked = [each for each in audit.requests() if of_tenant(each)]
    assert len(asked) / lasted < AT_MOST * COUNT / 1000, asked[:20]
    for number in range(5, 10):
        await edited(databases, number)
    await for_each(lambda number: freed(api, other_namespace, f"db-{number}"))
    # By the events alone: the next look is in a quarter of an hour
    await eventually(lambda: api.list("daapdatabases", other_namespace), lambda left: not left)


async def for_each(act: Callable[[int], Awaitable[None]]) -> None:
    """Do something with each object, a few at a time."""
    for start in range(0, COUNT, AT_ONCE):
        await asyncio.gather(*(act(number) for number in range(start, start + AT_ONCE)))


async def held(api: Api, namespace: str, name: str) -> None:
    """A deleted DaapDatabase that never had a database, and a claim that looks like its own."""
    cluster = names.cluster_name(name)
    owner = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "name": cluster, "uid": name}
    claim: Object = {
        "metadata": {
            "name": f"{cluster}-1",
            "namespace": namespace,
            "labels": {names.CNPG_CLUSTER_LABEL: cluster},
            "finalizers": ["example.com/hold"],
            "ownerReferences": [owner],
        },
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    await api.create("persistentvolumeclaims", claim)
    body = database(namespace, name)
    body["metadata"]["finalizers"] = [names.FINALIZER]
    await api.create("daapdatabases", body)
    await api.delete("daapdatabases", namespace, name)


async def freed(api: Api, namespace: str, name: str) -> None:
    """Let the claim go."""
    claim = f"{names.cluster_name(name)}-1"
    await api.patch("persistentvolumeclaims", namespace, claim, {"metadata": {"finalizers": None}})
    await api.delete("persistentvolumeclaims", namespace, claim)


def all_blocked(found: list[Object]) -> bool:
    reasons = [condition(obj, "Reconciling").get("reason") for obj in found]
    return reasons == ["DeletionBlocked"] * COUNT


async def edited(databases: Databases, number: int) -> None:
    """Change a spec, and have it followed in time."""
    made = await databases.edit("orders", purpose=f"edit {number}")
    wanted = made["metadata"]["generation"]
    await as_promised(
        lambda: databases.get("orders"),
        lambda obj: obj and obj["status"]["observedGeneration"] == wanted,
        seconds=EDIT_SECONDS,
    )


async def asked_meanwhile(audit: Audit) -> list[Request]:
    """What is asked about the tenant's objects from one resync to the next."""
    audit.forget()
    await eventually(lambda: resyncs(audit), lambda count: count >= 1)
    return [each for each in audit.requests() if of_tenant(each)]


async def resyncs(audit: Audit) -> int:
    """How often everything was listed, by kopf or by the operator itself."""
    return sum((each.verb, each.resource) == ("list", "poolers") for each in audit.requests())


def of_tenant(request: Request) -> bool:
    """Whether a request is about one of the tenant's objects."""
    return request.name.startswith(("db-", "daap-db-"))
