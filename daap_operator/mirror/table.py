"""A table of the inventory, as the side that owns its rows declares it. Pure."""

import dataclasses
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Protocol, TypeVar

_IDENTIFIER = re.compile(r"[a-z_][a-z0-9_]*")


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

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that the operator writes, in the order of the row's fields."""
        return tuple(field.name for field in dataclasses.fields(self.row))

    @property
    def namespaced(self) -> bool:
        """Whether its objects are in namespaces."""
        return "namespace" in self.columns

    def parameters(self, row: R) -> Mapping[str, Any]:
        """The values of a row by column."""
        return {name: getattr(row, name) for name in self.columns}
