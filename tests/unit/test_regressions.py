"""What once went wrong, a test for each; they stand here together since they cross modules."""

import asyncio
import logging
from contextlib import suppress
from itertools import count
from typing import Any

import pytest

from daap_operator import logs, settings
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.announce import Announcement, event
from daap_operator.engine.conditions import merge_patch
from daap_operator.engine.ownership import owned_part
from daap_operator.engine.store import Store
from daap_operator.engine.workqueue import Workqueue
from daap_operator.errors import Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database.children import SETTLE_SECONDS
from daap_operator.kinds.database.naming import Arbiter, ref
from daap_operator.kinds.database.watched import WATCHES
from daap_operator.run import _first
from daap_operator.settings import SettingsError
from tests.unit import builders, virtual_time
from tests.unit.fake_kube import merged
from tests.unit.fakes import Killed, refused
from tests.unit.stage import CLUSTER, POOLER, SECRET, Stage, play, play_cluster, ready
from tests.unit.test_crd import RULES
from tests.unit.test_reconcile import Fate
from tests.unit.test_status import SERVED, seen, told_
from tests.unit.test_v1alpha1 import refusal

URL = {"DATABASE_URL": "postgresql://x"}


# --- a protected database is deleted --------------------------------------------------------------


async def test_protection_holds_although_the_watch_does_not_know_the_cluster() -> None:
    """Somebody took our label from the Cluster (or the CRD's watch is behind): it is not cached."""
    stage = await ready(deletionProtection=True)
    del stage.kube.one(known.CLUSTER, CLUSTER)["metadata"]["labels"]
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.restart()
    await stage.look()
    assert CLUSTER in stage.kube.there(known.CLUSTER)


# --- hot loops ------------------------------------------------------------------------------------


async def test_a_taken_secret_name_is_no_hot_loop() -> None:
    stage = await ready()
    stage.kube.add(known.SECRET, {"metadata": {"name": "mine"}, "data": {}})
    stage.edit(connectionSecretName="mine")
    await stage.look()
    stage.clock.advance(700)
    again = [await stage.look() for _ in range(3)]
    assert all(seconds for seconds in again), (again, stage.kube.requests)


async def test_missing_credentials_are_no_hot_loop() -> None:
    stage = await ready()
    play_cluster(stage.kube, "shop", CLUSTER, secretsResourceVersion={})
    stage.clock.advance(700)
    again = [await stage.look() for _ in range(3)]
    assert all(seconds for seconds in again), again


@pytest.mark.parametrize("name", ["DAAP_RESYNC_INTERVAL", "DB_MAX_CONN_LIFETIME"])
def test_an_interval_of_nothing_is_refused(name: str) -> None:
    with pytest.raises(SettingsError):
        settings.read(URL | {name: "0"})


# --- errors that nobody is told of ----------------------------------------------------------------


async def test_a_secret_that_the_api_server_refuses_stalls() -> None:
    """`a..b` passes the CRD's pattern and the models, and is no name for a Secret."""
    stage = Stage()
    stage.order(connectionSecretName="a..b")
    await stage.look()
    play(stage.kube)
    stage.kube.refusals["create Secret a..b"] = refused(422, "metadata.name: Invalid", "Invalid")
    with suppress(Exception):
        await stage.look()
    assert stage.condition("Stalled") is not None


def test_a_secret_name_with_two_dots_is_refused() -> None:
    for name in ("a..b", "a.-b"):
        assert refusal({"metadata": {}, "spec": {"ownerTeam": "x", "connectionSecretName": name}})


# --- the name goes to another ---------------------------------------------------------------------


async def test_a_lost_status_does_not_lose_the_name() -> None:
    """A backup restores objects without their status; the Cluster tells who had the name."""
    store = Store(WATCHES)
    store.put(known.CLUSTER, builders.cluster(namespace="served"))
    old = builders.database(
        uid="a",
        namespace="old",
        creationTimestamp="2026-03-01T12:00:00Z",
        finalizers=["daap.io/cleanup"],  # its team may have written it
    )
    served = builders.database(
        uid="b",
        namespace="served",
        creationTimestamp="2026-03-01T13:00:00Z",
        finalizers=["daap.io/cleanup"],
        status={},
    )
    for obj in (old, served):
        store.put(known.DATABASE, obj)
    assert Arbiter(store).holder("orders") == ref("served", "orders")


async def test_an_invalid_object_does_not_keep_the_name_from_a_valid_one() -> None:
    stage = Stage()
    stage.order(namespace="billing", ownerTeam=" ")
    stage.clock.advance(5)
    stage.order()
    await stage.settle()
    assert stage.status()["phase"] == "Ready", stage.message()


# --- told wrongly ---------------------------------------------------------------------------------


def test_an_unknown_phase_is_no_error_while_something_is_waited_for() -> None:
    status = told_(
        seen({"phase": "Dreaming"}), Waiting(CommonReason.RETRYING, "soon"), status=SERVED
    )
    assert status["phase"] != "Error"


def test_a_stalled_cluster_stays_stalled_while_something_is_waited_for() -> None:
    full = seen({"phase": "Not enough disk space", "instancesStatus": {"healthy": []}})
    status = told_(full, Waiting(CommonReason.RETRYING, "soon"), status=SERVED)
    assert [c["type"] for c in status["conditions"]] == ["Ready", "Stalled"]


async def test_children_of_a_kind_that_is_gone_are_forgotten() -> None:
    """CloudNativePG's CRDs were removed while the watch was broken."""
    stage = await ready()
    for resource, name in ((known.CLUSTER, CLUSTER), (known.POOLER, POOLER)):
        del stage.kube.objects[resource, "shop", name]
        stage.kube.missing.add(resource)
    await stage.relist()
    await stage.look()
    assert stage.condition("Ready") != ("True", "Ready")


# --- settings -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "image", ["r.example/{team}/pg:{major}", "r.example/{}/pg:{major}", "r.example/pg:{major}{"]
)
def test_an_image_with_other_braces_is_told(image: str) -> None:
    with pytest.raises(SettingsError, match="must contain"):
        settings.read(URL | {"DAAP_POSTGRES_IMAGE": image})


def test_a_duration_beyond_all_measure_is_told() -> None:
    with pytest.raises(SettingsError):
        settings.read(URL | {"DAAP_RESYNC_INTERVAL": "99999999999h"})


def test_variables_of_other_programs_are_not_read() -> None:
    assert settings.read(URL | {"workers": "x", "log_level": "debug"}) == settings.read(URL)


# --- small things ---------------------------------------------------------------------------------


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: str(rule["message"])[:30])
def test_no_message_has_a_hole(rule: Any) -> None:
    assert "{}" not in rule["message"]


def test_a_note_is_cut_by_bytes() -> None:
    made = event(
        known.DATABASE,
        builders.model().metadata,
        Announcement(True, "X", "é" * 1024),
        now=builders.NOW,
        number=1,
    )
    assert len(made["note"].encode()) <= 1024


def test_a_cancellation_that_nobody_asked_for_does_not_cost_a_worker() -> None:
    worked: list[str] = []

    async def work(key: str, failures: int) -> float | None:
        worked.append(key)
        if key == "a":
            raise asyncio.CancelledError
        return None

    async def scene() -> None:
        queue = Workqueue(work, workers=1)
        running = asyncio.create_task(queue.run())
        queue.add("a")
        queue.add("b")
        await asyncio.sleep(10)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    virtual_time.run(scene())
    assert "b" in worked


def test_both_judges_agree_on_large_exponents() -> None:
    resources = {"requests": {"cpu": "1e100"}}
    assert refusal({"metadata": {}, "spec": {"ownerTeam": "x", "resources": resources}}) == ""


def test_a_quantity_ends_where_it_ends() -> None:
    for size in ("10Gi\n", "\u0661\u0660Gi"):
        assert refusal({"metadata": {}, "spec": {"ownerTeam": "x", "storage": {"size": size}}})


def test_a_line_for_people_is_one_line() -> None:
    record = logging.LogRecord("a", logging.INFO, "a.py", 1, "Said", (), None)
    vars(record)["told"] = "one\ntwo"
    assert "\n" not in logs.TextFormatter().format(record)


def test_a_field_of_a_call_does_not_replace_the_level() -> None:
    record = logging.LogRecord("a", logging.INFO, "a.py", 1, "Said", (), None)
    vars(record)["level"] = "high"
    assert '"level": "info"' in logs.JsonFormatter().format(record)


def test_a_merge_patch_removes_what_lies_deeper() -> None:
    before, after = {"binding": {"name": "a", "old": 1}}, {"binding": {"name": "a"}}
    assert merged(before, merge_patch(before, after)) == after


def test_managed_fields_that_do_not_fit_the_object_are_no_crash() -> None:
    entry = {"manager": "daap-operator", "operation": "Apply", "fieldsV1": {"f:a": {"f:b": {}}}}
    assert isinstance(owned_part({"metadata": {"managedFields": [entry]}, "a": [1]}), dict)


async def test_a_held_deletion_goes_on_looking_after_the_children() -> None:
    """A rotated password still reaches the Secret, and a lost Pooler comes back."""
    stage = await ready(deletionProtection=True)
    stage.kube.delete_object(known.DATABASE, "orders")
    await stage.settle()
    assert stage.condition("Reconciling") == ("True", "DeletionProtected")
    del stage.kube.objects[known.POOLER, "shop", POOLER]
    await stage.restart()
    await stage.settle()
    assert POOLER in stage.kube.there(known.POOLER)
    assert stage.condition("Reconciling") == ("True", "DeletionProtected")


async def test_a_change_that_settles_during_the_pass_is_looked_at_again() -> None:
    """The pass tells of the change, and when it is about to end the change is over: no event comes
    any more."""
    stage = await ready()
    stage.edit(instances=2)
    await stage.look()
    play(stage.kube)
    stage.clock.advance(SETTLE_SECONDS - 1)
    stage.kube.after_write = lambda: stage.clock.advance(2)
    assert await stage.look() == 0.0
    assert stage.condition("Reconciling") == ("True", "Updating")
    await stage.look()
    assert stage.condition("Reconciling") is None


# --- a name that changes again before the change before is done -----------------------------------


def connections(stage: Stage) -> list[str]:
    """The connection Secrets there are; CloudNativePG's own belong to the Cluster."""
    own = (f"{CLUSTER}-app", f"{CLUSTER}-ca")
    return [name for name in stage.kube.there(known.SECRET) if name not in own]


async def cut_off(stage: Stage, write: int) -> bool:
    """Go on until everything is done, or until the process dies at that write."""
    stage.kube.after_write = Fate(write, Killed())
    try:
        await stage.settle()
    except Killed:
        await stage.restart()
    else:
        return False
    finally:
        stage.kube.after_write = lambda: None
    return True


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
@pytest.mark.parametrize("then", [None, "third"])
async def test_a_secret_name_changed_twice_leaves_no_secret_behind(
    then: str | None, policy: str
) -> None:
    """Dying between the new Secret and the status, and another name then: nobody knew the Secret
    in between, and with `Retain` not even garbage collection removed it."""
    for write in count(1):
        stage = await ready(deletionPolicy=policy)
        stage.edit(connectionSecretName="second")
        if not await cut_off(stage, write):
            break
        stage.edit(connectionSecretName=then)
        await stage.settle()
        assert connections(stage) == [then or SECRET], write
        assert "pendingSecret" not in stage.status()
    assert write > 3


async def test_a_secret_name_changed_at_birth_leaves_no_secret_behind() -> None:
    for write in count(1):
        stage = Stage()
        stage.order(connectionSecretName="first")
        if not await cut_off(stage, write):
            break
        stage.edit(connectionSecretName="second")
        await stage.settle()
        assert connections(stage) == ["second"], write
    assert write > 5


async def test_a_secret_being_renamed_is_retained_however_far_that_is() -> None:
    for write in count(1):
        stage = await ready()
        stage.edit(connectionSecretName="second")
        if not await cut_off(stage, write):
            break
        stage.edit(deletionPolicy="Retain")
        stage.kube.delete_object(known.DATABASE, "orders")
        await stage.settle()
        assert stage.kube.there(known.DATABASE) == []
        assert connections(stage), write
    assert write > 3


# --- leaving --------------------------------------------------------------------------------------


async def test_an_operator_that_is_cancelled_leaves_nothing_running() -> None:
    """Its passes went on, without the client they need."""
    began, ended = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    running = asyncio.create_task(_first(work(), asyncio.Event().wait()))
    await began.wait()
    running.cancel()
    with suppress(asyncio.CancelledError):
        await running
    assert ended.is_set()
