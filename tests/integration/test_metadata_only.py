"""Large objects of which only metadata is read: 20 ConfigMaps of 900 KiB, listed and watched."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from daap_operator import raw
from daap_operator.engine.intake import Intake
from daap_operator.engine.kinds import IDENTITY, Object, Reader, Ref, Watch, sources
from daap_operator.engine.kopf_watch import Feed
from daap_operator.engine.store import Store
from daap_operator.engine.watches import Watches
from daap_operator.kube import Kind, Kube
from daap_operator.kube.sizes import TOO_LARGE
from dev.cluster import ControlPlane
from tests.support.api import Api, path
from tests.support.eventually import eventually
from tests.support.faulty_api import FaultyApi

CONFIG_MAP = Kind("", "v1", "ConfigMap", "configmaps")
LABEL = "daap.io/schema-files"
NAMES = [f"files-{number:02}" for number in range(20)]
SIZE = 900 * 1024
EACH = 4096
"""Bytes that an object's metadata may take, several times what it does."""

GONE = b'{"type":"ERROR","object":{"kind":"Status","apiVersion":"v1","code":410}}\n'
SMALL = {"metadata": {"annotations": {"note": "new"}}}
MORE = {"data": {"b.sql": "SELECT 2"}}


def config_map(namespace: str, name: str, text: str, **labels: str) -> dict[str, Any]:
    metadata = {"namespace": namespace, "name": name, "labels": labels}
    manifest = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata}
    return manifest | {"data": {"a.sql": text}}


class Scene:
    """The operator's watches, LISTs and store, of these ConfigMaps alone; whom they woke."""

    def __init__(self, kube: Kube, namespace: str) -> None:
        self._kube, self._namespace = kube, namespace
        watch = Watch(CONFIG_MAP, self._keep, _itself, LABEL, metadata_only=True)
        self.given: set[str] = set()
        """The parts of objects that were given to `keep`."""
        self.woken: set[str] = set()
        self.lists = 0
        self.store = Store([watch])
        self.intake = Intake(self.store, self, [watch])
        self._gap = asyncio.Event()
        self.watches = Watches(
            Feed(self.intake.event, self.store.reduced),
            kube.credentials,
            sources=sources([watch]),
            namespaces=(namespace,),
            on_listed=self._gap.set,
        )

    def add(self, item: Ref) -> None:
        """The queue's part."""
        self.woken.add(item.name)

    def _keep(self, obj: raw.Object) -> Object:
        self.given |= obj.keys()
        fields = (*IDENTITY, "labels", "annotations")
        return {"metadata": raw.picked(raw.mapping(obj, "metadata"), fields)}

    async def run(self) -> None:
        """List whenever a watch has begun from a listing, until cancelled."""
        while True:
            await self._gap.wait()
            self._gap.clear()
            await self.intake.list_all(self._kube, (self._namespace,))
            self.lists += 1

    async def wakes(self, *names: str) -> None:
        """Wait until these were woken, and nobody else; then begin anew."""

        async def woken() -> set[str]:
            return self.woken

        await eventually(woken, lambda found: found == set(names))
        self.woken = set()

    async def listed(self, before: int) -> None:
        """Wait until there was another LIST."""

        async def lists() -> int:
            return self.lists

        await eventually(lists, lambda count: count > before)


def _itself(obj: Object, store: Reader) -> Iterator[Ref]:
    del store
    yield Ref.of(CONFIG_MAP, obj)


@pytest.fixture
async def files(api: Api, namespace: str) -> AsyncIterator[None]:
    """The large ones, and one without the label."""
    for name in NAMES:
        await api.create(CONFIG_MAP, config_map(namespace, name, "x" * SIZE, **{LABEL: ""}))
    await api.create(CONFIG_MAP, config_map(namespace, "others", "x" * SIZE))
    yield
    await api.call("DELETE", path(CONFIG_MAP, namespace))


@pytest.fixture
async def proxy(control_plane: ControlPlane) -> AsyncIterator[FaultyApi]:
    async with FaultyApi(control_plane.kubeconfig) as made:
        yield made


@pytest.fixture
async def scene(
    files: None, proxy: FaultyApi, namespace: str, tmp_path: Path
) -> AsyncIterator[Scene]:
    async with await Kube.connect(str(proxy.kubeconfig(tmp_path))) as kube:
        made = Scene(kube, namespace)
        running = asyncio.create_task(made.run())
        yield made
        await made.watches.stop()
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def begin(scene: Scene) -> None:
    await scene.watches.start(patience=60)
    await scene.listed(0)
    await scene.wakes(*NAMES)


async def happen(scene: Scene, api: Api, namespace: str) -> None:
    """Change data and metadata of some, and delete one; each wakes."""
    for name in NAMES[:5]:
        await api.patch(CONFIG_MAP, namespace, name, MORE)
    await api.patch(CONFIG_MAP, namespace, NAMES[5], SMALL)
    await scene.wakes(*NAMES[:6])
    await api.delete(CONFIG_MAP, namespace, NAMES[0])
    await scene.wakes(NAMES[0])


def kept(scene: Scene, namespace: str, name: str) -> Object | None:
    return scene.store.get(Ref(CONFIG_MAP, namespace, name))


async def test_of_18_mb_neither_lists_nor_events_bring_more_than_the_metadata(
    scene: Scene, proxy: FaultyApi, api: Api, namespace: str
) -> None:
    await begin(scene)
    listed = proxy.received[CONFIG_MAP.plural]
    assert 0 < listed <= len(NAMES) * EACH
    await happen(scene, api, namespace)
    assert listed < proxy.received[CONFIG_MAP.plural] <= listed + 7 * EACH
    assert scene.given == {"metadata"}
    assert kept(scene, namespace, NAMES[0]) is None
    assert raw.text(kept(scene, namespace, NAMES[5]), "metadata", "annotations", "note") == "new"


async def test_a_server_that_answers_with_whole_objects_all_the_same_does_no_harm(
    scene: Scene, proxy: FaultyApi, api: Api, namespace: str
) -> None:
    proxy.forms = False
    await begin(scene)
    await happen(scene, api, namespace)
    assert proxy.received[CONFIG_MAP.plural] > len(NAMES) * SIZE
    assert scene.given == {"metadata"}
    assert all(TOO_LARGE not in (kept(scene, namespace, name) or {}) for name in NAMES[1:])


async def test_what_a_watch_has_missed_that_was_cut_comes_by_a_list_of_metadata(
    scene: Scene, proxy: FaultyApi, api: Api, namespace: str
) -> None:
    await begin(scene)

    async def watched() -> bool:
        return bool(proxy.watches(CONFIG_MAP.plural))

    await eventually(watched)
    lists, received = scene.lists, proxy.received[CONFIG_MAP.plural]
    proxy.fall_silent()
    await api.patch(CONFIG_MAP, namespace, NAMES[1], MORE)
    await api.delete(CONFIG_MAP, namespace, NAMES[2])
    await proxy.end(saying=GONE)
    await scene.listed(lists)
    await scene.wakes(NAMES[1], NAMES[2])
    assert proxy.received[CONFIG_MAP.plural] - received <= len(NAMES) * EACH
    await api.patch(CONFIG_MAP, namespace, NAMES[3], MORE)
    await scene.wakes(NAMES[3])


async def test_one_of_them_is_read_whole_whatever_it_has(
    control_plane: ControlPlane, api: Api, namespace: str
) -> None:
    """The most there can be in one: the API server writes six bytes for each of these signs."""
    text = "<" * (1024 * 1024 - len("a.sql"))
    await api.create(CONFIG_MAP, config_map(namespace, "most", text))
    async with await Kube.connect(str(control_plane.kubeconfig)) as kube:
        found = await kube.get(CONFIG_MAP, namespace, "most")
    assert found is not None
    assert found["data"] == {"a.sql": text}
    assert found[TOO_LARGE]["bytes"] > 6 * len(text) > len(json.dumps(text))
