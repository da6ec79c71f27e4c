"""What is watched for DaapBackups, and which of them each object is about. Pure."""

from collections.abc import Iterator

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import BackupPhase
from daap_operator.engine.kinds import UID, All, Object, Reader, Ref, Watch, uid
from daap_operator.engine.ownership import owners
from daap_operator.kinds import cnpg_backups, known
from daap_operator.kinds.backup import trim
from daap_operator.kinds.references import database_of, database_of_child

UNFINISHED = "unfinished of database"
"""Index of the DaapBackups that are not over, by the namespace and the name of their database."""

_OVER = (BackupPhase.COMPLETED, BackupPhase.FAILED)


def _unfinished(backup: raw.Object) -> list[tuple[str, str]]:
    if raw.text(backup, "status", "phase") in _OVER:
        return []
    return [database_of(backup)]


def _itself(backup: Object, store: Reader) -> Iterator[Ref]:
    del store
    yield Ref.of(known.DAAP_BACKUP, backup)


def _of_database(database: Object, store: Reader) -> Iterator[All]:
    del store
    _, namespace, name = Ref.of(known.DATABASE, database)
    yield _all_of(namespace, name)


def _of_clusters_database(cluster: Object, store: Reader) -> Iterator[All]:
    del store
    if place := database_of_child(cluster):
        yield _all_of(*place)


def _all_of(namespace: str, name: str) -> All:
    """Each of them waits for itself: they take no turns, and somebody may create thousands."""
    return All(known.DAAP_BACKUP, UNFINISHED, (namespace, name), namespace)


def _owner(backup: Object, store: Reader) -> Iterator[Ref]:
    del store
    namespace = raw.text(backup, "metadata", "namespace")
    for owner in owners(backup, known.DAAP_BACKUP):
        yield Ref(known.DAAP_BACKUP, namespace, raw.text(owner, "name"))


WATCHES = (
    Watch(
        known.DAAP_BACKUP,
        trim.backup,
        _itself,
        indexes={UID: uid, UNFINISHED: _unfinished},
    ),
    Watch(
        known.DATABASE, None, _of_database, why="whether those that are to be backed up are ready"
    ),
    Watch(
        known.CLUSTER,
        None,
        _of_clusters_database,
        f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}",
        why="whether those of the databases that are to be backed up archive",
    ),
    Watch(
        known.BACKUP,
        cnpg_backups.keep,
        _owner,
        cnpg_backups.SELECTOR,
        why="those of Clusters only, by label: what has become of each backup",
    ),
)
