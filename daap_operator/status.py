"""What the user is told, computed whole from what was seen. Pure.

The rules are kstatus's: Reconciling and Stalled are True or absent and never both there, and Ready
alone never means failure. A condition's time moves only when its status does.
https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from daap_operator import names
from daap_operator.api.meta import Condition, ConditionType, Metadata
from daap_operator.api.v1alpha1 import Binding, DaapDatabaseStatus, Phase
from daap_operator.desired import defaults
from daap_operator.desired.resolved import Resolved
from daap_operator.errors import Stalled, Waiting
from daap_operator.observed import Awaited, Observed
from daap_operator.phases import Meaning

Problem = Stalled | Waiting


@dataclass(frozen=True)
class Published:
    """The connection Secret as it was written."""

    host: str
    secret: str
    revision: str
    username: str


@dataclass(frozen=True)
class Inventory:
    """Whether the metadata database has this state; reason and message are the condition's."""

    synced: bool
    reason: str
    message: str


@dataclass(frozen=True)
class Moment:
    """What a new status is made from: the one before, the object it speaks of, and the time."""

    previous: DaapDatabaseStatus
    metadata: Metadata
    now: datetime


@dataclass(frozen=True)
class Verdict:
    """The situation in the terms of the conditions."""

    phase: Phase
    reason: str
    message: str
    ready: bool = False
    stalled: tuple[str, str] | None = None
    """Reason and message of Stalled; None when nobody has to act."""
    under_way: tuple[str, str] | None = None
    """Reason and message of Reconciling; None when nothing is going on."""


def claimed(moment: Moment, resolved: Resolved) -> DaapDatabaseStatus:
    """The first status of a database: what it was allotted, before any child exists."""
    message = "The Cluster and the Pooler are being created"
    verdict = Verdict(
        Phase.PROVISIONING, "ClusterPending", message, under_way=("Provisioning", message)
    )
    status = _allotted(moment.previous, resolved)
    return _written(status.model_copy(update={"pending_secret": resolved.secret}), moment, verdict)


def with_pending_secret(status: DaapDatabaseStatus, name: str) -> DaapDatabaseStatus:
    """The same status with the name of a connection Secret that is going to be written."""
    return status.model_copy(update={"pending_secret": name})


def with_retained_secret(status: DaapDatabaseStatus, name: str) -> DaapDatabaseStatus:
    """The same status with the connection Secret of the Cluster that is going to be taken over."""
    return status.model_copy(update={"secret_name": name})


def told(
    moment: Moment,
    resolved: Resolved,
    observed: Observed,
    problem: Problem | None,
    published: Published | None,
) -> DaapDatabaseStatus:
    """The status of a database that has its name."""
    served_before = moment.previous.host is not None
    status = _seen(_allotted(moment.previous, resolved), observed)
    if published is not None:
        status = _published(status, published)
    verdict = judge(observed, problem, served_before=served_before, host=status.host)
    return _written(status, moment, verdict)


def refused(moment: Moment, observed: Observed, problem: Stalled) -> DaapDatabaseStatus:
    """The status of an object whose spec is not followed: invalid, or its name is taken.

    What was made of an earlier spec may still serve.
    """
    before = moment.previous
    verdict = judge(observed, problem, served_before=before.host is not None, host=before.host)
    return _written(_seen(before, observed), moment, verdict)


def deleting(
    moment: Moment, reason: str, message: str, published: Published | None = None
) -> DaapDatabaseStatus:
    """The status while the deletion is under way; the message says what it waits for."""
    verdict = Verdict(Phase.DELETING, reason, message, under_way=(reason, message))
    status = moment.previous if published is None else _published(moment.previous, published)
    return _written(status, moment, verdict)


def with_inventory(
    status: DaapDatabaseStatus, moment: Moment, inventory: Inventory | None
) -> DaapDatabaseStatus:
    """The status with the condition MetadataSynced; without it for an object that has no row."""
    if inventory is None:
        return status
    made = _condition(
        ConditionType.METADATA_SYNCED,
        (inventory.synced, inventory.reason, inventory.message),
        moment,
    )
    return status.model_copy(update={"conditions": [*status.conditions, made]})


# --- the verdict ----------------------------------------------------------------------------------


def judge(
    observed: Observed, problem: Problem | None, *, served_before: bool, host: str | None
) -> Verdict:
    """Which row of the table of situations this is (docs/status.md)."""
    stalled = _needs_somebody(observed, problem)
    passing = problem if isinstance(problem, Waiting) else None
    if observed.serving and host:
        return _serving(observed, passing, stalled, host)
    if stalled:
        return _stalled(observed, stalled, served_before=served_before)
    return _not_serving(_what_is_awaited(observed, passing), served_before=served_before)


def _needs_somebody(observed: Observed, problem: Problem | None) -> tuple[str, str] | None:
    """Reason and message of what only a person can repair, whether clients are served or not."""
    if isinstance(problem, Stalled):
        return problem.reason, problem.message
    action = observed.action
    return (action.reason, action.message) if action else None


def _stalled(observed: Observed, stalled: tuple[str, str], *, served_before: bool) -> Verdict:
    """Ready says why clients are not served: for want of what is refused, or for another reason."""
    awaited = observed.awaited
    if served_before and awaited and (awaited.reason, awaited.message) != stalled:
        return Verdict(Phase.ERROR, "NotServing", awaited.message, stalled=stalled)
    return Verdict(Phase.ERROR, *stalled, stalled=stalled)


def _serving(
    observed: Observed, problem: Waiting | None, stalled: tuple[str, str] | None, host: str
) -> Verdict:
    under_way = None
    if stalled:
        pass  # by kstatus' rules nothing is under way then
    elif problem is not None:
        under_way = (problem.reason, problem.message)
    elif observed.unsettled:
        settled = observed.phase.meaning is Meaning.SETTLED
        usual = "Updating" if settled else observed.phase.reason
        under_way = (observed.unsettled_reason or usual, observed.unsettled)
    message = f"Clients can connect to {host}:{names.POSTGRES_PORT}"
    return Verdict(Phase.READY, "Ready", message, ready=True, stalled=stalled, under_way=under_way)


def _what_is_awaited(observed: Observed, problem: Waiting | None) -> Awaited:
    seen = observed.awaited
    if seen is not None and (problem is None or seen.meaning is Meaning.UNKNOWN):
        return seen  # a passing problem of ours must not hide that it is not known
    if problem is not None:
        return Awaited(problem.reason, problem.message, Meaning.STARTING)
    message = "The connection Secret is not written yet"
    return Awaited("CredentialsPending", message, Meaning.STARTING)


def _not_serving(awaited: Awaited, *, served_before: bool) -> Verdict:
    phase, reason = Phase.PROVISIONING, awaited.reason
    if awaited.meaning is Meaning.UNKNOWN:
        pass  # never an error: a newer CloudNativePG may have a new word for health
    elif served_before:
        phase, reason = Phase.ERROR, "NotServing"
    elif awaited.meaning is Meaning.BLOCKED:
        phase = Phase.ERROR
    return Verdict(phase, reason, awaited.message, under_way=(awaited.reason, awaited.message))


# --- the fields -----------------------------------------------------------------------------------


def _allotted(previous: DaapDatabaseStatus, resolved: Resolved) -> DaapDatabaseStatus:
    return previous.model_copy(
        update={
            "cluster_name": resolved.cluster,
            "pooler_name": resolved.pooler,
            "database_name": resolved.database,
            "defaults_revision": _told_revision(previous, resolved),
            "locale": str(resolved.locale),
            "postgres_version": previous.postgres_version or resolved.postgres_version,
        }
    )


def _told_revision(previous: DaapDatabaseStatus, resolved: Resolved) -> int | None:
    """The first revision is told where it already is: an upgrade of the operator writes nothing."""
    first = resolved.defaults == defaults.FIRST
    return previous.defaults_revision if first else resolved.defaults


def _seen(status: DaapDatabaseStatus, observed: Observed) -> DaapDatabaseStatus:
    return status.model_copy(
        update={
            "instances": observed.instances,
            "ready_instances": observed.ready_instances,
            "postgres_version": observed.postgres_version or status.postgres_version,
            "storage": observed.storage,
        }
    )


def _published(status: DaapDatabaseStatus, published: Published) -> DaapDatabaseStatus:
    return status.model_copy(
        update={
            "host": published.host,
            "port": names.POSTGRES_PORT,
            "username": published.username,
            "secret_name": published.secret,
            "secret_revision": published.revision,
            "pending_secret": None,
            "binding": Binding(name=published.secret),
        }
    )


# --- the conditions -------------------------------------------------------------------------------


def _written(status: DaapDatabaseStatus, moment: Moment, verdict: Verdict) -> DaapDatabaseStatus:
    wanted = [(ConditionType.READY, (verdict.ready, verdict.reason, verdict.message))]
    if verdict.under_way:
        wanted.append((ConditionType.RECONCILING, (True, *verdict.under_way)))
    if verdict.stalled:
        wanted.append((ConditionType.STALLED, (True, *verdict.stalled)))
    return status.model_copy(
        update={
            "observed_generation": moment.metadata.generation,
            "phase": verdict.phase,
            "conditions": [_condition(kind, what, moment) for kind, what in wanted],
        }
    )


def _condition(kind: ConditionType, what: tuple[bool, str, str], moment: Moment) -> Condition:
    holds, reason, message = what
    value: Literal["True", "False"] = "True" if holds else "False"
    previous = moment.previous.condition(kind)
    unchanged = previous is not None and previous.status == value
    since = previous.last_transition_time if previous and unchanged else moment.now
    return Condition(
        type=kind,
        status=value,
        observed_generation=moment.metadata.generation,
        last_transition_time=since.astimezone(UTC).replace(microsecond=0),
        reason=reason,
        message=message[:32768],
    )


def dumped(status: DaapDatabaseStatus) -> dict[str, Any]:
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
