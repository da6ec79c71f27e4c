"""Which locks a statement takes, as PostgreSQL's documentation has them. Pure.

https://www.postgresql.org/docs/current/explicit-locking.html and the pages of the statements. What
a query takes, ACCESS SHARE, is left out: it only keeps out what is ACCESS EXCLUSIVE.
"""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from postgast.pg_query_pb2 import ConstrType, ObjectType, ReindexObjectType

from daap_operator.schema import names
from daap_operator.schema.kinds import concurrent
from daap_operator.schema.relations import (
    RELATIONS,
    Relation,
    commands,
    definition,
    listed,
    ranged,
    subtype,
)
from daap_operator.schema.tree import Parsed, Tree

ROW_EXCLUSIVE = "ROW EXCLUSIVE"
SHARE_UPDATE_EXCLUSIVE = "SHARE UPDATE EXCLUSIVE"
SHARE = "SHARE"
SHARE_ROW_EXCLUSIVE = "SHARE ROW EXCLUSIVE"
EXCLUSIVE = "EXCLUSIVE"
ACCESS_EXCLUSIVE = "ACCESS EXCLUSIVE"

MODES = (
    "ACCESS SHARE",
    "ROW SHARE",
    ROW_EXCLUSIVE,
    SHARE_UPDATE_EXCLUSIVE,
    SHARE,
    SHARE_ROW_EXCLUSIVE,
    EXCLUSIVE,
    ACCESS_EXCLUSIVE,
)
"""From the weakest to the strongest, numbered from 1 in LOCK TABLE."""

ALTER_TABLE = {
    "AT_SetStatistics": SHARE_UPDATE_EXCLUSIVE,
    "AT_SetOptions": SHARE_UPDATE_EXCLUSIVE,
    "AT_ResetOptions": SHARE_UPDATE_EXCLUSIVE,
    "AT_ClusterOn": SHARE_UPDATE_EXCLUSIVE,
    "AT_DropCluster": SHARE_UPDATE_EXCLUSIVE,
    "AT_ValidateConstraint": SHARE_UPDATE_EXCLUSIVE,
    "AT_AttachPartition": SHARE_UPDATE_EXCLUSIVE,
    "AT_DetachPartitionFinalize": SHARE_UPDATE_EXCLUSIVE,
    "AT_EnableTrig": SHARE_ROW_EXCLUSIVE,
    "AT_EnableAlwaysTrig": SHARE_ROW_EXCLUSIVE,
    "AT_EnableReplicaTrig": SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrig": SHARE_ROW_EXCLUSIVE,
    "AT_EnableTrigAll": SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrigAll": SHARE_ROW_EXCLUSIVE,
    "AT_EnableTrigUser": SHARE_ROW_EXCLUSIVE,
    "AT_DisableTrigUser": SHARE_ROW_EXCLUSIVE,
}
"""https://www.postgresql.org/docs/current/sql-altertable.html; all others are ACCESS EXCLUSIVE."""

_LIGHT_OPTIONS = (
    "autovacuum_",
    "deduplicate_items",
    "fillfactor",
    "log_autovacuum_",
    "parallel_workers",
    "toast_tuple_target",
    "vacuum_",
)
_FOREIGN = ConstrType.Value("CONSTR_FOREIGN")


class Taken(NamedTuple):
    """A lock that is taken on a relation."""

    mode: str
    relation: Relation


def locks(parsed: Parsed) -> tuple[Taken, ...]:
    """What a statement locks, each relation once, in its strongest mode."""
    strongest: dict[Relation, str] = {}
    taking = _TAKING.get(parsed.name)
    for mode, relation in taking(parsed) if taking else ():
        if relation.name:
            before = strongest.get(relation, MODES[0])
            strongest[relation] = max(before, mode, key=MODES.index)
    return tuple(Taken(mode, relation) for relation, mode in strongest.items())


def _altered(parsed: Parsed) -> Iterator[Taken]:
    relation = ranged(parsed.node.relation)
    for command in commands(parsed):
        yield Taken(_level(command), relation)
        yield from _others(command)


def _level(command: Tree) -> str:
    kind, about = subtype(command), definition(command)
    if kind == "AT_AddConstraint" and about.contype == _FOREIGN:
        return SHARE_ROW_EXCLUSIVE
    if kind == "AT_DetachPartition" and about.concurrent:
        return SHARE_UPDATE_EXCLUSIVE
    if kind in {"AT_SetRelOptions", "AT_ResetRelOptions"}:
        light = all(_light(each.def_elem) for each in about.items)
        return SHARE_UPDATE_EXCLUSIVE if light else ACCESS_EXCLUSIVE
    return ALTER_TABLE.get(kind, ACCESS_EXCLUSIVE)


def _light(option: Tree) -> bool:
    return bool(option.defnamespace == "toast" or option.defname.startswith(_LIGHT_OPTIONS))


def _others(command: Tree) -> Iterator[Taken]:
    """What a subcommand locks besides its own table."""
    kind, about = subtype(command), definition(command)
    match kind:
        case "AT_AddConstraint":
            yield from _referenced([about])
        case "AT_AddColumn":
            yield from _referenced([each.constraint for each in about.constraints])
        case "AT_AttachPartition" | "AT_DetachPartition":
            yield Taken(ACCESS_EXCLUSIVE, ranged(about.name))
        case "AT_AddInherit" | "AT_DropInherit":
            yield Taken(SHARE_UPDATE_EXCLUSIVE, ranged(about))
        case _:
            return


def _referenced(constraints: list[Tree]) -> Iterator[Taken]:
    for each in constraints:
        if each.contype == _FOREIGN:
            yield Taken(SHARE_ROW_EXCLUSIVE, ranged(each.pktable))


def _created_table(parsed: Parsed) -> Iterator[Taken]:
    node = parsed.node.base_stmt if parsed.name.startswith("create_foreign") else parsed.node
    for element in [*node.table_elts, *node.constraints]:
        if element.WhichOneof("node") == "constraint":
            yield from _referenced([element.constraint])
        elif element.WhichOneof("node") == "column_def":
            yield from _referenced([each.constraint for each in element.column_def.constraints])
    mode = ACCESS_EXCLUSIVE if node.HasField("partbound") else SHARE_UPDATE_EXCLUSIVE
    for parent in node.inh_relations:
        yield Taken(mode, ranged(parent.range_var))


def _index(parsed: Parsed) -> Iterator[Taken]:
    mode = SHARE_UPDATE_EXCLUSIVE if parsed.node.concurrent else SHARE
    yield Taken(mode, ranged(parsed.node.relation))


def _dropped(parsed: Parsed) -> Iterator[Taken]:
    mode = SHARE_UPDATE_EXCLUSIVE if parsed.node.concurrent else ACCESS_EXCLUSIVE
    kind = parsed.node.remove_type
    for each in parsed.node.objects:
        if kind in RELATIONS:
            yield Taken(mode, listed(each.list.items))
        elif ObjectType.Name(kind) in {"OBJECT_TRIGGER", "OBJECT_POLICY", "OBJECT_RULE"}:
            yield Taken(mode, listed(each.list.items[:-1]))


def _renamed(parsed: Parsed) -> Iterator[Taken]:
    index = ObjectType.Name(parsed.node.rename_type) == "OBJECT_INDEX"
    yield Taken(SHARE_UPDATE_EXCLUSIVE if index else ACCESS_EXCLUSIVE, ranged(parsed.node.relation))


def _reindexed(parsed: Parsed) -> Iterator[Taken]:
    table = ReindexObjectType.Name(parsed.node.kind).endswith("TABLE")
    mode = SHARE if table else ACCESS_EXCLUSIVE
    yield Taken(
        SHARE_UPDATE_EXCLUSIVE if concurrent(parsed) else mode, ranged(parsed.node.relation)
    )


def _vacuumed(parsed: Parsed) -> Iterator[Taken]:
    full = names.switched_on(names.options(parsed.node.options), "full")
    for each in parsed.node.rels:
        mode = ACCESS_EXCLUSIVE if full else SHARE_UPDATE_EXCLUSIVE
        yield Taken(mode, ranged(each.vacuum_relation.relation))


def _written(parsed: Parsed) -> Iterator[Taken]:
    """What a query writes to, in its WITH clause too."""
    name, node = parsed.name, parsed.node
    if name != "select_stmt":
        yield Taken(ROW_EXCLUSIVE, ranged(node.relation))
    for each in node.with_clause.ctes:
        query = each.common_table_expr.ctequery
        kind = query.WhichOneof("node")
        if kind in {"insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}:
            yield from _written(Parsed(kind, getattr(query, kind), "", 0))


def _ranges(mode: str) -> Callable[[Parsed], Iterator[Taken]]:
    return lambda parsed: (Taken(mode, ranged(each.range_var)) for each in parsed.node.relations)


def _one(mode: str, field: str = "relation") -> Callable[[Parsed], Iterator[Taken]]:
    return lambda parsed: iter([Taken(mode, ranged(getattr(parsed.node, field)))])


def _locked(parsed: Parsed) -> Iterator[Taken]:
    for each in parsed.node.relations:
        yield Taken(MODES[parsed.node.mode - 1], ranged(each.range_var))


def _commented(parsed: Parsed) -> Iterator[Taken]:
    kind, items = parsed.node.objtype, parsed.node.object.list.items
    if kind in RELATIONS:
        yield Taken(SHARE_UPDATE_EXCLUSIVE, listed(items))
    elif ObjectType.Name(kind) in {"OBJECT_COLUMN", "OBJECT_TABCONSTRAINT", "OBJECT_TRIGGER"}:
        yield Taken(SHARE_UPDATE_EXCLUSIVE, listed(items[:-1]))


def _view(parsed: Parsed) -> Iterator[Taken]:
    if parsed.node.replace:
        yield Taken(ACCESS_EXCLUSIVE, ranged(parsed.node.view))


def _copied(parsed: Parsed) -> Iterator[Taken]:
    if parsed.node.is_from:
        yield Taken(ROW_EXCLUSIVE, ranged(parsed.node.relation))


def _refreshed(parsed: Parsed) -> Iterator[Taken]:
    mode = EXCLUSIVE if parsed.node.concurrent else ACCESS_EXCLUSIVE
    yield Taken(mode, ranged(parsed.node.relation))


_TAKING: dict[str, Callable[[Parsed], Iterator[Taken]]] = {
    "alter_table_stmt": _altered,
    "create_stmt": _created_table,
    "create_foreign_table_stmt": _created_table,
    "index_stmt": _index,
    "drop_stmt": _dropped,
    "rename_stmt": _renamed,
    "reindex_stmt": _reindexed,
    "vacuum_stmt": _vacuumed,
    "insert_stmt": _written,
    "update_stmt": _written,
    "delete_stmt": _written,
    "merge_stmt": _written,
    "select_stmt": _written,
    "copy_stmt": _copied,
    "truncate_stmt": _ranges(ACCESS_EXCLUSIVE),
    "lock_stmt": _locked,
    "comment_stmt": _commented,
    "view_stmt": _view,
    "refresh_mat_view_stmt": _refreshed,
    "cluster_stmt": _one(ACCESS_EXCLUSIVE),
    "alter_object_schema_stmt": _one(ACCESS_EXCLUSIVE),
    "create_trig_stmt": _one(SHARE_ROW_EXCLUSIVE),
    "rule_stmt": _one(ACCESS_EXCLUSIVE),
    "create_policy_stmt": _one(ACCESS_EXCLUSIVE, "table"),
    "alter_policy_stmt": _one(ACCESS_EXCLUSIVE, "table"),
    "alter_seq_stmt": _one(SHARE_ROW_EXCLUSIVE, "sequence"),
    "create_stats_stmt": _ranges(SHARE_UPDATE_EXCLUSIVE),
}
