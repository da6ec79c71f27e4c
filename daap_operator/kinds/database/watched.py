"""What is watched for DaapDatabases, and which of them each object is about. Pure."""

from collections.abc import Iterator

from daap_operator import names, raw
from daap_operator.engine.kinds import UID, All, Object, Of, Reader, Ref, Source, Watch, nobody, uid
from daap_operator.kinds import cnpg_backups, drills, known, restores
from daap_operator.kinds.database import trim, trim_backup, trim_pod
from daap_operator.kinds.database.naming import NAME, name, ref
from daap_operator.kinds.database.seen import Children
from daap_operator.kinds.references import database_of_child
from daap_operator.kinds.windows import changed

SERVICE, CLUSTER = "service", "cluster"
"""Indexes: by the namespace and the name of the Service, or of the Cluster, that it is one of.

Nothing is kept of what is of no DaapDatabase's Cluster."""

OF_CLUSTER = "of cluster"
"""Index of DaapDatabases: by the namespace and the name of their Cluster, there or not."""

NAMESPACE, ARCHIVE = "namespace", "archive"
"""Indexes of DaapDatabases: by their namespace, and by that and the name of their archive."""

_OURS = f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}"
_POOLERS = names.CNPG_POOLER_LABEL
_SERVICES = f"{names.DATABASE_LABEL},{names.SERVICE_LABEL}"
_PARTS = names.CNPG_CLUSTER_LABEL
_ACCOUNTS = f"{names.CNPG_CLUSTER_LABEL},{names.DATABASE_LABEL}"

_PRIMARY, _POOLER = names.primary_service(""), names.pooler_name("")
"""What follows the Cluster's name in those of its Service and its Pooler."""


def owner(child: raw.Object) -> Ref | None:
    """The DaapDatabase that a child is about: the one that owns it, or else that is named on it."""
    place = database_of_child(child)
    return ref(*place) if place else None


MOST_PARTS = 100
"""Pods, claims, slices and failed Backups that are looked at of one Cluster or Service: a database
has a few, and whoever may label objects in its namespace can give it any number."""


def children_of(store: Reader, namespace: str, cluster: str) -> Children:
    """The children by their names, whoever owns them."""
    pooler, service = names.pooler_name(cluster), names.primary_service(cluster)
    return Children(
        cluster=store.get(Ref(known.CLUSTER, namespace, cluster)),
        pooler=store.get(Ref(known.POOLER, namespace, pooler)),
        deployment=store.get(Ref(known.DEPLOYMENT, namespace, pooler)),
        endpoints=tuple(store.by(known.ENDPOINTS, SERVICE, (namespace, service), MOST_PARTS)),
        pooler_endpoints=tuple(store.by(known.ENDPOINTS, SERVICE, (namespace, pooler), MOST_PARTS)),
        account=store.get(Ref(known.ACCOUNT, namespace, cluster)),
        pods=tuple(store.by(known.POD, CLUSTER, (namespace, cluster), MOST_PARTS)),
        claims=tuple(store.by(known.CLAIM, CLUSTER, (namespace, cluster), MOST_PARTS)),
    )


# --- whom an object wakes -------------------------------------------------------------------------


def _itself_and_namesakes(database: Object, store: Reader) -> Iterator[Ref]:
    """A name that becomes free, or is taken, concerns all that want it."""
    yield Ref.of(known.DATABASE, database)
    for wanted in name(database):
        yield from store.refs_by(known.DATABASE, NAME, wanted)


def _owner(child: Object, store: Reader) -> Iterator[Ref]:
    del store
    if (found := owner(child)) is not None:
        yield found


def _owner_of_pooler(deployment: Object, store: Reader) -> Iterator[Ref]:
    """A Deployment has the name of the Pooler that it was made for."""
    _, namespace, pooler = Ref.of(known.DEPLOYMENT, deployment)
    if found := store.get(Ref(known.POOLER, namespace, pooler)):
        yield from _owner(found, store)


def _owner_of_namesake(account: Object, store: Reader) -> Iterator[Ref]:
    """A ServiceAccount has the name of its Cluster."""
    _, namespace, cluster = Ref.of(known.ACCOUNT, account)
    if found := store.get(Ref(known.CLUSTER, namespace, cluster)):
        yield from _owner(found, store)


def _owner_of_cluster(part: Object, store: Reader) -> Iterator[Ref]:
    """Also once the Cluster is gone: a deletion waits for its volumes."""
    for namespace, cluster in _cluster(part):
        if found := store.get(Ref(known.CLUSTER, namespace, cluster)):
            yield from _owner(found, store)
        else:
            yield from store.refs_by(known.DATABASE, OF_CLUSTER, (namespace, cluster))


def _of_backup(backup: Object, store: Reader) -> Iterator[Ref]:
    """That whose deletion waits for it; else of one that has failed that whose backups they are.

    What is under way changes nothing for a database, and of what succeeds the store tells.
    """
    if cnpg_backups.is_final(backup):
        yield from _owner(backup, store)
    elif raw.text(backup, "status", "phase") == cnpg_backups.FAILED:
        yield from _owner_of_cluster(backup, store)


def _of_restore(restore: Object, store: Reader) -> Iterator[Ref]:
    """One that is about to replace a Cluster; all others are not the database's business."""
    del store
    if restores.ordered(restore):
        yield restores.ref_of(restore)


def _by_store(before: Object | None, now: Object | None, store: Reader) -> Iterator[All]:
    """A backup changes one of the windows that all databases of an ObjectStore have there."""
    del store
    namespace = raw.text(now or before, "metadata", "namespace")
    if before is None or now is None or before.get("spec") != now.get("spec"):
        yield All(known.DATABASE, NAMESPACE, namespace, namespace)
        return
    texts = (raw.text(each, "status", trim_backup.WINDOWS) for each in (before, now))
    for archive in sorted(changed(*texts)):
        yield All(known.DATABASE, ARCHIVE, (namespace, archive), namespace)


# --- the indexes ----------------------------------------------------------------------------------


def _of_cluster(database: raw.Object) -> list[tuple[str, str]]:
    named = raw.text(database, "status", "clusterName")
    namespace, name = (raw.text(database, "metadata", field) for field in ("namespace", "name"))
    return [(namespace, named or names.cluster_name(name))]


def _itself(named: raw.Object) -> list[tuple[str, str]]:
    namespace, name = (raw.text(named, "metadata", field) for field in ("namespace", "name"))
    return [(namespace, name)]


def _of_pooler(named: raw.Object) -> list[tuple[str, str]]:
    return [
        (namespace, pooler.removesuffix(_POOLER))
        for namespace, pooler in _itself(named)
        if pooler.endswith(_POOLER)
    ]


def _cluster_of_service(endpoints: raw.Object) -> list[tuple[str, str]]:
    """Of the Services that are looked at: in front of the primary, and in front of the pooler."""
    return [
        (namespace, service.removesuffix(suffix))
        for namespace, service in _service(endpoints)
        for suffix in (_PRIMARY, _POOLER)
        if service.endswith(suffix)
    ]


def _namespace(database: raw.Object) -> list[str]:
    return [raw.text(database, "metadata", "namespace")]


def _archive(database: raw.Object) -> list[tuple[str, str]]:
    archive = raw.text(database, "status", "backup", "archive")
    return [(raw.text(database, "metadata", "namespace"), archive)] if archive else []


def _service(endpoints: raw.Object) -> list[tuple[str, str]]:
    return _labelled(endpoints, names.SERVICE_LABEL)


def _cluster(part: raw.Object) -> list[tuple[str, str]]:
    return _labelled(part, names.CNPG_CLUSTER_LABEL)


def _failed(backup: raw.Object) -> list[tuple[str, str]]:
    failed = raw.text(backup, "status", "phase") == cnpg_backups.FAILED
    return _cluster(backup) if failed else []


def _labelled(obj: raw.Object, label: str) -> list[tuple[str, str]]:
    namespace = raw.text(obj, "metadata", "namespace")
    return [(namespace, raw.text(obj, "metadata", "labels", label))]


def _parts(database: raw.Object) -> Iterator[tuple[Source, str]]:
    """Where that is found which is kept for a database, by labels that each of them has."""
    labelled = f"{names.DATABASE_LABEL}={raw.text(database, 'metadata', 'name')}"
    for _, cluster in _of_cluster(database):
        of_cluster, pooler = f"{_PARTS}={cluster}", names.pooler_name(cluster)
        yield Source(known.CLUSTER, _OURS), f"{_OURS},{labelled}"
        yield Source(known.POOLER, _OURS), f"{_OURS},{labelled}"
        yield Source(known.DEPLOYMENT, _POOLERS), f"{_POOLERS}={pooler}"
        for service in (names.primary_service(cluster), pooler):
            selector = f"{names.DATABASE_LABEL},{names.SERVICE_LABEL}={service}"
            yield Source(known.ENDPOINTS, _SERVICES), selector
        yield Source(known.POD, _PARTS), of_cluster
        yield Source(known.ACCOUNT, _ACCOUNTS), f"{of_cluster},{names.DATABASE_LABEL}"
        yield Source(known.CLAIM, _PARTS), of_cluster


_OF = Of(known.DATABASE, OF_CLUSTER, CLUSTER)

WATCHES = (
    # Owners before what they own: a child's event finds its owner
    Watch(
        known.DATABASE,
        trim.database,
        _itself_and_namesakes,
        indexes={
            UID: uid,
            NAME: name,
            OF_CLUSTER: _of_cluster,
            NAMESPACE: _namespace,
            ARCHIVE: _archive,
        },
        required=True,
        parts=_parts,
    ),
    Watch(known.CLUSTER, trim.cluster, _owner, _OURS, {CLUSTER: _itself}, of=_OF),
    Watch(known.POOLER, trim.pooler, _owner, _OURS, {CLUSTER: _of_pooler}, of=_OF),
    Watch(
        known.DEPLOYMENT,
        trim.deployment,
        _owner_of_pooler,
        _POOLERS,
        {CLUSTER: _of_pooler},
        of=_OF,
        why="the Poolers' only, by label: whether PgBouncer serves",
    ),
    Watch(
        known.ENDPOINTS,
        trim.endpoints,
        _owner,
        # CloudNativePG gives its Services the labels that it was asked to, and Kubernetes their
        # slices
        _SERVICES,
        {SERVICE: _service, CLUSTER: _cluster_of_service},
        of=_OF,
        why="those of the Clusters' Services only, by label: whether an instance takes "
        "connections, also while CloudNativePG is stopped",
    ),
    Watch(
        known.POD,
        trim_pod.pod,
        _owner_of_cluster,
        # Not by our own label: the pods of Jobs have only CloudNativePG's
        _PARTS,
        {CLUSTER: _cluster},
        of=_OF,
        why="CloudNativePG's only, by label: whether they are what the spec says, and what keeps "
        "them from starting",
    ),
    Watch(
        known.ACCOUNT,
        trim.account,
        _owner_of_namesake,
        _ACCOUNTS,
        {CLUSTER: _itself},
        of=_OF,
        why="the Clusters' only, by label: which spec CloudNativePG has taken up, by a mark that "
        "it copies there",
    ),
    Watch(
        known.CLAIM,
        trim.claim,
        _owner_of_cluster,
        _PARTS,
        {CLUSTER: _cluster},
        of=_OF,
        why="those of Clusters only, by label: how large the volumes are, and whether a deleted "
        "database's are gone",
    ),
    Watch(known.SCHEDULED_BACKUP, trim_backup.scheduled_backup, _owner, _OURS),
    Watch(
        known.BACKUP,
        cnpg_backups.keep,
        _of_backup,
        cnpg_backups.SELECTOR,
        {CLUSTER: _failed},
        why="those of Clusters only, by label: why a backup has failed, and whether the last one "
        "is made that a deletion waits for",
    ),
    Watch(
        known.DAAP_RESTORE,
        restores.keep,
        _of_restore,
        indexes={restores.ORDERED: restores.ordered},
        why="what a database is to be restored from, and instead of which Cluster",
    ),
    Watch(
        known.DAAP_DRILL,
        drills.keep,
        nobody,
        indexes={drills.OF_DATABASE: drills.of_database},
        why="which backups were proved to restore, and whether another drill is due",
        concerns=drills.concerns,
    ),
    Watch(
        known.BARMAN_STORE,
        trim_backup.object_store,
        nobody,
        why="whether the store that a database names is there, how long it keeps backups, and "
        "which moments each archive in it can be restored to. The Secrets that open it are "
        "neither read nor named",
        concerns=_by_store,
    ),
)
