"""What is watched for DaapDrills, and which of them each object is about. Pure."""

from collections.abc import Iterator

from daap_operator import names, raw
from daap_operator.engine.kinds import UID, Object, Of, Reader, Ref, Source, Watch, nobody, uid
from daap_operator.engine.ownership import owners
from daap_operator.kinds import drills, known
from daap_operator.kinds.drill import trim
from daap_operator.kinds.drills import is_over
from daap_operator.kinds.recovery_log import ROLE
from daap_operator.kinds.references import database_of

SCRATCH, UNFINISHED = "scratch", "unfinished of database"
"""Indexes of the DaapDrills that are not over: by the namespace and the name of their scratch
Cluster, and of their database."""

READING, WAITING = "reading", "waiting"
"""Indexes of the DaapDrills that take turns: those that have an ObjectStore, by its namespace and
name, and those that have not begun, by their namespace."""

MOST = 100
"""DaapDrills that are looked at for whose turn it is, or woken: somebody may create thousands, and
each would look at all others whenever one of them changes. They are those that have been there for
longest; as one ends, another comes after."""

_RESTORING = f"{names.CNPG_JOB_ROLE_LABEL}={ROLE}"
_OURS = f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}"

OF_SCRATCH = "of scratch"
"""Index of what drills make: by the namespace and the name of the scratch Cluster."""

RESTORING = "restoring scratch"
"""Index of the pods that restore, by the same. Their labels are CloudNativePG's, and no marks of
ours: where those are not kept from others, a pod of theirs is at most a try to restore. What the
checks have found is neither said nor hidden by any of them."""

MOST_PODS = 50
"""Pods that are looked at of one drill: there are a few, and whoever may label pods in its
namespace can give it any number."""


def _unfinished(drill: raw.Object) -> list[tuple[str, str]]:
    return [] if is_over(drill) else [database_of(drill)]


def _reading(drill: raw.Object) -> list[tuple[str, str]]:
    """Also one that is being deleted: its scratch Cluster may still be there."""
    place = raw.text(drill, "metadata", "namespace"), raw.text(drill, "status", "store")
    return [place] if _scratch(drill) else []


def _waiting(drill: raw.Object) -> list[str]:
    going = raw.value(drill, "metadata", "deletionTimestamp")
    begun = raw.text(drill, "status", "clusterName")
    return [] if going or begun or is_over(drill) else [raw.text(drill, "metadata", "namespace")]


def _scratch(drill: raw.Object) -> list[tuple[str, str]]:
    cluster = raw.text(drill, "status", "clusterName")
    namespace = raw.text(drill, "metadata", "namespace")
    return [(namespace, cluster)] if cluster and not is_over(drill) else []


def _of_scratch(made: raw.Object) -> list[tuple[str, str]]:
    cluster = raw.text(made, "metadata", "labels", names.DRILL_LABEL)
    return [(raw.text(made, "metadata", "namespace"), cluster)] if cluster else []


def _pod(pod: raw.Object) -> list[tuple[str, str]]:
    return _of_scratch(pod) if _is_made(pod) else []


def _of_restore(pod: raw.Object) -> list[tuple[str, str]]:
    cluster = raw.text(pod, "metadata", "labels", names.CNPG_CLUSTER_LABEL)
    its = cluster and _is_made(pod)
    return [(raw.text(pod, "metadata", "namespace"), cluster)] if its else []


def _is_made(pod: raw.Object) -> bool:
    """Whether a Job or a Cluster has made a pod: whoever may create Deployments labels pods, too.

    Fifty of theirs would hide the one with the result, and one that is evicted has failed.
    """
    return any(owners(pod, kind) for kind in (known.JOB, known.CLUSTER))


def _itself(drill: Object, store: Reader) -> Iterator[Ref]:
    del store
    yield Ref.of(known.DAAP_DRILL, drill)


def _others(before: Object | None, now: Object | None, store: Reader) -> Iterator[Ref]:
    """Those that one has held up which takes part in no turns any more."""
    held_up = before is not None and (_reading(before) or _waiting(before))
    if before and held_up and (now is None or not (_reading(now) or _waiting(now))):
        yield from waiting(store, raw.text(before, "metadata", "namespace"))


def waiting(store: Reader, namespace: str) -> Iterator[Ref]:
    """Whoever waits for a turn."""
    yield from store.refs_by(known.DAAP_DRILL, WAITING, namespace, MOST)


def _wakes(made: Object, store: Reader) -> Iterator[Ref]:
    for place in _of_scratch(made):
        yield from store.refs_by(known.DAAP_DRILL, SCRATCH, place)


def _of_pod(pod: Object, store: Reader) -> Iterator[Ref]:
    for place in _pod(pod):
        yield from store.refs_by(known.DAAP_DRILL, SCRATCH, place)


def _restored_for(pod: Object, store: Reader) -> Iterator[Ref]:
    for place in _of_restore(pod):
        yield from store.refs_by(known.DAAP_DRILL, SCRATCH, place)


def _drill_of(cluster: Object, store: Reader) -> Iterator[Ref]:
    _, namespace, name = Ref.of(known.CLUSTER, cluster)
    yield from store.refs_by(known.DAAP_DRILL, SCRATCH, (namespace, name))


def _drills_of(database: Object, store: Reader) -> Iterator[Ref]:
    _, namespace, name = Ref.of(known.DATABASE, database)
    yield from store.refs_by(known.DAAP_DRILL, UNFINISHED, (namespace, name), MOST)


def _by_store(before: Object | None, now: Object | None, store: Reader) -> Iterator[Ref]:
    """One that comes to be may be what a drill waits for; of its windows the database tells."""
    if before is None and now is not None:
        yield from waiting(store, raw.text(now, "metadata", "namespace"))


def _parts(drill: raw.Object) -> Iterator[tuple[Source, str]]:
    for _, cluster in _scratch(drill):
        selector = f"{names.DRILL_LABEL}={cluster}"
        for kind in (known.NETWORK_POLICY, known.JOB, known.POD):
            yield Source(kind, names.DRILL_LABEL), selector
        of_cluster = f"{names.CNPG_CLUSTER_LABEL}={cluster}"
        yield Source(known.POD, _RESTORING), f"{_RESTORING},{of_cluster}"


_OF = Of(known.DAAP_DRILL, SCRATCH, OF_SCRATCH)
_OF_RESTORING = Of(known.DAAP_DRILL, SCRATCH, RESTORING)
_INDEXES = {OF_SCRATCH: _of_scratch}

WATCHES = (
    Watch(
        known.DAAP_DRILL,
        drills.keep,
        _itself,
        indexes={
            UID: uid,
            drills.OF_DATABASE: drills.of_database,
            UNFINISHED: _unfinished,
            SCRATCH: _scratch,
            READING: _reading,
            WAITING: _waiting,
        },
        parts=_parts,
        concerns=_others,
    ),
    Watch(
        known.DATABASE,
        None,
        _drills_of,
        why="whether those whose backups are to be restored have any, and where",
    ),
    Watch(
        known.CLUSTER,
        None,
        _drill_of,
        _OURS,
        why="the scratch ones of drills: whether the backup is restored",
    ),
    Watch(
        known.NETWORK_POLICY,
        trim.policy,
        _wakes,
        names.DRILL_LABEL,
        _INDEXES,
        of=_OF,
        why="those of drills only, by label: whether the scratch Cluster is closed off",
    ),
    Watch(
        known.JOB,
        trim.job,
        _wakes,
        names.DRILL_LABEL,
        _INDEXES,
        of=_OF,
        why="those of drills only, by label: whether the checks have failed for good",
    ),
    Watch(
        known.POD,
        trim.pod,
        _of_pod,
        names.DRILL_LABEL,
        {OF_SCRATCH: _pod},
        of=_OF,
        why="those of drills only, by label: what the checks have found",
    ),
    Watch(
        known.POD,
        trim.pod,
        _restored_for,
        # Not by our own label: that these pods inherit the Cluster's, as 1.30 does it, is nowhere
        # promised
        _RESTORING,
        {RESTORING: _of_restore},
        of=_OF_RESTORING,
        why="those that restore a drill's scratch Cluster, by label: whether and why that fails",
    ),
    Watch(
        known.BARMAN_STORE,
        None,
        nobody,
        why="whether the store that a drill is to read is there",
        concerns=_by_store,
    ),
)
