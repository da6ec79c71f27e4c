"""What is watched for DaapDrills, and which of them each object is about. Pure."""

from collections.abc import Iterator

from daap_operator import names, raw
from daap_operator.engine.kinds import UID, Object, Of, Reader, Ref, Source, Watch, uid
from daap_operator.kinds import drills, known
from daap_operator.kinds.drill import trim
from daap_operator.kinds.drills import is_over
from daap_operator.kinds.recovery_log import ROLE

SCRATCH, UNFINISHED = "scratch", "unfinished"
"""Indexes of the DaapDrills that are not over: by the namespace and the name of their scratch
Cluster, and by their namespace."""

_RESTORING = f"{names.CNPG_JOB_ROLE_LABEL}={ROLE}"
_OURS = f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}"

OF_SCRATCH = "of scratch"
"""Index of what drills make: by the namespace and the name of the scratch Cluster."""

MOST_PODS = 50
"""Pods that are looked at of one drill: there are a few, and whoever may label pods in its
namespace can give it any number."""


def _unfinished(drill: raw.Object) -> list[str]:
    return [] if is_over(drill) else [raw.text(drill, "metadata", "namespace")]


def _scratch(drill: raw.Object) -> list[tuple[str, str]]:
    cluster = raw.text(drill, "status", "clusterName")
    namespace = raw.text(drill, "metadata", "namespace")
    return [(namespace, cluster)] if cluster and not is_over(drill) else []


def _of_scratch(made: raw.Object) -> list[tuple[str, str]]:
    cluster = raw.text(made, "metadata", "labels", names.DRILL_LABEL)
    return [(raw.text(made, "metadata", "namespace"), cluster)] if cluster else []


def _of_restore(pod: raw.Object) -> list[tuple[str, str]]:
    cluster = raw.text(pod, "metadata", "labels", names.CNPG_CLUSTER_LABEL)
    return [(raw.text(pod, "metadata", "namespace"), cluster)] if cluster else []


def _itself(drill: Object, store: Reader) -> Iterator[Ref]:
    """Those of one namespace take turns."""
    yield Ref.of(known.DAAP_DRILL, drill)
    namespace = raw.text(drill, "metadata", "namespace")
    yield from store.refs_by(known.DAAP_DRILL, UNFINISHED, namespace)


def _wakes(made: Object, store: Reader) -> Iterator[Ref]:
    for place in _of_scratch(made):
        yield from store.refs_by(known.DAAP_DRILL, SCRATCH, place)


def _restored_for(pod: Object, store: Reader) -> Iterator[Ref]:
    for place in _of_restore(pod):
        yield from store.refs_by(known.DAAP_DRILL, SCRATCH, place)


def _drill_of(cluster: Object, store: Reader) -> Iterator[Ref]:
    _, namespace, name = Ref.of(known.CLUSTER, cluster)
    yield from store.refs_by(known.DAAP_DRILL, SCRATCH, (namespace, name))


def _drills_of(database: Object, store: Reader) -> Iterator[Ref]:
    _, namespace, name = Ref.of(known.DATABASE, database)
    for drill in store.by(known.DAAP_DRILL, drills.OF_DATABASE, (namespace, name)):
        if not is_over(drill):
            yield Ref.of(known.DAAP_DRILL, drill)


def _nobody(obj: Object, store: Reader) -> Iterator[Ref]:
    """Of an object of which a change concerns few: `concerns` says whom."""
    del obj, store
    yield from ()


def _by_store(before: Object | None, now: Object | None, store: Reader) -> Iterator[Ref]:
    """One that comes to be may be what a drill waits for; of its windows the database tells."""
    if before is None and now is not None:
        namespace = raw.text(now, "metadata", "namespace")
        yield from store.refs_by(known.DAAP_DRILL, UNFINISHED, namespace)


def _parts(drill: raw.Object) -> Iterator[tuple[Source, str]]:
    for _, cluster in _scratch(drill):
        selector = f"{names.DRILL_LABEL}={cluster}"
        for kind in (known.NETWORK_POLICY, known.JOB, known.POD):
            yield Source(kind, names.DRILL_LABEL), selector
        of_cluster = f"{names.CNPG_CLUSTER_LABEL}={cluster}"
        yield Source(known.POD, _RESTORING), f"{_RESTORING},{of_cluster}"


_OF = Of(known.DAAP_DRILL, SCRATCH, OF_SCRATCH)
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
        },
        parts=_parts,
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
        _wakes,
        names.DRILL_LABEL,
        _INDEXES,
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
        {OF_SCRATCH: _of_restore},
        of=_OF,
        why="those that restore a drill's scratch Cluster, by label: whether and why that fails",
    ),
    Watch(
        known.BARMAN_STORE,
        None,
        _nobody,
        why="whether the store that a drill is to read is there",
        concerns=_by_store,
    ),
)
