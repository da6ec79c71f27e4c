"""What a database with `spec.source` is made from: judged before anything of it exists. Pure.

Whether the source can be restored to what is asked for, and whether the new database can take it.
What comes of it is noted in the status, and the status is what the Cluster is made from.
"""

from datetime import datetime

from daap_operator import names, quantity, raw
from daap_operator.api.v1alpha1 import DaapDatabase, Source, SourceStatus
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database.desired import locales
from daap_operator.kinds.database.desired.resolved import Origin, Platform
from daap_operator.kinds.database.origin import Kept, asked_of, at_backup
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.trim_backup import WINDOWS
from daap_operator.kinds.recovery import moment_text
from daap_operator.kinds.windows import Window, window_of
from daap_operator.lines import quoted


def judged(
    store: Store, database: DaapDatabase, platform: Platform, now: datetime, source: Kept
) -> Origin:
    """What the database is to be made from."""
    asked = asked_of(database)
    source, backup_id = at_backup(store, database, asked, source)
    name = asked.store or source.store or _own_store(database, platform)
    if not name:
        raise Stalled(DatabaseReason.SOURCE_STORE_MISSING, _NO_STORE.format(source.what))
    window = _window(store, database, name, source)
    _judge_moment(asked, source, window, now)
    _judge_fit(database, source)
    at = moment_text(asked.moment) if asked.moment else None
    return Origin(
        SourceStatus(
            database=source.database,
            namespace=source.namespace,
            archive=source.archive,
            store=name,
            at=at,
            backup_id=backup_id,
            database_name=_database_name(database, source),
        ),
        source.postgres_version,
        locales.read(source.locale) or database.spec.locale,
    )


_NO_STORE = (
    "spec.source names no store, and nothing else names the one that has the archive of {}: "
    "set spec.source.store to the name of an ObjectStore in this namespace"
)


def _own_store(database: DaapDatabase, platform: Platform) -> str:
    backup = database.spec.backup
    return (backup and backup.store) or platform.backup.store


# --- whether it can be restored -------------------------------------------------------------------


def _window(store: Store, database: DaapDatabase, name: str, source: Kept) -> Window:
    """What the store tells of the archive; nothing where it does not tell, which is no refusal.

    An ObjectStore that was created later than the archive tells nothing of it.
    """
    there = store.get(Ref(known.BARMAN_STORE, database.metadata.namespace, name))
    if there is None:
        missing = "plugin" if not store.serves(known.BARMAN_STORE) else "store"
        raise Waiting(
            DatabaseReason.SOURCE_STORE_MISSING, _MISSING[missing].format(name, source.what)
        )
    window = window_of(raw.text(there, "status", WINDOWS), source.archive)
    if window.first_recoverable is None and source.empty and not asked_of(database).backup:
        told = (
            f"ObjectStore '{name}' tells of no base backup of {source.what}: its data can be "
            f"restored once there is one. If there is one, because the ObjectStore was created "
            f"again, name it by its id in spec.source.backup, or set spec.source.archive to "
            f"'{source.archive}'"
        )
        raise Waiting(DatabaseReason.SOURCE_PENDING, told)
    return window


_MISSING = {
    "store": "There is no ObjectStore '{0}' in this namespace to read the archive of {1} from: the "
    "platform team must create it, or spec.source.store must name another",
    "plugin": "The Barman Cloud plugin is not installed, so that ObjectStore '{0}', which has the "
    "archive of {1}, cannot be read: the platform team must install it",
}


def _judge_moment(asked: Source, source: Kept, window: Window, now: datetime) -> None:
    moment, first = asked.moment, window.first_recoverable
    if moment is None:
        return
    if moment > now:
        raise Stalled(
            DatabaseReason.SOURCE_NOT_RECOVERABLE,
            f"spec.source.at '{asked.at}' is in the future: set it to a moment that has been, or "
            "leave it out for the latest",
        )
    if first is not None and moment < first:
        raise Stalled(
            DatabaseReason.SOURCE_NOT_RECOVERABLE,
            f"spec.source.at '{asked.at}' is before {moment_text(first)}, the first moment that "
            f"{source.what} can be restored to: set it to that or later",
        )


# --- whether the new database can take it ---------------------------------------------------------


def _database_name(database: DaapDatabase, source: Kept) -> str:
    return (
        source.database_name
        or database.spec.database_name
        or names.database_name(source.database or database.metadata.name)
    )


def _judge_fit(database: DaapDatabase, source: Kept) -> None:
    spec, told = database.spec, source.database_name
    if told and spec.database_name not in (None, told):
        raise _differs("databaseName", spec.database_name, told, source.what)
    version = source.postgres_version
    if version and spec.postgres_version not in (None, version):
        raise _differs("postgresVersion", spec.postgres_version, version, source.what)
    if version is None and spec.postgres_version is None:
        raise Stalled(
            DatabaseReason.SOURCE_DIFFERS,
            f"Nothing tells which PostgreSQL {source.what} had: set spec.postgresVersion to the "
            "major version of its data",
        )
    locale = locales.read(source.locale)
    if locale and spec.locale not in (None, locale):
        raise _differs("locale", spec.locale, locale, source.what)
    if source.storage and _smaller(spec.storage.size, source.storage):
        raise Stalled(
            DatabaseReason.SOURCE_DIFFERS,
            f"spec.storage.size '{spec.storage.size}' is less than the "
            f"'{quoted(source.storage)}' of {source.what}, whose data has to fit: set it to that "
            "or more",
        )


def _differs(field: str, asked: object, there: object, what: str) -> Stalled:
    return Stalled(
        DatabaseReason.SOURCE_DIFFERS,
        f"spec.{field} '{asked}' is not the '{quoted(str(there))}' of {what}, and it comes with "
        f"the data: leave it out, or set it to {there}",
    )


def _smaller(asked: str, there: str) -> bool:
    try:
        return quantity.parse(asked) < quantity.parse(there)
    except ValueError:
        return False
