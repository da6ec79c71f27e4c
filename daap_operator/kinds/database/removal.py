"""The end of a database: children, then the Secret; row and finalizer are the loop's, after that.

Every step may be repeated, and the one that cannot be taken back, removing the finalizer, comes
last and after live reads.
"""

from collections.abc import Iterable
from functools import partial
from typing import Any

from daap_operator import names, raw
from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import DaapDatabaseStatus, Phase
from daap_operator.engine.child import Blocker, Child, Owner
from daap_operator.engine.children import delete, release
from daap_operator.engine.kinds import Ref
from daap_operator.engine.patience import PASSING, lasting
from daap_operator.findings import Finding, Reason
from daap_operator.kinds import known
from daap_operator.kinds.database import remedies
from daap_operator.kinds.database.children import database_child
from daap_operator.kinds.database.desired import defaults
from daap_operator.kinds.database.desired.backup import final_backup_name, is_final_wanted
from daap_operator.kinds.database.desired.secret import app_secret
from daap_operator.kinds.database.memory import DatabaseOutcome, DatabaseTurn, DatabaseWorld
from daap_operator.kinds.database.ownership import belongs_to, cluster_owners
from daap_operator.kinds.database.publish import remove_secret
from daap_operator.kinds.database.status import deleting_status
from daap_operator.kinds.database.subject import (
    DatabaseSubject,
    cluster_of,
    is_protected,
    is_replaced,
    is_retained,
)
from daap_operator.kinds.database.watched import children_of

Object = dict[str, Any]

POLL_SECONDS = 1.0
"""When to look for what no watch reports; then after a third of the time that it has taken."""
LIST_SECONDS = 30.0
"""Least time between two LISTs of volume claims that the store has anyway."""

MOST_NAMED = 20
"""Claims that a message names; somebody may have made any number of them."""
BLOCKED_SECONDS = 20.0
"""What takes longer than this is not under way any more: somebody has to act, and is told."""


async def protection(world: DatabaseWorld, looked_at: DatabaseSubject) -> str:
    """Why the deletion is held; empty when it is not.

    Protection is over once the Cluster is going anyway, as in a namespace that is being deleted:
    holding the object then would only keep the namespace. The store is not enough to know that.
    A Cluster that goes to be restored in place comes back, and is protected all the while.
    """
    if not is_protected(looked_at):
        return ""
    namespace, name = looked_at.metadata.namespace, cluster_of(looked_at)
    cluster = world.store.get(Ref(known.CLUSTER, namespace, name))
    if cluster is None:
        cluster = await world.kube.get(known.CLUSTER, namespace, name)
    going = cluster is None or raw.value(cluster, "metadata", "deletionTimestamp")
    if going and not is_replaced(looked_at):
        return ""
    if cluster is not None and not belongs_to(cluster, looked_at.metadata.uid):
        return ""  # another's, in the way from the start: there never was a database
    return (
        "spec.deletionProtection is true, so the database is kept: "
        "set it to false to let the deletion proceed"
    )


async def finalize(world: DatabaseWorld, turn: DatabaseTurn) -> DatabaseOutcome | None:
    """Take the deletion a step further; None once the object may be let go."""
    retained = is_retained(turn.subject)
    if turn.subject.status.phase is not Phase.DELETING:
        await turn.note(_deleting(turn, remedies.fate(retained=retained)))
    looked_at = turn.subject
    if retained:
        await _disown_children(world, looked_at)
    elif blockers := await _delete_children(world, looked_at):
        again = partial(_poll_seconds, world, looked_at)
        return DatabaseOutcome(_blocked(world, turn, blockers), again)
    else:
        await _delete_secrets(world, looked_at)
    await _tell_who_holds(turn)
    return None


def _deleting(
    turn: DatabaseTurn, message: str, *, reason: Reason = CommonReason.DELETING
) -> DaapDatabaseStatus:
    return deleting_status(turn.moment(), Finding(reason, message))


def _blocked(
    world: DatabaseWorld, turn: DatabaseTurn, blockers: list[Blocker]
) -> DaapDatabaseStatus:
    """Name what is waited for; once that is too long, also who has to do what."""
    waiting = f"Waiting for {' and '.join(blocker.what for blocker in blockers)} to be gone"
    if _seconds_since_asked(world, turn.subject) < BLOCKED_SECONDS:
        return _deleting(turn, waiting)
    todo = "; ".join(blocker.remedy for blocker in blockers)
    return _deleting(turn, f"{waiting}: {todo}", reason=CommonReason.DELETION_BLOCKED)


async def _tell_who_holds(turn: DatabaseTurn) -> None:
    """Whose finalizers keep the object, before ours goes: nothing is told after that."""
    if told := remedies.held_by(set(turn.subject.metadata.finalizers) - {names.FINALIZER}):
        turn.latest()
        await turn.note(_deleting(turn, told, reason=CommonReason.DELETION_BLOCKED))


def _poll_seconds(world: DatabaseWorld, looked_at: DatabaseSubject) -> float:
    return lasting(_seconds_since_asked(world, looked_at), first=POLL_SECONDS, part=PASSING)


def _seconds_since_asked(world: DatabaseWorld, looked_at: DatabaseSubject) -> float:
    asked = looked_at.metadata.deletion_timestamp or world.now()
    return (world.now() - asked).total_seconds()


def _owner(looked_at: DatabaseSubject) -> Owner:
    metadata = looked_at.metadata
    return Owner(known.DATABASE, metadata.namespace, metadata.name, metadata.uid)


def _children(world: DatabaseWorld, looked_at: DatabaseSubject) -> list[Child]:
    """The children in the order of their removal: no more backups, then clients lose the pooler."""
    namespace, cluster = looked_at.metadata.namespace, cluster_of(looked_at)
    schedule = database_child(known.SCHEDULED_BACKUP, namespace, cluster)
    had_backups = looked_at.status.backup or world.store.get(schedule.ref)
    final = looked_at.status.backup and looked_at.status.backup.final_backup
    if final is None and is_final_wanted(looked_at.spec, world.platform.backup):
        final = final_backup_name(cluster, looked_at.metadata.uid)  # the status may be lost
    return [
        *([schedule] if had_backups else []),
        database_child(known.POOLER, namespace, names.pooler_name(cluster)),
        database_child(known.CLUSTER, namespace, cluster),
        *([database_child(known.BACKUP, namespace, final)] if final else []),
    ]


def _secrets(looked_at: DatabaseSubject) -> list[str]:
    """What the connection Secret may be called, likeliest first, also when the status is lost."""
    status, asked = looked_at.status, raw.text(looked_at.spec, "connectionSecretName")
    default = names.secret_name(looked_at.metadata.name)
    candidates = (status.secret_name, status.pending_secret, asked, default)
    return list(dict.fromkeys(name for name in candidates if name))


def _credentials(looked_at: DatabaseSubject) -> list[str]:
    """What may have been kept for a Cluster that was restored in place; it is the database's."""
    restored = looked_at.status.source is not None
    return [app_secret(cluster_of(looked_at))] if restored else []


# --- Delete ---------------------------------------------------------------------------------------


async def _delete_children(world: DatabaseWorld, looked_at: DatabaseSubject) -> list[Blocker]:
    """Delete the children; names what is still there."""
    owner = _owner(looked_at)
    left = [
        await delete(world.kube, world.store, owner, each) for each in _children(world, looked_at)
    ]
    blockers = [blocker for blocker in left if blocker]
    return blockers or await volume_claims(world, looked_at)


async def volume_claims(world: DatabaseWorld, looked_at: DatabaseSubject) -> list[Blocker]:
    """Names the Cluster's PersistentVolumeClaims that garbage collection has still to remove.

    While the store has some they are there, and their events are on the way; should one have been
    missed, a LIST tells, now and then. That there is none is always shown by a LIST.
    Claims that no Cluster owns go by nobody's hand: an orphaning deletion left them on purpose, or
    they are somebody else's. Claims of a Cluster that is there are another's, for ours is gone.
    """
    namespace, cluster = looked_at.metadata.namespace, cluster_of(looked_at)
    found = _owned_by_clusters(children_of(world.store, namespace, cluster).claims)
    if not found or _list_due(world, looked_at.key):
        found = await _listed(world, namespace, cluster)
    if not found or await world.kube.get(known.CLUSTER, namespace, cluster) is not None:
        return []
    claims = ", ".join(sorted(claim["metadata"]["name"] for claim in found)[:MOST_NAMED])
    held = any(raw.value(claim, "metadata", "deletionTimestamp") for claim in found)
    remedy = (
        "a pod still uses it, or a finalizer holds it: the platform team must remove that"
        if held
        else "Kubernetes' garbage collection has not removed it yet: the platform team must find "
        "out why, and delete it by hand when CloudNativePG is no longer installed"
    )
    return [Blocker(f"PersistentVolumeClaim {claims}", remedy)]


def _list_due(world: DatabaseWorld, key: Ref) -> bool:
    """Whether what the store says of the claims is to be verified."""
    notes, now = world.notes_of(key), world.monotonic()
    due = notes.claims_due is not None and notes.claims_due <= now
    if due or notes.claims_due is None:
        notes.claims_due = now + LIST_SECONDS
    return due


async def _listed(world: DatabaseWorld, namespace: str, cluster: str) -> list[Object]:
    found: list[Object] = []
    selector = f"{names.CNPG_CLUSTER_LABEL}={cluster}"
    async for page in world.kube.pages(known.CLAIM, namespace, selector=selector):
        for claim in page:  # one at a time: they may be as large as the API server takes
            if cluster_owners(claim) and len(found) < MOST_NAMED:
                found.append(_named(claim))
    return found


def _named(claim: Object) -> Object:
    """What is read of a claim; anybody may have made it, and as large as they like."""
    metadata = raw.mapping(claim, "metadata")
    return {"metadata": raw.picked(metadata, ("name", "deletionTimestamp"))}


def _owned_by_clusters(claims: Iterable[Object]) -> list[Object]:
    return [claim for claim in claims if cluster_owners(claim)]


async def _delete_secrets(world: DatabaseWorld, looked_at: DatabaseSubject) -> None:
    metadata = looked_at.metadata
    for name in _secrets(looked_at):
        await remove_secret(world, metadata.namespace, name, metadata.uid)
    for name in _credentials(looked_at):
        await remove_secret(world, metadata.namespace, name, metadata.uid, left_by=metadata.name)


# --- Retain ---------------------------------------------------------------------------------------


async def _disown_children(world: DatabaseWorld, looked_at: DatabaseSubject) -> None:
    """Take the owner from the children and the Secrets, and note from whom they were retained."""
    namespace = looked_at.metadata.namespace
    mark = names.retained_from(namespace, looked_at.metadata.name)
    team, secret = raw.text(looked_at.spec, "ownerTeam"), _secrets(looked_at)[0]
    made_by = defaults.marks(looked_at.status.defaults_revision)
    marks = {known.CLUSTER: mark | names.retained_with(team, secret) | made_by}
    kept = [each.ref for each in reversed(_children(world, looked_at))]  # the data first
    secrets = [*_secrets(looked_at), *_credentials(looked_at)]
    kept += [Ref(known.SECRET, namespace, name) for name in secrets]
    for each in kept:
        annotations = marks.get(each.kind, mark)
        await release(world.kube, world.store, _owner(looked_at), each, annotations)
