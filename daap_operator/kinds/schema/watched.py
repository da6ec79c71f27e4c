"""What is watched for DaapSchemas, and which of them each object is about. Pure."""

from collections.abc import Iterator

from daap_operator import names, raw
from daap_operator.api.meta import ConditionType
from daap_operator.engine.kinds import UID, All, Object, Of, Reader, Ref, Source, Watch, nobody, uid
from daap_operator.kinds import known
from daap_operator.kinds.references import database_of
from daap_operator.kinds.schema import trim
from daap_operator.kinds.schema.sources import PARTS
from daap_operator.kinds.told import condition

OF_DATABASE, FILES, JOBS = "schemas of database", "files", "jobs"
"""Indexes of the DaapSchemas: by the namespace and the name of their database, of the ConfigMaps
that they name, and of the Job that is under way."""
OF_LEDGER = "schemas of ledger"
"""Index of the DaapSchemas by the namespace and the name of their database, and the ledger: one of
them has it."""
NAMESPACE = "namespace"
"""Index of the DaapSchemas, and of what they have to do with, by namespace: such an object is kept
where there is a schema that may be about it, now or soon. A ConfigMap may be of several."""

MOST = 100
"""DaapSchemas of one ledger that are looked at for whose ledger it is: somebody may create any
number. They are those that have been there for longest."""


def _of_database(schema: raw.Object) -> list[tuple[str, str]]:
    return [database_of(schema)]


def ledger_of(schema: raw.Object) -> tuple[str, str, str]:
    """The namespace and the name of a schema's database, and the ledger there."""
    return (*database_of(schema), raw.text(schema, "spec", "ledger") or "default")


def _of_ledger(schema: raw.Object) -> list[tuple[str, str, str]]:
    return [ledger_of(schema)]


def files_of(schema: raw.Object) -> list[tuple[str, str]]:
    """The namespace and the name of each ConfigMap that a schema names."""
    namespace = raw.text(schema, "metadata", "namespace")
    sources = [each for part in PARTS for each in raw.items(schema, "spec", part)]
    found = (raw.text(each, "configMap", "name") for each in sources)
    return [(namespace, name) for name in dict.fromkeys(found) if name]


def _jobs(schema: raw.Object) -> list[tuple[str, str]]:
    job = raw.text(schema, "status", "job")
    return [(raw.text(schema, "metadata", "namespace"), job)] if job else []


def _namespace(obj: raw.Object) -> list[str]:
    return [raw.text(obj, "metadata", "namespace")]


def _place(obj: Object) -> tuple[str, str]:
    return raw.text(obj, "metadata", "namespace"), raw.text(obj, "metadata", "name")


def _itself(schema: Object, store: Reader) -> Iterator[Ref]:
    del store
    yield Ref.of(known.DAAP_SCHEMA, schema)


def _of_files(config_map: Object, store: Reader) -> Iterator[All]:
    del store
    place = _place(config_map)
    yield All(known.DAAP_SCHEMA, FILES, place, place[0])


def _of_job(job: Object, store: Reader) -> Iterator[Ref]:
    yield from store.refs_by(known.DAAP_SCHEMA, JOBS, _place(job))


def _of_changed(before: Object | None, now: Object | None, store: Reader) -> Iterator[All]:
    """A database's schemas, when it is another Cluster's, or its readiness has changed."""
    del store
    if _concerning(before) != _concerning(now) and (found := now or before):
        place = _place(found)
        yield All(known.DAAP_SCHEMA, OF_DATABASE, place, place[0])


def _concerning(database: Object | None) -> tuple[object, ...]:
    if database is None:
        return ()
    ready = raw.text(condition(database, ConditionType.READY), "status")
    going = bool(raw.value(database, "metadata", "deletionTimestamp"))
    cluster = raw.text(database, "status", "clusterName")
    return raw.text(database, "metadata", "uid"), cluster, going, ready


def _made_for(obj: Object, store: Reader) -> Iterator[Ref]:
    """The schema that it was made for."""
    uid_of = raw.text(obj, "metadata", "labels", known.DAAP_SCHEMA.uid_label)
    if uid_of:
        yield from store.refs_by(known.DAAP_SCHEMA, UID, uid_of)


def _others(before: Object | None, now: Object | None, store: Reader) -> Iterator[All]:
    """The other schemas of the ledger, one of which may have it now."""
    del store
    if now is None and before is not None:
        place = ledger_of(before)
        yield All(known.DAAP_SCHEMA, OF_LEDGER, place, place[0])


def _parts(schema: raw.Object) -> Iterator[tuple[Source, str]]:
    del schema
    files, jobs = names.SCHEMA_FILES_LABEL, names.SCHEMA_LABEL
    yield Source(known.CONFIG_MAP, files, metadata_only=True), files
    yield Source(known.JOB, jobs), jobs


_OF = Of(known.DAAP_SCHEMA, NAMESPACE, NAMESPACE)

WATCHES = (
    Watch(
        known.DAAP_SCHEMA,
        trim.schema,
        _itself,
        indexes={
            UID: uid,
            NAMESPACE: _namespace,
            OF_DATABASE: _of_database,
            OF_LEDGER: _of_ledger,
            FILES: files_of,
            JOBS: _jobs,
        },
        parts=_parts,
        concerns=_others,
    ),
    Watch(
        known.DATABASE,
        None,
        nobody,
        why="whether the one that files are for is ready, and which Cluster it has",
        concerns=_of_changed,
    ),
    Watch(
        known.DAAP_BACKUP,
        None,
        _made_for,
        why="whether the one before a plan is completed",
    ),
    Watch(
        known.DAAP_DRILL,
        None,
        _made_for,
        why="whether the copy that a plan is rehearsed on is restored",
    ),
    Watch(
        known.CONFIG_MAP,
        trim.config_map,
        _of_files,
        names.SCHEMA_FILES_LABEL,
        {NAMESPACE: _namespace},
        of=_OF,
        why="those with files of a schema only, by label, and of these the metadata: whether the "
        "files have changed",
        metadata_only=True,
    ),
    Watch(
        known.JOB,
        trim.job,
        _of_job,
        names.SCHEMA_LABEL,
        {NAMESPACE: _namespace},
        of=_OF,
        why="those of schemas only, by label: whether a run is over",
    ),
)
