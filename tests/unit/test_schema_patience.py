"""What a DaapSchema costs that gets no further, whatever its tenant has put in its way."""

from typing import Any

import pytest

from daap_operator.kinds import known
from daap_operator.kube import Kind
from tests.unit.fakes import refused
from tests.unit.schema_stage import SCHEMA, SchemaStage, going, planned, ready
from tests.unit.stage import setting

Object = dict[str, Any]
HOURS = 6.0


async def waited(stage: SchemaStage, hours: float = HOURS) -> list[float]:
    """The pauses between two passes in so many hours in which nothing comes."""
    pauses: list[float] = []
    stage.watch()
    stage.forget_requests()
    while sum(pauses) < hours * 3600:
        stage.watch()
        pause = await stage.loop.reconcile(SCHEMA, 0)
        assert pause is not None
        stage.clock.advance(pause)
        pauses.append(pause)
    return pauses


async def test_a_job_that_somebodys_finalizer_keeps_is_looked_at_ever_more_seldom() -> None:
    stage = await going()  # a Job applies the plan
    name = stage.job["metadata"]["name"]
    metadata = stage.job["metadata"] | {"finalizers": ["x.example/y"]}
    stage.kube.change(known.JOB, name, setting("metadata", metadata))
    stage.files(**{"001_users_sql": "SELECT 2;"})
    pauses = await waited(stage)
    assert stage.told(SCHEMA)["Ready"] == ("False", "JobPending")
    assert pauses[-1] == 900
    assert len(pauses) < 60
    assert sorted({request.split(" tables")[0] for request in stage.kube.requests}) == [
        "delete Job", "get ConfigMap", "status of DaapSchema",
    ]  # fmt: skip
    assert len(stage.kube.requests) == 3


def quota(stage: SchemaStage, kind: Kind, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A ResourceQuota allows no more of a kind; what was asked for in vain."""
    create, asked = stage.kube.create, list[str]()

    async def limited(of: Kind, manifest: Object) -> Object:
        if of != kind:
            return await create(of, manifest)
        asked.append(manifest["metadata"]["name"])
        raise refused(403, f"{kind.plural} is forbidden: exceeded quota: few")

    monkeypatch.setattr(stage.kube, "create", limited)
    return asked


async def test_a_job_that_is_refused_is_tried_ever_more_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = await ready()
    asked = quota(stage, known.JOB, monkeypatch)
    stage.schema()
    await stage.passes(2)
    pauses = await waited(stage)
    assert "exceeded quota" in stage.why()
    assert pauses[-1] == 900
    assert len(asked) < 60
    assert len(set(asked)) == 1


async def test_a_backup_that_is_refused_is_tried_ever_more_seldom(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage = await ready()
    stage.kube.change(known.DATABASE, "orders", with_backups)
    asked = quota(stage, known.DAAP_BACKUP, monkeypatch)
    stage.schema(backupBefore=True)
    await stage.passes(2)
    stage.reports(planned())
    await stage.passes(2)
    pauses = await waited(stage)
    assert "exceeded quota" in stage.why()
    assert pauses[-1] == 900
    assert len(asked) < 60


def with_backups(database: Object) -> None:
    database["status"]["backup"] = {"store": "backups"}
