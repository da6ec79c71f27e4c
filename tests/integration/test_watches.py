"""Watches that die: whatever happens to them, it is made up for within a minute.

While the watches are gone one database is edited, one is deleted, and one loses a child, of whose
deletion nobody will ever tell. The operator sits behind a proxy that plays each fault.
"""

import asyncio
import gc
import json
import signal
import time
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from aiohttp import web

from daap_operator import crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from daap_operator.engine import watchdog
from daap_operator.kinds.database.watched import WATCHES
from dev.cluster import ControlPlane
from dev.cluster.established import wait_established
from tests.standin.cnpg import CONTROL_PLANE_FLAGS, StandIn
from tests.support import prerequisites, rights
from tests.support.api import Api
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import as_promised, eventually
from tests.support.faulty_api import FaultyApi, Refusal, is_watch
from tests.support.http import probe
from tests.support.kinds import CUSTOM
from tests.support.operator import Operators, RunningOperator
from tests.support.rows import Rows
from tests.support.scrape import scrape

pytestmark = pytest.mark.timeout(600)  # a control plane of their own, and kinds installed twice


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """What kopf left is collected here, where it is known what it is."""
    yield
    gc.collect()


RECOVERY_SECONDS = 60.0
"""What the docs promise."""

ASKED, ASKED_SECONDS = 52, 1.5
"""Requests: each of the twenty-one watches may ask twice and a half in so many seconds: once more
at once, and then ever less."""

QUIET_SECONDS = 10.0
"""When it was not asked so often until then, it never will be so quickly."""

CRDS = [f"{kind.plural}.{kind.group}" for kind in CUSTOM]

CLAIM = "daap-deleted-1"
COLLECTED_SECONDS = 180.0
"""For Kubernetes' controllers to begin, and to take what nobody owns any more."""

WATCHED = [watch.kind.plural for watch in WATCHES]


@pytest.fixture
async def proxy(operator_kubeconfig: Path) -> AsyncIterator[FaultyApi]:
    async with FaultyApi(operator_kubeconfig) as made:
        yield made


@pytest.fixture
async def operator(
    proxy: FaultyApi, operators: Operators, databases: Databases, tmp_path: Path
) -> RunningOperator:
    """Behind the proxy, with three databases that are Ready."""
    running = await operators.start(KUBECONFIG=str(proxy.kubeconfig(tmp_path)))
    await Gap(databases, running).prepare()
    return running


class Gap:
    """What happens while nobody watches."""

    def __init__(self, databases: Databases, running: RunningOperator) -> None:
        self._databases = databases
        self._running = running
        self._pooler = ""

    async def prepare(self) -> None:
        for name in ("edited", "deleted", "robbed"):
            await self._databases.create(name)
        for name in ("edited", "deleted", "robbed"):
            await self._databases.ready(name)

    async def happen(self) -> None:
        pooler = await self._databases.child("poolers", "daap-robbed-pooler")
        assert pooler
        self._pooler = pooler["metadata"]["uid"]
        await self._databases.edit("edited", instances=2)
        await self._databases.delete("deleted")
        await self._databases.api.delete("poolers", self._databases.namespace, "daap-robbed-pooler")

    async def is_seen(self, *, uncollected: str = "") -> None:
        """Wait until all of it has been acted upon. The probe stays green.

        Where nothing is collected as garbage the deletion has come to wait for `uncollected`.
        """

        async def acted() -> dict[str, bool]:
            live = await probe(self._running.operator, "/livez")
            edited = await self._databases.child("clusters", "daap-edited")
            deleted = await self._databases.get("deleted")
            said = str(condition(deleted, "Reconciling").get("message"))
            pooler = await self._databases.child("poolers", "daap-robbed-pooler")
            return {
                "alive": live == (200, "ok\n"),
                "edited": edited is not None and edited["spec"]["instances"] == 2,
                "deleted": uncollected in said if uncollected else deleted is None,
                "robbed": pooler is not None and pooler["metadata"]["uid"] != self._pooler,
            }

        def all_of_it(seen: dict[str, bool]) -> bool:
            assert seen["alive"]
            return all(seen.values())

        await as_promised(acted, all_of_it, seconds=RECOVERY_SECONDS)


@pytest.fixture
def gap(operator: RunningOperator, databases: Databases) -> Gap:
    return Gap(databases, operator)


async def test_a_server_that_fell_silent_is_left_within_a_minute(
    proxy: FaultyApi, gap: Gap, caplog: pytest.LogCaptureFixture
) -> None:
    """Half open: two watches are silent in mid-stream, the others before their first word. There
    are no bookmarks either, and so no sign of life between events."""
    silent = asyncio.Event()

    async def nothing_said(request: web.Request) -> web.StreamResponse | None:
        hung = is_watch(request) and request.path.endswith(("/clusters", "/poolers"))
        if hung and proxy.refused < 2:
            proxy.refused += 1
            await silent.wait()
        return None

    proxy.bookmarks = False
    await watched(proxy)
    proxy.fall_silent("daapdatabases", "deployments")
    proxy.refuse(nothing_said)
    await proxy.end("clusters", "poolers")
    await eventually(lambda: value(proxy.refused), lambda refused: refused == 2)
    await gap.happen()
    await gap.is_seen()
    assert "Watch renewed after silence" in caplog.text


async def test_an_api_server_behind_a_path_is_watched_as_any_other(
    operator_kubeconfig: Path,
    operators: Operators,
    databases: Databases,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The watchdog looks at once, and all the time, for what is not watched."""
    monkeypatch.setattr(watchdog, "LOOK_SECONDS", 0.05)
    monkeypatch.setattr(watchdog, "FIRST_SECONDS", 0.0)
    async with FaultyApi(operator_kubeconfig, "/k8s/clusters/c-1") as proxy:
        running = await operators.start(KUBECONFIG=str(proxy.kubeconfig(tmp_path)))
        gap = Gap(databases, running)
        await gap.prepare()
        await watched(proxy)
        await gap.happen()
        await gap.is_seen()
        page = await scrape(running.operator)
        await running.stop()
    assert page.value("daap_watch_restarts_total") == 0
    assert "Not watched" not in caplog.text


async def watched(proxy: FaultyApi) -> None:
    """Wait until no watch is just being renewed."""

    async def missing() -> list[str]:
        return [kind for kind in WATCHED if not proxy.watches(kind)]

    await eventually(missing, lambda kinds: not kinds)


async def value(of: int) -> int:
    return of


def error(code: int) -> bytes:
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code}
    return json.dumps({"type": "ERROR", "object": status}).encode() + b"\n"


@pytest.mark.parametrize(
    ("plurals", "last_words"),
    [
        pytest.param((), error(410), id="410 Gone"),
        pytest.param((), b"", id="just the end"),
        # kopf as a whole gives up on these, while its other watches go on
        pytest.param(("clusters",), error(500), id="500"),
        pytest.param(("poolers",), b'{"type": "MODIFIED", "object": {"kind\n', id="half an event"),
    ],
)
async def test_a_watch_that_ends(
    plurals: tuple[str, ...], last_words: bytes, proxy: FaultyApi, gap: Gap
) -> None:
    await watched(proxy)
    proxy.fall_silent()
    await gap.happen()
    await proxy.end(*plurals, saying=last_words)
    await gap.is_seen()


@pytest.mark.parametrize(
    ("status", "headers"),
    [
        pytest.param(429, {"Retry-After": "0"}, id="429 storm"),
        pytest.param(401, {}, id="401 credentials expired"),
        pytest.param(500, {}, id="500"),
    ],
)
async def test_a_server_that_refuses_everything_is_not_hammered(
    status: int, headers: dict[str, str], proxy: FaultyApi, gap: Gap
) -> None:
    async def refusal(request: web.Request) -> web.StreamResponse | None:
        if "/leases" in request.path:
            return None  # without its Lease the operator would have to end
        said = {"kind": "Status", "apiVersion": "v1", "code": status, "status": "Failure"}
        return web.json_response(said, status=status, headers=headers)

    await hammered(proxy, refusal)
    await gap.happen()
    proxy.refuse(None)
    await gap.is_seen()


async def test_a_server_that_ends_each_watch_at_once_is_not_hammered(
    proxy: FaultyApi, gap: Gap
) -> None:
    async def nothing(request: web.Request) -> web.StreamResponse | None:
        return web.Response() if is_watch(request) else None

    await hammered(proxy, nothing)
    await gap.happen()
    proxy.refuse(None)
    await gap.is_seen()


async def hammered(proxy: FaultyApi, refusal: Refusal) -> None:
    """Refuse until it was asked so often, which must have taken its time, or never will be."""
    proxy.refuse(refusal)
    began = time.monotonic()
    await proxy.end()
    await eventually(lambda: value(proxy.refused), lambda refused: refused >= len(WATCHED))
    await eventually(
        lambda: value(proxy.refused),
        lambda refused: refused >= ASKED or time.monotonic() > began + QUIET_SECONDS,
    )
    assert time.monotonic() - began > ASKED_SECONDS


# --- kinds that go and come back, and the API server itself ---------------------------------------


@pytest.fixture(scope="module")
def own_plane() -> Iterator[ControlPlane]:
    """A control plane whose kinds and API server these tests may take away."""
    name = f"watches-{uuid.uuid4().hex[:8]}"
    with ControlPlane.create(name, flags=CONTROL_PLANE_FLAGS) as plane:
        install(plane)
        # Its garbage collector looks for new kinds every 30 s only, and at its start
        plane.stop("kube-controller-manager")
        plane.start("kube-controller-manager")
        standin = StandIn(plane.kubeconfig)
        standin.start()
        yield plane
        standin.stop()


def install(plane: ControlPlane) -> None:
    prerequisites.install(plane)
    plane.kubectl("apply", "--server-side", "-f", "-", input=crd.render(*DEFINITIONS))
    wait_established(plane.kubectl)


@pytest.fixture
async def own_databases(own_plane: ControlPlane) -> AsyncIterator[Databases]:
    async with Api(own_plane.kubeconfig) as client:
        yield Databases(client, "default")


@pytest.mark.parametrize("namespaces", ["", "default"])
async def test_kinds_that_were_deleted_and_come_back_are_watched_again(
    namespaces: str,
    own_plane: ControlPlane,
    own_databases: Databases,
    operators: Operators,
    rows: Rows,
) -> None:
    """Ours and CloudNativePG's; with the kinds all their objects go."""
    running = await operators.start(
        **rights.environment(own_plane), DAAP_WATCH_NAMESPACES=namespaces
    )
    await own_databases.create("before")
    await own_databases.ready("before")
    await asyncio.to_thread(own_plane.kubectl, "delete", "crd", *CRDS)
    await rows.becomes("before", status="deleted")
    await asyncio.to_thread(install, own_plane)
    await own_databases.create("after")
    await as_promised(lambda: own_databases.get("after"), is_ready, seconds=RECOVERY_SECONDS)
    assert await probe(running.operator, "/livez") == (200, "ok\n")


async def test_an_api_server_that_was_killed_and_comes_back(
    own_plane: ControlPlane, own_databases: Databases, operators: Operators
) -> None:
    """Garbage collection, which has watches too, comes back later, and nobody but it is late."""
    running = await operators.start(**rights.environment(own_plane), DAAP_LEASE_DURATION="60s")
    gap = Gap(own_databases, running)
    await gap.prepare()
    await asyncio.to_thread(own_plane.stop, "kube-apiserver", signal.SIGKILL)
    await asyncio.to_thread(own_plane.stop, "kube-controller-manager", signal.SIGKILL)
    assert await probe(running.operator, "/livez") == (200, "ok\n")
    await asyncio.to_thread(own_plane.start, "kube-apiserver")
    await gap.happen()
    await gap.is_seen(uncollected=f"PersistentVolumeClaim {CLAIM}")
    await asyncio.to_thread(own_plane.start, "kube-controller-manager")
    await eventually(
        lambda: own_databases.child("persistentvolumeclaims", CLAIM),
        lambda claim: claim is None,
        seconds=COLLECTED_SECONDS,
    )
    await own_databases.gone("deleted")
