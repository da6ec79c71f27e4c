"""Why a text cannot be run as a schema's file, in words that say what to do. Pure."""

import re

METACOMMAND = "psql-command"
VARIABLE = "psql-variable"
COPY = "copy-data"
TRANSACTION = "transaction-control"
NESTING = "nesting"
SYNTAX = "syntax-error"
BYTES = "invalid-text"

_VARIABLE = re.compile(r""":\{?['"]?[A-Za-z_0-9?]+['"}]?""")
_COMMAND = re.compile(r"\\\S*")


class SyntaxFault(Exception):  # noqa: N818 - what a file has, as PostgreSQL calls it
    """A file that is no sequence of statements that the runner can run.

    `line` counts from 1, `message` holds value and remedy in one line, `rule` is one of the
    constants above it.
    """

    def __init__(self, line: int, message: str, rule: str = SYNTAX) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message
        self.rule = rule


def line_at(content: bytes, offset: int) -> int:
    """The line, from 1, of the byte at `offset`."""
    return content.count(b"\n", 0, max(offset, 0)) + 1


def explained(content: bytes, offset: int, message: str, *, after_copy: int | None) -> SyntaxFault:
    """What the parser's `message` about the byte at `offset` means for who wrote the file.

    `after_copy`: where the COPY begins that reads from the client, when the statements before that
    byte end with one.
    """
    line = line_at(content, offset)
    rest = content[offset : offset + 200].decode(errors="replace")
    if after_copy is not None:
        return SyntaxFault(line_at(content, after_copy), copied("FROM STDIN"), COPY)
    if rest.startswith("\\"):
        command = _COMMAND.match(rest)
        return SyntaxFault(
            line,
            f"{command[0] if command else rest[:1]} is a command of psql, which does not run "
            "these files: write SQL, and put included files beside this one",
            METACOMMAND,
        )
    variable = _VARIABLE.match(rest)
    if variable:
        return SyntaxFault(
            line,
            f"{variable[0]} is a variable of psql, which does not run these files: write the value",
            VARIABLE,
        )
    if message.startswith("memory exhausted"):
        return SyntaxFault(line, f"{nested()} ({message})", NESTING)
    return SyntaxFault(line, f"{message}: correct it; nothing of this file can be run", SYNTAX)


def copied(form: str) -> str:
    """That COPY has nobody to talk to."""
    return (
        f"COPY … {form} moves data through psql, which does not run these files: write INSERT "
        "statements instead"
    )


def nested() -> str:
    """That a statement is too deep."""
    return "the statement is nested too deeply to be parsed: split it"
