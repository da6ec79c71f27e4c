"""Which relations a statement names, creates and takes away. Pure."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from postgast.pg_query_pb2 import AlterTableType, ObjectType

from daap_operator.schema.names import dotted, strings
from daap_operator.schema.tree import Parsed, Tree


class Relation(NamedTuple):
    """A table, view, index or sequence as a statement names it; the schema may be left out."""

    schema: str
    name: str

    def __str__(self) -> str:
        return dotted(self)


RELATIONS = frozenset(
    ObjectType.Value(f"OBJECT_{kind}")
    for kind in ("TABLE", "VIEW", "MATVIEW", "FOREIGN_TABLE", "INDEX", "SEQUENCE")
)
"""The kinds of objects whose names are those of relations."""


def ranged(node: Tree) -> Relation:
    """The relation of a RangeVar."""
    return Relation(node.schemaname, node.relname)


def listed(nodes: Sequence[Tree]) -> Relation:
    """The relation of a list of names, of which the last is its own."""
    parts = strings(nodes)
    return Relation(parts[-2] if len(parts) > 1 else "", parts[-1] if parts else "")


def commands(parsed: Parsed) -> Iterator[Tree]:
    """The subcommands of ALTER TABLE and the like; none of other statements."""
    if parsed.name == "alter_table_stmt":
        for each in parsed.node.cmds:
            yield each.alter_table_cmd


def subtype(command: Tree) -> str:
    """Its name: `AT_AddColumn`."""
    return str(AlterTableType.Name(command.subtype))


def definition(command: Tree) -> Tree:
    """What it is about: a ColumnDef, a Constraint, …; `def` is a word of Python's."""
    wrapped = getattr(command, "def")
    kind = wrapped.WhichOneof("node")
    return getattr(wrapped, kind) if kind else None


class Known:
    """Relations that an earlier statement has created: a name without a schema is in any."""

    def __init__(self, relations: Iterable[Relation] = ()) -> None:
        self._schemas: dict[str, set[str]] = {}
        self.add(relations)

    def add(self, relations: Iterable[Relation]) -> None:
        """They are there from here on."""
        for each in relations:
            self._schemas.setdefault(each.name, set()).add(each.schema)

    def remove(self, relations: Iterable[Relation]) -> None:
        """They are gone from here on."""
        for each in relations:
            self._schemas.pop(each.name, None)

    def copy(self) -> "Known":
        """The same, going its own way from here on."""
        other = Known()
        other._schemas = {name: set(schemas) for name, schemas in self._schemas.items()}
        return other

    def __contains__(self, relation: Relation) -> bool:
        schemas = self._schemas.get(relation.name, set())
        return bool(schemas) and (
            not relation.schema or "" in schemas or relation.schema in schemas
        )


def created(parsed: Parsed) -> list[Relation]:
    """The relations that are new after it."""
    creating = _CREATING.get(parsed.name)
    return creating(parsed.node) if creating else []


def dropped(parsed: Parsed) -> list[Relation]:
    """The relations that are no longer there after it."""
    if parsed.name == "drop_stmt" and parsed.node.remove_type in RELATIONS:
        return [listed(each.list.items) for each in parsed.node.objects]
    if parsed.name == "rename_stmt" and parsed.node.rename_type in RELATIONS:
        return [ranged(parsed.node.relation)]
    return []


def _elements(node: Tree) -> Iterator[Relation]:
    """What CREATE SCHEMA creates in it."""
    for each in node.schema_elts:
        kind = each.WhichOneof("node")
        yield from created(Parsed(kind, getattr(each, kind), "", 0))


def _index(node: Tree) -> list[Relation]:
    return [Relation(node.relation.schemaname, node.idxname)] if node.idxname else []


def _selected(node: Tree) -> list[Relation]:
    return [ranged(node.into_clause.rel)] if node.HasField("into_clause") else []


def _view(node: Tree) -> list[Relation]:
    return [] if node.replace else [ranged(node.view)]


def _schema(node: Tree) -> list[Relation]:
    return [_inside(node.schemaname, each) for each in _elements(node)]


def _renamed(node: Tree) -> list[Relation]:
    new = Relation(node.relation.schemaname, node.newname)
    return [new] if node.rename_type in RELATIONS else []


def _inside(schema: str, relation: Relation) -> Relation:
    return relation if relation.schema else Relation(schema, relation.name)


_CREATING: dict[str, Callable[[Tree], list[Relation]]] = {
    "create_stmt": lambda node: [ranged(node.relation)],
    "create_foreign_table_stmt": lambda node: [ranged(node.base_stmt.relation)],
    "create_table_as_stmt": lambda node: [ranged(node.into.rel)],
    "create_seq_stmt": lambda node: [ranged(node.sequence)],
    "create_schema_stmt": _schema,
    "select_stmt": _selected,
    "index_stmt": _index,
    "view_stmt": _view,
    "rename_stmt": _renamed,
}
