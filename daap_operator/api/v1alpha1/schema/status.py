"""What the operator last saw of a schema."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model
from daap_operator.api.meta import Status
from daap_operator.api.v1alpha1.schema.plan import (
    MOST_DRIFT,
    MOST_PENDING,
    Drift,
    LastError,
    PendingFile,
)
from daap_operator.api.v1alpha1.schema.rehearsal import SchemaRehearsal
from daap_operator.api.v1alpha1.schema.sources import MOST_SOURCES

_INT64 = {"format": "int64"}
_Count = Annotated[int | None, Field(ge=0)]


class SchemaPhase(StrEnum):
    """The schema's life in one word, for people."""

    PENDING = "Pending"
    PLANNING = "Planning"
    PLANNED = "Planned"
    AWAITING_APPROVAL = "AwaitingApproval"
    APPLYING = "Applying"
    APPLIED = "Applied"
    FAILED = "Failed"


class SchemaDatabase(Model):
    """The database that was last looked at."""

    name: Annotated[str, Field(max_length=63)]
    """Name of the DaapDatabase."""

    uid: Annotated[str, Field(max_length=64)]
    """uid of the DaapDatabase."""

    cluster_name: Annotated[str, Field(max_length=63)]
    """Name of its Cluster."""

    cluster_uid: Annotated[str, Field(max_length=64)]
    """uid of its Cluster: another one has been restored, and is looked at anew."""


class SeenConfigMap(Model):
    """A ConfigMap as its files were read."""

    name: Annotated[str, Field(max_length=253)]
    """Its name."""

    uid: Annotated[str, Field(max_length=64)]
    """Its uid."""

    resource_version: Annotated[str, Field(max_length=64)]
    """Its version, as the API server had it."""


class SchemaFiles(Model):
    """The files that there are."""

    count: Annotated[int, Field(ge=0)]
    """How many there are, fixtures too, without those of images."""

    bytes: Annotated[int, Field(ge=0, json_schema_extra=_INT64)]
    """What they have together."""

    checksum: Annotated[str, Field(max_length=64)]
    """SHA-256 of their names and checksums, without those of images."""

    sources: Annotated[str, Field(max_length=64)] = ""
    """Digest of where they come from, as the spec says it."""

    config_maps: Annotated[
        list[SeenConfigMap], Field(max_length=2 * MOST_SOURCES, default_factory=list)
    ]
    """The ConfigMaps that they were read from."""


class DaapSchemaStatus(Status):
    """What the operator last saw."""

    phase: SchemaPhase | None = None
    """The schema's life in one word."""

    database: SchemaDatabase | None = None
    """The database that was last looked at."""

    files: SchemaFiles | None = None
    """The files that there are."""

    files_checksum: Annotated[str | None, Field(max_length=64)] = None
    """SHA-256 of the names and checksums of all files, those of images too, as the last look found
    them; absent where no image has any."""

    plan: Annotated[str | None, Field(max_length=64)] = None
    """The hash of what is to be applied: what `spec.approve` names."""

    pending: Annotated[list[PendingFile], Field(max_length=MOST_PENDING, default_factory=list)]
    """What is to be applied, in order; of many files the first ones."""

    pending_count: _Count = None
    """How many files are to be applied."""

    findings_count: _Count = None
    """How many findings there are in them."""

    destructive_count: _Count = None
    """How many of these are about data that would be deleted."""

    current: Annotated[str | None, Field(max_length=253)] = None
    """The last file of the schema that is applied."""

    applied: _Count = None
    """How many files are applied, fixtures too."""

    ledger_checksum: Annotated[str | None, Field(max_length=64)] = None
    """Checksum of the ledger, as `daap-operator schema wait --checksum` takes it."""

    last_applied_at: datetime | None = None
    """When a run last applied something."""

    verified_at: datetime | None = None
    """When the database was last compared with the ledger."""

    last_error: LastError | None = None
    """Why the last run failed; absent after one that did not."""

    drift: Annotated[list[Drift], Field(max_length=MOST_DRIFT, default_factory=list)]
    """What of the database is not as the files have made it; of much the first."""

    drift_count: _Count = None
    """How much of it is not."""

    checked: Annotated[str | None, Field(max_length=64)] = None
    """What was last looked at: a digest of the files, the database and the options. Absent when it
    is to be looked at again."""

    attempted: Annotated[str | None, Field(max_length=64)] = None
    """What the last Job was ordered for: a digest of the same, and of how it is applied."""

    approved: Annotated[str | None, Field(max_length=64)] = None
    """The plan that somebody has approved and that is being applied to this database: what a
    failure leaves of it needs no other approval. Absent once all of it is applied."""

    backup: Annotated[str | None, Field(max_length=253)] = None
    """The DaapBackup of the state before the last plan; absent where none was asked for."""

    rehearsal: SchemaRehearsal | None = None
    """The last plan that was rehearsed, or the one that is; absent when that was given up."""

    job: Annotated[str | None, Field(max_length=63)] = None
    """Name of the Job that is under way. Set before it is created."""

    runs: Annotated[int | None, Field(ge=0, json_schema_extra=_INT64)] = None
    """How many Jobs have left a result."""

    failures: Annotated[int | None, Field(ge=0, json_schema_extra=_INT64)] = None
    """How often in a row that has failed: the pauses between two tries grow with it."""

    last_failed_at: datetime | None = None
    """When it last failed."""

    reason: Annotated[str | None, Field(max_length=64)] = None
    """What the last look or run came to, in one word; absent when nothing is in the way."""

    message: Annotated[str | None, Field(max_length=2048)] = None
    """The same for people."""


CONDITION_TYPES = (
    "`Ready`: every file is applied, and the database is as the files have made it. `Reconciling`: "
    "a Job is planning or applying, or what it needs comes by itself. `Stalled`: it waits for a "
    "person: to approve, or to change a file or the database. `MetadataSynced`: the platform's "
    "inventory has this state."
)
"""What the conditions of a DaapSchema mean."""
