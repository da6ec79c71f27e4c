"""Drills on a schedule, by a real API server; who carries them out is the test's part."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daap_operator import run
from daap_operator.kinds import known
from daap_operator.kinds.served import KINDS
from dev.cluster import ControlPlane
from tests.support.api import Api, Object
from tests.support.backups import STORE
from tests.support.databases import Databases, condition, is_ready
from tests.support.drills import Drills
from tests.support.eventually import eventually
from tests.support.operator import Operators

NAME = "orders"
QUERIES = [{"name": "orders", "sql": "SELECT count(*) > 0 FROM orders", "expect": "t"}]
BACKUP: Object = {
    "store": STORE,
    "schedule": "0 0 1 1 *",
    "verify": {"schedule": "0 4 * * sun", "queries": QUERIES},
}
"""A base backup once a year, which does not become too old meanwhile."""

OTHERS = tuple(kind for kind in KINDS if kind.kind != known.DAAP_DRILL)
"""The drills are carried out by the test."""


class Clock:
    """The operator's, ahead of all others."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead  # noqa: TID251 - it runs beside a real API server


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(run, "_now", made.now)
    return made


@pytest.fixture
async def without_drills(operator_environment: dict[str, str]) -> AsyncIterator[Operators]:
    """Operators that serve all kinds but DaapDrills, and look at all databases each second."""
    environment = {
        **operator_environment,
        "DB_MIN_CONNS": "1",
        "DAAP_LEASE_DURATION": "5m",
        "DAAP_IDENTITY": "tests",
        "DAAP_RESYNC_INTERVAL": "1s",
    }
    async with Operators(environment, OTHERS) as made:
        yield made


async def healthy(databases: Databases, reason: str) -> Object:
    """The database once BackupHealthy has that reason; it is Ready all the time."""

    def holds(obj: Object | None) -> bool:
        return is_ready(obj) and condition(obj, "BackupHealthy").get("reason") == reason

    obj = await eventually(lambda: databases.get(NAME), holds)
    assert obj is not None
    return obj


async def backed_up(databases: Databases, **changed: Any) -> Object:
    await databases.object_store()
    await databases.create(NAME, backup=BACKUP | changed)
    return await healthy(databases, "Recoverable")


async def test_each_week_has_a_drill_and_what_it_shows_is_told(
    databases: Databases,
    without_drills: Operators,
    clock: Clock,
    control_plane: ControlPlane,
    api: Api,
) -> None:
    drills = Drills(api, databases.namespace)
    operator = await without_drills.start()
    database = await backed_up(databases)
    assert await drills.names() == []

    clock.ahead = timedelta(days=8)
    (first,) = await drills.made()
    (made,) = await drills.all()
    assert first.startswith(f"{NAME}-20")
    assert made["spec"] == {"databaseRef": {"name": NAME}, "queries": QUERIES}
    assert made["metadata"]["labels"]["daap.io/scheduled"] == "true"
    (owner,) = made["metadata"]["ownerReferences"]
    assert (owner["kind"], owner["uid"]) == ("DaapDatabase", database["metadata"]["uid"])

    await drills.ends(first, database, clock.now(), phase="Failed", error="orders is corrupt")
    obj = await healthy(databases, "VerificationFailed")
    assert f"DaapDrill {first}: orders is corrupt" in condition(obj, "BackupHealthy")["message"]
    assert obj["status"]["backup"]["lastVerificationFailed"]

    await drills.create("again", NAME)
    await drills.ends("again", database, clock.now() + timedelta(seconds=1))
    obj = await healthy(databases, "Recoverable")
    assert obj["status"]["backup"]["measuredRestoreSeconds"] == 77
    assert obj["status"]["backup"]["verifiedBackup"] == "20260301T031200"
    wide = ("get", "daapdatabase", NAME, "-n", databases.namespace, "-o", "wide")
    assert "LAST-VERIFIED" in await asyncio.to_thread(control_plane.kubectl, *wide)

    # A month without an operator is made up for once
    await operator.stop()
    clock.ahead += timedelta(days=30)
    await without_drills.start()
    found = await drills.made(3)
    clock.ahead += timedelta(days=30)
    await healthy(databases, "VerificationTooOld")
    assert await drills.names() == found


async def test_the_last_three_of_each_result_stay(
    databases: Databases, without_drills: Operators, clock: Clock, api: Api
) -> None:
    drills = Drills(api, databases.namespace)
    await without_drills.start()
    database = await backed_up(databases)
    await drills.create("by-hand", NAME)
    await drills.ends("by-hand", database, clock.now())
    ended: list[str] = []
    for week in range(1, 6):
        clock.ahead = timedelta(days=7 * week + 1)
        found = await drills.made(min(week, 4) + 1)
        (name,) = set(found) - {*ended, "by-hand"}
        ended = [*ended, name][-4:]
        await drills.ends(name, database, clock.now())
        ended = ended[-3:]
        await drills.made(min(week, 3) + 1)
    assert await drills.names() == sorted(["by-hand", *ended])

    await databases.delete(NAME)
    await databases.gone(NAME)
    await eventually(drills.names, lambda found: found == ["by-hand"])


async def test_nothing_is_drilled_before_the_first_backup_or_while_hibernated(
    databases: Databases, without_drills: Operators, clock: Clock, api: Api
) -> None:
    drills = Drills(api, databases.namespace)
    await without_drills.start()
    await backed_up(databases)
    hibernate = {"metadata": {"annotations": {"cnpg.io/hibernation": "on"}}}
    await api.patch(known.CLUSTER, databases.namespace, f"daap-{NAME}", hibernate)
    await eventually(
        lambda: databases.child("scheduledbackups", f"daap-{NAME}"),
        lambda found: found and found["spec"]["suspend"],
    )
    clock.ahead = timedelta(days=20)
    moved = await databases.edit(NAME, purpose="Orders, asleep")
    generation = moved["metadata"]["generation"]
    await eventually(
        lambda: databases.get(NAME),
        lambda obj: obj and obj["status"]["observedGeneration"] == generation,
    )
    assert await drills.names() == []
    hibernate["metadata"]["annotations"]["cnpg.io/hibernation"] = "off"
    await api.patch(known.CLUSTER, databases.namespace, f"daap-{NAME}", hibernate)
    await drills.made()
