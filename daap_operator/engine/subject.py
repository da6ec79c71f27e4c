"""One object as a pass sees it: read leniently, judged strictly. Pure.

Whatever was stored before a rule existed must still be deletable, and its status reportable: so
metadata and status are read on their own, and a spec that breaks today's rules is a problem to
report, not an exception.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any, Generic, TypeVar

from pydantic import ValidationError

from daap_operator import names, raw
from daap_operator.api.base import Model
from daap_operator.api.kind import Kind
from daap_operator.api.meta import Metadata, Status
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.conditions import Moment
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Stalled
from daap_operator.lines import quoted

Object = dict[str, Any]
S = TypeVar("S", bound=Status)
M = TypeVar("M", bound=Model)


@dataclass(frozen=True)
class Subject(Generic[S]):
    """The object of a pass."""

    kind: Kind
    seen: Object
    """The object as the store has it."""
    metadata: Metadata
    spec: raw.Object
    """As it stands, whether valid or not."""
    status_before: Object
    """As it stands."""
    status: S
    """As far as it can be read."""

    @property
    def key(self) -> Ref:
        """The workqueue's key."""
        return Ref(self.kind, self.metadata.namespace, self.metadata.name)

    @property
    def ours(self) -> bool:
        """Whether our finalizer is on it: then there may be children."""
        return names.FINALIZER in self.metadata.finalizers

    def moment(self, now: datetime) -> Moment[S]:
        """What a new status is made from."""
        return Moment(self.status, self.metadata, now)


def read(kind: Kind, seen: Object, status: type[S]) -> Subject[S]:
    """The object, as the store has it, with its kind's status."""
    before = raw.mapping(seen, "status")
    return Subject(
        kind=kind,
        seen=seen,
        metadata=Metadata.model_validate(seen["metadata"]),
        spec=raw.mapping(seen, "spec"),
        status_before=dict(before),
        status=_readable(before, status),
    )


def _readable(before: raw.Object, status: type[S]) -> S:
    """The status without the fields that cannot be read: of another version, or of a vandal."""
    known = {k: v for k, v in before.items() if k in _fields(status) and raw.fits(v)}
    try:
        return status.model_validate(known)
    except ValidationError as error:
        bad = {problem["loc"][0] for problem in error.errors()}
        return status.model_validate({k: v for k, v in known.items() if k not in bad})


@cache
def _fields(status: type[Status]) -> frozenset[str | None]:
    """By their names on the wire; the model takes Python's as well."""
    return frozenset(field.alias for field in status.model_fields.values())


def validated(seen: Object, model: type[M], status: type[Status]) -> M:
    """The object with a spec that keeps all rules of its kind's model.

    Raises Stalled, naming each field, its value and the remedy, when it does not.
    """
    readable = _readable(raw.mapping(seen, "status"), status)
    try:
        return model.model_validate(seen | {"status": readable})
    except ValidationError as error:
        raise Stalled(CommonReason.INVALID_SPEC, "; ".join(problems(error))) from None


def problems(error: ValidationError) -> list[str]:
    """What pydantic found, a sentence a field: path, value, what it must be."""
    return [_problem(found) for found in error.errors(include_url=False)]


def _problem(found: Any) -> str:
    path = _path(found["loc"])
    text = found["msg"].removeprefix("Value error, ")
    if found["type"] == "missing":
        return f"{path} is required: set it"
    if found["type"] == "value_error":  # our own texts tell the value
        return f"{path} {text}".lstrip()
    return f"{path} '{quoted(str(found['input']))}': {text}"


def _path(parts: Iterable[str | int]) -> str:
    """As the API server writes it: `spec.schema[0].inline[1].name`."""
    told = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts)
    return "".join(told).lstrip(".")
