"""Two replicas: one leads, and the other takes over, whatever becomes of the first.

With DAAP_LEASE_DURATION=15s, the default, pytest's --log-cli-level=INFO tells the times that stand
in docs/reliability.md.
"""

import logging
import os
import signal
import time
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from daap_operator.cli import DEPOSED
from daap_operator.settings import read
from tests.support.api import Api
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.process import KOPF_HANGS, WHOLE, operator_process
from tests.support.proxy import api_server, proxy_to, write_detour
from tests.support.rows import Rows
from tests.support.slowness import slowness

log = logging.getLogger(__name__)

NAMESPACE = "default"
DURATION = os.environ.get("DAAP_LEASE_DURATION", "9s")
"""Of a leader that is to lose its Lease. Until then it must not, though the machine be busy: two
thirds of it may pass without a renewal."""

OUTLASTS_THE_TEST = {"DAAP_LEASE_DURATION": "5m"}
"""For a leader that is not to lose its Lease: all successors, and all whose successor must not wait
for it. Whoever does comes too late."""

pytestmark = pytest.mark.timeout(600)


class Replicas:
    """Replicas of one operator, by name."""

    def __init__(self, environment: dict[str, str], api: Api) -> None:
        self.environment = environment
        self.lease = environment["DAAP_LEASE_NAME"]
        self._api = api
        self._stack = AsyncExitStack()

    async def start(self, name: str, program: Sequence[str] = WHOLE, **environment: str) -> Process:
        """One more replica."""
        own = {"DAAP_IDENTITY": name}
        return await self._stack.enter_async_context(
            operator_process(self.environment | own | environment, program)
        )

    async def leads(self, name: str) -> dict[str, Any]:
        """Wait until that one leads; what the Lease says."""

        return await eventually(self.lease_spec, lambda seen: seen.get("holderIdentity") == name)

    async def lease_spec(self) -> dict[str, Any]:
        """What the Lease says now."""
        found = await self._api.get("leases", NAMESPACE, self.lease)
        return dict((found or {}).get("spec") or {})

    async def __aenter__(self) -> "Replicas":
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._stack.aclose()


@pytest.fixture
async def replicas(api: Api, operator_environment: dict[str, str]) -> AsyncIterator[Replicas]:
    environment = {
        **os.environ,
        **operator_environment,
        "DB_MIN_CONNS": "1",
        "DAAP_LEASE_NAMESPACE": NAMESPACE,
        "DAAP_LEASE_DURATION": DURATION,
    }
    async with Replicas(environment, api) as made:
        yield made
        await api.delete("leases", NAMESPACE, made.lease)


def lease_seconds() -> float:
    settings = read({"DATABASE_URL": "x", "DAAP_LEASE_DURATION": DURATION})
    return settings.lease_duration.total_seconds()


async def one_leads(replicas: Replicas, databases: Databases, **environment: str) -> Process:
    """A leader, with an environment of its own, and a database; and a standby."""
    leader = await replicas.start("first", **environment)
    await replicas.leads("first")
    await replicas.start("second", **OUTLASTS_THE_TEST)
    await databases.create("orders")
    await databases.ready("orders")
    return leader


async def handed_over(
    replicas: Replicas, databases: Databases, rows: Rows, what: str, since: float
) -> None:
    """Wait until the second replica does what is asked for; docs/reliability.md tells how long."""
    await databases.edit("orders", ownerTeam="payments")
    await rows.becomes("orders", owner_team="payments", leader_epoch=2)
    log.info("handover after %s: %.1f s", what, time.monotonic() - since)
    lease = await replicas.leads("second")
    assert lease["leaseTransitions"] == 2


async def test_a_clean_stop_hands_over_without_waiting_for_the_lease(
    replicas: Replicas, databases: Databases, rows: Rows
) -> None:
    leader = await one_leads(replicas, databases, **OUTLASTS_THE_TEST)
    since = time.monotonic()
    leader.send_signal(signal.SIGTERM)
    assert await leader.wait() == 0
    await handed_over(replicas, databases, rows, "a clean stop", since)


async def test_a_killed_leader_is_replaced_when_its_lease_has_ended(
    replicas: Replicas, databases: Databases, rows: Rows
) -> None:
    leader = await one_leads(replicas, databases)
    since = time.monotonic()
    leader.send_signal(signal.SIGKILL)
    await handed_over(replicas, databases, rows, "SIGKILL", since)


async def test_a_leader_cut_off_from_the_api_server_ends_before_the_next_one_begins(
    replicas: Replicas, databases: Databases, rows: Rows, tmp_path: Path
) -> None:
    kubeconfig = Path(replicas.environment["KUBECONFIG"])
    proxy = proxy_to(api_server(kubeconfig), 443)
    await proxy.mend()
    write_detour(kubeconfig, proxy, tmp_path / "kubeconfig")
    leader = await one_leads(replicas, databases, KUBECONFIG=str(tmp_path / "kubeconfig"))
    since = time.monotonic()
    proxy.fall_silent()
    assert await leader.wait() == DEPOSED
    took = time.monotonic() - since
    assert took < lease_seconds() * slowness()
    assert (await replicas.lease_spec())["holderIdentity"] == "first"
    proxy.cut()
    await handed_over(replicas, databases, rows, "a cut network", since)


async def test_a_leader_frozen_past_its_lease_writes_nothing_when_it_goes_on(
    replicas: Replicas, databases: Databases, rows: Rows
) -> None:
    leader = await one_leads(replicas, databases)
    since = time.monotonic()
    leader.send_signal(signal.SIGSTOP)
    await handed_over(replicas, databases, rows, "a freeze", since)
    settled = await databases.ready("orders")
    row = await rows.live("orders")
    leader.send_signal(signal.SIGCONT)
    assert await leader.wait() == DEPOSED
    assert await databases.get("orders") == settled
    assert await rows.live("orders") == row


async def test_a_leader_started_again_under_its_identity_goes_on_at_once(
    replicas: Replicas, databases: Databases, rows: Rows
) -> None:
    leader = await one_leads(replicas, databases, **OUTLASTS_THE_TEST)
    since = time.monotonic()
    leader.send_signal(signal.SIGKILL)
    await leader.wait()
    await replicas.start("first", **OUTLASTS_THE_TEST)
    await databases.edit("orders", ownerTeam="payments")
    await rows.becomes("orders", owner_team="payments", leader_epoch=2)
    lease = await replicas.leads("first")
    log.info("the same identity again: %.1f s", time.monotonic() - since)
    assert lease["leaseTransitions"] == 2


async def test_a_lease_deleted_by_hand_does_not_lock_the_inventory(
    replicas: Replicas, databases: Databases, rows: Rows, api: Api
) -> None:
    """The count begins anew, while the inventory knows a later epoch: the Lease is raised."""
    leader = await one_leads(replicas, databases, **OUTLASTS_THE_TEST)
    await rows.execute("UPDATE leaders SET epoch = 40")
    leader.send_signal(signal.SIGTERM)
    await leader.wait()
    await databases.edit("orders", ownerTeam="payments")
    await rows.becomes("orders", owner_team="payments", leader_epoch=41)
    lease = await replicas.leads("second")
    assert lease["leaseTransitions"] == 41


async def test_a_deposed_leader_ends_though_its_watches_hang(
    replicas: Replicas, databases: Databases, api: Api
) -> None:
    leader = await replicas.start("first", KOPF_HANGS)
    await replicas.leads("first")
    await databases.create("orders")
    await databases.ready("orders")
    await api.patch("leases", NAMESPACE, replicas.lease, {"spec": {"holderIdentity": "other"}})
    assert await leader.wait() == DEPOSED


async def test_a_leader_that_is_stopped_ends_though_its_watches_hang(
    replicas: Replicas, databases: Databases, rows: Rows
) -> None:
    leader = await replicas.start("first", KOPF_HANGS, **OUTLASTS_THE_TEST)
    await replicas.leads("first")
    await replicas.start("second", **OUTLASTS_THE_TEST)
    await databases.create("orders")
    await databases.ready("orders")
    since = time.monotonic()
    leader.send_signal(signal.SIGTERM)
    assert await leader.wait() == 0
    await handed_over(replicas, databases, rows, "a clean stop with watches that hang", since)
