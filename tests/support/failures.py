"""A failure on a real cluster: what is told of it, held against the table in the docs."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from tests.support.api import Api, Object
from tests.support.databases import condition, is_ready
from tests.support.eventually import eventually
from tests.support.failure_table import EXPECTED
from tests.support.observer import Client, Watched, now
from tests.support.promise import Comparison, longest
from tests.support.rows import Rows
from tests.support.slowness import slowness

PROMISED_SECONDS = 5.0
"""How long Ready and the client may disagree, by the docs; times the machine's slowness."""

HICCUP_SECONDS = 2.0
"""What a client may miss, times the machine's slowness, and still be called answered."""


class Program(NamedTuple):
    """A Deployment of one pod, and the selector of its pods."""

    namespace: str
    name: str
    selector: str


CNPG = Program("cnpg-system", "cnpg-controller-manager", "app.kubernetes.io/name=cloudnative-pg")
"""The Barman Cloud plugin lives in the same namespace, and goes on without it."""

AT_ONCE = {"gracePeriodSeconds": 0}
"""Delete options: no word to the pod's processes."""

SLOW = 120.0


class Failure:
    """One row of the docs' table, and what was seen since this was made: right before the fault."""

    def __init__(self, name: str, watched: Watched, rows: Rows) -> None:
        self.name = name
        self.expected = EXPECTED[name]
        self._watched = watched
        self._rows = rows
        self._slowness = [slowness()]
        self.began = now()

    async def told(self, *, seconds: float = 120.0) -> None:
        """Wait until status, Events and inventory have told all that the docs say."""
        wanted = self.expected
        await asyncio.gather(
            eventually(self._seen, self._all_said, seconds=seconds),
            eventually(self._events, lambda seen: wanted.events <= seen, seconds=seconds),
            self._rows.becomes(self._watched.name, status=wanted.inventory, seconds=seconds),
        )
        self._slowness.append(await asyncio.to_thread(slowness))

    @property
    def slowness(self) -> float:
        """The machine's while this failure lasted: the most of what was measured."""
        return max(self._slowness)

    async def felt(self, client: Client) -> None:
        """Wait until the client is not answered, where the docs say that it is not."""
        if not self.expected.answered:
            await eventually(
                client.attempts, lambda seen: any(a.error and a.at > self.began for a in seen)
            )

    async def over(self, client: Client, *, seconds: float = 120.0) -> Comparison:
        """Wait until clients are served as before; nothing but what the docs say was told.

        Gives back how Ready compares with what the client saw.
        """
        await eventually(self.settled, seconds=seconds)
        await client.is_answered()
        self.nothing_else_was_told()
        await eventually(self._events, lambda seen: seen - {"Ready"} == self.expected.events)
        row = await self._rows.becomes(self._watched.name, status="ready")
        assert row["error_message"] is None
        self._slowness.append(await asyncio.to_thread(slowness))
        compared = await client.compare(self._watched, self.began)
        if self.expected.answered:
            assert longest(compared.unanswered) <= HICCUP_SECONDS * self.slowness, compared
        else:
            assert compared.unanswered, compared
        return compared

    async def settled(self) -> bool:
        """Whether it is Ready, as the watch tells it.

        What the watch still has to tell then is of this failure, and not of the next one.
        """
        return is_ready(self._statuses()[-1])

    def nothing_else_was_told(self) -> None:
        """Every status was as the docs say, or that of a database that is well."""
        others = [obj["status"] for obj in self._statuses() if not self._fits_or_is_well(obj)]
        assert not others, f"{self.name}: {others}"

    def _fits_or_is_well(self, obj: Object) -> bool:
        is_well = condition(obj, "Ready").get("status") == "True" and not condition(obj, "Stalled")
        return obj in self.expected or is_well

    def _statuses(self) -> list[Object]:
        return self._watched.since(self.began)

    async def _seen(self) -> list[Object]:
        return self._statuses()

    def _all_said(self, seen: list[Object]) -> bool:
        fitting = [obj for obj in seen if obj in self.expected]
        assert fitting, "no status is as the docs say"
        said = " ".join(c["message"] for obj in fitting for c in obj["status"]["conditions"])
        left = [text for text in self.expected.says if text not in said]
        assert not left, f"no message says {left}"
        return True

    async def _events(self) -> set[str]:
        """Reasons of the Events on the database since the failure."""
        shop = self._watched.shop
        return {
            event["reason"]
            for event in await shop.api.list("events", shop.namespace)
            if event["regarding"]["kind"] == "DaapDatabase"
            and event["regarding"]["name"] == self._watched.name
            and datetime.fromisoformat(event["eventTime"]).timestamp() >= self.began
        }


@dataclass
class Stage:
    """A database that serves a client which asks all the time, and hands for the faults."""

    watched: Watched
    client: Client
    rows: Rows
    report: Callable[[str], None]

    @property
    def api(self) -> Api:
        """The cluster's."""
        return self.watched.shop.api

    @property
    def cluster(self) -> str:
        """The Cluster's name."""
        return f"daap-{self.watched.name}"

    def failure(self, name: str) -> Failure:
        """To be made right before the fault."""
        return Failure(name, self.watched, self.rows)

    async def told(self, failure: Failure) -> None:
        """The failure is told of as the docs say, and felt by the client as they say."""
        await failure.told(seconds=SLOW)
        await failure.felt(self.client)

    async def over(self, failure: Failure) -> Comparison:
        """The failure has passed, and Ready was what the client saw."""
        compared = await failure.over(self.client, seconds=SLOW)
        self.report(f"{failure.name}: {compared}")
        return compared

    async def promised(self, failure: Failure, *, drained: float = 0.0) -> None:
        """The same, and Ready and the client never disagreed for long.

        An instance that is shut down lets its clients stay for so long, but no new ones in.
        """
        compared = await self.over(failure)
        promised = PROMISED_SECONDS * failure.slowness
        assert longest(compared.wrongly_ready) <= promised, compared
        assert longest(compared.wrongly_not_ready) < promised + drained, compared

    async def patch(self, plural: str, name: str, body: Object) -> None:
        """Change a child by hand."""
        await self.api.patch(plural, self.watched.shop.namespace, name, body)

    async def annotate(self, key: str, value: str | None) -> None:
        """Annotate the Cluster by hand."""
        await self.patch("clusters", self.cluster, {"metadata": {"annotations": {key: value}}})

    async def primary(self) -> str:
        """The pod of the primary."""
        found = await self.watched.shop.child("clusters", self.cluster)
        assert found
        return str(found["status"]["currentPrimary"])

    async def kill(self, pod: str) -> None:
        """Delete a pod as if its node had gone."""
        await self.api.delete("pods", self.watched.shop.namespace, pod, AT_ONCE)


def without_cloudnativepg(api: Api) -> AbstractAsyncContextManager[None]:
    """CloudNativePG's operator is stopped meanwhile."""
    return stopped(api, CNPG)


@asynccontextmanager
async def stopped(api: Api, program: Program) -> AsyncIterator[None]:
    """A program of the platform is stopped meanwhile, and serves again afterwards."""
    place = ("deployments", program.namespace, program.name)

    async def replicas() -> int:
        found = await api.get(*place)
        assert found
        seen = found["status"].get("observedGeneration") == found["metadata"]["generation"]
        return int(found["status"].get("availableReplicas", 0)) if seen else 0

    async def pods() -> list[Object]:
        return await api.list("pods", program.namespace, f"labelSelector={program.selector}")

    await api.patch(*place, {"spec": {"replicas": 0}})
    try:
        await eventually(pods, lambda seen: not seen, seconds=SLOW)
        yield
    finally:
        await api.patch(*place, {"spec": {"replicas": 1}})
        await eventually(replicas, seconds=SLOW)
