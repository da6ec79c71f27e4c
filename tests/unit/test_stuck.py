"""When Events are asked for: while something is stuck, seldom, and once for all in a namespace."""

from typing import Any

from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.stuck import (
    BEFORE,
    LONGEST_PAUSE_SECONDS,
    PATIENCE_SECONDS,
)
from daap_operator.kinds.warned import PAGE_SECONDS
from daap_operator.kube import EVENT
from tests.unit.fake_kube import stamp
from tests.unit.fakes import refused
from tests.unit.kstatus import kstatus
from tests.unit.stage import (
    CLUSTER,
    KEY,
    POOLER,
    Stage,
    play,
    play_cluster,
    play_pod,
    play_pooler,
    ready,
    setting,
)

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


async def test_news_is_asked_for_soon_again() -> None:
    """After an hour in which there was none."""
    stage = await starting()
    await looks(stage, 3600)
    failed(stage)
    while stage.condition("Ready") != ("False", "QuotaExceeded"):
        stage.clock.advance(1)
        await stage.look()
    failed(stage, note="pods is forbidden")
    stage.clock.advance(PAGE_SECONDS)
    await stage.look()
    assert stage.condition("Ready") == ("False", "PodsNotCreated")


async def test_events_of_another_trouble_long_before_are_not_told() -> None:
    stage = await ready()
    failed(stage, f"{CLUSTER}-2-join")
    stage.clock.advance(BEFORE.total_seconds() + 1)
    play_cluster(stage.kube, "shop", CLUSTER, phase="Setting up primary")
    await looks(stage, 3 * PAGE_SECONDS)
    assert stage.condition("Reconciling") == ("True", "ClusterStarting")
    assert QUOTA not in stage.message()


async def test_events_of_the_same_trouble_a_little_before_are_told() -> None:
    """The Cluster says what is wrong a while after its Job does."""
    stage = await ready()
    failed(stage, f"{CLUSTER}-2-join")
    stage.clock.advance(60)
    play_cluster(stage.kube, "shop", CLUSTER, phase="Setting up primary")
    await looks(stage, 3 * PAGE_SECONDS)
    assert QUOTA in stage.message("Reconciling")


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


def without_pods(stage: Stage, available: int) -> None:
    """The pooler's Deployment gets no pod more than these."""
    made = stage.kube.one(known.DEPLOYMENT, POOLER)
    condition = {"type": "ReplicaFailure", "status": "True", "message": QUOTA}
    seen = made["status"] | {"availableReplicas": available, "conditions": [condition]}
    seen |= {"observedGeneration": made["metadata"]["generation"]}
    stage.kube.change(known.DEPLOYMENT, POOLER, setting("status", seen))


async def test_a_wait_is_explained_by_the_pods_that_are_waited_for() -> None:
    stage = await ready()
    without_pods(stage, 0)
    play_cluster(stage.kube, "shop", CLUSTER, phase="Setting up primary", currentPrimary="")
    await looks(stage, 1)
    assert stage.condition("Reconciling") == ("True", "ClusterStarting")
    assert QUOTA not in stage.message()
    play_cluster(stage.kube, "shop", CLUSTER)
    await looks(stage, 3)
    assert stage.condition("Reconciling") == ("True", "QuotaExceeded")
    assert QUOTA in stage.message()


async def test_a_change_that_does_not_get_on_is_explained_while_clients_are_served() -> None:
    stage = await ready()
    stage.edit(pooler={"instances": 2})
    await stage.look()
    play_pooler(stage.kube, "shop", POOLER)
    without_pods(stage, 1)
    await looks(stage, 3)
    assert stage.condition("Ready") == ("True", "Ready")
    assert stage.condition("Reconciling") == ("True", "QuotaExceeded")
    assert QUOTA in stage.message("Reconciling")
