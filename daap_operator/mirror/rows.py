"""What the inventory is to those who use it, and what it asks of them."""

from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from typing import Protocol, TypeVar

from daap_operator.mirror.table import R, Row, Table


class Leadership(Protocol):
    """What says whether this process may write."""

    @property
    def lease(self) -> str:
        """What is led, by name."""

    @property
    def identity(self) -> str:
        """Who this process is."""

    @property
    def epoch(self) -> int:
        """Grows with every leader."""

    def require(self) -> None:
        """Raise Deposed unless this process leads for certain."""

    async def exceed(self, epoch: int) -> None:
        """Lead on in an epoch after that one.

        Raises Deposed when another process leads, and Outage when it cannot be for now.
        """


R_co = TypeVar("R_co", bound=Row, covariant=True)


class Expected(Protocol[R_co]):
    """The rows that should be in a table."""

    def after(self, uid: str, most: int) -> list[str]:
        """The ids of live objects that follow this one, in order, so many at most."""

    def row(self, uid: str) -> R_co | None:
        """The row of a live object as it is now; None when it has none."""


@dataclass(frozen=True)
class Differences:
    """What is not as it should be in one page."""

    orphans: set[str]
    """Ids of live rows without an object."""
    wrong: set[str]
    """Ids of objects whose row is missing or differs. Their own passes are to write it: a row
    saved from a comparison could be older than theirs."""


class Rows(Protocol):
    """The rows, as passes and the sweep see them; `Mirror` says what each of it does."""

    def holds(self, table: Table[R], uid: str) -> bool:
        """Whether this process knows of a live row with that id."""

    async def save(self, table: Table[R], row: R) -> None:
        """Make the row what it should be. Raises MetadataError when that is not possible now."""

    async def mark_deleted(self, table: Table[R], uid: str) -> None:
        """Mark the row as deleted. Raises MetadataError when that is not possible now."""

    async def newest_deleted(
        self, table: Table[R], place: tuple[str, str], paths: tuple[str, ...], known: str
    ) -> Mapping[str, str] | None:
        """Texts by path of the row that was deleted last of a place, its namespace and name.

        Of rows in which a column is known; None when there is none. Whatever is not there, or is
        NULL, is left out. Anybody may have written them. Raises MetadataError when that cannot be
        known now.
        """

    def compare(
        self, table: Table[R], expected: Expected[R], namespaces: Collection[str]
    ) -> AsyncIterator[Differences]:
        """Compare a table with what should be there, in both directions, page by page."""
