"""Statements that delete data. Pure."""

import re
from collections.abc import Iterator

from postgast.pg_query_pb2 import CmdType, DropBehavior, MergeMatchKind, ObjectType

from daap_operator.schema import rules
from daap_operator.schema.candidates import Candidate, queries
from daap_operator.schema.kinds import object_kind
from daap_operator.schema.names import object_name, quoted
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

_DROPS = {
    "OBJECT_TABLE": rules.DROP_TABLE,
    "OBJECT_FOREIGN_TABLE": rules.DROP_TABLE,
    "OBJECT_SCHEMA": rules.DROP_SCHEMA,
    "OBJECT_TYPE": rules.DROP_TYPE,
    "OBJECT_DOMAIN": rules.DROP_TYPE,
    "OBJECT_SEQUENCE": rules.DROP_SEQUENCE,
    "OBJECT_EXTENSION": rules.DROP_EXTENSION,
}
_CASCADE = DropBehavior.Value("DROP_CASCADE")
_DELETE = CmdType.Value("CMD_DELETE")
_MATCHED = MergeMatchKind.Value("MERGE_WHEN_MATCHED")
_COMMENT = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_HIDDEN = re.compile(r"\b(DROP|TRUNCATE|DELETE)\b", re.IGNORECASE)


def found(parsed: Parsed) -> Iterator[Candidate]:
    """What in a statement deletes data, as far as its text tells."""
    match parsed.name:
        case "drop_stmt":
            yield from _dropped(parsed.node)
        case "alter_table_stmt":
            yield from _altered(parsed)
        case "drop_owned_stmt":
            yield Candidate(rules.DROP_OWNED, "DROP OWNED")
        case "truncate_stmt":
            yield from _truncated(parsed.node)
        case "do_stmt":
            yield from _hidden(parsed.node)
        case _:
            for each in queries(parsed):
                yield from _all_rows(each)


def _dropped(node: Tree) -> Iterator[Candidate]:
    kind, rule = object_kind(node.remove_type), _DROPS.get(ObjectType.Name(node.remove_type))
    for each in node.objects:
        relation = listed(each.list.items) if node.remove_type in RELATIONS else None
        what = f"DROP {kind} {object_name(each)}"
        if rule:
            yield Candidate(rule, what, relation)
        if node.behavior == _CASCADE:
            yield Candidate(rules.DROP_CASCADE, f"{what} CASCADE", relation)


def _altered(parsed: Parsed) -> Iterator[Candidate]:
    relation = ranged(parsed.node.relation)
    for command in commands(parsed):
        kind = subtype(command)
        if kind == "AT_AlterColumnType":
            yield from _overwritten(command, relation)
        if kind not in {"AT_DropColumn", "AT_DropConstraint"}:
            continue
        part = "COLUMN" if kind == "AT_DropColumn" else "CONSTRAINT"
        what = f"DROP {part} {quoted(command.name)} of {relation}"
        if part == "COLUMN":
            yield Candidate(rules.DROP_COLUMN, what, relation)
        if command.behavior == _CASCADE:
            yield Candidate(rules.DROP_CASCADE, f"{what} CASCADE", relation)


def _truncated(node: Tree) -> Iterator[Candidate]:
    cascade = " CASCADE" if node.behavior == _CASCADE else ""
    for each in node.relations:
        relation = ranged(each.range_var)
        what = f"TRUNCATE {relation}{cascade}"
        # With CASCADE the rows of others go too, whether this one is new or not
        yield Candidate(rules.TRUNCATE, what, None if cascade else relation)


def _all_rows(parsed: Parsed) -> Iterator[Candidate]:
    if parsed.name == "merge_stmt":
        yield from _merged(parsed.node)
    rule = {"delete_stmt": rules.DELETE_ALL, "update_stmt": rules.UPDATE_ALL}.get(parsed.name)
    if rule and _always(parsed.node):
        relation = ranged(parsed.node.relation)
        verb = "DELETE FROM" if rule is rules.DELETE_ALL else "UPDATE"
        yield Candidate(rule, f"{verb} {relation}", relation)


def _always(node: Tree) -> bool:
    """Whether there is no WHERE, or only TRUE."""
    if not node.HasField("where_clause"):
        return True
    constant = node.where_clause.a_const
    return bool(node.where_clause.HasField("a_const") and constant.boolval.boolval)


def _merged(node: Tree) -> Iterator[Candidate]:
    """MERGE that deletes all rows, or all that the source does not have."""
    joined = not (node.join_condition.HasField("a_const"))
    for each in node.merge_when_clauses:
        clause = each.merge_when_clause
        asked = clause.HasField("condition") or (joined and clause.match_kind == _MATCHED)
        if clause.command_type == _DELETE and not asked:
            relation = ranged(node.relation)
            yield Candidate(rules.DELETE_ALL, f"MERGE INTO {relation} … DELETE", relation)


def _overwritten(command: Tree, relation: Relation) -> Iterator[Candidate]:
    """A column whose rows all get what the expression says, which has nothing of any row."""
    using = definition(command)
    if using.HasField("raw_default") and not _has_column(using.raw_default):
        what = f"ALTER COLUMN {quoted(command.name)} of {relation} TYPE … USING without a column"
        yield Candidate(rules.UPDATE_ALL, what, relation)


def _has_column(node: Tree) -> bool:
    waiting = [node]
    while waiting:
        each = waiting.pop()
        if each.DESCRIPTOR.name == "ColumnRef":
            return True
        for field, value in each.ListFields():
            if field.message_type is not None:
                waiting += value if field.is_repeated else [value]
    return False


def _hidden(node: Tree) -> Iterator[Candidate]:
    """A word of a DO block that deletes, even in a string, which EXECUTE may run."""
    for each in node.args:
        if each.def_elem.defname == "as":
            word = _HIDDEN.search(_COMMENT.sub(" ", each.def_elem.arg.string.sval))
            if word:
                yield Candidate(rules.HIDDEN, f"DO … {word[0].upper()}")
