"""When to look again at a database, and when to try again what has failed. Pure."""

import hashlib
from datetime import datetime, timedelta

from daap_operator.api.v1alpha1 import DaapSchemaStatus
from daap_operator.kinds.schema.reasons import SchemaReason

FIRST_SECONDS, LAST_SECONDS = 15.0, 3600.0
"""The pause after the first failure; it doubles with each one more, up to an hour."""
FILES_SECONDS = 600.0
"""The first pause where the files themselves are in the way: whoever changes them ends it."""
REHEARSAL_SECONDS, DAY_SECONDS = 3600.0, 86_400.0
"""The first pause after a rehearsal, and the last: each one restores the whole database."""
_DOUBLINGS = 10
_SPREAD = 0.1
"""How much of the time between two looks they are spread over: many databases are ready at once."""


def pauses(reason: str | None, *, in_the_way: bool) -> tuple[float, float]:
    """The first pause after a failure for that reason, and the last, in seconds."""
    if reason == SchemaReason.REHEARSAL_FAILED:
        return REHEARSAL_SECONDS, DAY_SECONDS
    if reason == SchemaReason.REHEARSAL_BLOCKED:
        return FILES_SECONDS, DAY_SECONDS
    return FILES_SECONDS if in_the_way else FIRST_SECONDS, LAST_SECONDS


def retry_at(
    status: DaapSchemaStatus,
    ready_since: datetime | None,
    first: float = FIRST_SECONDS,
    last: float = LAST_SECONDS,
) -> datetime | None:
    """When to try again; None when nothing has failed, or the database has come back since."""
    if not status.failures or status.last_failed_at is None:
        return None
    if ready_since is not None and ready_since > status.last_failed_at:
        return None
    pause = first * 2.0 ** min(status.failures - 1, _DOUBLINGS)
    return status.last_failed_at + timedelta(seconds=min(pause, last))


def verify_at(status: DaapSchemaStatus, uid: str, seconds: float) -> datetime | None:
    """When a database with nothing pending is to be looked at again; None: it never was."""
    if status.verified_at is None:
        return None
    digest = int(hashlib.sha256(uid.encode()).hexdigest()[:8], 16) / 0xFFFFFFFF
    return status.verified_at + timedelta(seconds=seconds * (1.0 - _SPREAD * digest))
