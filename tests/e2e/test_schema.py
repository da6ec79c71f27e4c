"""A schema as files on the real CloudNativePG, as its first user goes through it."""

import asyncio

import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from tests.e2e.test_source import Server
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.nightly import nightly
from tests.support.rows import Rows
from tests.support.schemas import FIVE, PLANS, Schemas, is_at

pytestmark = pytest.mark.timeout(900)

SLOW = 300.0
APPLIED = 120.0
"""Seconds for three Jobs, one after the other: a look, a run, and another look."""

SIXTH = {"006_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n"}
BROKEN = {"007_totals.sql": "CREATE TABLE totals (id int);\n\nINSERT INTO totals VALUES ('x');\n"}
MENDED = {"007_totals.sql": "CREATE TABLE totals (id int);\n\nINSERT INTO totals VALUES (1);\n"}
DROPS = {"008_drop.sql": "ALTER TABLE orders DROP COLUMN note;\n"}
LAST = {"009_drop.sql": "DROP TABLE totals;\n"}

LEDGER = "SELECT count(*), max(file) FROM daap_schema.ledger WHERE done IS NULL"
RUNS = "SELECT count(*) FROM daap_schema.ledger WHERE file = '{}'"


async def restrict(shop: Databases) -> None:
    """Have Pod Security take only "restricted" pods in the namespace."""
    restricted = {"metadata": {"labels": {"pod-security.kubernetes.io/enforce": "restricted"}}}
    await shop.api.patch("namespaces", "", shop.namespace, restricted)


@pytest.mark.usefixtures("jobs_run")
async def test_a_schema_from_the_first_file_to_a_destructive_one(
    shop: Databases,
    real_cluster: KindCluster,
    real_rows: Rows,
) -> None:
    schemas = Schemas(shop.api, shop.namespace)
    orders = Server(real_cluster, shop, "orders")

    await restrict(shop)

    # All at once, as GitOps applies it: the schema waits for its database
    await schemas.files("orders", FIVE)
    await schemas.files("plans", PLANS)
    fixtures = [{"configMap": {"name": "plans"}}]
    await schemas.create("orders", fixtures=fixtures)
    await schemas.says("orders", "WaitingForDatabase")
    await shop.create("orders", storage={"size": "1Gi"})
    await shop.ready("orders", seconds=SLOW)
    done = await schemas.applied("orders", "005_orders_status.sql", seconds=APPLIED)
    assert done["status"]["applied"] == 6, done["status"]
    assert await orders.says(LEDGER) == "6|005_orders_status.sql"
    assert await orders.says("SELECT name FROM users") == "first"
    valid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'orders_by_owner'::regclass"
    assert await orders.says(valid) == "t"
    (row,) = await real_rows.execute("SELECT * FROM schemas WHERE namespace = %s", shop.namespace)
    assert (row["status"], row["current_file"], row["files_applied"]) == (
        "applied", "005_orders_status.sql", 6,
    )  # fmt: skip
    table = await asyncio.to_thread(
        real_cluster.kubectl, "get", "daapschemas", f"--namespace={shop.namespace}"
    )
    assert table.splitlines()[1].split()[:7] == [
        "orders", "orders", "True", "Applied", "005_orders_status.sql", "6", "0",
    ]  # fmt: skip

    # A sixth file runs alone
    before = await orders.says("SELECT max(applied_at) FROM daap_schema.ledger")
    await schemas.files("orders", FIVE | SIXTH)
    await schemas.applied("orders", "006_note.sql", seconds=APPLIED)
    newer = f"SELECT file FROM daap_schema.ledger WHERE applied_at > '{before}'"
    assert await orders.says(newer) == "006_note.sql"

    # An applied file never changes
    await schemas.files("orders", FIVE | SIXTH | {"001_users.sql": "SELECT 1;\n"})
    refused = await schemas.says("orders", "AppliedFileChanged", seconds=APPLIED)
    assert condition(refused, "Stalled")["status"] == "True"
    assert "001_users.sql" in condition(refused, "Ready")["message"]
    await schemas.files("orders", FIVE | SIXTH)
    await schemas.applied("orders", "006_note.sql", seconds=APPLIED)

    # A file that fails in the middle leaves nothing, and goes on by itself once it is mended
    await schemas.files("orders", FIVE | SIXTH | BROKEN)
    failed = await schemas.says("orders", "FileFailed", seconds=APPLIED)
    error = failed["status"]["lastError"]
    assert (error["file"], error["line"], error["sqlstate"]) == ("007_totals.sql", 3, "22P02")
    assert await orders.says("SELECT to_regclass('totals') IS NULL") == "t"
    await schemas.files("orders", FIVE | SIXTH | MENDED)
    await schemas.applied("orders", "007_totals.sql", seconds=APPLIED)

    # What deletes data waits for the approval of exactly this plan
    await schemas.files("orders", FIVE | SIXTH | MENDED | DROPS)
    waits = await schemas.says("orders", "ApprovalRequired", seconds=APPLIED)
    older = waits["status"]["plan"]
    await schemas.files("orders", FIVE | SIXTH | MENDED | DROPS | LAST)
    await eventually(
        lambda: schemas.get("orders"),
        lambda obj: obj and obj["status"].get("plan") not in (None, older),
        seconds=APPLIED,
    )
    await schemas.edit("orders", approve=older)
    stale = await schemas.says("orders", "ApprovalRequired", seconds=APPLIED)
    await eventually(
        lambda: schemas.get("orders"),
        lambda obj: "names another plan" in condition(obj, "Ready").get("message", ""),
    )
    assert await orders.says("SELECT to_regclass('totals') IS NULL") == "f"
    await schemas.edit("orders", approve=stale["status"]["plan"])
    await schemas.applied("orders", "009_drop.sql", seconds=APPLIED)
    assert await orders.says("SELECT to_regclass('totals') IS NULL") == "t"

    # What nobody's file made is told, and left alone
    await orders.says("CREATE TABLE by_hand (id int); ALTER TABLE by_hand OWNER TO orders")
    await schemas.files("orders", FIVE | SIXTH | MENDED | DROPS | LAST | {"010_x.sql": "SELECT 1;"})
    drifted = await schemas.says("orders", "Drifted", seconds=APPLIED)
    assert "by_hand" in condition(drifted, "Ready")["message"]
    await orders.says("DROP TABLE by_hand")


@nightly("e2e-nightly")
@pytest.mark.usefixtures("jobs_run")
async def test_a_job_that_is_killed_and_one_in_a_lock_apply_once(
    shop: Databases,
    real_cluster: KindCluster,
) -> None:
    schemas = Schemas(shop.api, shop.namespace)
    orders = Server(real_cluster, shop, "orders")
    await shop.create("orders", storage={"size": "1Gi"})
    await shop.ready("orders", seconds=SLOW)
    slow = {"002_slow.sql": "SELECT pg_sleep(8);\nINSERT INTO users VALUES (7, 'seven');\n"}
    await schemas.files("orders", {"001_users.sql": FIVE["001_users.sql"]} | slow)
    await schemas.create("orders")
    busy = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep(8)%'"
    await eventually(lambda: orders.says(busy), lambda said: said == "1", seconds=APPLIED)
    for pod in await shop.api.list(known.POD, shop.namespace, "?labelSelector=daap.io/schema"):
        if pod["status"].get("phase") == "Running":
            body = {"gracePeriodSeconds": 0}
            await shop.api.delete(known.POD, shop.namespace, pod["metadata"]["name"], body)
    done = await schemas.applied("orders", "002_slow.sql", seconds=SLOW)
    assert done["status"]["applied"] == 2
    assert await orders.says("SELECT count(*) FROM users") == "1"

    held = asyncio.create_task(
        orders.says("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(45); COMMIT")
    )
    third = {"003_more.sql": "ALTER TABLE users ADD COLUMN more int;\n"}
    await schemas.files("orders", {"001_users.sql": FIVE["001_users.sql"]} | slow | third)
    await eventually(
        lambda: schemas.get("orders"), lambda obj: is_at(obj, "003_more.sql"), seconds=SLOW
    )
    await held
    assert await orders.says(RUNS.format("003_more.sql")) == "1"


@nightly("e2e-nightly")
@pytest.mark.usefixtures("jobs_run")
async def test_files_of_three_mebibytes_in_all(
    shop: Databases,
    real_cluster: KindCluster,
) -> None:
    schemas = Schemas(shop.api, shop.namespace)
    orders = Server(real_cluster, shop, "orders")
    await shop.create("orders", storage={"size": "1Gi"})
    await shop.ready("orders", seconds=SLOW)
    row = f"INSERT INTO words VALUES ('{'x' * 170}');\n"
    files = {f"{number:03}_words.sql": row * 520 for number in range(1, 31)}
    files |= {"000_words.sql": "CREATE TABLE words (word text);\n"}
    assert 2.9 * 2**20 < sum(map(len, files.values())) < 3 * 2**20
    parts = [
        {name: text for name, text in files.items() if int(name[:3]) % 4 == part}
        for part in range(4)
    ]
    for part, some in enumerate(parts):
        await schemas.files(f"words-{part}", some)
    sources = [{"configMap": {"name": f"words-{part}"}} for part in range(4)]
    await schemas.create("orders", schema=sources)
    done = await schemas.applied("orders", "030_words.sql", seconds=SLOW)
    assert done["status"]["applied"] == 31
    assert await orders.says("SELECT count(*) FROM words") == str(30 * 520)

    await schemas.files("words-0", parts[0] | {"031_more.sql": "-- more\n" * 20_000})
    refused = await schemas.says("orders", "FilesInvalid")
    assert "more than the 3145728 bytes" in condition(refused, "Stalled")["message"]
