"""What the operator last saw of a drill."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model
from daap_operator.api.meta import Status
from daap_operator.api.v1alpha1.queries import MOST_QUERIES, NAME_LENGTH, VALUE_LENGTH

_INT64 = {"format": "int64"}


class DrillPhase(StrEnum):
    """The drill's life in one word, for people."""

    PENDING = "Pending"
    RESTORING = "Restoring"
    CHECKING = "Checking"
    PASSED = "Passed"
    FAILED = "Failed"


class DrilledDatabase(Model):
    """The database as it was when the drill began."""

    name: Annotated[str, Field(max_length=63)]
    """Name of the DaapDatabase."""

    uid: Annotated[str, Field(max_length=64)]
    """uid of the DaapDatabase."""

    cluster_name: Annotated[str, Field(max_length=63)]
    """Name of its Cluster, which is not touched."""


class RestoreSeconds(Model):
    """How long the restore took, in whole seconds; what cannot be known is left out."""

    base: Annotated[int | None, Field(ge=0)] = None
    """Fetching the base backup."""

    wal: Annotated[int | None, Field(ge=0)] = None
    """Replaying the write-ahead log, until PostgreSQL had reached the moment."""

    total: Annotated[int | None, Field(ge=0)] = None
    """From the creation of the scratch Cluster until it served: with pulling images, binding the
    volume and starting PostgreSQL, as it would be in earnest."""


class QueryResult(Model):
    """What one query came to."""

    name: Annotated[str, Field(max_length=NAME_LENGTH)]
    """The query's name, or its number in the list."""

    ok: bool
    """Whether it was answered, and as expected."""

    value: Annotated[str | None, Field(max_length=VALUE_LENGTH)] = None
    """The first column of the first row as text, cut; absent without a row."""

    error: Annotated[str | None, Field(max_length=VALUE_LENGTH)] = None
    """Why it failed, cut."""


class DrillChecks(Model):
    """What the checks found in the restored database."""

    relations: Annotated[int | None, Field(ge=0)] = None
    """Tables and indexes that pg_amcheck has gone through."""

    corrupt: Annotated[int | None, Field(ge=0)] = None
    """How many of them it found damaged."""

    tables: Annotated[int | None, Field(ge=0)] = None
    """Tables that are the database's own."""

    rows: Annotated[int | None, Field(ge=0, json_schema_extra=_INT64)] = None
    """Rows in all of them, counted."""

    queries: Annotated[list[QueryResult], Field(max_length=MOST_QUERIES, default_factory=list)]
    """What the queries came to, in their order."""


class DaapDrillStatus(Status):
    """What the operator last saw."""

    phase: DrillPhase | None = None
    """The drill's life in one word. Passed and Failed are for good, and nothing of the scratch
    Cluster is left then."""

    database: DrilledDatabase | None = None
    """The database whose backup is restored."""

    store: Annotated[str | None, Field(max_length=253)] = None
    """Name of the ObjectStore that has the backup."""

    archive: Annotated[str | None, Field(max_length=253)] = None
    """Name of the archive within the store."""

    at: Annotated[str | None, Field(max_length=32)] = None
    """The moment that is restored to, in UTC; absent with the end of a backup, and for the
    latest."""

    backup_id: Annotated[str | None, Field(max_length=253)] = None
    """The backup that is restored, by its id in the archive."""

    cluster_name: Annotated[str | None, Field(max_length=63)] = None
    """Name of the scratch Cluster. Set once, before it is created."""

    started_at: datetime | None = None
    """When the scratch Cluster was about to be created."""

    recovered_to: datetime | None = None
    """The time of the last transaction that was restored, as PostgreSQL says it."""

    restore_seconds: RestoreSeconds | None = None
    """How long the restore took."""

    checks: DrillChecks | None = None
    """What the checks found."""

    result: DrillPhase | None = None
    """Passed or Failed, as soon as that is certain: the scratch Cluster is removed then."""

    reason: Annotated[str | None, Field(max_length=64)] = None
    """Why it failed, in one word."""

    error: Annotated[str | None, Field(max_length=2048)] = None
    """Why it failed."""

    completed_at: datetime | None = None
    """When the result was certain."""

    @property
    def over(self) -> bool:
        """Whether it has passed or failed: for good."""
        return self.phase in (DrillPhase.PASSED, DrillPhase.FAILED)


CONDITION_TYPES = (
    "`Ready`: the backup was restored and passed every check. `Reconciling`: the drill is under "
    "way, or waits for what comes by itself. `Stalled`: it has failed for good, or waits for what "
    "only a person can change. `MetadataSynced`: the platform's inventory has this state."
)
"""What the conditions of a DaapDrill mean."""
