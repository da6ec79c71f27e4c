"""What is not watched although it is there is watched again; what is not there is left alone."""

import pytest

from daap_operator.cache import Kind
from daap_operator.kube import Resource, Unreachable
from daap_operator.trace import Place
from daap_operator.watchdog import AGAIN_SECONDS, FIRST_SECONDS, HANGING_SECONDS, Watchdog

CLUSTERS, POOLERS = Place(Kind.CLUSTER, ""), Place(Kind.POOLER, "shop")


class Watches:
    alive = True
    restarting_for = 0.0
    restarted = 0

    def __init__(self, *overdue: Place) -> None:
        self._overdue = list(overdue)

    def overdue(self, first: float, again: float) -> list[Place]:
        assert (first, again) == (FIRST_SECONDS, AGAIN_SECONDS)
        return self._overdue

    def restart(self) -> None:
        self.restarted += 1


class Kube:
    def __init__(self, *served: Resource, away: bool = False) -> None:
        self._served = served
        self._away = away
        self.asked: list[tuple[Resource, str]] = []

    async def serves(self, resource: Resource, namespace: str) -> bool:
        self.asked.append((resource, namespace))
        if self._away:
            raise Unreachable("nobody there")
        return resource in self._served


def watchdog(watches: Watches, kube: Kube) -> Watchdog:
    return Watchdog(watches, kube)  # type: ignore[arg-type]


async def test_while_all_goes_well_nothing_is_asked() -> None:
    watches, kube = Watches(), Kube()
    await watchdog(watches, kube).look()
    assert (kube.asked, watches.restarted) == ([], 0)


@pytest.mark.parametrize(
    ("kube", "restarts"),
    [
        pytest.param(Kube(Resource.POOLERS), 1, id="served"),
        pytest.param(Kube(), 0, id="not installed"),
        pytest.param(Kube(Resource.POOLERS, away=True), 0, id="API server away"),
    ],
)
async def test_what_is_overdue_is_asked_for(kube: Kube, restarts: int) -> None:
    watches = Watches(CLUSTERS, POOLERS)
    await watchdog(watches, kube).look()
    assert watches.restarted == restarts
    assert kube.asked[0] == (Resource.CLUSTERS, "")


def test_only_what_a_restart_mends_is_dead() -> None:
    watches = Watches(CLUSTERS)
    dog = watchdog(watches, Kube())
    assert dog.what_is_dead() == ""
    watches.restarting_for = HANGING_SECONDS + 1
    assert dog.what_is_dead() == "The watches hang"
    watches.alive = False
    assert dog.what_is_dead() == "The watches have ended"
