"""What the inventory is asked about a database that is deleted: its server may answer anything."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from daap_operator.api.reasons import InventoryReason
from daap_operator.kinds.database.row import DATABASES
from daap_operator.mirror import MetadataError, Mirror

PATHS = ("archive", "store")


class Answers:
    """A server, and the connection to it: whatever is asked, it gives that row."""

    def __init__(self, row: object) -> None:
        self._row = row

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Any]:
        yield self

    async def execute(self, *statement: object) -> Any:
        del statement
        return self

    async def fetchone(self) -> object:
        return self._row


async def recalled(row: object) -> object:
    mirror = Mirror(cast("Any", Answers(row)), cast("Any", None))
    return await mirror.newest_deleted(DATABASES, ("shop", "orders"), PATHS, known="archive")


@pytest.mark.parametrize(
    ("row", "known"),
    [
        (None, None),
        (("a", "b"), {"archive": "a", "store": "b"}),
        (("a", None), {"archive": "a"}),
        ((7, b"b"), None),
        ((["a"], {"b": 1}), None),
    ],
)
async def test_only_texts_are_taken(row: object, known: object) -> None:
    assert await recalled(row) == known


@pytest.mark.parametrize("row", [("a",), ("a", "b", "c"), 7])
async def test_an_answer_of_another_shape_ends_no_pass(row: object) -> None:
    with pytest.raises(MetadataError) as told:
        await recalled(row)
    assert told.value.finding.reason == InventoryReason.FAILED
