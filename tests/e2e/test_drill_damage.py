"""What a drill finds of damage that a backup has faithfully copied, on the real plugin."""

import pytest
from pytest_kind import KindCluster

from tests.e2e.test_drill import DRILLED
from tests.e2e.test_source import RECOVERED, Server, backed_up
from tests.support.daapbackups import Backups
from tests.support.databases import Databases, condition, phase
from tests.support.drilling import Drills
from tests.support.eventually import eventually
from tests.support.nightly import nightly
from tests.support.rows import Rows

pytestmark = pytest.mark.timeout(1200)

COMPARES = """
CREATE OR REPLACE FUNCTION compares(int, int) RETURNS int LANGUAGE sql IMMUTABLE STRICT
AS 'SELECT ({})::int'
"""
SORTED = f"""
{COMPARES.format("$1 > $2)::int - ($1 < $2")};
CREATE OPERATOR CLASS swayed FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 compares(int, int);
CREATE TABLE ids AS SELECT g AS id FROM generate_series(1, 1000) g;
CREATE INDEX swaying ON ids (id swayed)
"""
OTHERWISE = COMPARES.format("$1 < $2)::int - ($1 > $2")
"""The order that an index has is not the one that it is asked by: what another version of the C
library does to indexes of text. Every page of it has the right checksum."""

FLIP = """
COPY (SELECT) TO PROGRAM
'cat >/dev/null; printf x | dd of={} bs=1 seek=8000 conv=notrunc,fsync status=none'
"""
"""A byte in the first page of a file is another one: PostgreSQL runs this in its data directory."""


async def damage(orders: Server) -> None:
    """An index in the wrong order, and a page that a disk has changed behind PostgreSQL's back."""
    await orders.says(SORTED)
    await orders.says(OTHERWISE)
    await orders.says("VACUUM (FREEZE) lines")
    await orders.says("CHECKPOINT")
    file = await orders.says("SELECT pg_relation_filepath('lines')")
    await orders.says(FLIP.format(file))


@nightly("e2e-nightly")
@pytest.mark.usefixtures("jobs_run")
async def test_damage_that_was_backed_up_is_found(
    shop: Databases,
    real_cluster: KindCluster,
    real_rows: Rows,
) -> None:
    orders = await backed_up(shop, real_cluster)
    assert await orders.says("SHOW data_checksums") == "on"
    await damage(orders)
    # Nobody notices: the page is in PostgreSQL's memory, and the plugin copies files as they are
    assert await orders.says("SELECT count(*) FROM lines") == "10000"
    backups, drills = Backups(shop.api, shop.namespace), Drills(shop.api, shop.namespace)
    await backups.create("damaged")
    made = await eventually(
        lambda: backups.get("damaged"),
        lambda obj: phase(obj) in ("Completed", "Failed"),
        seconds=RECOVERED,
    )
    assert phase(made) == "Completed"

    await drills.create("finds")
    failed = await drills.is_in("finds", "Passed", "Failed", seconds=DRILLED)
    stalled = condition(failed, "Stalled")
    assert stalled["reason"] == "CorruptionFound", failed["status"]
    assert "pg_amcheck found 2 damaged tables or indexes" in stalled["message"]
    assert failed["status"]["checks"]["corrupt"] == 2
    assert failed["status"]["backupId"] == (made or {})["status"]["backupId"]
    assert await drills.left() == []
    (row,) = await real_rows.execute("SELECT * FROM drills WHERE name = 'finds'")
    assert (row["status"], row["relations_corrupt"]) == ("failed", 2)
    told = await eventually(
        lambda: shop.get("orders"),
        lambda obj: condition(obj, "BackupHealthy").get("reason") == "VerificationFailed",
    )
    assert "damaged" in condition(told, "BackupHealthy")["message"]
