"""What a drill has made, removed again and shown to be gone."""

from daap_operator import names, raw
from daap_operator.engine.child import Child, Owner
from daap_operator.engine.children import delete
from daap_operator.engine.ownership import owners
from daap_operator.errors import Waiting
from daap_operator.kinds import known
from daap_operator.kinds.drill import desired
from daap_operator.kinds.drill.memory import DrillSubject, DrillTurn
from daap_operator.kube import Kind

CHECKED_SECONDS = 2.0
"""When to look again at what is being deleted; then after a third of the time that it takes."""

MOST_NAMED = 5
"""Claims that are named: there is one."""


async def removed(turn: DrillTurn) -> str:
    """Delete whatever there is of the drill; names what is still left, empty when nothing is.

    The Job first, then the Cluster, and its NetworkPolicy last: nothing of it is ever open. What
    the Cluster owns (volumes, Secrets, Services) goes by garbage collection. All names are known
    without a status, so that nothing is forgotten when that was lost.
    """
    for kind in (known.JOB, known.CLUSTER):
        if left := await _deleted(turn, kind):
            return left
    if claims := await _claims(turn, scratch_of(turn.subject)):
        return f"PersistentVolumeClaim {', '.join(claims)}"
    return await _deleted(turn, known.NETWORK_POLICY)


async def _deleted(turn: DrillTurn, kind: Kind) -> str:
    """Delete one of them; names it while it is there.

    One that has just changed is there, too, as a Job whose pod ends: the next look deletes it.
    """
    owner, name = owner_of(turn.subject), scratch_of(turn.subject)
    try:
        left = await delete(turn.world.kube, turn.world.store, owner, _child(kind, owner, name))
    except Waiting:
        return f"{kind.name} {name}"
    return left.what if left else ""


def owner_of(subject: DrillSubject) -> Owner:
    """Whom everything is for."""
    return Owner(*subject.key, subject.metadata.uid)


def scratch_of(subject: DrillSubject) -> str:
    """The name of the scratch Cluster, and of all that belongs to it."""
    return names.scratch_name(subject.key.name, subject.metadata.uid)


def _child(kind: Kind, owner: Owner, name: str) -> Child:
    return desired.child(kind, owner, name)


async def _claims(turn: DrillTurn, name: str) -> list[str]:
    """The Cluster's claims that garbage collection has still to remove: by a LIST, which proves."""
    found: list[str] = []
    selector = f"{names.CNPG_CLUSTER_LABEL}={name}"
    pages = turn.world.kube.pages(known.CLAIM, turn.subject.key.namespace, selector=selector)
    async for page in pages:
        for claim in page:  # one at a time: they may be as large as the API server takes
            if _is_of(claim, name) and len(found) < MOST_NAMED:
                found.append(raw.text(claim, "metadata", "name"))
    return sorted(found)


def _is_of(claim: raw.Object, cluster: str) -> bool:
    """Whether that Cluster owns it: any other claim is somebody's who borrowed the label."""
    return any(raw.text(each, "name") == cluster for each in owners(claim, known.CLUSTER))
