"""One leader at a time, whatever the network does. In virtual time."""

import asyncio
from contextlib import suppress
from datetime import UTC, datetime
from random import Random

import pytest
from hypothesis import given, settings

from daap_operator.elector import Candidate, Elector
from daap_operator.errors import Deposed, Outage
from daap_operator.kube import LEASE
from daap_operator.lease import MOST_AHEAD, MOST_EPOCH, plausible
from tests.support.unmeasured import unmeasured
from tests.unit.leases import Leases, OneClient, cut_off, hung
from tests.unit.strategies import seeds
from tests.unit.virtual_time import now, run

SECONDS = 15.0
DEADLINE = 10.0
LONGEST_RETRY = 2.2


class Replica:
    """A candidate, its way to the Lease, and a clock that can be put forward: it was frozen."""

    def __init__(
        self, shared: Leases, identity: str = "a", seed: int = 0, seconds: float = SECONDS
    ) -> None:
        self.client = OneClient(shared)
        self.frozen = 0.0
        self.elector = Elector(
            self.client,
            Candidate(identity, "daap", "operator", seconds),
            monotonic=lambda: now() + self.frozen,
            now=lambda: datetime.fromtimestamp(now(), UTC),
            random=Random(seed),
        )

    def leads(self) -> bool:
        try:
            self.elector.require()
        except Deposed:
            return False
        return True


async def test_nobody_may_write_before_leading() -> None:
    assert not Replica(Leases()).leads()


def test_the_first_one_leads_at_once_in_epoch_1() -> None:
    async def story() -> None:
        first = Replica(Leases())
        await first.elector.lead()
        assert (now(), first.elector.epoch, first.leads()) == (0.0, 1, True)
        assert first.elector.lease == "daap/operator"

    run(story())


def test_a_standby_waits_as_long_as_the_lease_is_renewed() -> None:
    async def story() -> None:
        shared = Leases()
        first, second = Replica(shared, "a"), Replica(shared, "b")
        await first.elector.lead()
        both = [
            asyncio.create_task(first.elector.hold()),
            asyncio.create_task(second.elector.lead()),
        ]
        await asyncio.sleep(3600)
        assert first.leads()
        assert not second.leads()
        for task in both:
            task.cancel()

    run(story())


def test_a_standby_takes_over_from_one_that_died() -> None:
    async def story() -> None:
        shared = Leases()
        first, second = Replica(shared, "a"), Replica(shared, "b")
        await first.elector.lead()
        await second.elector.lead()
        assert SECONDS <= now() <= SECONDS + LONGEST_RETRY
        assert not first.leads()
        assert second.elector.epoch == 2

    run(story())


def test_a_lease_given_back_is_taken_at_the_next_look() -> None:
    async def story() -> None:
        shared = Leases()
        first, second = Replica(shared, "a"), Replica(shared, "b")
        await first.elector.lead()
        waiting = asyncio.create_task(second.elector.lead())
        await asyncio.sleep(5)
        await first.elector.release()
        assert not first.leads()
        await waiting
        assert now() <= 5 + LONGEST_RETRY
        assert second.elector.epoch == 2

    run(story())


def test_started_again_under_the_same_identity_it_goes_on_at_once() -> None:
    async def story() -> None:
        shared = Leases()
        await Replica(shared, "a").elector.lead()
        again = Replica(shared, "a")
        await again.elector.lead()
        assert (now(), again.elector.epoch) == (0.0, 2)

    run(story())


@pytest.mark.parametrize("trouble", [cut_off, hung])
def test_without_the_api_server_it_stops_before_anybody_else_may_lead(trouble: object) -> None:
    async def story() -> None:
        first = Replica(Leases())
        await first.elector.lead()
        first.client.before = trouble  # type: ignore[assignment]
        with pytest.raises(Deposed, match="daap/operator was not renewed in time"):
            await first.elector.hold()
        assert now() == pytest.approx(DEADLINE)
        assert not first.leads()

    run(story())


def test_a_short_outage_ends_nothing_and_is_told() -> None:
    async def story() -> None:
        first = Replica(Leases())
        await first.elector.lead()
        holding = asyncio.create_task(first.elector.hold())
        first.client.before = cut_off
        await asyncio.sleep(DEADLINE - LONGEST_RETRY)
        assert first.elector.trouble == "no route to host"
        first.client.before = lambda: 0.0
        await asyncio.sleep(LONGEST_RETRY)
        assert first.elector.trouble == ""
        assert first.leads()
        holding.cancel()

    run(story())


def test_a_renewal_without_an_answer_is_found_again() -> None:
    async def story() -> None:
        first = Replica(Leases())
        await first.elector.lead()
        holding = asyncio.create_task(first.elector.hold())
        first.client.after = cut_off
        await asyncio.sleep(3)
        first.client.after = lambda: 0.0
        await asyncio.sleep(60)
        assert first.leads()
        assert first.elector.epoch == 1
        holding.cancel()

    run(story())


def test_a_lease_taken_away_is_lost_and_the_message_says_to_whom() -> None:
    async def story() -> None:
        shared = Leases()
        first = Replica(shared, "a")
        await first.elector.lead()
        assert shared.lease
        shared.lease["spec"]["holderIdentity"] = "b"
        shared.lease["metadata"]["resourceVersion"] = "77"
        with pytest.raises(Deposed, match="is lost: b holds it"):
            await first.elector.hold()
        assert not first.leads()

    run(story())


def test_a_lease_deleted_by_hand_is_made_again() -> None:
    async def story() -> None:
        shared = Leases()
        first = Replica(shared, "a")
        await first.elector.lead()
        holding = asyncio.create_task(first.elector.hold())
        shared.lease = None
        await asyncio.sleep(60)
        assert first.leads()
        found = await first.client.get(LEASE, "daap", "operator")
        assert found
        assert found["spec"]["leaseTransitions"] == 1
        holding.cancel()

    run(story())


def test_one_that_was_frozen_writes_nothing_and_asks_nothing() -> None:
    async def story() -> None:
        shared = Leases()
        first = Replica(shared, "a")
        await first.elector.lead()
        asked = shared.requests
        first.frozen = SECONDS
        assert not first.leads()
        with pytest.raises(Deposed):
            await first.elector.hold()
        await first.elector.release()
        assert shared.requests == asked

    run(story())


def test_a_later_epoch_is_exceeded_while_leading() -> None:
    async def story() -> None:
        shared = Leases()
        first = Replica(shared, "a")
        await first.elector.lead()
        await first.elector.exceed(41)
        assert first.elector.epoch == 42
        assert shared.lease
        assert shared.lease["spec"]["leaseTransitions"] == 42

    run(story())


@pytest.mark.parametrize("epoch", [1 + MOST_AHEAD + 1, MOST_EPOCH + 1, 3_000_000_000, -1])
def test_an_epoch_that_no_leader_can_have_had_is_not_followed(epoch: int) -> None:
    async def story() -> None:
        shared = Leases()
        first = Replica(shared, "a")
        await first.elector.lead()
        asked = shared.requests
        with pytest.raises(Outage, match="out of reach"):
            await first.elector.exceed(epoch)
        assert (first.elector.epoch, first.leads(), shared.requests) == (1, True, asked)

    run(story())


def test_however_often_it_is_asked_half_of_the_epochs_are_left_for_leaders() -> None:
    epoch = 1
    while plausible(epoch, epoch + MOST_AHEAD):
        epoch += MOST_AHEAD
    assert epoch <= MOST_EPOCH == 2**31 // 2


def test_a_later_epoch_is_not_exceeded_by_one_that_lost_the_lease() -> None:
    async def story() -> None:
        shared = Leases()
        first, second = Replica(shared, "a"), Replica(shared, "b")
        await first.elector.lead()
        await second.elector.lead()
        with pytest.raises(Deposed):
            await first.elector.exceed(41)
        first.frozen = -SECONDS  # a clock that has stopped: the Lease still knows
        with pytest.raises(Deposed, match="is lost: b holds it"):
            await first.elector.exceed(41)
        assert second.elector.epoch == 2

    run(story())


def test_a_long_lease_does_not_make_the_next_try_late() -> None:
    async def story() -> None:
        first = Replica(Leases(), seconds=600)
        first.client.before = cut_off
        waiting = asyncio.create_task(first.elector.lead())
        await asyncio.sleep(100)
        first.client.before = lambda: 0.0
        await waiting
        assert now() <= 100 + LONGEST_RETRY

    run(story())


def test_trouble_with_the_lease_is_told_while_standing_by() -> None:
    async def story() -> None:
        first = Replica(Leases())
        first.client.before = cut_off
        waiting = asyncio.create_task(first.elector.lead())
        await asyncio.sleep(1)
        assert first.elector.trouble == "no route to host"
        first.client.before = lambda: 0.0
        await waiting
        assert first.elector.trouble == ""

    run(story())


@unmeasured
@pytest.mark.timeout(600)  # all of it is work for the processor, which may have a lot to do
@settings(max_examples=60)
@given(seed=seeds)
def test_there_are_never_two_leaders(seed: int) -> None:
    """Three replicas, requests and answers that are late or lost, and replicas that give up."""

    async def story() -> None:
        shared, chance = Leases(), Random(seed)
        replicas = [Replica(shared, name, seed) for name in "abc"]
        for replica in replicas:
            replica.client.before = replica.client.after = lambda: trouble(chance)
        running = [asyncio.create_task(forever(replica, chance)) for replica in replicas]
        epochs, led = [0], 0
        while now() < 600:
            await asyncio.sleep(0.25)
            leaders = [replica for replica in replicas if replica.leads()]
            assert len(leaders) <= 1
            led += len(leaders)
            for leader in leaders:
                assert leader.elector.epoch >= epochs[-1]
                epochs.append(leader.elector.epoch)
        assert led
        for task in running:
            task.cancel()

    run(story())


def trouble(chance: Random) -> float:
    if chance.random() < 0.2:
        return cut_off()
    return chance.choice((0.0, 0.01, 0.5, 3.0, 9.0))


async def forever(replica: Replica, chance: Random) -> None:
    while True:
        await replica.elector.lead()
        with suppress(Deposed, TimeoutError):
            async with asyncio.timeout(chance.uniform(1, 120)):
                await replica.elector.hold()
        if chance.random() < 0.5:
            await replica.elector.release()
