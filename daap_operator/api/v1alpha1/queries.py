"""A read-only query that a restored database has to answer: what a team asks for."""

from typing import Annotated

from pydantic import AfterValidator, Field

from daap_operator.api.base import Model
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.database.texts import matched, pattern_rule

MOST_QUERIES = 16
SQL_LENGTH = 2000
VALUE_LENGTH = 256
NAME_LENGTH = 63

NAME_PATTERN = r"^[A-Za-z0-9]([A-Za-z0-9 ._-]*[A-Za-z0-9])?$"
NAME_TEXT = (
    "'{}' must be at most 63 characters of A-Z, a-z, 0-9, '-', '_', '.' and spaces, beginning and "
    "ending with a letter or digit"
)
SQL_TEXT = "must not be blank: write one query that reads and returns a row, as in SELECT 1"


def _not_blank(sql: str) -> str:
    if not sql.strip():
        raise ValueError(SQL_TEXT)
    return sql


class DrillQuery(Model):
    """A query that is asked of the restored database, as its owner role, which may only read."""

    name: Annotated[
        str | None,
        Field(
            max_length=NAME_LENGTH,
            json_schema_extra=validations(pattern_rule(NAME_PATTERN, NAME_TEXT)),
        ),
        matched(NAME_PATTERN, NAME_TEXT),
    ] = None
    """What the query is called in the result. When left out, its number in the list."""

    sql: Annotated[
        str,
        Field(
            max_length=SQL_LENGTH,
            json_schema_extra=validations(rule(r"self.matches(r'\S')", SQL_TEXT)),
        ),
        AfterValidator(_not_blank),
    ]
    """One SQL statement, run in a transaction that can only read."""

    expect: Annotated[str | None, Field(max_length=VALUE_LENGTH)] = None
    """What the first column of the first row must be, as text; NULL counts as the empty text. When
    left out, the query only must not fail."""


Queries = Annotated[tuple[DrillQuery, ...], Field(max_length=MOST_QUERIES, default_factory=tuple)]
"""The queries of one drill."""
