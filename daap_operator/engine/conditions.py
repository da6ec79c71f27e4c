"""A verdict on an object as its status says it: conditions, and the patch that writes them. Pure.

The rules are kstatus's: Reconciling and Stalled are True or absent and never both there, and Ready
alone never means failure. A condition's time moves only when its status does.
https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Generic, Literal, TypeVar

from daap_operator.api.meta import Condition, ConditionType, Metadata, Status
from daap_operator.findings import Finding

S = TypeVar("S", bound=Status)

_MESSAGE = 32768
"""Characters that the API server takes of a condition's message."""


@dataclass(frozen=True)
class Moment(Generic[S]):
    """What a new status is made from: the previous one, the object it speaks of, and the time."""

    previous: S
    metadata: Metadata
    now: datetime


@dataclass(frozen=True)
class Besides:
    """A condition that a kind has besides the engine's; absent where it has nothing to say."""

    kind: ConditionType
    holds: bool
    why: Finding


@dataclass(frozen=True)
class Verdict:
    """The situation in the terms of the conditions."""

    ready: bool
    why: Finding
    """Of Ready, whether it holds or not."""
    stalled: Finding | None = None
    """Why somebody has to act; None when nobody has to."""
    reconciling: Finding | None = None
    """What is under way; None when nothing is. Not reported while somebody has to act."""
    phase: StrEnum | None = None
    """The life of the object in one word, for a kind whose status has `phase`."""
    besides: tuple[Besides, ...] = ()
    """The kind's own conditions, in the order in which they are reported."""


@dataclass(frozen=True)
class Inventory:
    """Whether the metadata database has this state, and why."""

    synced: bool
    why: Finding


def with_verdict(status: S, moment: Moment[S], verdict: Verdict) -> S:
    """The status with the verdict's conditions and no others, for the moment's generation."""
    made = [_condition(ConditionType.READY, verdict.why, moment, holds=verdict.ready)]
    if verdict.stalled:
        made.append(_condition(ConditionType.STALLED, verdict.stalled, moment))
    elif verdict.reconciling:
        made.append(_condition(ConditionType.RECONCILING, verdict.reconciling, moment))
    made += [_condition(own.kind, own.why, moment, holds=own.holds) for own in verdict.besides]
    phase = {"phase": verdict.phase} if verdict.phase is not None else {}
    generation = {"observed_generation": moment.metadata.generation}
    return status.model_copy(update={"conditions": made} | generation | phase)


def with_inventory(status: S, moment: Moment[S], inventory: Inventory | None) -> S:
    """The status with the condition MetadataSynced; without it for an object that has no row."""
    if inventory is None:
        return status
    kind, holds = ConditionType.METADATA_SYNCED, inventory.synced
    made = _condition(kind, inventory.why, moment, holds=holds)
    return status.model_copy(update={"conditions": [*status.conditions, made]})


def _condition(
    kind: ConditionType, why: Finding, moment: Moment[S], *, holds: bool = True
) -> Condition:
    value: Literal["True", "False"] = "True" if holds else "False"
    previous = moment.previous.condition(kind)
    unchanged = previous is not None and previous.status == value
    since = previous.last_transition_time if previous and unchanged else moment.now
    return Condition(
        type=kind,
        status=value,
        observed_generation=moment.metadata.generation,
        last_transition_time=since.astimezone(UTC).replace(microsecond=0),
        reason=why.reason,
        message=why.message[:_MESSAGE],
    )


def dumped(status: Status) -> dict[str, Any]:
    """The status as it stands on the wire: no nulls, times in UTC to the second."""
    return status.model_dump(mode="json", by_alias=True, exclude_none=True)


def merge_patch(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    """What turns one status into the other (RFC 7386): null for a field that goes."""
    patch: dict[str, Any] = dict.fromkeys(before.keys() - after.keys())
    for field, value in after.items():
        old = before.get(field)
        if isinstance(old, dict) and isinstance(value, dict):
            if deeper := merge_patch(old, value):
                patch[field] = deeper
        elif old != value:
            patch[field] = value
    return patch
