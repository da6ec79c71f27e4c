"""From what was seen to what to look at: events and LISTs into the store, keys into the queue."""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from daap_operator import raw
from daap_operator.engine.kinds import Object, Ref, Source, Watch, sources
from daap_operator.engine.store import Store
from daap_operator.engine.workqueue import Queue
from daap_operator.kube import ApiError, Kind, Requests
from daap_operator.kube.sizes import TOO_LARGE

log = logging.getLogger(__name__)

_UID = ("metadata", "uid")


class Intake:
    """Where everything that was seen comes in. Belongs to the event loop that runs the passes."""

    def __init__(
        self,
        store: Store,
        queue: Queue[Ref],
        watches: Sequence[Watch],
        *,
        on_gone: Callable[[Kind, Object], None] = lambda *_: None,
    ) -> None:
        """`on_gone` is called with the kind and the last state of an object that is no more."""
        self._store = store
        self._queue = queue
        self._watches = {
            source: [watch for watch in watches if watch.source == source]
            for source in sources(watches)
        }
        self._on_gone = on_gone

    def event(self, source: Source, event_type: str | None, obj: Mapping[str, Any]) -> None:
        """Take a watch event; `event_type` is None for an object of a watch's first listing."""
        if event_type == "DELETED":
            if (gone := self._store.drop(source, obj)) is not None:
                self._gone(source, gone)
        elif (change := self._store.take(source, obj)) is not None:
            if change.before is not None:
                if raw.text(change.before, *_UID) != raw.text(change.now, *_UID):
                    self._on_gone(source.kind, change.before)  # another has its place already
                self._wake(source, change.before)
            if TOO_LARGE in change.now and TOO_LARGE not in (change.before or {}):
                key = Ref.of(source.kind, change.now)
                log.warning("Object too large", extra={"key": key, **change.now[TOO_LARGE]})
            self._wake(source, change.now)

    async def list_all(self, kube: Requests, namespaces: Collection[str]) -> None:
        """List everything that is watched: fills the store, and repairs what a watch has lost.

        Of all namespaces when none is given; what is in no namespace is listed once.
        """
        version = 0
        for source in self._watches:
            for namespace in places(source.kind, namespaces):
                version = await self._list(kube, source, namespace, version)

    async def _list(self, kube: Requests, source: Source, namespace: str, version: int) -> int:
        """List one kind; the version of the list, or of the one before for a kind that is gone."""
        kind, selector = source
        listed: set[Ref] = set()
        versions: list[int] = []
        try:
            async for page in kube.pages(kind, namespace, selector=selector):
                for obj in page:
                    listed.add(Ref.of(kind, obj))
                    self.event(source, None, obj)
                versions.append(page.version)
        except ApiError as error:
            if not error.absent or any(watch.required for watch in self._watches[source]):
                raise
            log.warning("Kind unknown to the API server", extra={"kind": kind.word})
        # The oldest page's: a LIST that took too long goes on with what has come to be since
        version = min(versions, default=version)
        for gone in self._store.prune(source, listed, version, namespace=namespace):
            self._gone(source, gone)
        return version

    def _gone(self, source: Source, obj: Object) -> None:
        if self._store.get(Ref.of(source.kind, obj)) is None:  # else it has left one stream only
            self._on_gone(source.kind, obj)
        self._wake(source, obj)

    def _wake(self, source: Source, obj: Object) -> None:
        for watch in self._watches[source]:
            for ref in watch.wakes(obj, self._store):
                self._queue.add(ref)


def places(kind: Kind, namespaces: Collection[str]) -> Collection[str]:
    """The namespaces in which a kind is listed and watched; the empty one stands for all."""
    return namespaces if namespaces and kind.namespaced else ("",)
