"""When Events are asked for: while something is stuck, seldom, and once for all in a namespace."""

from typing import Any

from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from daap_operator.kube import EVENT
from daap_operator.stuck import LONGEST_PAUSE_SECONDS, PAGE_SECONDS, PATIENCE_SECONDS
from tests.unit.fake_kube import stamp
from tests.unit.fakes import refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import CLUSTER, KEY, Stage, play, play_cluster, play_pod, ready

ASKED = "list Event shop"
QUOTA = 'pods "x" is forbidden: exceeded quota: small, requested: memory=1Gi'


def failed(stage: Stage, name: str = f"{CLUSTER}-1-initdb", note: str = QUOTA) -> None:
    """The Job's controller tells that it makes no pod."""
    body: dict[str, Any] = {"metadata": {"name": f"{name}.{stage.kube.version}"}}
    body |= {"type": "Warning", "reason": "FailedCreate", "note": note}
    body |= {"regarding": {"kind": "Job", "name": name}}
    body |= {"deprecatedLastTimestamp": stamp(stage.clock)}
    stage.kube.add(EVENT, body)


async def looks(stage: Stage, seconds: float, *keys: Ref) -> int:
    """Passes for so long, each when it is due; how often Events were asked for."""
    stage.kube.requests.clear()
    end = stage.clock.monotonic() + seconds
    while stage.clock.monotonic() < end:
        again = [await stage.look(key) or 0.0 for key in keys or (KEY,)]
        stage.clock.advance(min(*again, 600.0))
    return stage.kube.requests.count(ASKED)


async def starting() -> Stage:
    """A database whose Cluster does not come up."""
    stage = Stage()
    stage.order()
    for _ in range(3):
        await stage.look()
    return stage


async def test_what_is_told_in_events_alone_is_told_after_a_while() -> None:
    stage = await starting()
    failed(stage)
    assert await looks(stage, PATIENCE_SECONDS - 1) == 0
    await looks(stage, 2)
    assert stage.condition("Ready") == ("False", "QuotaExceeded")
    assert stage.condition("Reconciling") == ("True", "QuotaExceeded")
    assert QUOTA in stage.message()


async def test_it_is_asked_more_and_more_seldom() -> None:
    stage = await starting()
    assert 5 <= await looks(stage, 600) <= 7
    assert await looks(stage, 3600) <= 3600 / LONGEST_PAUSE_SECONDS + 1


async def test_one_list_serves_all_of_a_namespace() -> None:
    stage = Stage()
    names = [f"orders-{number}" for number in range(20)]
    keys = [ref("shop", name) for name in names]
    for name in names:
        stage.order(name)
    assert await looks(stage, PATIENCE_SECONDS + PAGE_SECONDS, *keys) <= 2


async def test_what_is_well_asks_for_nothing() -> None:
    stage = await ready()
    assert await looks(stage, 7200) == 0


async def test_what_is_stalled_asks_for_nothing() -> None:
    stage = Stage()
    stage.order()
    stage.kube.refusals[f"create Cluster {CLUSTER}"] = refused(422, "no")
    assert await looks(stage, 3600) == 0


async def test_a_server_that_gives_no_events_holds_up_nothing() -> None:
    stage = await starting()
    stage.kube.refusals[ASKED] = refused(403, "no")
    await looks(stage, 60)
    assert stage.condition("Ready") == ("False", "ClusterPending")
    await stage.settle()
    assert kstatus(stage.database()) == "Current"


async def test_what_was_heard_is_forgotten_once_it_serves() -> None:
    stage = await starting()
    failed(stage)
    await looks(stage, PATIENCE_SECONDS + 2)
    await stage.settle()
    assert kstatus(stage.database()) == "Current"
    play_cluster(stage.kube, "shop", CLUSTER, phase="Setting up primary")
    await stage.look()
    assert stage.condition("Reconciling") == ("True", "ClusterStarting")


async def test_a_pod_counts_for_more_than_an_event() -> None:
    stage = await starting()
    failed(stage)
    await looks(stage, PATIENCE_SECONDS + 2)
    play(stage.kube)
    cluster = stage.kube.one(known.CLUSTER, CLUSTER)
    play_cluster(stage.kube, "shop", CLUSTER, phase="Setting up primary")
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    play_pod(stage.kube, cluster, f"{CLUSTER}-1", conditions=[condition | {"message": "full"}])
    await looks(stage, 3)
    assert stage.condition("Ready") == ("False", "Unschedulable")
    assert "full" in stage.message()
