"""Where the data is that a database with `spec.source` is to begin with: which archive. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import (
    MAJORS,
    BackupPhase,
    DaapDatabase,
    DaapDatabaseStatus,
    Source,
)
from daap_operator.api.v1alpha1.database.source import (
    ARCHIVE_PATTERN,
    BACKUP_ID_PATTERN,
)
from daap_operator.api.v1alpha1.database.texts import (
    CONNECTION_NAME_PATTERN,
    DATABASE_NAME_PATTERN,
)
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.engine.subject import read
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.resolved import Platform
from daap_operator.kinds.database.reasons import DatabaseReason


@dataclass(frozen=True)
class Kept:
    """What is known of a database that is, or was, backed up; None for what is not known."""

    what: str
    """What it is, for messages."""
    archive: str
    store: str | None = None
    database: str | None = None
    namespace: str | None = None
    database_name: str | None = None
    postgres_version: int | None = None
    locale: str | None = None
    storage: str | None = None
    empty: bool = False
    """Whether it is known that no base backup has been made yet."""


def is_sought(database: DaapDatabase) -> bool:
    """Whether the source of a database that has no Cluster is still to be decided."""
    status = database.status
    return database.spec.source is not None and not (status.source or status.cluster_name)


def seen(store: Store, database: DaapDatabase, platform: Platform) -> Kept | None:
    """The source as far as this cluster knows it; None for a database that is deleted.

    Raises, as `judged` does, Stalled for what only a person can change, and Waiting for what may
    still come.
    """
    asked = asked_of(database)
    return _archive(database, asked) or _live(store, database, platform)


def _archive(database: DaapDatabase, asked: Source) -> Kept | None:
    """An archive that is named itself: nothing else is known of it."""
    if asked.archive is None:
        return None
    name = database.spec.database_name or names.database_name(database.metadata.name)
    return Kept(f"archive '{asked.archive}'", asked.archive, database_name=name)


def asked_of(database: DaapDatabase) -> Source:
    """The source of a database that has one."""
    assert database.spec.source  # noqa: S101 - is_sought
    return database.spec.source


def place(database: DaapDatabase) -> tuple[str, str]:
    """Namespace and name of the DaapDatabase that is asked for."""
    asked = asked_of(database)
    return asked.namespace or database.metadata.namespace, asked.database or ""


def _live(store: Store, database: DaapDatabase, platform: Platform) -> Kept | None:
    """A DaapDatabase that is there; None when there is none, or only the one that asks."""
    namespace, name = place(database)
    if namespace != database.metadata.namespace and not platform.restore_across_namespaces:
        raise Stalled(
            DatabaseReason.SOURCE_FORBIDDEN,
            f"spec.source.namespace '{namespace}' is not this one, and the platform does not allow "
            "it: leave it out, or ask the platform team to set config.restore.acrossNamespaces",
        )
    seen = store.get(Ref(known.DATABASE, namespace, name))
    if seen is None or raw.text(seen, "metadata", "uid") == database.metadata.uid:
        return None
    status = read(known.DATABASE, seen, DaapDatabaseStatus).status
    backup = status.backup
    if backup is None or not is_archive(backup.archive):
        raise Stalled(
            DatabaseReason.SOURCE_NOT_RECOVERABLE,
            f"DaapDatabase {name} has no backups: set its spec.backup, or name an archive that is "
            "kept of it in spec.source.archive",
        )
    return Kept(
        f"DaapDatabase {name}",
        str(backup.archive),
        backup.store,
        database=name,
        namespace=namespace,
        database_name=status.database_name,
        postgres_version=status.postgres_version,
        locale=status.locale,
        storage=status.storage,
        empty=backup.last_successful is None,
    )


def is_archive(name: str | None) -> bool:
    """Whether that may be an archive's name; whatever else stands there is not followed."""
    return name is not None and re.fullmatch(ARCHIVE_PATTERN, name) is not None


REMEMBERED = (
    "archive",
    "store",
    "database_name",
    "postgres_version",
    "locale",
    "spec.storage.size",
)
"""What the inventory is asked about a DaapDatabase that is deleted."""


def deleted(database: DaapDatabase, row: Mapping[str, str] | None) -> Kept:
    """A DaapDatabase that is gone, by its row in the inventory, which anybody may have written.

    So each value is taken only where it is one that the operator allots, and what can be read with
    it is what an ObjectStore of the new database's namespace can read.
    """
    namespace, name = place(database)
    if row is None or not is_archive(row.get("archive")):
        raise Stalled(
            DatabaseReason.SOURCE_NOT_FOUND,
            f"There is no DaapDatabase '{name}' in namespace {namespace}, and the inventory knows "
            "of none there that was deleted and had backups: correct spec.source.database, or name "
            "what is kept of it in spec.source.archive",
        )
    return Kept(
        f"DaapDatabase {name}, which is deleted",
        row["archive"],
        _allotted(row, "store", CONNECTION_NAME_PATTERN),
        database=name,
        namespace=namespace,
        database_name=_allotted(row, "database_name", DATABASE_NAME_PATTERN)
        or names.database_name(name),
        postgres_version=_major(row.get("postgres_version", "")),
        locale=row.get("locale"),
        storage=row.get("spec.storage.size"),
    )


def _allotted(row: Mapping[str, str], field: str, pattern: str) -> str | None:
    found = row.get(field, "")
    return found if re.fullmatch(pattern, found) else None


def _major(text: str) -> int | None:
    number = raw.whole(text, 3)
    return number if number in MAJORS else None


def at_backup(
    store: Store, database: DaapDatabase, asked: Source, source: Kept
) -> tuple[Kept, str | None]:
    """The id of the backup that is asked for, and the archive that it is in."""
    if asked.backup is None or re.fullmatch(BACKUP_ID_PATTERN, asked.backup):
        return source, asked.backup
    status = _backup_of(store, database, asked.backup, source)
    phase, backup_id = raw.text(status, "phase"), raw.text(status, "backupId")
    if phase == BackupPhase.FAILED:
        raise Stalled(
            DatabaseReason.SOURCE_NOT_RECOVERABLE,
            f"spec.source.backup '{asked.backup}' is a DaapBackup that has failed: name another",
        )
    if phase != BackupPhase.COMPLETED or not backup_id:
        told = f"DaapBackup {asked.backup} is not completed yet"
        raise Waiting(DatabaseReason.SOURCE_PENDING, told)
    archive, kept_in = raw.text(status, "archive"), raw.text(status, "store")
    if not is_archive(archive):
        return source, backup_id
    if asked.archive and asked.archive != archive:
        raise Stalled(
            DatabaseReason.SOURCE_NOT_RECOVERABLE,
            f"spec.source.backup '{asked.backup}' is in the archive {archive}, and "
            f"spec.source.archive is '{asked.archive}': correct one of them",
        )
    return _in(source, archive, kept_in or source.store), backup_id


def _backup_of(store: Store, database: DaapDatabase, name: str, source: Kept) -> raw.Object:
    """The status of the DaapBackup of that name, which is one of the source.

    Whoever may read the source need not be allowed to read another database beside it.
    """
    namespace = source.namespace or database.metadata.namespace
    backup = store.get(Ref(known.DAAP_BACKUP, namespace, name))
    of = raw.text(backup, "spec", "databaseRef", "name")
    if backup is None or source.database not in (None, of):
        what = "DaapBackup" if source.database is None else f"DaapBackup of {source.database}"
        raise Stalled(
            DatabaseReason.SOURCE_NOT_FOUND,
            f"spec.source.backup '{name}' is no {what} in namespace {namespace}: set it to the "
            "name of one, or to the id of a backup, as in '20261128T030000'",
        )
    return raw.mapping(backup, "status")


def _in(source: Kept, archive: str, store: str | None) -> Kept:
    """The same database as it is kept in another of its archives."""
    same = archive == source.archive
    return source if same else Kept(**{**vars(source), "archive": archive, "store": store})
