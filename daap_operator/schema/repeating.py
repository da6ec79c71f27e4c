"""Statements of fixtures that cannot be run a second time. Pure."""

from collections.abc import Iterator, Sequence

from daap_operator.schema import rules
from daap_operator.schema.candidates import Candidate
from daap_operator.schema.kinds import kind
from daap_operator.schema.names import object_name
from daap_operator.schema.relations import Relation, commands, ranged, subtype
from daap_operator.schema.tree import Parsed, Tree

_IF_NOT_EXISTS = frozenset(
    {
        "create_extension_stmt",
        "create_schema_stmt",
        "create_seq_stmt",
        "create_stats_stmt",
        "create_stmt",
        "create_table_as_stmt",
        "index_stmt",
    }
)
_OR_REPLACE = frozenset({"create_function_stmt", "create_trig_stmt", "rule_stmt", "view_stmt"})
_NEVER = frozenset(
    {
        "composite_type_stmt",
        "create_domain_stmt",
        "create_enum_stmt",
        "create_policy_stmt",
        "create_range_stmt",
        "rename_stmt",
    }
)
_ALTERED = {"AT_AddColumn", "AT_DropColumn", "AT_DropConstraint"}
"""Subcommands that have IF NOT EXISTS or IF EXISTS, which the parser calls `missing_ok`."""


def found(statements: Sequence[Parsed]) -> Iterator[tuple[int, Candidate]]:
    """The places of statements that fail, or add the same again, when all run again."""
    cleared: set[str] = set()
    emptied: set[Relation] = set()
    for place, parsed in enumerate(statements):
        if parsed.name == "drop_stmt" and parsed.node.missing_ok:
            cleared.update(object_name(each) for each in parsed.node.objects)
        elif parsed.name == "delete_stmt":
            emptied.add(ranged(parsed.node.relation))
        elif parsed.name == "truncate_stmt":
            emptied.update(ranged(each.range_var) for each in parsed.node.relations)
        elif not _again(parsed, cleared, emptied):
            yield place, Candidate(rules.NOT_REPEATABLE, kind(parsed))


def _again(parsed: Parsed, cleared: set[str], emptied: set[Relation]) -> bool:
    """Whether it may run again; `cleared` was dropped before, and `emptied` of its rows."""
    name, node = parsed.name, parsed.node
    if name == "insert_stmt":
        return ranged(node.relation) in emptied or _adds_nothing_twice(node)
    if name in _IF_NOT_EXISTS:
        return bool(node.if_not_exists) or _named(parsed) in cleared
    if name in _OR_REPLACE:
        return bool(node.replace) or _named(parsed) in cleared
    if name in _NEVER:
        return _named(parsed) in cleared
    if name == "drop_stmt":
        return bool(node.missing_ok)
    if name == "alter_enum_stmt":
        return bool(node.skip_if_new_val_exists)
    return not any(_fails(command) for command in commands(parsed))


def _fails(command: Tree) -> bool:
    kind_ = subtype(command)
    return kind_ == "AT_AddConstraint" or (kind_ in _ALTERED and not command.missing_ok)


def _adds_nothing_twice(node: Tree) -> bool:
    """ON CONFLICT, or a query that chooses: `SELECT … WHERE NOT EXISTS`."""
    chosen = node.select_stmt.select_stmt.HasField("where_clause")
    return bool(chosen or node.HasField("on_conflict_clause"))


def _named(parsed: Parsed) -> str:
    """What DROP … IF EXISTS would name before it."""
    name, node = parsed.name, parsed.node
    match name:
        case "create_stmt":
            return str(ranged(node.relation))
        case "create_table_as_stmt":
            return str(ranged(node.into.rel))
        case "index_stmt":
            return str(Relation(node.relation.schemaname, node.idxname))
        case "view_stmt":
            return str(ranged(node.view))
        case "create_seq_stmt":
            return str(ranged(node.sequence))
        case _:
            return _named_in_part(name, node)


def _named_in_part(name: str, node: Tree) -> str:
    match name:
        case "create_trig_stmt":
            return f"{ranged(node.relation)}.{Relation('', node.trigname)}"
        case "create_policy_stmt":
            return f"{ranged(node.table)}.{Relation('', node.policy_name)}"
        case "composite_type_stmt":
            return str(ranged(node.typevar))
        case "create_function_stmt":
            return _joined(node.funcname)
        case "create_enum_stmt" | "create_range_stmt":
            return _joined(node.type_name)
        case "create_domain_stmt":
            return _joined(node.domainname)
        case _:
            return ""


def _joined(parts: Sequence[Tree]) -> str:
    found_ = [each.string.sval for each in parts]
    return str(Relation(found_[-2] if len(found_) > 1 else "", found_[-1]))
