"""Which manifests bring the databases back that the inventory knows of, and what they lack. Pure.

The inventory is not trusted (docs/adr/0032): what is made of a row has to keep the rules of the API
in full, or it is listed and not made.
"""

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from daap_operator import names, nesting, raw
from daap_operator.api.v1alpha1 import DaapDatabase, DaapDatabaseStatus
from daap_operator.engine.subject import validated
from daap_operator.errors import Stalled
from daap_operator.kinds import known
from daap_operator.kinds.database.desired import locales
from daap_operator.lines import quoted, visible
from daap_operator.mirror.lost import Lost

Object = dict[str, Any]

_NAMESPACE = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
_UNKNOWN = {"uid": "-", "resourceVersion": "-", "creationTimestamp": "2000-01-01T00:00:00Z"}
"""For the rules, which need an object; what the API server is going to say is not known."""


@dataclass(frozen=True)
class Rebuilt:
    """A database that is created again."""

    manifest: Object
    note: str
    """Where its data comes from."""
    store: str = ""
    """The ObjectStore that has to be there, in its namespace; empty where the row names none."""

    @property
    def namespace(self) -> str:
        """Its namespace."""
        return raw.text(self.manifest, "metadata", "namespace")


@dataclass(frozen=True)
class Gap:
    """What is not as it was, and what to do about it."""

    database: str
    """Namespace and name, as far as they can be told."""
    told: str


@dataclass(frozen=True)
class Plan:
    """What is applied to the new cluster, in that order, and what is missing."""

    rebuilt: tuple[Rebuilt, ...]
    gaps: tuple[Gap, ...]


def plan(rows: Sequence[Lost], at: str = "") -> Plan:
    """The databases of those rows, each restored to the moment `at`; empty for the latest."""
    ordered = sorted(rows, key=lambda row: (row.namespace, row.name, row.uid))
    several = {name for name, number in Counter(row.name for row in rows).items() if number > 1}
    rebuilt: list[Rebuilt] = []
    gaps: list[Gap] = []
    for row in ordered:
        spec = _spec(row)
        why = _not_made(row, spec, several)
        made = None if why else _rebuilt(row, spec, at)
        if isinstance(made, Rebuilt):
            rebuilt.append(made)
            why = _less_than_before(row, spec)
        elif made is not None:
            why = made
        if why:
            gaps.append(Gap(_called(row), why))
    return Plan(tuple(rebuilt), tuple(gaps))


def _spec(row: Lost) -> Object:
    try:
        found = nesting.parsed(row.spec or "null")
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _not_made(row: Lost, spec: Object, several: set[str]) -> str:
    """Why nothing is made of a row; empty where something is."""
    if row.there_again:
        return (
            "is not written: a database of this name was created since. "
            f"To have the lost data as well, create another DaapDatabase with {_from(row)}"
        )
    if not _NAMESPACE.fullmatch(row.namespace):
        return "is not written: that is not the name of a namespace. Correct the row, or delete it"
    if row.name in several:
        return f"is not written: the inventory has it more than once, here with uid {row.uid}"
    if not spec:
        return (
            "is not written: its row has no spec, because an operator older than the column wrote "
            f"it, or because the spec was too large. Write its manifest, with {_from(row)}"
        )
    if row.status == "deleting" and not raw.truth(spec, "deletionProtection"):
        return (
            "is not written: it was being deleted. "
            f"If it is to come back all the same, write its manifest, with {_from(row)}"
        )
    return ""


def _rebuilt(row: Lost, spec: Object, at: str) -> Rebuilt | str:
    """The manifest of a row; a sentence where no such object can be had."""
    metadata = {"name": row.name, "namespace": row.namespace}
    made = {
        "apiVersion": known.DATABASE.api_version,
        "kind": known.DATABASE.name,
        "metadata": metadata,
        "spec": _asked(row, spec, at),
    }
    try:
        judged = {"metadata": metadata | _UNKNOWN, "spec": made["spec"]}
        validated(judged, DaapDatabase, DaapDatabaseStatus)
    except Stalled as refusal:
        return (
            "is not written: what its row says breaks the rules of the API. "
            f"{visible(str(refusal))}. Correct that in a manifest of your own, with {_from(row)}"
        )
    if not row.archive:
        return Rebuilt(made, "EMPTY: it had no backups")
    until = f" as of {at}" if at else ""
    where = f"archive {row.archive} in {f'ObjectStore {row.store}' if row.store else 'the default'}"
    return Rebuilt(made, f"from {where}{until}", row.store or "")


def _asked(row: Lost, spec: Object, at: str) -> Object:
    """The spec as its team wrote it, with what was allotted and where the data is."""
    asked = {field: value for field, value in spec.items() if field != "source"}
    version = raw.whole(row.version or "", digits=3)
    if version:
        asked["postgresVersion"] = version  # that of the data, also while an upgrade was asked for
    if row.database_name and row.database_name != names.database_name(row.name):
        asked.setdefault("databaseName", row.database_name)
    locale = locales.read(row.locale)
    if locale and version and locale != locales.default(version):
        asked.setdefault("locale", {"provider": locale.provider.value, "locale": locale.locale})
    if row.archive:
        target = {"store": row.store, "at": at}
        asked["source"] = {"archive": row.archive} | {k: v for k, v in target.items() if v}
    return asked


def _less_than_before(row: Lost, spec: Object) -> str:
    """What a database that is created again lacks, as far as its row can tell."""
    if not row.archive:
        return "is created empty: it had no backups, so its data is lost"
    if raw.value(spec, "backup", "enabled") is False:
        return (
            "is created with old data: its backups were switched off, so its archive ends then. "
            "Make sure that this is wanted"
        )
    return ""


def _from(row: Lost) -> str:
    """What a manifest takes that a person writes."""
    if not row.archive:
        return "no source: it had no backups"
    parts = {"archive": row.archive, "store": row.store, "postgresVersion": row.version}
    parts |= {"databaseName": row.database_name}
    return ", ".join(f"{name} '{quoted(value)}'" for name, value in parts.items() if value)


def _called(row: Lost) -> str:
    return f"{quoted(row.namespace)}/{quoted(row.name)}"
