"""A file's text into statements. Pure, and in C: never in the operator's own process."""

from postgast.pg_query_pb2 import TransactionStmtKind

from daap_operator.schema import effects, faults
from daap_operator.schema.faults import SyntaxFault
from daap_operator.schema.kinds import kind
from daap_operator.schema.model import Statement
from daap_operator.schema.tree import Parsed, parsed

__all__ = ["SyntaxFault", "statements"]


def statements(text: str) -> tuple[Statement, ...]:
    """The statements of `text`, in order; none when it has only comments.

    Raises SyntaxFault when PostgreSQL would not parse it, and for what the runner does itself or
    cannot do: BEGIN, COMMIT and the like, COPY through psql, psql's own commands.
    """
    return tuple(statement(each) for each in runnable(text))


def runnable(text: str) -> tuple[Parsed, ...]:
    """The parse trees of `statements`."""
    found = parsed(text)
    for each in found:
        _refuse(each)
    return found


def statement(each: Parsed) -> Statement:
    """What a parse tree says of a statement."""
    return Statement(
        text=each.text,
        line=each.line,
        kind=kind(each),
        transactional=effects.transactional(each),
        own_transaction=effects.own_transaction(each),
        index=effects.new_index(each),
    )


def _refuse(each: Parsed) -> None:
    if each.name == "transaction_stmt":
        words = TransactionStmtKind.Name(each.node.kind).removeprefix("TRANS_STMT_")
        raise SyntaxFault(
            each.line,
            f"{words.replace('_', ' ')}: the runner begins and ends the transactions, one for each "
            "file, or for each statement where one cannot run in a transaction: leave it out",
            faults.TRANSACTION,
        )
    if each.name == "copy_stmt" and not each.node.filename:
        form = "FROM STDIN" if each.node.is_from else "TO STDOUT"
        raise SyntaxFault(each.line, faults.copied(form), faults.COPY)
