"""SQL text into the parse trees of its statements: the only door to the parser. Pure.

The parser is PostgreSQL's own, in C, within this process. It recurses as statements nest, and takes
the square of some lengths, so that what would exhaust its stack, or minutes, is refused before.
"""

import itertools
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import postgast
from google._upb import _message
from google.protobuf.message import DecodeError
from postgast.pg_query_pb2 import Token

from daap_operator.schema import depth, faults
from daap_operator.schema.faults import SyntaxFault

# Private, and the only way: else no tree of more than 100 levels is decoded, which is 50 operators
# in a row. The bytes are those that the parser wrote, and depth.DEPTH bounds them
_message.SetAllowOversizeProtos(True)  # noqa: FBT003 - its signature

Tree = Any
"""A message of the parser's: `WhichOneof`, fields by name, as in PostgreSQL's parsenodes.h."""


class Parsed(NamedTuple):
    """A statement: its node's name (`index_stmt`), the node, its text, the line it begins in."""

    name: str
    node: Tree
    text: str
    line: int


def _numbers(*names: str) -> frozenset[int]:
    return frozenset(Token.Value(name) for name in names)


_COMMENTS = _numbers("SQL_COMMENT", "C_COMMENT")
_END = _numbers("ASCII_59")
_KIND = depth.Kind(
    opening=_numbers("ASCII_40", "ASCII_91"),
    closing=_numbers("ASCII_41", "ASCII_93"),
    separators=_numbers("ASCII_44"),
    ends=_END,
    across=_numbers("UNION", "INTERSECT", "EXCEPT"),
)
_COPY, _FROM, _STDIN = (Token.Value(name) for name in ("COPY", "FROM", "STDIN"))


def parsed(text: str) -> tuple[Parsed, ...]:
    """The statements of `text`, in order; none when it has only comments.

    Raises SyntaxFault when PostgreSQL would not parse it, or when it is too deep for parsing.
    """
    content = text.encode()
    _refuse_bombs(content, text)
    try:
        tree = postgast.parse(text)
    except postgast.PgQueryError as error:
        # A position of the scanner's is in bytes, as are the statements'; an error's in characters
        offset = len(text[: max(error.cursorpos - 1, 0)].encode())
        copy = _copy_before(content[:offset])
        raise faults.explained(content, offset, error.message, after_copy=copy) from None
    except DecodeError:
        raise SyntaxFault(1, faults.nested(), faults.NESTING) from None
    return tuple(_each(content, tree.stmts))


def _refuse_bombs(content: bytes, text: str) -> None:
    if b"\0" in content:
        line = faults.line_at(content, content.index(b"\0"))
        raise SyntaxFault(line, "byte 0x00, which no text in PostgreSQL can have", faults.BYTES)
    run = depth.long_run(content)
    if run is not None:
        message = f"more than {depth.RUN} of the characters of operators in a row: break the line"
        raise SyntaxFault(faults.line_at(content, run), message, faults.NESTING)
    try:
        deep = deepest(text)
    except postgast.PgQueryError:
        return  # nor will it be parsed; the parser says it better
    if deep.levels > depth.DEPTH:
        raise SyntaxFault(faults.line_at(content, deep.offset), faults.nested(), faults.NESTING)


def deepest(text: str) -> depth.Deep:
    """How deep the text may nest. Raises PgQueryError when it is no sequence of tokens."""
    tokens = postgast.scan(text).tokens
    told = ((token.token, token.start) for token in tokens if token.token not in _COMMENTS)
    return depth.deepest(told, _KIND)


def _each(content: bytes, raw: Sequence[Tree]) -> Iterator[Parsed]:
    line, seen = 1, 0
    for statement in raw:
        begin = statement.stmt_location
        end = begin + statement.stmt_len if statement.stmt_len else len(content)
        line += content.count(b"\n", seen, begin)
        seen = begin
        name = statement.stmt.WhichOneof("node")
        text = content[begin:end].decode().rstrip()
        yield Parsed(name, getattr(statement.stmt, name), text, line)


def _copy_before(before: bytes) -> int | None:
    """Where the last statement that is ended begins, if it is a COPY whose data follow."""
    try:
        tokens = [
            token for token in postgast.scan(before.decode()).tokens if token.token not in _COMMENTS
        ]
    except postgast.PgQueryError:
        return None
    ends = [place for place, token in enumerate(tokens) if token.token in _END]
    begin = ends[-2] + 1 if len(ends) > 1 else 0
    last = tokens[begin : ends[-1]] if ends else []
    kinds = [token.token for token in last]
    if kinds[:1] == [_COPY] and (_FROM, _STDIN) in itertools.pairwise(kinds):
        return int(last[0].start)
    return None
