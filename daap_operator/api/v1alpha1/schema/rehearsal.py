"""When a plan is rehearsed on a restored copy of the database, and what that came to."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model
from daap_operator.api.v1alpha1.schema.plan import MOST_LOCKS, MOST_PENDING, LastError


class Rehearsal(StrEnum):
    """Which plans are rehearsed."""

    NEVER = "Never"
    WHEN_FINDINGS = "WhenFindings"
    ALWAYS = "Always"


class RehearsalState(StrEnum):
    """How far a rehearsal is."""

    RESTORING = "Restoring"
    APPLYING = "Applying"
    PASSED = "Passed"
    FAILED = "Failed"


class RehearsedFile(Model):
    """A file as it was applied to the copy."""

    part: Annotated[str, Field(max_length=16)]
    """`schema` or `fixtures`."""

    file: Annotated[str, Field(max_length=253)]
    """Its name."""

    milliseconds: Annotated[int, Field(ge=0)]
    """How long it took."""

    locks: Annotated[
        list[Annotated[str, Field(max_length=256, description="A lock and a relation.")]],
        Field(max_length=MOST_LOCKS),
    ] = Field(default_factory=list)
    """What it had locked at its end of what was there before, as in `ACCESS EXCLUSIVE on orders`;
    the strongest ones. What a statement locks that cannot run in a transaction is not known."""


class SchemaRehearsal(Model):
    """A plan applied to a restored copy of the database."""

    plan: Annotated[str, Field(max_length=64)]
    """The hash of the plan."""

    of: Annotated[str, Field(max_length=64)]
    """What the plan was made for, as `checked` had it: it counts for no other database or options.
    """

    state: RehearsalState
    """`Restoring` the copy, `Applying` the plan to it, `Passed` or `Failed`."""

    drill: Annotated[str | None, Field(max_length=63)] = None
    """Name of the DaapDrill that restores the copy, and removes it. Set before it is created;
    absent once it is deleted."""

    started_at: datetime
    """When the copy was ordered."""

    recovered_to: datetime | None = None
    """The time of the last transaction that the copy has, as PostgreSQL says it."""

    restore_seconds: Annotated[int | None, Field(ge=0)] = None
    """How long it took until the copy served."""

    milliseconds: Annotated[int | None, Field(ge=0)] = None
    """How long all files took together."""

    files: Annotated[list[RehearsedFile], Field(max_length=MOST_PENDING, default_factory=list)]
    """The files that were applied to the copy; of many the first ones. The copy may lack more than
    the plan has: what was applied to the database after its last archived change."""

    error: LastError | None = None
    """Why it failed."""
