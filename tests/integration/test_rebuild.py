"""The inventory outlives a cluster: what it has of each database, and what is rebuilt from it."""

import argparse
import asyncio
import io
import json
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import psycopg
import pytest

from daap_operator import rebuild
from daap_operator.kinds.database.row import DATABASES, MOST_SPEC_BYTES
from daap_operator.rebuild import command
from dev.cluster import ControlPlane
from tests.integration.migrating import IDS, run
from tests.integration.test_fencing import ROW, Leader, mirror
from tests.support.api import Object
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows

FORCED: Object = {"metadata": {"finalizers": None}}
BEFORE = IDS[IDS.index("011_add_spec") - 1]

WILD: dict[str, Object] = {
    "texts": {
        "ownerTeam": "1e3",
        "purpose": "Größe: 'a' \"b\" #c — 12:30",
        "connectionSecretMetadata": {
            "labels": {"a.example/x": "0o17", "a.example/y": "y", "a.example/z": "null"},
            "annotations": {"a.example/t": "a\nb:\n  - c\n\u202e\ttab", "a.example/e": ""},
        },
    },
    "much": {
        "instances": 3,
        "postgresVersion": 16,
        "databaseName": "mine",
        "storage": {"size": 21474836480},
        "resources": {"requests": {"cpu": 1, "memory": "512Mi"}},
        "locale": {"provider": "icu", "locale": "de-AT"},
        "pooler": {"instances": 2},
        "backup": {"schedule": "@hourly", "retention": "4w", "store": "backups"},
        "deletionPolicy": "Retain",
    },
    "little": {},
}
"""Specs in which readers of YAML could differ."""


def rebuilt(url: str, *arguments: str) -> tuple[int, str, str]:
    """The command, with its exit code and what it says to whom."""
    parser = argparse.ArgumentParser()
    rebuild.add_arguments(parser)
    out, err = io.StringIO(), io.StringIO()
    code = rebuild.main(parser.parse_args(arguments), url, out=out, err=err)
    return code, out.getvalue(), err.getvalue()


async def called(url: str, *arguments: str) -> tuple[int, str, str]:
    return await asyncio.to_thread(rebuilt, url, *arguments)


async def lose(databases: Databases, *names: str) -> None:
    """The objects go as with their cluster: nobody is told."""
    for name in names:
        await databases.api.patch("daapdatabases", databases.namespace, name, FORCED)
        await databases.delete(name)
        await databases.gone(name)
        for kind, child in (("poolers", f"daap-{name}-pooler"), ("clusters", f"daap-{name}")):
            await databases.api.delete(kind, databases.namespace, child)
            await eventually(partial(databases.child, kind, child), lambda it: it is None)


# --- what the rows have ---------------------------------------------------------------------------


async def test_a_row_has_the_spec_as_it_is_and_is_written_with_it_alone(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    for name, spec in WILD.items():
        await databases.create(name, **spec)
    for name in WILD:
        obj = await databases.ready(name)
        row = await rows.becomes(name, status="ready")
        assert row["spec"] == obj["spec"]
        assert row["database_name"] == obj["status"]["databaseName"]
        assert row["postgres_version"] == obj["status"]["postgresVersion"]
        assert row["locale"] == obj["status"]["locale"]
    edited = await databases.edit("little", purpose="more")
    row = await rows.becomes("little", generation=edited["metadata"]["generation"])
    assert row["spec"] == edited["spec"]


async def test_rows_of_before_the_column_are_filled_by_one_write_each(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start(DAAP_RESYNC_INTERVAL="1s")
    await databases.create("orders")
    obj = await databases.ready("orders")
    await rows.becomes("orders", status="ready")
    await rows.execute("CREATE TABLE written (spec JSONB)")
    await rows.execute(
        "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN INSERT INTO written VALUES (NEW.spec); RETURN NEW; END $$"
    )
    await rows.execute("UPDATE databases SET spec = NULL, database_name = NULL, locale = NULL")
    await rows.execute(
        "CREATE TRIGGER noted AFTER UPDATE ON databases FOR EACH ROW EXECUTE FUNCTION note()"
    )
    await rows.becomes("orders", spec=obj["spec"], database_name="orders")
    # A sweep has to have passed that found nothing to write
    await rows.execute("UPDATE databases SET owner_team = 'another'")
    await rows.becomes("orders", owner_team="checkout")
    assert len(await rows.execute("SELECT * FROM written")) == 3  # ours, the test's, ours


async def test_a_spec_beyond_the_bound_is_refused_by_the_schema_too(
    migrated_database: str, rows: Rows
) -> None:
    async with mirror(migrated_database, Leader(1)) as inventory:
        await inventory.connect()
        await inventory.save(DATABASES, ROW)
    with pytest.raises(psycopg.errors.CheckViolation, match="databases_spec_bounded"):
        await rows.execute(
            "UPDATE databases SET spec = jsonb_build_object('a', repeat('x', %s))",
            MOST_SPEC_BYTES,
        )


# --- what is made of them -------------------------------------------------------------------------


async def test_applied_to_an_empty_cluster_everything_is_there_again(
    databases: Databases,
    operators: Operators,
    rows: Rows,
    migrated_database: str,
    control_plane: ControlPlane,
    tmp_path: Path,
) -> None:
    first = await operators.start()
    await databases.object_store()
    before = {}
    for name, spec in WILD.items():
        await databases.create(name, **spec)
    for name in WILD:
        before[name] = (await databases.ready(name))["spec"]
        await rows.becomes(name, status="ready")
    await first.stop()
    await lose(databases, *WILD)
    target = tmp_path / "databases.yaml"
    code, _, told = await called(migrated_database, "--output", str(target))
    assert code == command.INCOMPLETE
    assert "Databases written: 3 (1 restored from their archives, 2 empty)" in told
    await asyncio.to_thread(control_plane.kubectl, "apply", "--server-side", "-f", str(target))
    for name, spec in before.items():
        obj = await databases.get(name)
        assert obj is not None
        allotted = {"source", "postgresVersion"}
        assert without(obj["spec"], allotted) == without(spec, allotted)
        assert obj["spec"]["postgresVersion"] == (16 if name == "much" else 17)


def without(spec: Object, fields: set[str]) -> Object:
    return {field: value for field, value in spec.items() if field not in fields}


async def test_a_new_clusters_operator_takes_nothing_away(
    databases: Databases, operators: Operators, rows: Rows, migrated_database: str
) -> None:
    """It marks the rows of databases that it does not have; they are found all the same."""
    first = await operators.start()
    for name in ("orders", "bills", "fines"):
        await databases.create(name)
        await databases.ready(name)
        await rows.becomes(name, status="ready")
    await databases.delete("fines")  # this one was meant to go
    await databases.gone("fines")
    await rows.becomes("fines", status="deleted")
    await first.stop()
    (found,) = await rows.execute("SELECT clock_timestamp() AS now")
    lost_at = found["now"].isoformat()
    await lose(databases, "orders", "bills")
    live = await called(migrated_database)
    await operators.start()
    for name in ("orders", "bills"):
        await rows.becomes(name, status="deleted")
    code, out, told = await called(migrated_database)
    assert (code, out) == (command.INCOMPLETE, "")
    assert "marked as deleted within a day: 3" in told
    assert (await called(migrated_database, "--lost-at", lost_at))[:2] == live[:2]
    assert "name: orders" in live[1]
    assert "name: fines" not in live[1]
    # The name is free; and one that is there again is left alone
    await databases.create("orders")
    await databases.ready("orders")
    await rows.becomes("orders", status="ready")
    _, out, told = await called(migrated_database, "--lost-at", lost_at)
    assert "name: orders" not in out
    assert f"{databases.namespace}/orders is not written: a database of this name was" in told
    assert "name: bills" in out


async def test_only_the_namespaces_that_are_asked_for(migrated_database: str, rows: Rows) -> None:
    await filled(migrated_database, rows)
    assert "name: orders" in (await called(migrated_database, "--namespace", ROW.namespace))[1]
    assert (await called(migrated_database, "--namespace", "other"))[1] == ""


async def filled(url: str, rows: Rows) -> None:
    """One row, of a database with an archive."""
    async with mirror(url, Leader(1)) as inventory:
        await inventory.connect()
        await inventory.save(DATABASES, ROW)
    spec = json.dumps({"ownerTeam": "checkout"})
    await rows.execute(
        "UPDATE databases SET spec = %s, archive = 'a', store = 'b', postgres_version = 17", spec
    )


@pytest.mark.parametrize(
    "forged",
    [
        "created_at = '-infinity'",
        "updated_at = 'infinity'",
        "name = 'a\n---\nb'",
        "namespace = 'a\n---\nb'",
        "archive = repeat('x', 1000000)",
        "database_name = '\n'",
        "postgres_version = -1",
        "locale = 'x'",
        "spec = '[[[[]]]]'",
        'spec = \'{"ownerTeam": {"a": 1}}\'',
    ],
)
async def test_nothing_that_a_row_says_ends_the_command(
    forged: str, migrated_database: str, rows: Rows
) -> None:
    await filled(migrated_database, rows)
    await rows.execute(f"UPDATE databases SET {forged}")
    code, out, told = await called(migrated_database)
    assert code in {command.DONE, command.INCOMPLETE}, told
    assert out.count("\n---\n") <= 1
    assert await called(migrated_database, "--lost-at", datetime.now(UTC).isoformat())  # noqa: TID251 - the row's clock


def test_an_older_schema_is_told(empty_database: str) -> None:
    assert run(empty_database, "--to", BEFORE)[0] == 0
    code, out, told = rebuilt(empty_database)
    assert (code, out) == (command.REFUSED, "")
    assert "lacks 011_add_spec: run `daap-operator migrate` first" in told
