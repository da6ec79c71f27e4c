"""Two tables side by side in one inventory: none writes, marks or fences for the other."""

import dataclasses
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from daap_operator.errors import Deposed
from daap_operator.kinds.database.row import DATABASES
from daap_operator.mirror import MetadataError, Mirror, Table
from tests.integration.test_fencing import ROW, Leader, mirror
from tests.support.rows import Rows

CREATE = """
CREATE TABLE offers (
    id UUID PRIMARY KEY,
    name TEXT NOT NULL,
    price INTEGER NOT NULL CONSTRAINT offers_price_positive CHECK (price > 0),
    status TEXT NOT NULL,
    leader_epoch BIGINT NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
    deleted_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX ON offers (name) WHERE deleted_at IS NULL;
"""


@dataclass(frozen=True)
class Offer:
    """A row of a kind that is in no namespace."""

    id: str
    name: str
    price: int
    status: str


OFFERS = Table("offers", Offer, unique="name")
OFFER = Offer(ROW.id, ROW.name, 3, "ready")
OTHER = f"{ROW.id[:-1]}2"
"""The id of another object."""

pytestmark = pytest.mark.usefixtures("unhurried")


@pytest.fixture
async def inventory(migrated_database: str, rows: Rows) -> AsyncIterator[Mirror]:
    """The inventory of epoch 1 with a second table: a row in each, of one id and one name."""
    for statement in CREATE.split(";"):
        await rows.execute(statement)
    async with mirror(migrated_database, Leader(1)) as made:
        await made.connect()
        await made.save(DATABASES, ROW)
        await made.save(OFFERS, OFFER)
        yield made


async def live(rows: Rows, table: str) -> dict[str, tuple[str, int]]:
    """Names and epochs of the live rows by id."""
    found = await rows.execute(f"SELECT * FROM {table} WHERE deleted_at IS NULL")
    return {str(row["id"]): (row["name"], row["leader_epoch"]) for row in found}


async def test_a_row_that_is_known_costs_no_statement_in_its_own_table_only(
    inventory: Mirror, rows: Rows
) -> None:
    assert await live(rows, "databases") == await live(rows, "offers") == {ROW.id: ("orders", 1)}
    await rows.execute("UPDATE offers SET price = 9")
    await rows.execute("UPDATE databases SET owner_team = 'by hand'")
    await inventory.save(OFFERS, OFFER)  # known to be there: not written again
    await inventory.save(DATABASES, dataclasses.replace(ROW, purpose="new"))
    (offer,) = await rows.execute("SELECT price FROM offers")
    (database,) = await rows.execute("SELECT owner_team FROM databases")
    assert (offer["price"], database["owner_team"]) == (9, "checkout")


async def test_a_row_is_marked_in_its_own_table(inventory: Mirror, rows: Rows) -> None:
    await inventory.mark_deleted(OFFERS, OFFER.id)
    assert not inventory.holds(OFFERS, OFFER.id)
    assert inventory.holds(DATABASES, ROW.id)
    assert await live(rows, "offers") == {}
    assert await live(rows, "databases") == {ROW.id: ("orders", 1)}


async def test_a_name_is_taken_over_in_its_own_table(inventory: Mirror, rows: Rows) -> None:
    await inventory.save(OFFERS, dataclasses.replace(OFFER, id=OTHER))
    assert await live(rows, "offers") == {OTHER: ("orders", 1)}
    assert await live(rows, "databases") == {ROW.id: ("orders", 1)}


async def test_without_a_unique_column_nobody_is_superseded(inventory: Mirror, rows: Rows) -> None:
    undeclared = Table("offers", Offer)
    with pytest.raises(MetadataError, match="offers_name_idx") as refused:
        await inventory.save(undeclared, dataclasses.replace(OFFER, id=OTHER))
    assert refused.value.of_one_row
    assert await live(rows, "offers") == {ROW.id: ("orders", 1)}


async def test_what_one_table_refuses_the_other_still_takes(inventory: Mirror, rows: Rows) -> None:
    with pytest.raises(MetadataError, match="offers_price_positive") as refused:
        await inventory.save(OFFERS, dataclasses.replace(OFFER, price=0))
    assert (refused.value.finding.reason, inventory.away) == ("RowRefused", None)
    await inventory.save(DATABASES, dataclasses.replace(ROW, name="bills"))
    assert await live(rows, "databases") == {ROW.id: ("bills", 1)}


async def test_one_fence_is_around_both(
    inventory: Mirror, rows: Rows, migrated_database: str
) -> None:
    """A new leader's first write, to either table, ends the earlier one's time for all of them."""
    async with mirror(migrated_database, Leader(2)) as new:
        await new.connect()
        await new.save(OFFERS, dataclasses.replace(OFFER, price=4))
    with pytest.raises(Deposed):
        await inventory.save(DATABASES, dataclasses.replace(ROW, purpose="late"))
    with pytest.raises(Deposed):
        await inventory.mark_deleted(OFFERS, OFFER.id)
    assert await live(rows, "offers") == {ROW.id: ("orders", 2)}
    assert await live(rows, "databases") == {ROW.id: ("orders", 1)}


class Objects:
    """One object, whose row should be this."""

    def __init__(self, offer: Offer) -> None:
        self._offer = offer

    def after(self, uid: str, most: int) -> list[str]:
        return [self._offer.id][:most] if self._offer.id > uid else []

    def row(self, uid: str) -> Offer:
        assert uid == self._offer.id
        return self._offer


async def test_a_table_without_namespaces_is_compared_whole(inventory: Mirror, rows: Rows) -> None:
    """In both directions, whatever namespaces are watched."""
    wanted = dataclasses.replace(OFFER, id=OTHER, name="other")
    async for page in inventory.compare(OFFERS, Objects(wanted), ("elsewhere",)):
        assert (page.orphans, page.wrong) == ({OFFER.id}, {OTHER})
    await inventory.save(OFFERS, wanted)
    await inventory.mark_deleted(OFFERS, OFFER.id)
    async for page in inventory.compare(OFFERS, Objects(wanted), ("elsewhere",)):
        assert (page.orphans, page.wrong) == (set(), set())
    assert await live(rows, "databases") == {ROW.id: ("orders", 1)}
