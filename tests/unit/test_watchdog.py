"""What is not watched although it is there is watched again; what is not there is left alone."""

import pytest

from daap_operator.engine.kinds import Source
from daap_operator.engine.store import Store
from daap_operator.engine.trace import Place
from daap_operator.engine.watchdog import (
    ABSENT_SECONDS,
    AGAIN_SECONDS,
    FIRST_SECONDS,
    HANGING_SECONDS,
    LOOK_SECONDS,
    Watchdog,
)
from daap_operator.kube import Kind, Unreachable
from tests.unit import toys
from tests.unit.fakes import Clock
from tests.unit.toys import SHELF, SHELVES, TOY, TOYS

SHELVES_HERE = Place(SHELVES.source, "")
TOYS_IN_SHOP, TOYS_IN_BANK = Place(TOYS.source, "shop"), Place(TOYS.source, "bank")


class Watches:
    alive = True
    restarting_for = 0.0
    restarted = 0

    def __init__(self, *late: Place) -> None:
        self.late = list(late)

    def overdue(self, first: float, again: float) -> list[Place]:
        assert (first, again) == (FIRST_SECONDS, AGAIN_SECONDS)
        return self.late

    def restart(self) -> None:
        self.restarted += 1
        self.late = []


class Kube:
    def __init__(self, *served: Kind, away: bool = False) -> None:
        self.served = set(served)
        self._away = away
        self.asked: list[tuple[Kind, str]] = []

    async def serves(self, kind: Kind, namespace: str) -> bool:
        self.asked.append((kind, namespace))
        if self._away:
            raise Unreachable("nobody there")
        return kind in self.served


class Scene:
    """A watchdog that looks every five seconds."""

    def __init__(self, kube: Kube, *late: Place) -> None:
        self.watches, self.kube = Watches(*late), kube
        self.store, self.clock = Store([SHELVES, TOYS]), Clock()
        self.dog = Watchdog(
            self.watches,  # type: ignore[arg-type]
            kube,  # type: ignore[arg-type]
            self.store,
            monotonic=self.clock.monotonic,
        )

    async def looks(self, seconds: float = LOOK_SECONDS) -> list[Kind]:
        """What is asked for in so many seconds of looks."""
        self.kube.asked.clear()
        for _ in range(round(seconds / LOOK_SECONDS)):
            await self.dog.look()
            self.clock.advance(LOOK_SECONDS)
        return [kind for kind, _ in self.kube.asked]


async def test_while_all_goes_well_nothing_is_asked() -> None:
    scene = Scene(Kube())
    assert await scene.looks(600) == []
    assert scene.watches.restarted == 0


@pytest.mark.parametrize(
    ("kube", "restarts"),
    [
        pytest.param(Kube(TOY), 1, id="served"),
        pytest.param(Kube(), 0, id="not installed"),
        pytest.param(Kube(TOY, away=True), 0, id="API server away"),
    ],
)
async def test_what_is_overdue_is_asked_for(kube: Kube, restarts: int) -> None:
    scene = Scene(kube, SHELVES_HERE, TOYS_IN_SHOP)
    await scene.looks()
    assert scene.watches.restarted == restarts
    assert scene.kube.asked[0] == (SHELF, "")


async def test_what_is_not_installed_costs_a_request_a_minute_for_all_together() -> None:
    scene = Scene(Kube(), SHELVES_HERE, TOYS_IN_SHOP, TOYS_IN_BANK)
    assert await scene.looks() == [SHELF, TOY], "a kind that is absent is so in every namespace"
    assert len(await scene.looks(300)) <= 7, "seldom from then on, not at once"
    hour = await scene.looks(3600)
    assert len(hour) == 3600 / ABSENT_SECONDS
    assert hour.count(SHELF) == hour.count(TOY), "each in its turn"


async def test_what_is_installed_later_is_found_within_its_turn() -> None:
    scene = Scene(Kube(), SHELVES_HERE)
    await scene.looks(3600)
    scene.kube.served = {SHELF}
    await scene.looks(ABSENT_SECONDS + LOOK_SECONDS)
    assert scene.watches.restarted == 1


@pytest.mark.parametrize("away", [15.0, 30.0])
async def test_what_was_away_for_a_moment_is_found_as_soon(away: float) -> None:
    scene = Scene(Kube(), SHELVES_HERE, TOYS_IN_SHOP)
    await scene.looks(away)
    scene.kube.served = {SHELF, TOY}
    await scene.looks(2 * away)
    assert scene.watches.restarted == 1


async def test_an_object_that_shows_up_has_its_kind_asked_for_at_once() -> None:
    scene = Scene(Kube(), SHELVES_HERE, TOYS_IN_SHOP)
    scene.store.put(TOY, toys.toy("left", "low"))
    await scene.looks(3600)
    scene.store.put(TOY, toys.toy("bear", "low"))  # the answer to a write, say
    assert await scene.looks() == [TOY]
    assert TOY not in await scene.looks(), "what it left behind says nothing"
    scene.store.put(TOY, toys.toy("ball", "low"))
    scene.kube.served = {TOY}
    assert await scene.looks() == [TOY]
    assert scene.watches.restarted == 1


async def test_a_kind_that_goes_after_it_was_watched_is_asked_for_at_once() -> None:
    scene = Scene(Kube(), SHELVES_HERE)
    await scene.looks(3600)
    scene.watches.late = []
    assert await scene.looks() == []
    scene.watches.late = [SHELVES_HERE]
    assert await scene.looks() == [SHELF]


def test_only_what_a_restart_mends_is_dead() -> None:
    scene = Scene(Kube(), Place(Source(SHELF, ""), ""))
    assert scene.dog.what_is_dead() == ""
    scene.watches.restarting_for = HANGING_SECONDS + 1
    assert scene.dog.what_is_dead() == "The watches hang"
    scene.watches.alive = False
    assert scene.dog.what_is_dead() == "The watches have ended"
