"""The tests' own faults: each does what its name says, and nothing outlives a crash."""

import asyncio
from typing import Any

import aiohttp
import psycopg
import pytest

from daap_operator.kinds.database.row import DATABASES
from daap_operator.mirror import statements
from tests.support import side_effects
from tests.support.faults import Answer, Fault, Process
from tests.toys.team import TEAMS

POINT = "create clusters"
DATABASE = "/apis/daap.io/v1alpha1/namespaces/shop/daapdatabases/orders"
CLUSTER = "/apis/postgresql.cnpg.io/v1/namespaces/shop/clusters/daap-orders"
APPLY, MERGE = "application/apply-patch+yaml", "application/merge-patch+json"
READY = {"type": "Ready", "reason": "Ready"}


class Server:
    """Counts what arrives."""

    def __init__(self) -> None:
        self.arrived = 0

    async def answer(self) -> Answer:
        self.arrived += 1
        return 200, {}, b"{}"

    async def run(self) -> None:
        self.arrived += 1


def armed(fault: Fault) -> tuple[Process, Server]:
    process, server = Process(), Server()
    process.arm(POINT, fault)
    return process, server


@pytest.mark.parametrize(("fault", "arrived"), [(Fault.CRASH_BEFORE, 0), (Fault.CRASH_AFTER, 1)])
async def test_nothing_leaves_after_a_crash(fault: Fault, arrived: int) -> None:
    process, server = armed(fault)
    connection: Any = None
    going = asyncio.create_task(process.request(POINT, server.answer))
    await process.struck.wait()
    for point in (POINT, None):
        with pytest.raises(aiohttp.ClientConnectionError):
            await process.request(point, server.answer)
    with pytest.raises(psycopg.OperationalError):
        await process.statement("mark row deleted", connection, server.run)
    assert not going.done()
    going.cancel()
    assert server.arrived == arrived


@pytest.mark.parametrize(
    ("fault", "status"),
    [(Fault.CONFLICT, 409), (Fault.INVALID, 422), (Fault.WEBHOOK, 500), (Fault.THROTTLED, 429)],
)
async def test_a_refused_write_does_not_arrive_and_the_next_one_does(
    fault: Fault, status: int
) -> None:
    process, server = armed(fault)
    assert (await process.request("create poolers", server.answer))[0] == 200
    assert (await process.request(POINT, server.answer))[0] == status
    assert process.struck.is_set()
    assert server.arrived == 1
    assert (await process.request(POINT, server.answer))[0] == 200


@pytest.mark.parametrize(
    ("fault", "raised", "arrived"),
    [(Fault.TIMEOUT, TimeoutError, 1), (Fault.RESET, aiohttp.ClientOSError, 0)],
)
async def test_an_answer_that_does_not_come(
    fault: Fault, raised: type[Exception], arrived: int
) -> None:
    process, server = armed(fault)
    with pytest.raises(raised):
        await process.request(POINT, server.answer)
    assert server.arrived == arrived


async def test_a_process_that_is_armed_again_has_not_been_struck() -> None:
    process, server = armed(Fault.CONFLICT)
    await process.request(POINT, server.answer)
    process.arm(POINT, Fault.CONFLICT)
    assert not process.struck.is_set()


@pytest.mark.parametrize(
    ("method", "path", "body", "kind", "name"),
    [
        ("GET", CLUSTER, None, "", None),
        ("PATCH", CLUSTER, {"metadata": {"resourceVersion": "1"}}, APPLY, "create clusters"),
        ("PATCH", CLUSTER, {"metadata": {"uid": "1"}}, APPLY, "patch clusters"),
        ("PATCH", CLUSTER, {"metadata": {"ownerReferences": None}}, MERGE, "disown clusters"),
        ("DELETE", CLUSTER, {"preconditions": {}}, "", "delete clusters"),
        ("PATCH", DATABASE, {"metadata": {"finalizers": []}}, MERGE, "patch daapdatabases"),
        ("POST", "/api/v1/namespaces/shop/secrets", {}, "", "create secrets"),
        ("PUT", "/api/v1/namespaces/shop/secrets/s", {}, "", "replace secrets"),
        ("PUT", "/api/v1/namespaces/shop/pods/p/eviction", {}, "", "replace pods/eviction"),
        ("DELETE", "/apis/a/v1/nodes/n", None, "", "delete nodes"),
        ("PUT", "/apis/coordination.k8s.io/v1/namespaces/a/leases/b", {}, "", None),
    ],
)
def test_requests_have_names(
    method: str, path: str, body: dict[str, Any] | None, kind: str, name: str | None
) -> None:
    assert side_effects.of_request(method, path, body, kind) == name


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ({"clusterName": "a", "conditions": [READY]}, "claim"),
        ({"job": "a"}, "claim"),
        ({"conditions": [READY, {"type": "Reconciling", "reason": "Updating"}]}, "under way"),
        ({"conditions": [{"type": "Reconciling", "reason": "Deleting"}]}, "deleting"),
        ({"conditions": [READY]}, "settled"),
        ({"host": "a"}, "settled"),
    ],
)
def test_writes_of_the_status_are_told_apart(status: dict[str, Any], name: str) -> None:
    made = side_effects.of_request("PATCH", f"{DATABASE}/status", {"status": status}, MERGE)
    assert made == f"patch daapdatabases/status {name}"


@pytest.mark.parametrize(
    ("status", "name"),
    [
        ({"job": "a", "phase": "Planning"}, "claim Planning"),
        ({"job": "a"}, "claim"),
        ({"job": None, "runs": 1, "checked": "a"}, "looked"),
        ({"job": None, "runs": 3, "verifiedAt": "a"}, "looked"),
        ({"job": None, "runs": 2, "checked": None}, "ran"),
        ({"backup": "a"}, "backup"),
        ({"conditions": [READY]}, "settled"),
    ],
)
def test_writes_of_a_schemas_status_say_what_its_jobs_do(status: dict[str, Any], name: str) -> None:
    url = "/apis/daap.io/v1alpha1/namespaces/shop/daapschemas/tables/status"
    made = side_effects.of_request("PATCH", url, {"status": status}, MERGE)
    assert made == f"patch daapschemas/status {name}"


def test_the_jobs_of_a_schema_are_told_apart() -> None:
    containers = [{"args": ["schema", "apply", "--files=a"]}]
    metadata = {"name": "tables-0", "labels": {"daap.io/schema": "tables-0"}}
    job = {"metadata": metadata, "spec": {"template": {"spec": {"containers": containers}}}}
    url = "/apis/batch/v1/namespaces/shop/jobs/tables-0"
    assert side_effects.of_request("PATCH", url, job, APPLY) == "create jobs apply"


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        (statements.save(DATABASES), "upsert row ready"),
        (statements.mark_deleted(DATABASES), "mark row deleted"),
        (statements.supersede(DATABASES), "supersede row"),
        (statements.save(TEAMS), "upsert team row ready"),
        (statements.mark_deleted(TEAMS), "mark team row deleted"),
        (statements.CLAIM, "claim inventory"),
        (statements.CLAIMED, None),
        (statements.live_page(DATABASES), None),
        (statements.IS_READ_ONLY, None),
        ("SET statement_timeout = '5s'", None),
        ("", None),
        ("DELETE FROM databases", "statement DELETE FROM databases"),
    ],
)
def test_statements_have_names(sql: str, name: str | None) -> None:
    assert side_effects.of_statement(sql, {"status": "ready"}) == name
