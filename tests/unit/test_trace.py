"""What the session tells of kopf's requests."""

import asyncio
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from yarl import URL

from daap_operator.engine import trace
from daap_operator.engine.trace import Place
from daap_operator.kinds import known
from tests.unit import virtual_time
from tests.unit.stage import SOURCES

CLUSTERS = "/apis/postgresql.cnpg.io/v1/clusters"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
SERVER = "https://server"
IN_SHOP = "/apis/postgresql.cnpg.io/v1/namespaces/shop/clusters"
ALL = list(SOURCES.values())
OURS = SOURCES[known.CLUSTER].selector


def asked(path: str, base: str = "") -> Place | None:
    """What the path asks for, whatever the selector."""
    found = [trace.place(path, ALL, selector=one.selector, base=base) for one in ALL]
    return next((what for what in found if what is not None), None)


@pytest.mark.parametrize(
    ("path", "place"),
    [
        (CLUSTERS, Place(SOURCES[known.CLUSTER], "")),
        (IN_SHOP, Place(SOURCES[known.CLUSTER], "shop")),
        ("/apis/apps/v1/deployments", Place(SOURCES[known.DEPLOYMENT], "")),
        ("/apis/discovery.k8s.io/v1/endpointslices", Place(SOURCES[known.ENDPOINTS], "")),
        ("/api/v1/pods", Place(SOURCES[known.POD], "")),
        ("/api/v1/namespaces/shop/pods", Place(SOURCES[known.POD], "shop")),
        ("/api/v1/namespaces/shop/serviceaccounts", Place(SOURCES[known.ACCOUNT], "shop")),
        ("/api/v1/namespaces/shop/pods/daap-orders-1", None),
        ("/api/v1/namespaces/shop", None),
        ("/api/v1", None),
        ("/apis/daap.io/v1alpha1/daapdatabases", Place(SOURCES[known.DATABASE], "")),
        ("/apis/daap.io/v1alpha1/namespaces/shop/daapdatabases/orders", None),
        ("/apis/postgresql.cnpg.io/v1", None),
        ("/apis", None),
        ("/", None),
    ],
)
def test_what_a_path_asks_for(path: str, place: Place | None) -> None:
    assert asked(path) == place


@pytest.mark.parametrize(
    "base",
    ["", "/", "/k8s/clusters/c-1", "/k8s/clusters/c-1/", "/apis", "/api/v1/namespaces/a", "/a%20b"],
)
@pytest.mark.parametrize(
    ("path", "place"),
    [
        (CLUSTERS, Place(SOURCES[known.CLUSTER], "")),
        (IN_SHOP, Place(SOURCES[known.CLUSTER], "shop")),
        (
            "/apis/postgresql.cnpg.io/v1/namespaces/apis/clusters",
            Place(SOURCES[known.CLUSTER], "apis"),
        ),
        ("/apis/daap.io/v1alpha1/namespaces/shop/daapdatabases/orders", None),
        ("/apis", None),
    ],
)
async def test_an_api_server_may_be_behind_a_path(
    base: str, path: str, place: Place | None
) -> None:
    told: list[Place] = []
    traced = trace.trace(lambda what, listing: told.append(what), ALL, f"{SERVER}{base}")
    await answer(traced, f"{base.rstrip('/')}{path}")
    assert told == ([place] if place else [])


@pytest.mark.parametrize("path", [CLUSTERS, "/k8s/clusters/c-2" + CLUSTERS, "/k8s/clusters/c-1"])
async def test_what_is_not_below_the_servers_path_is_nothing(path: str) -> None:
    assert asked(path, "/k8s/clusters/c-1") is None


SESSION: Any = None
CONTEXT: Any = None


async def begin(traced: aiohttp.TraceConfig, url: str) -> None:
    """What the session does before it sends a request."""
    start: Any = SimpleNamespace(url=URL(f"{SERVER}{url}"))
    for signal in traced.on_request_start:
        await signal(SESSION, CONTEXT, start)


async def answer(
    traced: aiohttp.TraceConfig, url: str, status: int = 200, selector: str = OURS
) -> None:
    """What the session does when an answer's head has come."""
    response = SimpleNamespace(status=status)
    asked = URL(f"{SERVER}{url}").update_query(labelSelector=selector)
    end: Any = SimpleNamespace(url=asked, response=response)
    for signal in traced.on_request_end:
        await signal(SESSION, CONTEXT, end)


async def test_answers_are_told_of() -> None:
    told: list[tuple[Place, bool]] = []
    traced = trace.trace(lambda what, listing: told.append((what, listing)), ALL, SERVER)
    await answer(traced, f"{CLUSTERS}?limit=500")
    await answer(traced, f"{IN_SHOP}?watch=true")
    await answer(traced, CLUSTERS, status=500)
    await answer(traced, "/apis")
    assert told == [
        (Place(SOURCES[known.CLUSTER], ""), True),
        (Place(SOURCES[known.CLUSTER], "shop"), False),
    ]


def test_two_watches_of_any_kind_begin_a_second_apart() -> None:
    traced = trace.trace(lambda what, listing: None, ALL, SERVER)

    async def scene() -> list[float]:
        clock, times = asyncio.get_running_loop().time, []
        for url in (f"{CRDS}?watch=1", f"{IN_SHOP}?watch=1", CRDS, f"{CRDS}?watch=1"):
            await begin(traced, url)
            times.append(clock())
        await asyncio.sleep(5)
        await begin(traced, f"{CRDS}?watch=1")
        return [round(time - times[0], 3) for time in [*times, clock()]]

    pause = trace.LEAST_WATCH_SECONDS
    assert virtual_time.run(scene()) == [0, 0, 0, pause, pause + 5]
