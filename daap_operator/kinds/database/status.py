"""What the user is told, computed whole from what was seen. Pure.

The rules are kstatus's: Reconciling and Stalled are True or absent and never both there, and Ready
alone never means failure. A condition's time moves only when its status does.
https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/README.md
"""

from dataclasses import dataclass, replace

from daap_operator import names
from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import Binding, DaapDatabaseStatus, Phase
from daap_operator.engine.conditions import Moment, Verdict, with_verdict
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.findings import Finding, Reason
from daap_operator.kinds.database.backups import Told
from daap_operator.kinds.database.desired import backup, defaults
from daap_operator.kinds.database.desired.resolved import Resolved
from daap_operator.kinds.database.phases import Meaning
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.seen import Awaited, Observed

DatabaseMoment = Moment[DaapDatabaseStatus]


ALLOTTED = (
    "cluster_name",
    "pooler_name",
    "database_name",
    "defaults_revision",
    "locale",
    "postgres_version",
    "pending_secret",
    "backup",
    "source",
)
"""What a status says before any child exists, by Python's names: given back when none ever will."""


@dataclass(frozen=True)
class Published:
    """The connection Secret as it was written."""

    host: str
    secret: str
    revision: str
    username: str


def first_status(
    moment: DatabaseMoment, resolved: Resolved, backups: Told | None = None
) -> DaapDatabaseStatus:
    """The first status of a database: what it was allotted, before any child exists."""
    message = "The Cluster and the Pooler are being created"
    verdict = Verdict(
        ready=False,
        why=Finding(DatabaseReason.CLUSTER_PENDING, message),
        reconciling=Finding(DatabaseReason.PROVISIONING, message),
        phase=Phase.PROVISIONING,
    )
    status = _allotted(moment.previous, resolved)
    noted = status.model_copy(update={"pending_secret": resolved.secret})
    return _told(noted, moment, verdict, backups)


def sought_status(moment: DatabaseMoment, why: Finding) -> DaapDatabaseStatus:
    """The status while it is not decided what the database is made from: nothing is allotted."""
    verdict = Verdict(ready=False, why=why, reconciling=why, phase=Phase.PROVISIONING)
    return with_verdict(moment.previous, moment, verdict)


def observed_status(
    moment: DatabaseMoment,
    resolved: Resolved,
    observed: Observed,
    problem: Problem | None,
    published: Published | None,
    backups: Told | None = None,
) -> DaapDatabaseStatus:
    """The status of a database that has its name.

    Where the backups were not looked at, it says of them what was chosen, and no more.
    """
    served_before = moment.previous.host is not None
    status = _seen(_allotted(moment.previous, resolved), observed)
    if published is not None:
        status = _published(status, published)
    verdict = judge(observed, problem, served_before=served_before, host=status.host)
    return _told(status, moment, verdict, backups)


def refused_status(
    moment: DatabaseMoment, observed: Observed, problem: Stalled, backups: Told | None = None
) -> DaapDatabaseStatus:
    """The status of an object whose spec is not followed: invalid, or its name is taken.

    What was made of an earlier spec may still serve.
    """
    before = moment.previous
    verdict = judge(observed, problem, served_before=before.host is not None, host=before.host)
    return _told(_seen(before, observed), moment, verdict, backups)


def given_back_status(
    moment: DatabaseMoment, observed: Observed, problem: Stalled
) -> DaapDatabaseStatus:
    """The status of an object that was allotted a name and could not get a Cluster.

    The same as that of one that never was allotted anything.
    """
    before = moment.previous.model_copy(update=dict.fromkeys(ALLOTTED))
    return refused_status(replace(moment, previous=before), observed, problem)


def deleting_status(
    moment: DatabaseMoment,
    why: Finding,
    published: Published | None = None,
    backups: Told | None = None,
) -> DaapDatabaseStatus:
    """The status while the deletion is under way; the message says what it waits for.

    Backups are reported only while the deletion is held.
    """
    verdict = Verdict(ready=False, why=why, reconciling=why, phase=Phase.DELETING)
    status = moment.previous if published is None else _published(moment.previous, published)
    return _told(status, moment, verdict, backups)


def _told(
    status: DaapDatabaseStatus, moment: DatabaseMoment, verdict: Verdict, backups: Told | None
) -> DaapDatabaseStatus:
    """The status with the verdict, and with what is told of the backups, which touch it not."""
    if backups is None:
        return with_verdict(status, moment, verdict)
    besides = (backups.healthy,) if backups.healthy else ()
    full = status.model_copy(update={"backup": backups.status})
    return with_verdict(full, moment, replace(verdict, besides=besides))


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


def _needs_somebody(observed: Observed, problem: Problem | None) -> Finding | None:
    """What only a person can repair, whether clients are served or not."""
    return problem.finding if isinstance(problem, Stalled) else observed.action


def _stalled(observed: Observed, stalled: Finding, *, served_before: bool) -> Verdict:
    """Ready says why clients are not served: for want of what is refused, or for another reason."""
    awaited, why = observed.awaited, stalled
    if served_before and awaited and (awaited.reason, awaited.message) != (why.reason, why.message):
        why = Finding(DatabaseReason.NOT_SERVING, awaited.message)
    return Verdict(ready=False, why=why, stalled=stalled, phase=Phase.ERROR)


def _serving(
    observed: Observed, problem: Waiting | None, stalled: Finding | None, host: str
) -> Verdict:
    under_way = None
    if problem is not None:
        under_way = problem.finding
    elif observed.unsettled:
        settled = observed.phase.meaning is Meaning.SETTLED
        usual: Reason = DatabaseReason.UPDATING if settled else observed.phase.reason
        under_way = Finding(observed.unsettled_reason or usual, observed.unsettled)
    why = Finding(CommonReason.READY, f"Clients can connect to {host}:{names.POSTGRES_PORT}")
    return Verdict(ready=True, why=why, stalled=stalled, reconciling=under_way, phase=Phase.READY)


def _what_is_awaited(observed: Observed, problem: Waiting | None) -> Awaited:
    seen = observed.awaited
    if seen is not None and (problem is None or seen.meaning is Meaning.UNKNOWN):
        return seen  # a passing problem of ours must not hide that it is not known
    if problem is not None:
        return Awaited(problem.finding.reason, problem.finding.message, Meaning.STARTING)
    message = "The connection Secret has not been written yet"
    return Awaited(DatabaseReason.CREDENTIALS_PENDING, message, Meaning.STARTING)


def _not_serving(awaited: Awaited, *, served_before: bool) -> Verdict:
    phase: Phase = Phase.PROVISIONING
    why: Finding = awaited
    if awaited.meaning is Meaning.UNKNOWN:
        pass  # never an error: a newer CloudNativePG may have a new word for health
    elif served_before:
        phase, why = Phase.ERROR, Finding(DatabaseReason.NOT_SERVING, awaited.message)
    elif awaited.meaning is Meaning.BLOCKED:
        phase = Phase.ERROR
    return Verdict(ready=False, why=why, reconciling=awaited, phase=phase)


# --- the fields -----------------------------------------------------------------------------------


def _allotted(previous: DaapDatabaseStatus, resolved: Resolved) -> DaapDatabaseStatus:
    return previous.model_copy(
        update={
            "cluster_name": resolved.cluster,
            "pooler_name": resolved.pooler,
            "database_name": resolved.database,
            "defaults_revision": _told_revision(previous, resolved),
            "locale": str(resolved.locale) if resolved.locale else None,
            "source": resolved.source,
            "postgres_version": previous.postgres_version or resolved.postgres_version,
            "backup": backup.allotted(
                previous.backup, resolved.backups, resolved.archive, resolved.archiver
            ),
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
