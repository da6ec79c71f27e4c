"""What may be a finding: it is none when the relation that it is about is new in the plan. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from daap_operator.schema.relations import Relation
from daap_operator.schema.rules import Rule
from daap_operator.schema.tree import Parsed, Tree


@dataclass(frozen=True)
class Candidate:
    """A rule that a statement breaks; `what` is the part of it that does, as SQL says it."""

    rule: Rule
    what: str
    relation: Relation | None = None
    """Whose rows or clients are at stake; None when that does not matter."""


def queries(parsed: Parsed) -> Iterator[Parsed]:
    """The statement, and those in its WITH clause, in EXPLAIN or in PREPARE."""
    yield parsed
    if parsed.name in {"explain_stmt", "prepare_stmt"}:
        yield from queries(_below(parsed.node.query, parsed))
    elif parsed.name in {"select_stmt", "insert_stmt", "update_stmt", "delete_stmt", "merge_stmt"}:
        for each in parsed.node.with_clause.ctes:
            yield _below(each.common_table_expr.ctequery, parsed)


def _below(node: Tree, above: Parsed) -> Parsed:
    name = node.WhichOneof("node")
    return Parsed(name, getattr(node, name), "", above.line)
