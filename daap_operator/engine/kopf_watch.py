"""kopf: watch events handed on. No decision, no write.

kopf lists and watches, logs in again, and copes with most of what happens to a watch; all else of
it is left unused (docs/adr/0002-kopf-is-the-watch-frame.md).
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping, Sequence
from functools import partial
from random import Random
from typing import Any, NamedTuple

import aiohttp
import kopf

from daap_operator.engine.kinds import Kept, Source
from daap_operator.engine.kopf_guard import reading_only
from daap_operator.engine.kopf_session import KEPT, TYPE, Reduce, reducing
from daap_operator.engine.trace import Answered, trace
from daap_operator.kube import LAST_TLS_SECONDS, Credentials, Kind


class Feed(NamedTuple):
    """Where events go."""

    event: Callable[[Source, str | None, Mapping[str, Any]], None]
    """Takes the stream, the event's type (None: from a listing) and the object."""
    reduce: Reduce
    """Makes of an object what `event` is given of it: raw ones would pile up in kopf's thread."""


Login = Callable[[], Awaitable[Credentials]]

CONNECT_SECONDS = 10.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 15.0

RENEW_SECONDS = 30
"""How long a watch lasts: the API server ends it then, and the next one goes on where it was."""

SILENT_SECONDS = 40.0
"""A watch that has not ended by then has lost its server. Nothing else shows it: an idle watch and
one whose server is gone without a word look the same."""

GRACE_SECONDS = 5.0
"""For kopf to end what it has begun: its workers have 2 seconds to finish."""

CANCEL_AGAIN_SECONDS = 0.5

FINALIZER = "never on any object"
"""kopf removes its finalizer from whatever has it, and anybody may write one. No object has this:
the API server takes no finalizer that is not a qualified name."""

QUIET_SECONDS = 60.0
"""A login so long after the last one is a new one, not another try."""


async def operate(
    feed: Feed,
    answered: Answered,
    login: Login,
    *,
    sources: Sequence[Source],
    namespaces: Collection[str],
    stop: asyncio.Event,
) -> None:
    """Run kopf until `stop` is set, or until it gives up.

    `answered` is called for each of its watches and listings. After a listing kopf never reports
    what was deleted before. Cluster-scoped kinds it watches once, whatever the namespaces.
    """
    tasks: list[asyncio.Task[Any]] = []
    sessions: list[aiohttp.ClientSession] = []
    for group in apart(sources):
        registry = kopf.OperatorRegistry()
        register(registry, group, feed)
        opened = partial(_session, sources=sources, answered=answered, reduce=feed.reduce)
        register_login(registry, login, opened, sessions)
        tasks += await kopf.spawn_tasks(
            registry=registry,
            settings=settings(group),
            standalone=True,
            clusterwide=not namespaces,
            namespaces=namespaces,
            stop_flag=stop,
        )
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        await _end(tasks)
        for session in sessions:
            await session.close()
        await asyncio.sleep(LAST_TLS_SECONDS)
    for task in ended:
        task.result()


async def _end(tasks: Collection["asyncio.Task[Any]"]) -> None:
    """End kopf's tasks, which end what they have begun; then all that is left in the event loop.

    kopf's watches now and then lose a cancellation and go on; its own way out (`kopf.operator`)
    tells them once, and then waits for ever.
    """
    # Requests that are cut off fail on an assertion of kopf's, in a callback that nobody hears
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)
    await _cancel(tasks, GRACE_SECONDS)
    while left := asyncio.all_tasks() - {asyncio.current_task()}:
        await _cancel(left, CANCEL_AGAIN_SECONDS)


async def _cancel(tasks: Collection["asyncio.Task[Any]"], patience: float) -> None:
    for task in tasks:
        task.cancel()
    ended, _ = await asyncio.wait(tasks, timeout=patience)
    for task in ended:
        if not task.cancelled():
            task.exception()  # looked at, so that it is not logged as forgotten


def apart(sources: Sequence[Source]) -> list[list[Source]]:
    """The streams in groups with no kind twice: one kopf watches a kind by one selector only."""
    groups: list[list[Source]] = []
    for source in sources:
        free = (group for group in groups if source.kind not in {one.kind for one in group})
        group = next(free, None)
        if group is None:
            groups.append(group := [])
        group.append(source)
    return groups


def register(registry: kopf.OperatorRegistry, sources: Sequence[Source], feed: Feed) -> None:
    """Register one handler for each stream."""
    for source in sources:
        _register(registry, source, feed)


def _register(registry: kopf.OperatorRegistry, source: Source, feed: Feed) -> None:
    @kopf.on.event(*_selector(source.kind), registry=registry, id=f"on_{source.kind.plural}")
    async def on_event(event: kopf.RawEvent, **_: Any) -> None:
        obj: Mapping[str, Any] = event["object"]
        if KEPT in obj:
            feed.event(source, obj[TYPE], Kept(obj[KEPT]))
        else:
            feed.event(source, event["type"], obj)


def _selector(kind: Kind) -> tuple[str, str, str]:
    """Group, version and plural, as kopf names a kind."""
    return kind.group, kind.version, kind.plural


def register_login(
    registry: kopf.OperatorRegistry,
    login: Login,
    opened: Callable[[Credentials], aiohttp.ClientSession],
    sessions: list[aiohttp.ClientSession],
) -> None:
    """Have kopf log in as the operator's own client does, with a session of our own.

    Each session that was `opened` is added to `sessions`. kopf logs in anew after each 401, at
    once: while the API server takes no credentials the pauses are ours.
    """
    pause = Pause()

    @kopf.on.login(registry=registry, id="login")
    async def log_in(**unused: Any) -> kopf.AiohttpSession:
        del unused
        await asyncio.sleep(pause.next(asyncio.get_running_loop().time()))
        ours = await login()
        made = opened(ours)
        sessions[:] = [*(old for old in sessions if not old.closed), made]
        return kopf.AiohttpSession(server=ours.server, aiohttp_session=made)


def _session(
    ours: Credentials, *, sources: Collection[Source], answered: Answered, reduce: Reduce
) -> aiohttp.ClientSession:
    """A session that reports answers, and gives kopf little of them."""
    info = _connection_info(ours)
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
        headers=info.as_http_headers(),
        trace_configs=[trace(answered, sources, ours.server)],
        middlewares=(reading_only(), reducing(sources, reduce, ours.server)),
    )


def _connection_info(ours: Credentials) -> kopf.ConnectionInfo:
    scheme, _, token = (ours.authorization or "").partition(" ")
    return kopf.ConnectionInfo(
        server=ours.server,
        insecure=ours.insecure,
        ca_path=ours.ca_file,
        ca_data=ours.ca_data,
        certificate_path=ours.certificate_file,
        private_key_path=ours.key_file,
        scheme=scheme or None,
        token=token or None,
    )


class Backoffs:
    """kopf's pauses between tries of a request: without end, unlike its default, after which the
    whole operator exits."""

    def __iter__(self) -> Iterator[float]:
        random = Random()  # noqa: S311 - jitter, not cryptography
        pause = FIRST_PAUSE_SECONDS
        while True:
            yield pause * random.uniform(0.8, 1.2)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


class Pause:
    """None before a first try, and longer and longer ones between those that follow soon."""

    def __init__(self) -> None:
        self._last = -QUIET_SECONDS
        self._pauses: Iterator[float] = iter(())

    def next(self, now: float) -> float:
        """Seconds to wait before a try that is due at `now`."""
        again = now - self._last < QUIET_SECONDS
        if not again:
            self._pauses = iter(Backoffs())
        pause = next(self._pauses) if again else 0.0
        self._last = now + pause
        return pause


class Nothing(kopf.DiffBaseStorage):
    """kopf's memory of an object's last state: none. No handler of ours asks for differences.

    Its default reads an annotation, and never hands on an object on which that is not JSON.
    """

    def build(self, **_: Any) -> Any:
        """What of an object is compared: nothing, which also spares kopf two copies of it."""
        return {}

    def fetch(self, **_: Any) -> Any:
        """The state before: unknown."""
        return

    def store(self, **_: Any) -> None:
        """Never asked to."""


def settings(sources: Sequence[Source]) -> kopf.OperatorSettings:
    """kopf's settings for watching only."""
    made = kopf.OperatorSettings()
    # No permission needed to watch kinds and namespaces: the watchdog finds kinds that come later
    made.scanning.disabled = True
    made.posting.enabled = False
    made.persistence.finalizer = FINALIZER
    made.persistence.diffbase_storage = Nothing()
    made.networking.error_backoffs = Backoffs()
    made.networking.request_timeout = 30
    made.networking.connect_timeout = CONNECT_SECONDS
    made.watching.connect_timeout = CONNECT_SECONDS
    made.watching.server_timeout = RENEW_SECONDS
    made.watching.client_timeout = SILENT_SECONDS
    made.watching.inactivity_timeout = SILENT_SECONDS  # holds for the tries of a request, too
    made.watching.chunk_size = 1  # no object of a listing is read (kopf_session)
    made.queueing.idle_timeout = 0.2  # workers keep the last event that long: memory at start-up
    made.process.ultimate_exiting_timeout = None
    for source in sources:
        if source.selector:
            made.watching.label_selectors[_selector(source.kind)] = source.selector
    return made
