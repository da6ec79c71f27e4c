"""What stands in for the world in unit tests: a clock, refusals, the inventory, the Events.

The API server is in `fake_kube`, CloudNativePG and people are on the `stage`.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from daap_operator.api.meta import Metadata
from daap_operator.engine.announce import Announcement
from daap_operator.kinds.database.row import DATABASES, Row
from daap_operator.kube import ApiError, Kind
from daap_operator.mirror import Differences, Expected, MetadataError, Table
from daap_operator.mirror.table import R


class Clock:
    """A time that moves only when told to."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def now(self) -> datetime:
        return datetime(2026, 3, 1, 12, 0, tzinfo=UTC) + timedelta(seconds=self.seconds)

    def monotonic(self) -> float:
        return 1000.0 + self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class Killed(BaseException):
    """The process ended here; nobody catches this."""


def refused(status: int, message: str = "no", reason: str = "", **details: object) -> ApiError:
    """An answer of the API server that is an error."""
    body = {"message": message, "reason": reason, "details": details}
    return ApiError(status, body, what="request")


class FakeMirror:
    """`mirror.Rows` as a dict for each table."""

    def __init__(self) -> None:
        self.tables: dict[str, dict[str, Any]] = defaultdict(dict)
        """Live rows by table and id."""
        self.deleted: set[str] = set()
        """The ids of the rows marked as deleted, of whatever table."""
        self.saved: list[Any] = []
        """What was written, in order."""
        self.outage: MetadataError | None = None
        self.after_write: Callable[[], None] = lambda: None
        """Called when something was written, before that is answered."""
        self.remembered: dict[tuple[str, str], dict[str, str]] = {}
        """What is known of deleted objects, by namespace and name."""
        self.recalled: list[tuple[str, str]] = []
        """The places that were asked for."""
        self.compared: list[Collection[str]] = []
        """The namespaces of each comparison."""

    @property
    def rows(self) -> dict[str, Row]:
        """The live rows of databases by id."""
        return self.tables[DATABASES.name]

    def holds(self, table: Table[R], uid: str) -> bool:
        return uid in self.tables[table.name]

    async def save(self, table: Table[R], row: R) -> None:
        self._require_server()
        rows = self.tables[table.name]
        if rows.get(row.id) != row:
            rows[row.id] = row
            self.saved.append(row)
            self.after_write()

    async def mark_deleted(self, table: Table[R], uid: str) -> None:
        self._require_server()
        if self.tables[table.name].pop(uid, None) is not None:
            self.deleted.add(uid)
            self.after_write()

    async def newest_deleted(
        self, table: Table[R], place: tuple[str, str], paths: tuple[str, ...], known: str
    ) -> Mapping[str, str] | None:
        self._require_server()
        self.recalled.append(place)
        row = self.remembered.get(place)
        return row and {path: row[path] for path in paths if path in row}

    async def compare(
        self, table: Table[R], expected: Expected[R], namespaces: Collection[str]
    ) -> AsyncIterator[Differences]:
        self._require_server()
        self.compared.append(namespaces)
        ids = expected.after("", 1000)
        should = {uid: row for uid in ids if (row := expected.row(uid)) is not None}
        rows = self.tables[table.name]
        wrong = {uid for uid, row in should.items() if rows.get(uid) != row}
        yield Differences(orphans=rows.keys() - should.keys(), wrong=wrong)

    def _require_server(self) -> None:
        if self.outage is not None:
            raise self.outage


class FakeAnnouncer:
    """`announce.Events` as a list."""

    def __init__(self) -> None:
        self.announced: list[Announcement] = []

    def announce(
        self, kind: Kind, metadata: Metadata, announcement: Announcement, now: datetime
    ) -> None:
        self.announced.append(announcement)
