"""What kopf is asked to watch, for any kinds: cluster-scoped ones, several watches of one kind."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from daap_operator.engine import kopf_watch, trace
from daap_operator.engine.kinds import Source, sources
from daap_operator.engine.kopf_watch import Feed
from daap_operator.engine.trace import Place
from daap_operator.engine.watches import Watches
from tests.unit import toys
from tests.unit.toys import SHELF, SHELVES, TOY, TOYS

RED, SMALL = (replace(TOYS, selector=selector).source for selector in ("colour=red", "small"))
THREE = [SHELVES.source, RED, SMALL]
TOYS_PATH = "/apis/toys.example/v1/toys"
SHELVES_PATH = "/apis/toys.example/v1/shelves"


def test_watches_of_one_kind_and_selector_are_one_stream() -> None:
    assert sources([TOYS, SHELVES, toys.TOYS_OF_SHELVES]) == [TOYS.source, SHELVES.source]


def test_one_kopf_watches_a_kind_by_one_selector_only() -> None:
    assert kopf_watch.apart(THREE) == [[SHELVES.source, RED], [SMALL]]
    assert kopf_watch.apart([RED, SMALL, Source(TOY, "large"), SHELVES.source]) == [
        [RED, SHELVES.source],
        [SMALL],
        [Source(TOY, "large")],
    ]


async def test_each_kopf_is_told_its_own_selectors(monkeypatch: pytest.MonkeyPatch) -> None:
    spawned: list[dict[str, Any]] = []

    async def spawn_tasks(**settings: Any) -> list[asyncio.Task[None]]:
        spawned.append(settings)
        return [asyncio.create_task(asyncio.sleep(0))]

    async def ended(tasks: Any) -> None:
        """kopf's way out ends every task of its loop: here those are the test's."""

    monkeypatch.setattr("kopf.spawn_tasks", spawn_tasks)
    monkeypatch.setattr(kopf_watch, "_end", ended)
    stop = asyncio.Event()
    await kopf_watch.operate(
        UNHEARD,
        unheard,
        no_login,
        sources=THREE,
        namespaces=("shop",),
        stop=stop,
    )
    told = [dict(each["settings"].watching.label_selectors) for each in spawned]
    assert [list(selectors.values()) for selectors in told] == [["colour=red"], ["small"]]
    assert [each["namespaces"] for each in spawned] == [("shop",), ("shop",)]


@pytest.mark.parametrize(
    ("path", "selector", "place"),
    [
        (TOYS_PATH, "colour=red", Place(RED, "")),
        (TOYS_PATH, "small", Place(SMALL, "")),
        (TOYS_PATH, "", None),
        ("/apis/toys.example/v1/namespaces/shop/toys", "small", Place(SMALL, "shop")),
        (SHELVES_PATH, "", Place(SHELVES.source, "")),
        (f"{SHELVES_PATH}/low", "", None),
        ("/apis/toys.example/v1/namespaces/shop/shelves", "", None),
    ],
)
def test_what_an_answer_is_about(path: str, selector: str, place: Place | None) -> None:
    assert trace.place(path, THREE, selector=selector) == place


@pytest.mark.parametrize(
    ("namespaces", "places"),
    [
        ((), {(SHELF, ""), (TOY, "")}),
        (("shop", "bank"), {(SHELF, ""), (TOY, "shop"), (TOY, "bank")}),
    ],
    ids=["all namespaces", "some"],
)
async def test_what_is_in_no_namespace_is_due_once(
    namespaces: tuple[str, ...], places: set[tuple[object, str]]
) -> None:
    now = 0.0
    watches = Watches(
        UNHEARD,
        no_login,
        sources=[SHELVES.source, TOYS.source],
        namespaces=namespaces,
        on_listed=lambda: None,
        monotonic=lambda: now,
    )
    now = 11.0
    late = watches.overdue(10, 50)
    assert {(what.source.kind, what.namespace) for what in late} == places
    assert len(late) == len(places)


def unheard(*_: object) -> None:
    return


UNHEARD = Feed(unheard, lambda _, obj: obj)


async def no_login() -> Any:
    raise AssertionError
