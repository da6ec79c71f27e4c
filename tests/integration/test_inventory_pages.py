"""Objects and rows compared when there are many of both."""

from datetime import UTC, datetime

import pytest

from daap_operator.kinds.database.row import DATABASES, Row
from daap_operator.mirror.inventory import PAGE
from tests.integration.test_fencing import Leader, mirror
from tests.support.rows import Rows

MANY = 10_000
FILL = """
INSERT INTO databases (id, name, owner_team, namespace, cluster_name, pooler_name, status,
                       generation, created_at)
SELECT lpad(to_hex(number), 32, '0')::uuid, 'db' || number, 'checkout', 'shop', 'c' || number,
       'p' || number, 'ready', 1, '2026-03-01T00:00:00Z'
FROM generate_series(1, %s) AS number
"""


class Many:
    """Ten thousand objects, none of which is held; keeps count of what is asked at once."""

    def __init__(self, numbers: list[int]) -> None:
        self.ids = [f"{number:032x}" for number in numbers]
        self.ids = [f"{i[:8]}-{i[8:12]}-{i[12:16]}-{i[16:20]}-{i[20:]}" for i in self.ids]
        self.asked = [0]

    def after(self, uid: str, most: int) -> list[str]:
        self.asked.append(0)
        return [found for found in self.ids if found > uid][:most]

    def row(self, uid: str) -> Row:
        self.asked[-1] += 1
        number = int(uid.replace("-", ""), 16)
        return Row(
            id=uid,
            name=f"db{number}",
            owner_team="checkout",
            purpose="",
            namespace="shop",
            cluster_name=f"c{number}",
            pooler_name=f"p{number}",
            status="ready",
            host=None,
            port=None,
            secret_name=None,
            error_message=None,
            generation=1,
            created_at=datetime(2026, 3, 1, tzinfo=UTC),
        )


@pytest.mark.usefixtures("unhurried")
@pytest.mark.parametrize(
    ("stored", "objects", "pages"),
    [
        (MANY, [*range(20, MANY), MANY + 5], MANY // PAGE + 1),
        (MANY, [], MANY // PAGE + 1),
        (0, list(range(1, MANY + 1)), MANY // PAGE + 1),
        (MANY // 2, list(range(MANY // 2 + 1, MANY + 1)), MANY // PAGE + 1),
    ],
    ids=["nearly the same", "no objects", "no rows", "nothing in common"],
)
async def test_ten_thousand_rows_are_compared_in_pages_of_short_statements(
    stored: int, objects: list[int], pages: int, rows: Rows, migrated_database: str
) -> None:
    await rows.execute("ALTER TABLE databases SET (autovacuum_enabled = off)")
    await rows.execute(FILL, stored)
    await rows.execute("UPDATE databases SET owner_team = 'me' WHERE name = 'db777'")
    many = Many(objects)
    orphans: set[str] = set()
    wrong: set[str] = set()
    async with mirror(migrated_database, Leader(1)) as inventory:
        await inventory.connect()
        async for page in inventory.compare(DATABASES, many, ()):
            assert len(page.orphans) <= PAGE
            assert len(page.wrong) <= PAGE
            orphans |= page.orphans
            wrong |= page.wrong
            assert await in_transaction(rows) == []
    there, wanted = set(Many(list(range(1, stored + 1))).ids), set(many.ids)
    changed = set(Many([777]).ids) & there & wanted
    assert orphans == there - wanted
    assert wrong == (wanted - there) | changed
    assert max(many.asked) <= PAGE
    assert len(many.asked) - 1 == pages


async def in_transaction(rows: Rows) -> list[dict[str, object]]:
    """Which clients have a transaction open: the server's own work comes and goes."""
    return await rows.execute(
        "SELECT pid, query FROM pg_stat_activity WHERE xact_start IS NOT NULL "
        "AND datname = current_database() AND pid <> pg_backend_pid() "
        "AND backend_type = 'client backend'"
    )
