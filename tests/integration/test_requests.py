"""What the operator asks of the API server, counted in the API server's audit log."""

import asyncio
import time
from collections import Counter
from collections.abc import Iterable
from functools import partial
from typing import Any

import pytest

from daap_operator.engine.tell import PROGRESS_SECONDS
from tests.support.audit import Audit, Request
from tests.support.daapbackups import DONE
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.nightly import nightly
from tests.support.operator import Operators
from tests.support.rows import Rows

LISTED = {
    *("daapdatabases", "clusters", "poolers", "scheduledbackups", "backups", "objectstores"),
    *("deployments", "endpointslices", "pods", "serviceaccounts", "persistentvolumeclaims"),
    *("daapbackups", "backups", "daaprestores"),
    *("daapdrills", "networkpolicies", "jobs"),
    *("daapschemas", "configmaps"),
}
AT_ONCE, MANY_SECONDS = 50, 300.0
"""Databases that are created at the same time, and how long a busy machine may take for them."""
EVENTS = 2
"""What a creation is announced by; the second one is its last request, after the last status."""


def without_lists(requests: list[Request]) -> list[Request]:
    """What is left when kopf's and our own listings, and the Lease's renewals, are put aside."""
    return [r for r in requests if r.verb != "list" and r.resource != "leases"]


async def all_of_creations(audit: Audit, count: int = 1) -> list[Request]:
    """What so many creations have asked, once the log has their last requests.

    A database is seen to be Ready before its second Event is posted, and each request is logged
    after its answer has left.
    """

    async def asked() -> list[Request]:
        return audit.requests()

    def complete(requests: list[Request]) -> bool:
        made = [(r.verb, r.resource) for r in requests]
        return made.count(("create", "events")) >= count * EVENTS

    return await eventually(asked, complete)


async def test_a_creation_stays_in_its_budget(
    databases: Databases, operators: Operators, audit: Audit
) -> None:
    await operators.start()
    audit.forget()
    began = time.monotonic()
    await databases.create("orders")
    await databases.ready("orders")
    progress = int((time.monotonic() - began) / PROGRESS_SECONDS)  # told of at most that often
    asked = without_lists(await all_of_creations(audit))
    made = Counter((r.verb, r.resource) for r in asked)
    status_writes = made.pop(("patch", "daapdatabases/status"))
    events = made.pop(("create", "events"))
    assert made == {
        ("patch", "daapdatabases"): 1,  # the finalizer
        ("patch", "clusters"): 1,
        ("patch", "poolers"): 1,
        ("get", "secrets"): 2,  # CloudNativePG's credentials and its authority
        ("create", "secrets"): 1,
    }
    assert status_writes <= 3 + progress
    assert events == EVENTS
    assert sum(made.values()) + status_writes <= 10 + progress


BACKED_UP = {"backup": {"store": "backups"}}


def is_recoverable(obj: Any) -> bool:
    return is_ready(obj) and condition(obj, "BackupHealthy").get("status") == "True"


async def test_backups_cost_one_write_more_and_what_is_told_of_the_first(
    databases: Databases, operators: Operators, audit: Audit
) -> None:
    await databases.object_store()
    await operators.start()
    audit.forget()
    began = time.monotonic()
    await databases.create("orders", **BACKED_UP)
    await databases.ready("orders")
    await eventually(lambda: databases.get("orders"), is_recoverable)
    progress = int((time.monotonic() - began) / PROGRESS_SECONDS)
    made = Counter((r.verb, r.resource) for r in without_lists(await all_of_creations(audit)))
    assert made.pop(("patch", "daapdatabases/status")) <= 4 + progress
    assert made.pop(("create", "events")) == EVENTS
    assert made == {
        ("patch", "daapdatabases"): 1,
        ("patch", "clusters"): 1,
        ("patch", "poolers"): 1,
        ("patch", "scheduledbackups"): 1,
        ("get", "secrets"): 2,
        ("create", "secrets"): 1,
    }


VERIFIED = {"backup": {"store": "backups", "verify": {"schedule": "@monthly"}}}


@pytest.mark.parametrize(
    "spec", [{}, BACKED_UP, VERIFIED], ids=["plain", "backed up", "backed up and verified"]
)
async def test_a_healthy_database_costs_no_request(
    spec: dict[str, Any], databases: Databases, operators: Operators, audit: Audit
) -> None:
    await databases.object_store()
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    audit.forget()
    await databases.create("orders", **spec)
    await databases.ready("orders")
    await all_of_creations(audit)
    if spec:
        await eventually(lambda: databases.get("orders"), is_recoverable)
    audit.forget()

    async def listings() -> int:
        return sum(r.resource == "daapdatabases" for r in audit.requests())

    await eventually(listings, lambda count: count >= 3)  # so three resyncs have come and gone
    asked = audit.requests()
    assert without_lists(asked) == []
    assert {r.resource for r in asked} <= LISTED | {"leases"}


@pytest.mark.timeout(1800)
@pytest.mark.parametrize(
    "count", [12, pytest.param(500, marks=nightly("large"))], ids=["12", "500"]
)
async def test_databases_with_backups_of_which_none_is_due_cost_no_request(
    count: int, databases: Databases, operators: Operators, audit: Audit
) -> None:
    """Neither a base backup nor a drill is: both are once a month.

    A store for each fifty: all backups of one end in its status, and 500 at once are a test of
    how fast an API server patches that.
    """
    first = await operators.start()
    for some in range(0, count, AT_ONCE):
        store = f"backups-{some}"
        await databases.object_store(store)
        asked_for = VERIFIED["backup"] | {"store": store, "schedule": "@monthly"}
        made = [f"orders-{number}" for number in range(some, min(some + AT_ONCE, count))]
        await asyncio.gather(*(databases.create(name, backup=asked_for) for name in made))
        for name in made:
            await eventually(partial(databases.get, name), is_recoverable, seconds=MANY_SECONDS)
    await first.stop()  # its Events have been posted then
    operator = await operators.start(DAAP_RESYNC_INTERVAL="1s")
    audit.forget()

    async def listings() -> int:
        return sum(r.resource == "daapdatabases" for r in audit.requests())

    # Seldom: the audit log is long, and is read by the process that the operator runs in
    await eventually(listings, lambda times: times >= 3, seconds=MANY_SECONDS, every=5.0)
    await operator.stop()
    asked = audit.requests()
    assert without_lists(asked) == []
    assert {r.resource for r in asked} <= LISTED | {"leases"}


async def test_a_restart_writes_nothing(
    databases: Databases, operators: Operators, audit: Audit, rows: Rows
) -> None:
    first = await operators.start()
    audit.forget()
    for number in range(5):
        await databases.create(f"orders-{number}")
    for number in range(5):
        await databases.ready(f"orders-{number}")
    await all_of_creations(audit, 5)
    await first.stop()
    before = await rows.execute("SELECT id, xmin::text, updated_at FROM databases ORDER BY id")
    audit.forget()
    second = await operators.start(DAAP_RESYNC_INTERVAL="1s")

    async def listings() -> int:
        return sum(r.resource == "daapdatabases" for r in audit.requests())

    await eventually(listings, lambda count: count >= 4)
    await second.stop()
    assert without_lists(audit.requests()) == []
    after = await rows.execute("SELECT id, xmin::text, updated_at FROM databases ORDER BY id")
    assert after == before


async def test_a_deletion_asks_live_before_it_lets_go(
    databases: Databases, operators: Operators, audit: Audit
) -> None:
    """The children go some time after they were deleted: only a GET tells that they have."""
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    children = (("clusters", "daap-orders"), ("poolers", "daap-orders-pooler"))
    await hold(databases, children, ["daap.io/tests"])
    await databases.delete("orders")
    for plural, name in children:
        await eventually(
            lambda plural=plural, name=name: databases.api.get(  # type: ignore[misc]
                plural, databases.namespace, name
            ),
            lambda child: child and child["metadata"].get("deletionTimestamp"),
        )
    audit.forget()
    await hold(databases, children, None)
    await databases.gone("orders")
    letting_go = ("patch", "daapdatabases")

    async def made() -> list[tuple[str, str]]:
        return [(r.verb, r.resource) for r in audit.requests()]

    asked = await eventually(made, lambda seen: letting_go in seen)  # logged after it took effect
    assert {
        ("get", "clusters"),
        ("get", "poolers"),
        ("list", "persistentvolumeclaims"),
        ("get", "daapdatabases"),
    } <= set(asked[: asked.index(letting_go)])


async def test_a_deletion_that_waits_for_its_final_backup_costs_nothing_while_it_waits(
    databases: Databases, operators: Operators, audit: Audit
) -> None:
    """Three writes hold it: the Backup's name, the Backup, and the status that says so."""
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await databases.object_store()
    await databases.create("orders", backup={"store": "backups", "onDelete": "FinalBackup"})
    await databases.ready("orders")
    await eventually(lambda: databases.child("scheduledbackups", "daap-orders"))

    async def listings() -> int:
        return sum(r.resource == "daapdatabases" for r in audit.requests())

    async def quiet() -> bool:
        audit.forget()
        await eventually(listings, lambda count: count >= 2)
        return not any(r.write for r in without_lists(audit.requests()))

    await eventually(quiet)
    audit.forget()
    await databases.delete("orders")
    held = await eventually(
        lambda: databases.get("orders"),
        lambda obj: "final backup" in condition(obj, "Reconciling").get("message", ""),
    )
    assert held

    async def asked() -> list[tuple[str, str]]:
        return [
            (r.verb, r.resource) for r in without_lists(audit.requests()) if r.resource != "events"
        ]

    made = await eventually(asked, lambda seen: len(seen) >= 3)
    assert Counter(made) == Counter({("patch", "daapdatabases/status"): 2, ("patch", "backups"): 1})
    audit.forget()
    await eventually(listings, lambda count: count >= 3)
    assert [each for each in await asked() if each[0] != "get"] == []
    name = held["status"]["backup"]["finalBackup"]
    await databases.api.patch("backups", databases.namespace, name, {"status": DONE}, "status")
    await databases.gone("orders")


async def hold(
    databases: Databases, children: Iterable[tuple[str, str]], finalizers: list[str] | None
) -> None:
    """Set the finalizers of the children."""
    for plural, name in children:
        patch = {"metadata": {"finalizers": finalizers}}
        await databases.api.patch(plural, databases.namespace, name, patch)
