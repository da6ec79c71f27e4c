"""Which object to look at next: keys, shares, workers, back-off, delays.

As client-go's rate-limited queue: a key is worked on by one worker at a time, a key added while it
is worked on is worked on once more, and a failing key comes back later and later, for ever.
Keys belong to shares, which take turns, however many keys of one of them wait.
https://pkg.go.dev/k8s.io/client-go/util/workqueue
"""

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Hashable
from enum import StrEnum
from random import Random
from typing import Generic, NamedTuple, Protocol, TypeVar

from daap_operator.cancellation import heed
from daap_operator.engine.turns import Turns
from daap_operator.errors import Outage

Item = TypeVar("Item", bound=Hashable)
Added_contra = TypeVar("Added_contra", contravariant=True)

FIRST_RETRY_SECONDS = 0.5
LAST_RETRY_SECONDS = 300.0
PASS_SECONDS = 120.0
"""A pass that takes longer is cut off and tried again."""
RESERVED = 4
"""One worker of so many is kept from any one share. A worker cannot be taken back from a pass, and
one share's passes may all hang: the others need one that is free."""

log = logging.getLogger(__name__)


class Result(StrEnum):
    """What came of a pass."""

    SUCCESS = "success"
    OUTAGE = "outage"
    """Something the operator depends on refused, or did not answer."""
    TIMEOUT = "timeout"
    """It was cut off after PASS_SECONDS."""
    ERROR = "error"
    """A defect of ours."""


class Load(NamedTuple):
    """How much there is to do for one group of keys."""

    waiting: int = 0
    """Keys that wait for a worker."""
    working: int = 0
    """Passes under way."""
    retries: int = 0
    """How often a pass has failed, and its key was put back."""


class Queue(Protocol[Added_contra]):
    """Where keys are put that are to be looked at."""

    def add(self, item: Added_contra) -> None:
        """Look at this key as soon as a worker is free."""


class Workqueue(Generic[Item]):
    """Keys to work on, and the workers that do.

    `work` gets the key and how many tries have failed since the last success. It gives back the
    seconds after which to look again, None when there is nothing more to look at, and raises to be
    called again with back-off.
    """

    def __init__(
        self,
        work: Callable[[Item, int], Awaitable[float | None]],
        *,
        workers: int,
        random: Random | None = None,
        on_pass: Callable[[Item, Result, float], None] = lambda *_: None,
        group: Callable[[Item], str] = lambda _: "",
        share: Callable[[Item], Hashable] | None = None,
    ) -> None:
        """`on_pass` is told what came of each pass over a key, and how many seconds it took.

        `group` says what a key is counted under, `share` whose it is: the shares take turns, and
        none has more than three quarters of the workers. None: all keys are alike.
        """
        self._work = work
        self._on_pass = on_pass
        self._group = group
        self._workers = workers
        self._random = random or Random()  # noqa: S311 - jitter, not cryptography
        self._share = share or _all_alike
        self._most = workers - -(-workers // RESERVED) if share and workers > 1 else workers
        self._ready: Turns[Item] = Turns(self._share)
        self._changed = asyncio.Event()
        """Something waits, or a share may have a worker again."""
        self._held: Counter[Hashable] = Counter()
        """Workers by the share that they work for."""
        self._waiting: set[Item] = set()
        self._working: dict[Item, float] = {}
        self._failures: dict[Item, int] = {}
        self._timers: dict[Item, asyncio.TimerHandle] = {}
        self._retries: Counter[str] = Counter()

    def add(self, item: Item) -> None:
        """Look at this key as soon as a worker is free."""
        if item not in self._waiting:
            self._waiting.add(item)
            if item not in self._working:
                self._put(item)

    def add_after(self, item: Item, seconds: float) -> None:
        """Look at this key after so long at the latest; an earlier appointment is kept."""
        loop = asyncio.get_running_loop()
        timer = self._timers.get(item)
        if timer is None or timer.when() > loop.time() + seconds:
            self._cancel_timer(item)
            self._timers[item] = loop.call_later(max(seconds, 0.0), self._due, item)

    def __len__(self) -> int:
        return len(self._waiting)

    def load(self, group: str = "") -> Load:
        """How much there is to do for the keys of a group."""
        waiting, working = (
            sum(self._group(item) == group for item in items)
            for items in (self._waiting, self._working)
        )
        return Load(waiting, working, self._retries[group])

    @property
    def working_since(self) -> float | None:
        """When the longest-running pass began, in the event loop's time; None when all are idle."""
        return min(self._working.values(), default=None)

    async def run(self) -> None:
        """Work until cancelled. A pass under way is cut off then: it can be, anywhere."""
        try:
            async with asyncio.TaskGroup() as workers:
                for number in range(self._workers):
                    workers.create_task(self._worker(), name=f"worker-{number}")
        finally:
            for item in list(self._timers):
                self._cancel_timer(item)

    # ----------------------------------------------------------------------------------------------

    async def _worker(self) -> None:
        while True:
            heed()
            item = await self._next()
            self._waiting.discard(item)
            self._cancel_timer(item)
            began = self._working[item] = asyncio.get_running_loop().time()
            self._held[self._share(item)] += 1
            try:
                result = await self._one_pass(item)
                self._on_pass(item, result, asyncio.get_running_loop().time() - began)
            finally:
                del self._working[item]
                self._free(self._share(item))
                if item in self._waiting:
                    self._put(item)

    async def _next(self) -> Item:
        while (item := self._ready.take(but=self._has_enough)) is None:
            self._changed.clear()
            await self._changed.wait()
        return item

    def _put(self, item: Item) -> None:
        self._ready.put(item)
        self._changed.set()

    def _has_enough(self, share: Hashable) -> bool:
        return self._held.get(share, 0) >= self._most

    def _free(self, share: Hashable) -> None:
        self._held[share] -= 1
        if not self._held[share]:
            del self._held[share]
        self._changed.set()

    async def _one_pass(self, item: Item) -> Result:
        try:
            async with asyncio.timeout(PASS_SECONDS):
                again = await self._work(item, self._failures.get(item, 0))
        except asyncio.CancelledError:
            heed()
            seconds = self._back_off(item)
            log.warning("Pass cut off from within", extra={"key": item, "retry_in": seconds})
            return Result.ERROR
        except (Outage, TimeoutError) as error:
            seconds = self._back_off(item, error.retry_after if isinstance(error, Outage) else 0.0)
            said = str(error) or type(error).__name__
            log.warning("Pass failed", extra={"key": item, "error": said, "retry_in": seconds})
            return Result.OUTAGE if isinstance(error, Outage) else Result.TIMEOUT
        except Exception:
            seconds = self._back_off(item)
            log.exception("Pass failed unexpectedly", extra={"key": item, "retry_in": seconds})
            return Result.ERROR
        else:
            self._failures.pop(item, None)
            if again is not None:
                self.add_after(item, again)
            return Result.SUCCESS

    def _back_off(self, item: Item, at_least: float = 0.0) -> float:
        self._retries[self._group(item)] += 1
        failures = self._failures[item] = self._failures.get(item, 0) + 1
        seconds: float = min(LAST_RETRY_SECONDS, FIRST_RETRY_SECONDS * 2 ** min(failures - 1, 16))
        seconds = max(at_least, seconds * self._random.uniform(0.8, 1.2))
        self.add_after(item, seconds)
        return round(seconds, 1)

    def _due(self, item: Item) -> None:
        self._timers.pop(item, None)
        self.add(item)

    def _cancel_timer(self, item: Item) -> None:
        if timer := self._timers.pop(item, None):
            timer.cancel()


def _all_alike(item: Hashable) -> Hashable:
    del item
    return None
