"""What is watched for DaapRestores, and which of them each object is about. Pure."""

from collections.abc import Iterator

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import RestorePhase
from daap_operator.engine.kinds import UID, Object, Reader, Ref, Watch, uid
from daap_operator.engine.ownership import owners
from daap_operator.kinds import known, restores

UNFINISHED = "unfinished of database"
"""Index of the DaapRestores that are not over, by the namespace and the name of their database."""

_OVER = (RestorePhase.COMPLETED, RestorePhase.FAILED)


def _unfinished(restore: raw.Object) -> list[tuple[str, str]]:
    over = raw.text(restore, "status", "phase") in _OVER
    return [] if over else [restores.database_of(restore)]


def _itself_and_others(restore: Object, store: Reader) -> Iterator[Ref]:
    """Those of one database take turns."""
    yield Ref.of(known.DAAP_RESTORE, restore)
    yield from store.refs_by(known.DAAP_RESTORE, UNFINISHED, restores.database_of(restore))


def _of_database(database: Object, store: Reader) -> Iterator[Ref]:
    _, namespace, name = Ref.of(known.DATABASE, database)
    yield from store.refs_by(known.DAAP_RESTORE, UNFINISHED, (namespace, name))


def _of_clusters_database(cluster: Object, store: Reader) -> Iterator[Ref]:
    namespace = raw.text(cluster, "metadata", "namespace")
    for owner in owners(cluster, known.DATABASE):
        place = namespace, raw.text(owner, "name")
        yield from store.refs_by(known.DAAP_RESTORE, UNFINISHED, place)


def _of_backup(backup: Object, store: Reader) -> Iterator[Ref]:
    """The one that is made before a restore, or that is restored from."""
    yield from store.refs_by(known.DAAP_RESTORE, UNFINISHED, restores.database_of(backup))


WATCHES = (
    Watch(
        known.DAAP_RESTORE,
        restores.keep,
        _itself_and_others,
        indexes={UID: uid, UNFINISHED: _unfinished},
    ),
    Watch(
        known.DATABASE, None, _of_database, why="how far those that are being restored have come"
    ),
    Watch(
        known.CLUSTER,
        None,
        _of_clusters_database,
        f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}",
        why="which one is to be replaced",
    ),
    Watch(
        known.DAAP_BACKUP,
        None,
        _of_backup,
        why="whether the one before a restore is completed, and which archive has one that is "
        "restored from",
    ),
)
