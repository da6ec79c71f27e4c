"""Statements that keep others out for as long as a table is large, or break clients. Pure."""

from collections.abc import Callable, Iterator

from postgast.pg_query_pb2 import ConstrType, ObjectType

from daap_operator.schema import names, rules
from daap_operator.schema.candidates import Candidate
from daap_operator.schema.columns import added
from daap_operator.schema.kinds import concurrent, object_kind
from daap_operator.schema.locks import MODES
from daap_operator.schema.names import object_name, quoted
from daap_operator.schema.relations import (
    Relation,
    commands,
    definition,
    listed,
    ranged,
    subtype,
)
from daap_operator.schema.tree import Parsed, Tree

_RENAMED = {
    f"OBJECT_{kind}"
    for kind in (
        "ATTRIBUTE",
        "COLUMN",
        "DOMAIN",
        "FOREIGN_TABLE",
        "FUNCTION",
        "MATVIEW",
        "PROCEDURE",
        "ROUTINE",
        "SCHEMA",
        "SEQUENCE",
        "TABLE",
        "TYPE",
        "VIEW",
    )
}
_TABLES = {ObjectType.Value("OBJECT_TABLE"), ObjectType.Value("OBJECT_MATVIEW")}


def found(parsed: Parsed) -> Iterator[Candidate]:
    """What in a statement blocks, rewrites or renames."""
    finding = _FINDING.get(parsed.name)
    if finding and not concurrent(parsed):
        yield from finding(parsed)


def _altered(parsed: Parsed) -> Iterator[Candidate]:
    if parsed.node.objtype not in _TABLES:
        return
    relation = ranged(parsed.node.relation)
    for command in commands(parsed):
        yield from _command(command, relation)


def _command(command: Tree, relation: Relation) -> Iterator[Candidate]:
    kind, about = subtype(command), definition(command)
    of = f"of {relation}"
    column = quoted(command.name)
    match kind:
        case "AT_AddColumn":
            yield from added(about, relation)
        case "AT_AddConstraint":
            yield from _constraint(about, relation)
        case "AT_SetNotNull":
            yield Candidate(rules.SET_NOT_NULL, f"SET NOT NULL {column} {of}", relation)
        case "AT_AlterColumnType":
            yield Candidate(rules.COLUMN_TYPE, f"TYPE of column {column} {of}", relation)
        case "AT_AttachPartition":
            partition = ranged(about.name)
            yield Candidate(rules.ATTACH, f"ATTACH PARTITION {partition}", partition)
        case "AT_DetachPartition" if not about.concurrent:
            yield Candidate(rules.DETACH, f"DETACH PARTITION {ranged(about.name)}", relation)
        case _ if kind in _REWRITES:
            yield Candidate(rules.REWRITE, f"{_REWRITES[kind]} {of}", relation)


_REWRITES = {
    "AT_SetLogged": "SET LOGGED",
    "AT_SetUnLogged": "SET UNLOGGED",
    "AT_SetAccessMethod": "SET ACCESS METHOD",
    "AT_SetTableSpace": "SET TABLESPACE",
    "AT_SetExpression": "SET EXPRESSION",
}


def _constraint(constraint: Tree, relation: Relation) -> Iterator[Candidate]:
    kind = ConstrType.Name(constraint.contype)
    named = f" {quoted(constraint.conname)}" if constraint.conname else ""
    what = f"ADD CONSTRAINT{named} to {relation}"
    match kind:
        case "CONSTR_CHECK" | "CONSTR_FOREIGN":
            if not constraint.skip_validation and constraint.is_enforced:
                yield Candidate(rules.CONSTRAINT, what, relation)
        case "CONSTR_NOTNULL":
            if not constraint.skip_validation:
                yield Candidate(rules.SET_NOT_NULL, what, relation)
        case "CONSTR_PRIMARY" | "CONSTR_UNIQUE":
            if not constraint.indexname:
                yield Candidate(rules.UNIQUE, what, relation)
        case "CONSTR_EXCLUSION":
            yield Candidate(rules.EXCLUDE, what, relation)


def _index(parsed: Parsed) -> Iterator[Candidate]:
    relation = ranged(parsed.node.relation)
    name = f" {quoted(parsed.node.idxname)}" if parsed.node.idxname else ""
    yield Candidate(rules.INDEX, f"CREATE INDEX{name} on {relation}", relation)


def _dropped(parsed: Parsed) -> Iterator[Candidate]:
    if object_kind(parsed.node.remove_type) == "INDEX":
        for each in parsed.node.objects:
            relation = listed(each.list.items)
            yield Candidate(rules.DROP_INDEX, f"DROP INDEX {relation}", relation)


def _renamed(parsed: Parsed) -> Iterator[Candidate]:
    node = parsed.node
    if ObjectType.Name(node.rename_type) not in _RENAMED:
        return
    relation = ranged(node.relation) if node.HasField("relation") else None
    old = quoted(node.subname) if node.subname else object_name(node.object) or str(relation)
    what = f"RENAME {object_kind(node.rename_type)} {old} to {quoted(node.newname)}"
    yield Candidate(rules.RENAME, what, relation)


def _moved(parsed: Parsed) -> Iterator[Candidate]:
    node = parsed.node
    relation = ranged(node.relation) if node.HasField("relation") else None
    what = f"SET SCHEMA {quoted(node.newschema)} of {relation or object_name(node.object)}"
    yield Candidate(rules.RENAME, what, relation)


def _reindexed(parsed: Parsed) -> Iterator[Candidate]:
    relation = ranged(parsed.node.relation) if parsed.node.HasField("relation") else None
    yield Candidate(rules.REINDEX, f"REINDEX {relation or quoted(parsed.node.name)}", relation)


def _refreshed(parsed: Parsed) -> Iterator[Candidate]:
    if not parsed.node.concurrent:
        relation = ranged(parsed.node.relation)
        yield Candidate(rules.REFRESH, f"REFRESH MATERIALIZED VIEW {relation}", relation)


def _locked(parsed: Parsed) -> Iterator[Candidate]:
    for each in parsed.node.relations:
        relation = ranged(each.range_var)
        what = f"LOCK TABLE {relation} IN {MODES[parsed.node.mode - 1]} MODE"
        yield Candidate(rules.LOCK_TABLE, what, relation)


def _clustered(parsed: Parsed) -> Iterator[Candidate]:
    relation = ranged(parsed.node.relation) if parsed.node.HasField("relation") else None
    yield Candidate(rules.REWRITE, f"CLUSTER {relation or ''}".strip(), relation)


def _vacuumed(parsed: Parsed) -> Iterator[Candidate]:
    if names.switched_on(names.options(parsed.node.options), "full"):
        yield Candidate(rules.REWRITE, "VACUUM FULL")


_FINDING: dict[str, Callable[[Parsed], Iterator[Candidate]]] = {
    "alter_table_stmt": _altered,
    "index_stmt": _index,
    "drop_stmt": _dropped,
    "rename_stmt": _renamed,
    "alter_object_schema_stmt": _moved,
    "reindex_stmt": _reindexed,
    "refresh_mat_view_stmt": _refreshed,
    "lock_stmt": _locked,
    "cluster_stmt": _clustered,
    "vacuum_stmt": _vacuumed,
}
