"""What Prometheus is told over a database's life."""

import pytest

from daap_operator import __version__
from daap_operator.ports import scrapes
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.http import probe
from tests.support.operator import Operators
from tests.support.scrape import Page, scrape


@pytest.fixture(autouse=True)
def _no_page_is_given_out_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scrapes, "PAGE_SECONDS", 0.0)


async def test_a_life_in_metrics(
    databases: Databases, operators: Operators, migrated_database: str
) -> None:
    running = await operators.start(DAAP_WATCH_NAMESPACES=databases.namespace)
    key = {"namespace": databases.namespace, "name": "orders"}
    kind = {"kind": "DaapDatabase"}
    await databases.create("orders")
    await databases.ready("orders")

    async def page() -> Page:
        return await scrape(running.operator)

    def is_ready(seen: Page) -> bool:
        held = seen.value("daap_database_condition", **key, type="Ready", status="True")
        idle = ("daap_reconcile_active_workers", "daap_workqueue_depth")
        return held == 1 and all(seen.value(metric, **kind) == 0 for metric in idle)

    seen = await eventually(page, is_ready)
    assert seen.value("daap_leader") == 1
    assert seen.value("daap_build_info", version=__version__) == 1
    assert seen.value("daap_databases", phase="Ready") == 1
    info = {"owner_team": "checkout", "postgres_version": "17"}
    assert seen.value("daap_database_info", **key, **info) == 1
    assert seen.value("daap_metadata_up") == 1
    assert seen.value("daap_metadata_rows_behind", **kind) == 0
    passes = seen.sum("daap_reconcile_total", **kind)
    assert passes >= 2
    assert seen.value("daap_reconcile_duration_seconds_count", **kind) == passes
    asked = {"verb": "patch", "resource": "daapdatabases/status"}
    assert seen.sum("daap_kube_requests_total", **asked, code="200") >= 1
    assert seen.sum("daap_kube_requests_total", resource="leases") >= 1
    secret = await databases.child("secrets", "daap-orders-connection")
    assert secret
    assert all(value not in seen.text for value in (secret["data"]["password"], migrated_database))

    await databases.delete("orders")
    await databases.gone("orders")
    gone = await eventually(page, lambda seen: seen.value("daap_databases", phase="Deleting") == 0)
    assert "orders" not in gone.text


async def test_a_standby_tells_of_no_database(databases: Databases, operators: Operators) -> None:
    await operators.start(DAAP_IDENTITY="one")
    await databases.create("orders")
    await databases.ready("orders")
    standby = await operators.begin(DAAP_IDENTITY="two")

    async def ready() -> tuple[int, str]:
        return await probe(standby.operator, "/readyz")

    await eventually(ready, lambda seen: seen == (200, "ok\n"))
    page = await scrape(standby.operator)
    assert page.value("daap_leader") == 0
    assert "daap_database" not in page.text
    assert "daap_metadata" not in page.text


async def test_the_probes_and_metrics_ask_nothing_of_the_api_server(
    databases: Databases, operators: Operators
) -> None:
    running = await operators.start(DAAP_WATCH_NAMESPACES=databases.namespace)

    async def requests() -> float:
        """All but those for the Lease, which go on."""
        page = await scrape(running.operator)
        asked = (page.sum("daap_kube_requests_total", **of) for of in ({}, {"resource": "leases"}))
        return next(asked) - next(asked)

    async def asked_meanwhile() -> float:
        before = await requests()
        for _ in range(20):
            seen = await requests()
        return seen - before

    # A listing that comes late, after the start, is none of theirs
    await eventually(asked_meanwhile, lambda asked: asked == 0)
