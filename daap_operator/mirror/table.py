"""A table of the inventory, as the side that owns its rows declares it. Pure."""

import dataclasses
import re
import typing
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import NoneType
from typing import Any, ClassVar, Generic, Protocol, TypeVar

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")


class Json(str):
    """A value of JSON, as text that `json` makes: `jsonb` in PostgreSQL, which compares the value.

    It has no NUL in any of its texts, and no number that is not finite: PostgreSQL takes neither.
    """

    __slots__ = ()


_TYPES = {str: "text", int: "bigint", bool: "boolean", datetime: "timestamptz", Json: "jsonb"}
"""What a row's values are in PostgreSQL while they are compared; the columns may be narrower."""


class Row(Protocol):
    """A frozen dataclass whose fields are the columns that the operator writes."""

    __dataclass_fields__: ClassVar[dict[str, dataclasses.Field[Any]]]

    @property
    def id(self) -> str:
        """The object's uid."""


R = TypeVar("R", bound=Row)


@dataclass(frozen=True)
class Table(Generic[R]):
    """The rows of one kind: one for each object, live until it is marked as deleted.

    The row class has a field `id` and a field `status`, and `namespace` when its kind is in one.
    Beside these columns the table has `leader_epoch`, `updated_at` and `deleted_at`.
    """

    name: str
    row: type[R]
    unique: str | None = None
    """The column whose value one live row alone may have; a newer object takes it over."""

    def __post_init__(self) -> None:
        """Raise ValueError for what no statement can be made of."""
        for name in (self.name, *self.columns):
            if not _IDENTIFIER.fullmatch(name):
                raise ValueError(f"table '{self.name}': '{name}' is not a plain SQL name, a_b_1")
        needed = {"id", "status"} | ({self.unique} if self.unique else set())
        if missing := needed - set(self.columns):
            lacks = ", ".join(sorted(missing))
            raise ValueError(f"table '{self.name}': {self.row.__name__} lacks the fields {lacks}")
        for name in self.columns:
            self.type_of(name)

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the operator writes, in the order of the row's fields."""
        return tuple(field.name for field in dataclasses.fields(self.row))

    def type_of(self, column: str) -> str:
        """PostgreSQL's type for the values of a column. Raises ValueError when there is none."""
        if column == "id":
            return "uuid"
        hint = typing.get_type_hints(self.row)[column]
        (found, *more) = [each for each in typing.get_args(hint) or (hint,) if each is not NoneType]
        if more or found not in _TYPES:
            known = ", ".join(each.__name__ for each in _TYPES)
            raise ValueError(f"table '{self.name}': '{column}' is {hint}, not one of {known}")
        return _TYPES[found]

    @property
    def namespaced(self) -> bool:
        """Whether its objects are in namespaces."""
        return "namespace" in self.columns

    def parameters(self, row: R) -> Mapping[str, Any]:
        """The values of a row by column."""
        return {name: getattr(row, name) for name in self.columns}

    def arrays(self, rows: Sequence[R]) -> Mapping[str, list[Any]]:
        """The values of many rows, by column."""
        return {name: [getattr(row, name) for row in rows] for name in self.columns}


def storable(text: str) -> str:
    """A text without what PostgreSQL cannot store of it: NUL."""
    return text.replace("\0", "")


def optional(text: str | None) -> str | None:
    """The same; None for one that is not there, or empty."""
    return storable(text) if text else None
