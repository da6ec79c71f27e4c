"""A database that is backed up, on the real plugin, and what it tells while something fails."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from tests.e2e.test_source import RECOVERED, Server
from tests.support.api import Object
from tests.support.daapbackups import Backups
from tests.support.databases import Databases, condition, is_ready, phase
from tests.support.eventually import eventually
from tests.support.failure_table import EXPECTED_OF_BACKUPS
from tests.support.observer import Watched, now, watching

TOLD = 180.0
"""Seconds: PostgreSQL tries to archive once a minute, and Amazon's library repeats itself."""

SWITCH = "SELECT pg_switch_wal() FROM pg_logical_emit_message(true, '', 'x')"
"""What was written until now goes to the archive, if it can."""
WAITING = "SELECT count(*) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready'"

Report = Callable[[str], None]


@dataclass
class Stage:
    """The database `orders`, which is backed up, and what it tells."""

    shop: Databases
    orders: Server
    watched: Watched
    report: Report

    @property
    def backups(self) -> Backups:
        """DaapBackups beside it."""
        return Backups(self.shop.api, self.shop.namespace)

    async def told(self, failure: str, since: float) -> None:
        """Wait until it tells what the docs say; Ready is as they say all the while."""
        wanted = EXPECTED_OF_BACKUPS[failure]

        def as_documented(found: Any) -> bool:
            healthy = condition(found, "BackupHealthy")
            assert healthy.get("reason") == wanted.reason
            left = [text for text in wanted.says if text not in healthy["message"]]
            assert not left, f"its message does not say {left}"
            return True

        found = await eventually(lambda: self.shop.get("orders"), as_documented, seconds=TOLD)
        said = condition(found, "BackupHealthy")["message"]
        self.report(f"{failure}: told after {now() - since:.0f} s: {said}")
        if wanted.ready:
            self.served(since)

    def served(self, since: float) -> None:
        """It was Ready all the time."""
        seen = [condition(obj, "Ready") for obj in self.watched.since(since)]
        assert not [each for each in seen if each.get("status") != "True"]

    async def recovered(self, failure: str, since: float, reason: str = "Recoverable") -> Object:
        """Wait until the database tells that all is well, or what is left to be done."""
        found = await eventually(
            lambda: self.shop.get("orders"),
            lambda obj: condition(obj, "BackupHealthy").get("reason") == reason,
            seconds=TOLD,
        )
        assert found
        said = condition(found, "BackupHealthy")["message"]
        self.report(f"{failure}: {reason} {now() - since:.0f} s after the repair: {said}")
        return found

    async def backed_up(self, name: str, *wanted: str) -> Object:
        """Wait until a DaapBackup is over, in one of some phases."""
        found = await eventually(
            lambda: self.backups.get(name), lambda obj: phase(obj) in wanted, seconds=RECOVERED
        )
        assert found
        self.report(f"DaapBackup {name}: {found['status'].get('conditions')}")
        return found

    async def another(self, name: str) -> Object:
        """Have a backup made, which succeeds."""
        await self.backups.create(name)
        done = await self.backed_up(name, "Completed", "Failed")
        assert is_ready(done), done["status"]
        return done

    async def drained(self) -> None:
        """Wait until nothing waits to be archived but what is being written."""
        await self.orders.says(SWITCH)
        await eventually(lambda: self.orders.says(WAITING), lambda left: left == "0", seconds=TOLD)


@asynccontextmanager
async def on_stage(shop: Databases, orders: Server, report: Report) -> AsyncIterator[Stage]:
    async with watching(shop, "orders") as watched:
        await eventually(_statuses(watched))
        yield Stage(shop, orders, watched, report)


def _statuses(watched: Watched) -> Callable[[], Any]:
    async def seen() -> list[Any]:
        return watched.statuses

    return seen
