"""What is watched for DaapRestores, and which of them each object is about. Pure."""

from collections.abc import Iterator

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import RestorePhase
from daap_operator.engine.kinds import UID, Object, Reader, Ref, Watch, nobody, uid
from daap_operator.kinds import known, restores
from daap_operator.kinds.references import database_of, database_of_child

BEGUN, WAITING = "begun of database", "waiting of database"
"""Indexes of the DaapRestores that are neither over nor being deleted, by the namespace and the
name of their database: those that have written down what they restore, and all others."""

WAITING_IN = "waiting in namespace"
"""Index of the DaapRestores that have not written down yet what they restore, by namespace."""

MOST = 100
"""DaapRestores of one database that are looked at for whose turn it is, or woken: somebody may
create thousands, and each would look at all others whenever one of them changes. They are those
that have been there for longest, the same for all that wait: as one ends, another comes after."""

_OVER = (RestorePhase.COMPLETED, RestorePhase.FAILED)


def _begun(restore: raw.Object) -> list[tuple[str, str]]:
    return _under_way(restore) if raw.mapping(restore, "status", "source") else []


def _waiting(restore: raw.Object) -> list[tuple[str, str]]:
    return [] if raw.mapping(restore, "status", "source") else _under_way(restore)


def _waiting_in(restore: raw.Object) -> list[str]:
    return [namespace for namespace, _ in _waiting(restore)]


def _under_way(restore: raw.Object) -> list[tuple[str, str]]:
    over = raw.text(restore, "status", "phase") in _OVER
    going = raw.value(restore, "metadata", "deletionTimestamp")
    return [] if over or going else [database_of(restore)]


def _itself_and_others(restore: Object, store: Reader) -> Iterator[Ref]:
    """Those of one database take turns."""
    yield Ref.of(known.DAAP_RESTORE, restore)
    yield from _of(store, database_of(restore))


def _of(store: Reader, place: tuple[str, str]) -> Iterator[Ref]:
    yield from store.refs_by(known.DAAP_RESTORE, BEGUN, place, MOST)
    yield from store.refs_by(known.DAAP_RESTORE, WAITING, place, MOST)


def _of_database(database: Object, store: Reader) -> Iterator[Ref]:
    _, namespace, name = Ref.of(known.DATABASE, database)
    yield from _of(store, (namespace, name))


def _of_clusters_database(cluster: Object, store: Reader) -> Iterator[Ref]:
    if place := database_of_child(cluster):
        yield from _of(store, place)


def _by_store(before: Object | None, now: Object | None, store: Reader) -> Iterator[Ref]:
    """One that comes to be may be what a restore waits for; of its windows the database tells."""
    if before is None and now is not None:
        namespace = raw.text(now, "metadata", "namespace")
        yield from store.refs_by(known.DAAP_RESTORE, WAITING_IN, namespace, MOST)


def _of_backup(backup: Object, store: Reader) -> Iterator[Ref]:
    """The one that is made before a restore, or that is restored from."""
    yield from _of(store, database_of(backup))


WATCHES = (
    Watch(
        known.DAAP_RESTORE,
        restores.keep,
        _itself_and_others,
        indexes={UID: uid, BEGUN: _begun, WAITING: _waiting, WAITING_IN: _waiting_in},
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
    Watch(
        known.BARMAN_STORE,
        None,
        nobody,
        why="whether the store that is to be restored from is there",
        concerns=_by_store,
    ),
)
