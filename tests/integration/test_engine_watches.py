"""Kinds of nobody's, watched by the real kopf on a real API server.

A cluster-scoped kind is watched once although only one namespace is served; two watches of one kind
with different selectors are two streams; an object that leaves a selector leaves its stream only.
"""

from collections.abc import AsyncIterator
from functools import partial
from typing import Any

import pytest

from daap_operator.engine.kinds import Source
from daap_operator.engine.kopf_watch import Feed
from daap_operator.engine.watches import Watches
from daap_operator.kube import Kind, Kube
from dev.cluster import ControlPlane
from tests.support.api import Api, ApiError
from tests.support.eventually import eventually

TOY = Kind("toys.example", "v1", "Toy", "toys")
SHELF = Kind("toys.example", "v1", "Shelf", "shelves", namespaced=False)
SHELVES, RED, SMALL = Source(SHELF, ""), Source(TOY, "colour=red"), Source(TOY, "small")


def definition(kind: Kind) -> dict[str, Any]:
    """The CRD of a kind that takes anything."""
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    version = {"name": kind.version, "served": True, "storage": True}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{kind.plural}.{kind.group}"},
        "spec": {
            "group": kind.group,
            "scope": "Namespaced" if kind.namespaced else "Cluster",
            "names": {"kind": kind.name, "plural": kind.plural},
            "versions": [version | {"schema": {"openAPIV3Schema": anything}}],
        },
    }


class Toys:
    """People who make, change and delete toys and shelves."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    async def make(self, kind: Kind, name: str, **labels: str) -> None:
        metadata = {"name": name, "labels": labels}
        if kind.namespaced:
            metadata["namespace"] = self._namespace
        obj = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
        await self._api.call("POST", kind.path(self._namespace), obj)

    async def relabel(self, name: str, **labels: str | None) -> None:
        body = {"metadata": {"labels": labels}}
        path = TOY.path(self._namespace, name)
        await self._api.call("PATCH", path, body, "application/merge-patch+json")


@pytest.fixture
async def installed(api: Api) -> AsyncIterator[None]:
    for kind in (TOY, SHELF):
        await api.create("customresourcedefinitions", definition(kind))
    for kind in (TOY, SHELF):
        await eventually(partial(served, api, kind))
    yield
    for kind in (TOY, SHELF):
        await api.delete("customresourcedefinitions", "", f"{kind.plural}.{kind.group}")


async def served(api: Api, kind: Kind) -> bool:
    try:
        await api.call("GET", kind.path())
    except ApiError:
        return False
    return True


Seen = tuple[Source, str | None, str]


class Watching:
    """The watches of three streams, and what they have told."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self.seen: list[Seen] = []
        self.watches = Watches(
            Feed(self._feed, lambda _, obj: {"metadata": obj["metadata"]}),
            kube.credentials,
            sources=[SHELVES, RED, SMALL],
            namespaces=(namespace,),
            on_listed=lambda: None,
        )

    def _feed(self, source: Source, event: str | None, obj: Any) -> None:
        self.seen.append((source, event, obj["metadata"]["name"]))

    async def has(self, *expected: Seen) -> None:
        """Wait until all of these were told."""

        async def told() -> set[Seen]:
            return set(self.seen)

        await eventually(told, set(expected).issubset)


@pytest.fixture
async def watching(
    control_plane: ControlPlane, installed: None, namespace: str
) -> AsyncIterator[Watching]:
    async with await Kube.connect(str(control_plane.kubeconfig)) as kube:
        made = Watching(kube, namespace)
        await made.watches.start(patience=30)
        yield made
        await made.watches.stop()


async def test_all_streams_are_watched_each_by_its_selector(
    watching: Watching, api: Api, namespace: str, other_namespace: str
) -> None:
    assert watching.watches.overdue(0, 60) == []
    toys, elsewhere = Toys(api, namespace), Toys(api, other_namespace)
    await elsewhere.make(TOY, "foreign", colour="red")
    await elsewhere.make(SHELF, "low")
    await toys.make(TOY, "bear", colour="red")
    await toys.make(TOY, "ball", small="yes", colour="red")
    await toys.make(TOY, "kite")
    await watching.has(
        (SHELVES, "ADDED", "low"),
        (RED, "ADDED", "bear"),
        (RED, "ADDED", "ball"),
        (SMALL, "ADDED", "ball"),
    )
    await toys.relabel("ball", colour="blue")
    await toys.relabel("kite", colour="red")
    await watching.has(
        (RED, "DELETED", "ball"), (SMALL, "MODIFIED", "ball"), (RED, "ADDED", "kite")
    )
    assert "foreign" not in {name for _, _, name in watching.seen}
    assert watching.watches.restarts == 0
