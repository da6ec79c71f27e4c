"""Which relations are new in a plan for certain: dropping them deletes nobody's data. Pure."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from daap_operator.schema.relations import RELATIONS, Relation, created, dropped, ranged
from daap_operator.schema.tree import Parsed, Tree


class Effect(NamedTuple):
    """What a statement does to which names mean for certain a relation that is new."""

    creates: Sequence[Relation] = ()
    temporary: bool = False
    """What it creates lasts as long as the session."""
    unsettles: frozenset[str] = frozenset()
    """Names that may mean something else afterwards."""
    renames: Relation | None = None
    """What it gives the name that it creates."""
    path: bool = False
    """Names without a schema are looked for elsewhere."""


NOTHING = Effect()


class Certain:
    """Relations that are new for certain, by exactly the name that they were created with.

    Whoever may write a file could else have a table of the same name count as new that is not: one
    that CREATE TABLE IF NOT EXISTS has found, one that was renamed, one in another schema, one that
    a temporary table hides until the session ends.
    """

    def __init__(self) -> None:
        self._schemas: dict[str, set[str]] = {}
        """By the relation's name: a file may have forty thousand statements, each of them asks."""
        self._bare: set[str] = set()
        """Names without a schema."""
        self._temporary: set[Relation] = set()
        self._elsewhere = self._whole = False

    def begin_file(self, *, whole: bool) -> None:
        """A session as after connecting; the last one, when the file is `whole`, a transaction."""
        for each in self._temporary:
            self._forget(each.name)
        self._temporary, self._elsewhere, self._whole = set(), False, whole

    def after(self, effect: Effect) -> None:
        """A statement has run."""
        if effect.path:
            self._elsewhere = True
            self._bare.clear()
        known = effect.renames is None or effect.renames in self
        for name in effect.unsettles:
            self._forget(name)
        if known and (self._whole or not effect.temporary):
            for each in effect.creates:
                self._add(each, temporary=effect.temporary)

    def _add(self, relation: Relation, *, temporary: bool) -> None:
        if relation.schema:
            self._schemas.setdefault(relation.name, set()).add(relation.schema)
        elif not self._elsewhere:
            self._bare.add(relation.name)
        if temporary:
            self._temporary.add(relation)

    def _forget(self, name: str) -> None:
        self._schemas.pop(name, None)
        self._bare.discard(name)

    def __contains__(self, relation: Relation) -> bool:
        if not relation.schema:
            return relation.name in self._bare
        return relation.schema in self._schemas.get(relation.name, ())


def effect(parsed: Parsed) -> Effect:
    """What a statement does to them."""
    node = parsed.node
    match parsed.name:
        case "rename_stmt":
            return _renamed(parsed)
        case "alter_object_schema_stmt":
            return Effect(unsettles=frozenset({node.relation.relname}))
        case "variable_set_stmt" | "discard_stmt":
            return Effect(path=getattr(node, "name", "") in {"", "search_path"})
        case "create_schema_stmt":
            return Effect([] if _may_exist(parsed) else created(parsed))
    if parsed.name in _OPAQUE or "set_config" in parsed.text.lower():
        return Effect(path=True)
    where = _PLACES.get(parsed.name)
    temporary = where is not None and where(node).relpersistence == "t"
    creates = [] if getattr(node, "if_not_exists", False) else created(parsed)
    return Effect(creates, temporary, frozenset(each.name for each in dropped(parsed)))


def _renamed(parsed: Parsed) -> Effect:
    node = parsed.node
    if node.rename_type not in RELATIONS:
        return NOTHING
    names = frozenset({node.relation.relname, node.newname})
    return Effect(created(parsed), unsettles=names, renames=ranged(node.relation))


def _may_exist(parsed: Parsed) -> bool:
    """Whether something that CREATE SCHEMA is to create in it may be there."""
    each = [element.WhichOneof("node") for element in parsed.node.schema_elts]
    below = zip(parsed.node.schema_elts, each, strict=True)
    return any(getattr(getattr(one, kind), "if_not_exists", False) for one, kind in below)


_OPAQUE = frozenset({"do_stmt", "call_stmt"})
"""What may set the search_path without saying so."""

_PLACES: dict[str, Callable[[Tree], Tree]] = {
    "create_stmt": lambda node: node.relation,
    "create_table_as_stmt": lambda node: node.into.rel,
    "create_seq_stmt": lambda node: node.sequence,
    "select_stmt": lambda node: node.into_clause.rel,
    "view_stmt": lambda node: node.view,
}
"""The RangeVar of what is created."""
