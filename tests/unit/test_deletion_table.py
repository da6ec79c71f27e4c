"""What docs/backup.md says of a deletion is what it does, row by row."""

from typing import Any

import pytest

from daap_operator.kinds import known
from tests.support.deletion_table import PAGE, Row, table
from tests.unit.stage import CLUSTER, Stage, setting

Object = dict[str, Any]

ROWS = table(PAGE.read_text())
CASES = [(row, asked) for row in ROWS for asked in row.asked]

ON: Object = {"store": "backups"}
DONE: Object = {"phase": "completed", "startedAt": "2026-03-01T12:00:00Z", "endWal": "00000001"}


async def brought(row: Row, asked: str) -> Stage:
    """A database whose backups are as the row says."""
    stage = Stage()
    stage.object_store()
    spec: Object = {"deletionPolicy": row.policy}
    off = {"enabled": False, "onDelete": asked}
    stage.order(**spec, backup=off if row.backups == "never on" else ON | {"onDelete": asked})
    await stage.settle()
    if row.backups == "switched off":
        stage.edit(backup=off)
        await stage.settle()
    assert stage.status()["phase"] == "Ready"
    return stage


async def deleted(stage: Stage) -> list[bool]:
    """The database is deleted; for each Backup that was made whether the data was there then."""
    stage.kube.delete_object(known.DATABASE, "orders")
    there = []
    for _ in range(4):
        await stage.settle(playing=False)
        for name in stage.kube.there(known.BACKUP):
            there.append(CLUSTER in stage.kube.there(known.CLUSTER))
            stage.kube.change(known.BACKUP, name, setting("status", DONE))
    assert not stage.kube.there(known.DATABASE)
    return there


@pytest.mark.parametrize(("row", "asked"), CASES, ids=[f"{row}: {asked}" for row, asked in CASES])
async def test_what_stays_after_a_deletion_is_what_the_page_says(row: Row, asked: str) -> None:
    stage = await brought(row, asked)
    backups = await deleted(stage)
    stays = CLUSTER in stage.kube.there(known.CLUSTER)
    assert stays is {"stay": True}.get(row.cluster, False)
    assert backups == {"yes": [True], "no": []}[row.final]
    assert (row.cluster == "deleted once that is complete") is bool(backups)
    (mirrored,) = stage.mirror.rows.values() if stage.mirror.rows else (last_row(stage),)
    assert (mirrored.archive is not None) is (row.archive != "none")
    schedule = CLUSTER in stage.kube.there(known.SCHEDULED_BACKUP)
    assert schedule is (row.archive == "stays and grows")
    sources = {"the Cluster": stays, "the archive": not stays and mirrored.archive is not None}
    assert [source for source, it in sources.items() if it] == (
        [] if row.source == "nothing" else [row.source]
    )
    assert row.undone.startswith("no") is (row.source == "nothing")


def last_row(stage: Stage) -> Any:
    """The row as it was before it was marked as deleted."""
    return stage.mirror.saved[-1]


def test_the_page_leaves_no_combination_out() -> None:
    found = {(row.policy, row.backups, asked) for row, asked in CASES}
    assert len(found) == len(CASES) == 2 * 3 * 2


def test_what_a_deletion_takes_is_always_in_an_archive_or_nothing_was_to_be_backed_up() -> None:
    """No combination loses the last backup without being asked: no row empties an archive."""
    for row in ROWS:
        assert (row.archive == "none") is (row.backups == "never on")
