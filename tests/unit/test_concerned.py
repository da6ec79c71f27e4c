"""What waits for a database is woken by its Cluster, owned or not, and by its status."""

from typing import Any

import pytest

from daap_operator import names
from daap_operator.engine.intake import Intake
from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.backup.watched import WATCHES as OF_BACKUPS
from daap_operator.kinds.database.watched import WATCHES as OF_DATABASES
from daap_operator.kinds.drill.watched import WATCHES as OF_DRILLS
from daap_operator.kinds.restore.watched import WATCHES as OF_RESTORES
from daap_operator.kinds.schema.watched import WATCHES as OF_SCHEMAS
from tests.support.woken import each
from tests.unit import builders
from tests.unit.stage import Woken

Object = dict[str, Any]

OWNED = {
    "apiVersion": known.DATABASE.api_version,
    "kind": known.DATABASE.name,
    "name": "orders",
    "uid": "u",
}
ALL = [*OF_DATABASES, *OF_BACKUPS, *OF_RESTORES, *OF_DRILLS, *OF_SCHEMAS]
WATCHES = {known.DAAP_BACKUP: OF_BACKUPS, known.DAAP_RESTORE: OF_RESTORES}

WOKEN: dict[str, tuple[Object, bool]] = {
    "owned": ({"ownerReferences": [OWNED]}, True),
    "without an owner, for it outlives the object": (
        {"labels": {names.DATABASE_LABEL: "orders"}},
        True,
    ),
    "another's": ({"labels": {names.DATABASE_LABEL: "ledger"}}, False),
    "nobody's": ({}, False),
}


def waiting(database: str = "orders") -> Object:
    """Whatever waits for a database."""
    return {
        "metadata": {"name": "one", "namespace": "shop", "uid": "w", "resourceVersion": "1"},
        "spec": {"databaseRef": {"name": database}},
        "status": {"phase": "Pending"},
    }


@pytest.mark.parametrize(("metadata", "wakes"), WOKEN.values(), ids=WOKEN)
@pytest.mark.parametrize("kind", WATCHES, ids=lambda kind: kind.name)
def test_what_waits_is_woken_by_the_cluster(kind: Any, metadata: Object, wakes: bool) -> None:
    store = Store(ALL)
    store.put(kind, waiting())
    cluster = {"metadata": {"name": "daap-orders", "namespace": "shop"} | metadata}
    (watch,) = (each for each in WATCHES[kind] if each.kind == known.CLUSTER)
    expected = [Ref(kind, "shop", "one")] if wakes else []
    assert list(each(watch.wakes(cluster, store), store)) == expected


@pytest.mark.parametrize("database", ["orders", "ledger"])
@pytest.mark.parametrize(
    "kind", [*WATCHES, known.DAAP_DRILL, known.DAAP_SCHEMA], ids=lambda kind: kind.name
)
def test_a_status_that_we_write_concerns_what_waits_for_it_and_nothing_of_its_kind(
    kind: Any, database: str
) -> None:
    store = Store(ALL)
    woken = Woken()
    intake = Intake(store, woken, ALL)
    kept = store.put(known.DATABASE, builders.database())
    assert kept
    store.put(kind, waiting(database))
    intake.written(known.DATABASE, None, kept)
    expected = [Ref(kind, "shop", "one")] if database == "orders" else []
    assert woken.taken() == expected


def test_another_schema_of_a_database_is_woken_when_one_is_gone() -> None:
    """It may have the ledger now. What becomes of one that stays is nothing to the others."""
    store = Store(ALL)
    woken = Woken()
    intake = Intake(store, woken, ALL)
    for name in ("first", "second"):
        schema = waiting()
        schema["metadata"] |= {"name": name, "uid": name}
        kept = store.put(known.DAAP_SCHEMA, schema)
    assert kept
    (watch,) = (each for each in OF_SCHEMAS if each.kind == known.DAAP_SCHEMA)
    intake.written(known.DAAP_SCHEMA, kept, kept | {"status": {"phase": "Applied"}})
    assert Ref(known.DAAP_SCHEMA, "shop", "first") not in woken.taken()
    intake.event(watch.source, "DELETED", kept)
    assert Ref(known.DAAP_SCHEMA, "shop", "first") in woken.taken()
