"""The database that a schema is about, and whether the ledger is the schema's. Pure."""

from datetime import datetime
from typing import NamedTuple

from daap_operator import raw
from daap_operator.api.meta import ConditionType, Metadata
from daap_operator.api.v1alpha1 import DaapSchemaSpec, SchemaDatabase
from daap_operator.engine.kinds import Reader, Ref
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.watched import MOST, OF_LEDGER
from daap_operator.kinds.told import condition, message

WAITING_SECONDS = 300.0
"""When to look again at a database that is waited for, should no event come."""


class Prospect(NamedTuple):
    """A database that has a Cluster."""

    database: SchemaDatabase
    name: str
    """Its name in PostgreSQL."""
    ready_since: datetime | None
    """None while it is not ready: what is applied stays so, and nothing new can be."""


def prospect(store: Reader, metadata: Metadata, spec: DaapSchemaSpec) -> Prospect:
    """The database and its Cluster. Raises Waiting while there is none."""
    name = spec.database_ref.name
    found = store.get(Ref(known.DATABASE, metadata.namespace, name))
    if found is None or raw.value(found, "metadata", "deletionTimestamp"):
        there = "is being deleted" if found is not None else "does not exist in this namespace"
        raise waiting(f"DaapDatabase {name} {there}")
    cluster = raw.text(found, "status", "clusterName")
    its = store.get(Ref(known.CLUSTER, metadata.namespace, cluster)) if cluster else None
    uid = raw.text(its, "metadata", "uid")
    if not uid:
        raise waiting(f"DaapDatabase {name} has no Cluster at the moment{_why(found)}")
    of = SchemaDatabase(
        name=name,
        uid=raw.text(found, "metadata", "uid"),
        cluster_name=cluster,
        cluster_uid=uid,
    )
    ready = condition(found, ConditionType.READY)
    since = raw.moment(ready, "lastTransitionTime") if raw.text(ready, "status") == "True" else None
    return Prospect(of, raw.text(found, "status", "databaseName"), since)


def not_ready(store: Reader, key: Ref, database: SchemaDatabase) -> Waiting:
    """What a schema says whose database is there, and not ready."""
    found = store.get(Ref(known.DATABASE, key.namespace, database.name)) or {}
    return waiting(f"DaapDatabase {database.name} is not ready{_why(found)}")


def _why(database: raw.Object) -> str:
    """What the database says of that."""
    told = message(database, ConditionType.READY)
    return f": {told}" if told else ""


def waiting(told: str) -> Waiting:
    """What a schema says that cannot get on without its database."""
    return Waiting(SchemaReason.WAITING_FOR_DATABASE, told, seconds=WAITING_SECONDS)


def own_ledger(store: Reader, metadata: Metadata, spec: DaapSchemaSpec) -> None:
    """Raise Stalled when an older schema of the same database has the same ledger."""
    place = metadata.namespace, spec.database_ref.name, spec.ledger
    same = (
        (made, raw.text(each, "metadata", "uid"), raw.text(each, "metadata", "name"))
        for each in store.by(known.DAAP_SCHEMA, OF_LEDGER, place, MOST)
        if (made := raw.moment(each, "metadata", "creationTimestamp")) is not None
    )
    # Of several older ones the others wait, too
    *age, other = min(same, default=(*_age(metadata), metadata.name))
    if tuple(age) < _age(metadata):
        raise Stalled(
            SchemaReason.LEDGER_TAKEN,
            f"spec.ledger '{spec.ledger}' is that of DaapSchema {other} of the same database, "
            "which is older: create this one anew with another spec.ledger, or add its files "
            f"to {other}",
        )


def _age(metadata: Metadata) -> tuple[datetime, str]:
    return metadata.creation_timestamp, metadata.uid
