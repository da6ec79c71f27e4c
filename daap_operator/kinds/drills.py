"""DaapDrills, as every kind that looks at them has them. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.api.kind import is_uid_label
from daap_operator.api.v1alpha1 import DrillPhase
from daap_operator.engine import child
from daap_operator.engine.kinds import SUBJECT_METADATA, Object, Reader, Ref
from daap_operator.engine.ownership import owners
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.references import database_of

OF_DATABASE = "of database"
"""Index of the DaapDrills by the namespace and the name of their database."""

MOST = 100
"""Drills that are looked at of one database: anybody may order any number of them."""

OVER = (DrillPhase.PASSED, DrillPhase.FAILED)
"""The phases of a drill that is over, for good."""


def keep(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A DaapDrill: without others' annotations, labels and field managers.

    One that a database's schedule has made is a child, and kept as one, too.
    """
    metadata, labels = raw.mapping(obj, "metadata"), raw.mapping(obj, "metadata", "labels")
    of_drill: dict[str, Any] = raw.picked(metadata, SUBJECT_METADATA)
    kept: dict[str, Any] = {}
    if any(map(is_uid_label, labels)):
        kept = child.keep(obj)
        ours = kept["metadata"]["labels"] | raw.picked(labels, (names.SCHEDULED_LABEL,))
        of_drill = kept["metadata"] | of_drill | {"labels": ours}
    return kept | {
        "metadata": of_drill,
        "spec": dict(raw.mapping(obj, "spec")),
        "status": dict(raw.mapping(obj, "status")),
    }


def of_database(drill: raw.Object) -> list[tuple[str, str]]:
    """The keys of the index OF_DATABASE: of a rehearsal none, which proves nothing of backups."""
    return [] if borrower(drill) else [database_of(drill)]


def borrower(drill: raw.Object) -> str:
    """The name of the DaapSchema that rehearses its plan on what is restored; empty for a proof.

    By the label that says whose it is, which only the operator sets.
    """
    labels = raw.mapping(drill, "metadata", "labels")
    uid = raw.text(labels, known.DAAP_SCHEMA.uid_label)
    names_it = (raw.text(each, "name") for each in owners(drill, known.DAAP_SCHEMA))
    return next(names_it, "that is gone") if uid else ""


def is_over(drill: raw.Object) -> bool:
    """Whether it has passed or failed: for good."""
    return raw.text(drill, "status", "phase") in OVER


def latest_of(store: Store, database: Ref) -> list[Object]:
    """The drills of a database, whoever ordered them: of many those that came last."""
    place = database.namespace, database.name
    return store.by(known.DAAP_DRILL, OF_DATABASE, place, MOST, latest=True)


def concerns(before: Object | None, now: Object | None, store: Reader) -> Iterator[Ref]:
    """The database of a drill that is over, which tells something, or is gone, which makes room.

    How far one has come that is under way does not concern it.
    """
    del store
    found = now or before
    was_over = before is not None and is_over(before)
    if found and (now is None or (is_over(now) and not was_over)):
        yield Ref(known.DATABASE, *database_of(found))
