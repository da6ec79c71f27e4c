"""How a restore is getting on, and why it fails, as a database tells it. Pure."""

from dataclasses import replace
from typing import Any

from daap_operator import raw
from daap_operator.api.v1alpha1 import SourceStatus
from daap_operator.findings import Finding
from daap_operator.kinds.database.phases import Meaning
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.seen import Awaited, Children, Observed
from daap_operator.kinds.database.stuck import Failure
from daap_operator.kinds.recovery_log import failed_pods

Object = dict[str, Any]


def failed_pod(children: Children) -> Object | None:
    """The pod of the latest try that has failed; None when none is there."""
    return next(reversed(failed_pods(children.pods)), None)


# --- what is told ---------------------------------------------------------------------------------


def explained(
    observed: Observed,
    source: SourceStatus,
    children: Children,
    failure: Failure | None,
    status: raw.Object | None = None,
) -> Observed:
    """The same with how the restore is getting on, while the first instance is being set up.

    `status` is the database's, which tells whether there was data before. Once there has been a
    primary the restore is over, whatever a pod that is left, or made by somebody, says of it.
    """
    awaited, action = observed.awaited, observed.action
    if raw.text(children.cluster, "status", "currentPrimary"):
        return observed
    if failure and action and action.reason is DatabaseReason.UNRECOVERABLE:
        told = _failing(source, failure, "CloudNativePG has given up", status)
        return replace(observed, action=told, awaited=Awaited(*_both(told), Meaning.ACTION))
    if awaited is None or awaited.reason is not DatabaseReason.CLUSTER_STARTING:
        return observed
    if failure:
        told = _failing(source, failure, "CloudNativePG tries again", status)
        return replace(observed, awaited=Awaited(*_both(told), Meaning.BLOCKED))
    message = f"{_what(source)} is being restored{_since(children)}"
    return replace(observed, awaited=Awaited(DatabaseReason.RESTORING, message, Meaning.STARTING))


def _both(finding: Finding) -> tuple[Any, str]:
    return finding.reason, finding.message


def _what(source: SourceStatus) -> str:
    """The archive and the moment, for people."""
    until = "to the latest change that was archived"
    if source.at:
        until = f"to {source.at}"
    elif source.backup_id:
        until = f"to the end of backup {source.backup_id}"
    return f"Archive '{source.archive}' of ObjectStore '{source.store}', {until},"


def _since(children: Children) -> str:
    since = raw.moment(children.cluster, "metadata", "creationTimestamp")
    return f" since {since:%Y-%m-%d %H:%M} UTC" if since else ""


def _failing(
    source: SourceStatus, failure: Failure, next_step: str, status: raw.Object | None
) -> Finding:
    said = f": {failure.words}" if failure.words else f", and {_UNREAD[failure.refused]}"
    remedy = _remedy(failure.words, source, status)
    message = f"{_what(source)} could not be restored{said}. {remedy}; {next_step}"
    return Finding(DatabaseReason.RESTORE_FAILING, message)


_UNREAD = {
    False: "its log does not say why",
    True: "the operator may not read the log that says why: the platform team must grant it 'get' "
    "of pods/log",
}


def _remedy(said: str, source: SourceStatus, status: raw.Object | None) -> str:
    """Nobody is told to delete a database that had data: what it was before is in an archive."""
    remedy = next((remedy for sign, remedy in _REMEDIES if sign in said), _UNKNOWN)
    restore, served = raw.text(status, "restore", "name"), raw.text(status, "secretName")
    if remedy is _UNKNOWN or not (restore or served):
        return remedy
    return _in_place(restore) if restore else _LOST.format(source.archive)


_LOST = (
    "Keep this DaapDatabase, which had data: another one with spec.source.archive '{}' begins with "
    "what can be restored of that"
)


def _in_place(restore: str) -> str:
    return (
        f"DaapRestore {restore} says where the state before is: create another DaapRestore to that "
        "or to another moment, with spec.safetyBackup 'Skip'"
    )


_AGAIN = "delete this DaapDatabase, which holds no data yet, and create it again"
_EARLIER = f"{_AGAIN} with an earlier moment, or without spec.source.at"
_REMEDIES = (
    (
        "before configured recovery target",
        f"Nothing was changed after it, or the archive cannot be read to its end: {_EARLIER}",
    ),
    (
        "no target backup found",
        f"There is no base backup that ended before that moment: {_AGAIN} with a later one",
    ),
    (
        "Missing file",
        f"The base backup is not complete in the store: {_AGAIN} from another spec.source.backup",
    ),
    (
        "incompatible",
        f"spec.postgresVersion is not the version of the data: {_AGAIN} with that",
    ),
)
"""By what the words contain. The first is said, too, when the object store fails in between."""
_UNKNOWN = (
    "If this lasts, the platform team must make sure that the ObjectStore's credentials and "
    "address are right and that it has this archive"
)
