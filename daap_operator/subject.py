"""One DaapDatabase as a pass sees it: read leniently, judged strictly. Pure.

Whatever was stored before a rule existed must still be deletable, and its status tellable: so
metadata and status are read on their own, and a spec that breaks today's rules is a problem to
tell, not an exception.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from daap_operator import names, raw
from daap_operator.api.meta import Metadata
from daap_operator.api.v1alpha1 import DaapDatabase, DaapDatabaseStatus, DeletionPolicy
from daap_operator.cache import Key
from daap_operator.engine.conditions import Moment
from daap_operator.errors import Stalled

Object = dict[str, Any]

_STATUS_FIELDS = {field.alias for field in DaapDatabaseStatus.model_fields.values()}
"""By their names on the wire; the model takes Python's as well."""


@dataclass(frozen=True)
class Subject:
    """The object of a pass."""

    metadata: Metadata
    spec: raw.Object
    """As it stands, whether valid or not."""
    status_before: Object
    """As it stands."""
    status: DaapDatabaseStatus
    """As far as it can be read."""

    @property
    def key(self) -> Key:
        """The workqueue's key."""
        return Key(self.metadata.namespace, self.metadata.name)

    @property
    def cluster_name(self) -> str:
        """The Cluster's name, also of an object that has no status yet, or lost it."""
        return self.status.cluster_name or names.cluster_name(self.metadata.name)

    @property
    def ours(self) -> bool:
        """Whether our finalizer is on it: then there may be children."""
        return names.FINALIZER in self.metadata.finalizers

    @property
    def retained(self) -> bool:
        """Whether the data stays when the object goes."""
        return raw.text(self.spec, "deletionPolicy") == DeletionPolicy.RETAIN

    @property
    def protected(self) -> bool:
        """Whether a deletion is to be held."""
        return raw.truth(self.spec, "deletionProtection")

    def moment(self, now: datetime) -> Moment[DaapDatabaseStatus]:
        """What a new status is made from."""
        return Moment(self.status, self.metadata, now)


def subject(seen: Object) -> Subject:
    """Read a cached DaapDatabase."""
    status = raw.mapping(seen, "status")
    return Subject(
        metadata=Metadata.model_validate(seen["metadata"]),
        spec=raw.mapping(seen, "spec"),
        status_before=dict(status),
        status=_status(status),
    )


def _status(status: raw.Object) -> DaapDatabaseStatus:
    """The status without the fields that cannot be read: of another version, or of a vandal."""
    known = {k: v for k, v in status.items() if k in _STATUS_FIELDS and raw.fits(v)}
    try:
        return DaapDatabaseStatus.model_validate(known)
    except ValidationError as error:
        bad = {problem["loc"][0] for problem in error.errors()}
        return DaapDatabaseStatus.model_validate({k: v for k, v in known.items() if k not in bad})


def database(seen: Object) -> DaapDatabase:
    """The object with a spec that keeps all rules.

    Raises Stalled, naming each field, its value and the remedy, when it does not.
    """
    try:
        return DaapDatabase.model_validate(seen | {"status": _status(raw.mapping(seen, "status"))})
    except ValidationError as error:
        raise Stalled("InvalidSpec", "; ".join(problems(error))) from None


def is_valid(seen: Object) -> bool:
    """Whether the object's spec keeps all rules."""
    try:
        database(seen)
    except Stalled:
        return False
    return True


def problems(error: ValidationError) -> list[str]:
    """What pydantic found, a sentence a field: path, value, what it must be."""
    return [_problem(found) for found in error.errors(include_url=False)]


def _problem(found: Any) -> str:
    path = ".".join(str(part) for part in found["loc"])
    text = found["msg"].removeprefix("Value error, ")
    if found["type"] == "missing":
        return f"{path} is required: set it"
    if found["type"] == "value_error":  # our own texts tell the value
        return f"{path} {text}".lstrip()
    return f"{path} '{found['input']}': {text}"
