"""What a table's declaration is made into, and which declarations are none."""

from dataclasses import dataclass

import pytest

from daap_operator.mirror import Json, Table, statements


@dataclass(frozen=True)
class Offer:
    """A row of a kind that is in no namespace."""

    id: str
    name: str
    status: str


@dataclass(frozen=True)
class Export:
    """A row of a kind that is in namespaces, whose names may repeat."""

    id: str
    namespace: str
    status: str


OFFERS = Table("offers", Offer, unique="name")
EXPORTS = Table("exports", Export)


def test_a_row_is_saved_by_its_own_columns() -> None:
    assert (
        statements.save(OFFERS)
        == """
WITH leader AS (
    SELECT FROM leaders WHERE lease = %(lease)s AND epoch = %(leader_epoch)s FOR SHARE
), written AS (
    INSERT INTO offers (id, name, status, leader_epoch)
    SELECT %(id)s, %(name)s, %(status)s, %(leader_epoch)s FROM leader
    ON CONFLICT (id) DO UPDATE SET
        (name, status, leader_epoch, deleted_at, updated_at)
        = (excluded.name, excluded.status, excluded.leader_epoch, NULL, now())
    WHERE (offers.name, offers.status, offers.deleted_at)
          IS DISTINCT FROM (excluded.name, excluded.status, NULL)
)
SELECT count(*) FROM leader
"""
    )
    offer = Offer("u1", "small", "ready")
    assert OFFERS.parameters(offer) == {"id": "u1", "name": "small", "status": "ready"}


def test_the_unique_value_is_taken_from_the_other_live_row() -> None:
    which = "FROM leader WHERE name = %(name)s AND id <> %(id)s AND deleted_at IS NULL"
    assert which in statements.supersede(OFFERS)


def test_namespaces_matter_where_rows_have_one() -> None:
    assert "namespace = ANY(%(namespaces)s)" in statements.live_page(EXPORTS)
    assert "namespace" not in statements.live_page(OFFERS)


def test_json_is_compared_as_a_value_and_not_as_text() -> None:
    @dataclass(frozen=True)
    class Wish:
        id: str
        status: str
        spec: Json | None

    wishes = Table("wishes", Wish)
    assert wishes.type_of("spec") == "jsonb"
    assert "%(spec)s::jsonb[]" in statements.differing(wishes)


def test_what_cannot_be_a_table_is_refused_when_it_is_declared() -> None:
    @dataclass(frozen=True)
    class Nameless:
        id: str

    with pytest.raises(ValueError, match="table 'offers; DROP': 'offers; DROP' is not a plain SQL"):
        Table("offers; DROP", Offer)
    with pytest.raises(ValueError, match="table 'odd': Nameless lacks the fields name, status"):
        Table("odd", Nameless, unique="name")
