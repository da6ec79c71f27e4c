"""What the objects of all our kinds have in common: metadata, conditions and a status."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, field_validator

from daap_operator import names, raw
from daap_operator.api.base import Model


class Metadata(Model):
    """What the operator reads of an object's metadata."""

    name: str
    namespace: str = ""
    """Empty for an object of a cluster-scoped kind."""
    uid: str
    resource_version: str
    generation: int = 0
    creation_timestamp: datetime
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    annotations: Annotated[dict[str, str], Field(default_factory=dict)]
    """Of all that the object has, those of our group that have a value."""

    @field_validator("annotations", mode="before")
    @classmethod
    def _ours(cls, found: object) -> dict[str, str]:
        there = found if isinstance(found, Mapping) else {}
        ours = [name for name in there if str(name).startswith(f"{names.GROUP}/")]
        return {name: text for name in ours if (text := raw.text(there, name))}

    @property
    def deleting(self) -> bool:
        """Whether it is being deleted."""
        return self.deletion_timestamp is not None


class Phase(StrEnum):
    """The object's life in one word, for people."""

    PROVISIONING = "Provisioning"
    READY = "Ready"
    ERROR = "Error"
    DELETING = "Deleting"


class ConditionType(StrEnum):
    """The conditions that an object of ours has."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    METADATA_SYNCED = "MetadataSynced"
    BACKUP_HEALTHY = "BackupHealthy"


class Condition(Model):
    """One observation, as Kubernetes' metav1.Condition."""

    type: Annotated[str, Field(max_length=316)]
    """What is observed; each kind says what Ready means for its objects."""

    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""

    observed_generation: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0
    """The metadata.generation this was observed for."""

    last_transition_time: datetime
    """When `status` last changed."""

    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    """Why, in one CamelCase word."""

    message: Annotated[str, Field(max_length=32768)]
    """Why, for people, and what to do."""


class Status(Model):
    """What every status of ours has."""

    observed_generation: Annotated[
        int | None, Field(ge=-1, json_schema_extra={"format": "int64"})
    ] = None
    """The metadata.generation this status speaks of; -1 before the operator's first pass."""

    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
            default_factory=list,
        ),
    ]
    """What holds and why: Ready, Reconciling, Stalled, MetadataSynced."""

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of that type, if it was ever written."""
        return next((c for c in self.conditions if c.type == kind), None)
