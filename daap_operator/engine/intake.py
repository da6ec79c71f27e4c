"""From what was seen to what to look at: events and LISTs into the store, keys into the queue."""

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Any

from daap_operator import raw
from daap_operator.cancellation import heed
from daap_operator.engine.bounds import OVER_SHARE, is_out
from daap_operator.engine.cache import Change
from daap_operator.engine.keeping import Listener
from daap_operator.engine.kinds import All, Object, Ref, Source, Watch, sources
from daap_operator.engine.many import Many
from daap_operator.engine.store import Store
from daap_operator.engine.turns import Turns
from daap_operator.engine.workqueue import Queue
from daap_operator.errors import Outage
from daap_operator.kube import ApiError, Kind, Requests
from daap_operator.kube.sizes import TOO_LARGE

log = logging.getLogger(__name__)

_UID = ("metadata", "uid")

FELLOWS = 10
"""Objects with the same parts that are asked whether these are known."""

RETRY_SECONDS = 2.0
"""When to list the parts of an object again after the API server did not answer."""


class Intake:
    """Where everything that was seen comes in. Belongs to the event loop that runs the passes."""

    def __init__(
        self,
        store: Store,
        queue: Queue[Ref],
        watches: Sequence[Watch],
        *,
        on_gone: Callable[[Kind, Object], None] = lambda *_: None,
        on_turned_away: Callable[[Kind, Object], None] = lambda *_: None,
        on_room: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_gone` is called with the kind and the last state of an object that is no more.

        `on_turned_away` is called with an object that there is no memory for: the first of its kind
        and namespace. Nothing else is known of it. `on_room` is called when there is memory again
        for what there was none for: another LIST brings it.
        """
        self._store = store
        self._queue = queue
        self._watches = {
            source: [watch for watch in watches if watch.source == source]
            for source in sources(watches)
        }
        self._on_gone = on_gone
        self._on_turned_away = on_turned_away
        self._listed: dict[Source, set[Ref]] = {}
        """What has been seen of the streams that are being listed."""
        self._lacking: Turns[Ref] = Turns(lambda ref: ref.namespace)
        self._came = asyncio.Event()
        self.many = Many(store, queue)
        """Who is to be looked at soon: to be run beside the passes."""
        store.tell(Listener(self._put_out, self._turned_away, self._lacks, on_room))

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
            _log_size(source, change)
            self._concern(source, change.before, change.now)
            self._wake(source, change.now)
        ref, listed = Ref.of(source.kind, obj), self._listed.get(source)
        if listed is not None and self._store.has(source, ref):  # strangers may be many
            listed.add(ref)

    def written(self, kind: Kind, before: Object | None, now: Object) -> None:
        """Wake those of other kinds that a status of ours, just written, is about.

        The store has it already, so that its event is no news. Those of its own kind, who are many
        where a thousand want one name, are woken by whoever knows that it matters to them.
        """
        source = Source(kind, "")  # objects of ours are watched whole
        found = [self._concerned(source, before, now), self._woken(source, now)]
        self._look_at(each for each in chain(*found) if each.kind != kind)

    async def list_all(self, kube: Requests, namespaces: Collection[str]) -> None:
        """List everything that is watched: fills the store, and repairs what a watch has lost.

        Of all namespaces when none is given; what is in no namespace is listed once. What belongs
        to objects of ours is listed after them.
        """
        self._store.begin_list()
        ours = [source for source in self._watches if not self._is_of_ours(source)]
        version = await self._list_each(kube, ours, namespaces, 0)
        lacking = list(self._store.lacking)
        theirs = [source for source in self._watches if self._is_of_ours(source)]
        await self._list_each(kube, theirs, namespaces, version)
        self._store.end_list()
        for ref in lacking:
            self._complete(ref)

    async def complete(self, kube: Requests) -> None:
        """List the parts of objects that came after some of them, until cancelled."""
        while True:
            heed()
            self._came.clear()
            try:
                await self.complete_lacking(kube)
            except Outage as error:
                log.warning("Parts not listed", extra={"error": str(error)})
                await asyncio.sleep(RETRY_SECONDS)
            else:
                await self._came.wait()

    async def complete_lacking(self, kube: Requests) -> None:
        """List the parts of all objects that lack some now; the namespaces take turns."""
        while (ref := self._lacking.take()) is not None:
            try:
                await self._list_parts(kube, ref)
            except BaseException:
                self._lacking.put(ref)
                raise

    async def _list_parts(self, kube: Requests, ref: Ref) -> None:
        kept = self._store.get(ref)
        if kept is None or ref not in self._store.lacking:
            return
        parts = self._parts(ref, kept)
        for source, selector in () if self._are_known(parts, ref, kept) else parts:
            only = source.metadata_only
            pages = kube.pages(source.kind, ref.namespace, selector=selector, metadata_only=only)
            async for page in pages:
                for obj in page:
                    self.event(source, None, obj)
        self._complete(ref)

    def _parts(self, ref: Ref, kept: Object) -> list[tuple[Source, str]]:
        found = [watch.parts for watch in self._all() if watch.kind == ref.kind and watch.parts]
        return list(found[0](kept)) if found else []

    def _are_known(self, parts: list[tuple[Source, str]], ref: Ref, kept: Object) -> bool:
        """Whether all of them are kept already: for another object, which has the same.

        As all objects of a kind have whose parts are whatever their namespace has of it: a LIST for
        each that somebody creates there would be of any size, and of the same each time.
        """
        lacking = self._store.lacking
        return any(
            other != ref
            and other not in lacking
            and (its := self._store.get(other)) is not None
            and not is_out(its)
            and self._parts(other, its) == parts
            for other in self._fellows(ref, kept)
        )

    def _fellows(self, ref: Ref, kept: Object) -> list[Ref]:
        """Some of those that the same is kept for: of many those that came first."""
        of = {watch.of.index for watch in self._all() if watch.of and watch.of.kind == ref.kind}
        indexes = [watch.indexes for watch in self._all() if watch.kind == ref.kind]
        return [
            fellow
            for index in of
            for functions in indexes
            if index in functions
            for key in functions[index](kept)
            for fellow in self._store.refs_by(ref.kind, index, key, FELLOWS)
        ]

    def _all(self) -> Iterator[Watch]:
        return chain.from_iterable(self._watches.values())

    def _complete(self, ref: Ref) -> None:
        if self._store.complete(ref):
            self._queue.add(ref)

    async def _list_each(
        self, kube: Requests, each: Collection[Source], namespaces: Collection[str], version: int
    ) -> int:
        for source in each:
            for namespace in places(source.kind, namespaces):
                version = await self._list(kube, source, namespace, version)
        return version

    def _is_of_ours(self, source: Source) -> bool:
        return all(watch.of for watch in self._watches[source])

    async def _list(self, kube: Requests, source: Source, namespace: str, version: int) -> int:
        """List one kind; the version of the list, or of the one before for a kind that is gone."""
        kind, selector, only = source
        listed = self._listed[source] = set()
        versions: list[int] = []
        try:
            pages = kube.pages(kind, namespace, selector=selector, metadata_only=only)
            async for page in pages:
                for obj in page:
                    self.event(source, None, obj)
                versions.append(page.version)
        except ApiError as error:
            if not error.absent or any(watch.required for watch in self._watches[source]):
                raise
            log.warning("Kind unknown to the API server", extra={"kind": kind.word})
            self._store.note(kind, served=False)
        else:
            self._store.note(kind, served=True)
        finally:
            del self._listed[source]
        # The oldest page's: a LIST that took too long goes on with what has come to be since
        version = min(versions, default=version)
        for gone in self._store.prune(source, listed, version, namespace=namespace):
            self._gone(source, gone)
        return version

    def _gone(self, source: Source, obj: Object) -> None:
        if self._store.get(Ref.of(source.kind, obj)) is None:  # else it has left one stream only
            self._on_gone(source.kind, obj)
        self._concern(source, obj, None)
        self._wake(source, obj)

    def _put_out(self, ref: Ref) -> None:
        mark = raw.mapping(self._store.get(ref) or {}, OVER_SHARE)
        log.warning("No memory for what belongs to an object", extra={"key": ref, **mark})
        self._queue.add(ref)

    def _turned_away(self, ref: Ref, kept: Object) -> None:
        log.warning("No memory for an object", extra={"key": ref})
        self._on_turned_away(ref.kind, kept)

    def _lacks(self, ref: Ref) -> None:
        self._lacking.put(ref)
        self._came.set()

    def _concern(self, source: Source, before: Object | None, now: Object | None) -> None:
        self._look_at(self._concerned(source, before, now))

    def _concerned(
        self, source: Source, before: Object | None, now: Object | None
    ) -> Iterator[Ref | All]:
        for watch in self._watches[source]:
            yield from watch.concerns(before, now, self._store) if watch.concerns else ()

    def _wake(self, source: Source, obj: Object) -> None:
        self._look_at(self._woken(source, obj))

    def _look_at(self, those: Iterable[Ref | All]) -> None:
        for each in those:
            if isinstance(each, All):
                self.many.wake(each)
            else:
                self._queue.add(each)

    def _woken(self, source: Source, obj: Object) -> Iterator[Ref | All]:
        for watch in self._watches[source]:
            yield from watch.wakes(obj, self._store)


def _log_size(source: Source, change: Change) -> None:
    if TOO_LARGE in change.now and TOO_LARGE not in (change.before or {}):
        key = Ref.of(source.kind, change.now)
        log.warning("Object too large", extra={"key": key, **change.now[TOO_LARGE]})


def places(kind: Kind, namespaces: Collection[str]) -> Collection[str]:
    """The namespaces in which a kind is listed and watched; the empty one stands for all."""
    return namespaces if namespaces and kind.namespaced else ("",)
