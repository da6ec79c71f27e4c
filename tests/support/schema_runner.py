"""Who runs the pods of DaapSchemas' Jobs where there is neither a kubelet nor a PostgreSQL.

A file is where the kubelet would put it: the ConfigMaps as they are when the pod runs, inline files
from its annotations. The report is left as the last words of the container; a log there is none.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from contextvars import ContextVar
from typing import NamedTuple

from daap_operator import names, raw
from daap_operator.kinds import known
from daap_operator.kinds.schema.job import CONTAINER, INLINE
from daap_operator.schema.outcome import LAST_WORDS_BYTES, told
from tests.support import schema_plans
from tests.support.api import Api, ApiError, Object
from tests.support.schema_plans import File, Ledger, Order

EVERY = 0.1
"""Seconds between two looks at the pods that wait."""
_CURRENT: ContextVar["Runner"] = ContextVar("runner")

CODES = {"Applied": 0, "Checked": 0, "Refused": 2}
FAILED_CODE = 3


class Run(NamedTuple):
    """A pod that has run."""

    namespace: str
    job: str
    cluster_uid: str
    order: Order
    report: Object


class Runner:
    """Runs them, in all namespaces when none is given."""

    def __init__(self, api: Api, namespace: str = "") -> None:
        self._api = api
        self._namespace = namespace
        self._waiting: dict[str, Object] = {}
        self._answers: dict[str, Object] = {}
        self.ledgers: defaultdict[tuple[str, str], Ledger] = defaultdict(Ledger)
        """By the uid of the Cluster and the ledger's name."""
        self.runs: list[Run] = []
        self.images: dict[str, dict[str, str]] = {}
        """The files of each image that can be pulled, by its reference; paths do not count."""
        self.held: set[str] = set()
        """Modes of which no pod runs meanwhile."""
        self.held_after_apply: set[str] = set()
        """The same, once anything was applied."""

    def applied(self, namespace: str) -> Counter[tuple[str, str]]:
        """How often each file was applied, by the Cluster's uid, in one namespace."""
        return Counter(
            (run.cluster_uid, row["file"])
            for run in self.runs
            if run.namespace == namespace
            for row in run.report.get("applied", ())
        )

    def applied_once(self, namespace: str, *files: str) -> None:
        """Assert that these files were applied once, each in one database, and no other."""
        found = self.applied(namespace)
        assert {file: count for (_, file), count in found.items()} == dict.fromkeys(files, 1)

    async def ledger(self, namespace: str, cluster: str, name: str = "default") -> Ledger:
        """That of a Cluster."""
        found = await self._api.get(known.CLUSTER, namespace, cluster)
        return self.ledgers[raw.text(found, "metadata", "uid"), name]

    async def play(self) -> None:
        """Run pods, until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._watch())
            tasks.create_task(self._serve())

    async def _watch(self) -> None:
        async for event, pod in self._api.watch(known.POD, f"labelSelector={names.SCHEMA_LABEL}"):
            metadata = pod["metadata"]
            over = event == "DELETED" or "deletionTimestamp" in metadata or _ended(pod)
            if over or self._namespace not in ("", metadata["namespace"]):
                self._waiting.pop(metadata["uid"], None)
            else:
                self._waiting[metadata["uid"]] = pod

    async def _serve(self) -> None:
        while True:
            for uid, pod in list(self._waiting.items()):
                with suppress(ApiError, OSError):  # gone meanwhile, or to be asked again
                    await self._run(uid, pod)
            await asyncio.sleep(EVERY)

    async def _run(self, uid: str, pod: Object) -> None:
        if uid not in self._answers:
            order = Order.of(pod["spec"]["containers"][0]["args"])
            if order.mode in self._held():
                return
            cluster, files = await self._cluster(pod), await self._files(pod)
            if cluster is None or files is None or uid not in self._waiting:
                return
            if schema_plans.never_ends(order, files):
                return
            if order.mode == schema_plans.REHEARSE:
                await self._restored(pod, cluster, order.ledger)
            self._answers[uid] = self._report(pod, order, cluster, files)
        await self._ends(pod, self._answers[uid])
        self._waiting.pop(uid, None)

    def _held(self) -> set[str]:
        begun = any(run.order.mode == "apply" for run in self.runs)
        return self.held | (self.held_after_apply if begun else set())

    def _report(self, pod: Object, order: Order, cluster: str, files: list[File]) -> Object:
        report = schema_plans.run(order, files, self.ledgers[cluster, order.ledger])
        job = pod["metadata"]["labels"][names.SCHEMA_LABEL]
        self.runs.append(Run(pod["metadata"]["namespace"], job, cluster, order, report))
        return report

    async def _cluster(self, pod: Object) -> str | None:
        """The uid of the Cluster that the pod connects to; None when it is not there."""
        env = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
        name = str(env["PGHOST"]).removesuffix("-rw")
        found = await self._api.get(known.CLUSTER, pod["metadata"]["namespace"], name)
        return raw.text(found, "metadata", "uid") or None

    async def _restored(self, pod: Object, copy: str, ledger: str) -> None:
        """A copy begins with the ledger of the database that it is one of."""
        if (copy, ledger) not in self.ledgers:
            env = {each["name"]: each.get("value") for each in pod["spec"]["containers"][0]["env"]}
            of = f"daap-{str(env['PGDATABASE']).replace('_', '-')}"
            original = await self.ledger(pod["metadata"]["namespace"], of, ledger)
            self.ledgers[copy, ledger] = Ledger(list(original.rows))

    async def _files(self, pod: Object) -> list[File] | None:
        """What the kubelet would mount; None while a ConfigMap is missing."""
        found: list[File] = []
        for volume in pod["spec"]["volumes"]:
            part = volume["name"].partition("-")[0]
            if "downwardAPI" in volume:
                for item in volume["downwardAPI"]["items"]:
                    key = item["fieldRef"]["fieldPath"].split("'")[1]
                    assert key.startswith(INLINE)
                    text = pod["metadata"]["annotations"][key]
                    found.append(File(part, item["path"], text))
            elif "configMap" in volume:
                mounted = await self._mounted(pod, volume["configMap"])
                if mounted is None:
                    return None
                found += [File(part, name, text) for name, text in mounted.items()]
            elif "image" in volume:
                reference = volume["image"]["reference"]
                if reference not in self.images:
                    await self._waits(pod, reference)
                    return None
                image = self.images[reference].items()
                found += [File(part, name, text, of_image=True) for name, text in image]
        return found

    async def _waits(self, pod: Object, reference: str) -> None:
        """What the kubelet says of an image that it cannot pull; once for each pod."""
        if not raw.items(pod, "status", "containerStatuses"):
            why = f'failed to pull and unpack image "{reference}": not found'
            await self._says(pod, {"waiting": {"reason": "ErrImagePull", "message": why}})

    async def _mounted(self, pod: Object, volume: Object) -> dict[str, str] | None:
        place = pod["metadata"]["namespace"], volume["name"]
        there = await self._api.get(known.CONFIG_MAP, *place)
        if there is None:
            return None
        data = there.get("data") or {}
        keys = [item["key"] for item in volume.get("items", ())] or sorted(data)
        if not data.keys() >= set(keys):
            return None
        return {key: data[key] for key in keys if key.endswith(".sql")}

    async def _ends(self, pod: Object, report: Object) -> None:
        code = CODES.get(report["result"], FAILED_CODE)
        at = pod["metadata"]["creationTimestamp"]
        ended = {"exitCode": code, "message": told(report, LAST_WORDS_BYTES)}
        ended |= {"startedAt": at, "finishedAt": at}
        await self._says(pod, {"terminated": ended}, "Failed" if code else "Succeeded")

    async def _says(self, pod: Object, state: Object, phase: str = "Pending") -> None:
        container = {"name": CONTAINER, "state": state, "ready": False}
        container |= {"restartCount": 0, "image": "x", "imageID": "x"}
        status = {"phase": phase, "containerStatuses": [container]}
        place = pod["metadata"]["namespace"], pod["metadata"]["name"]
        await self._api.patch(known.POD, *place, {"status": status}, "status")


def current() -> Runner:
    """The one that runs meanwhile."""
    return _CURRENT.get()


def _ended(pod: Object) -> bool:
    return raw.text(pod, "status", "phase") in ("Succeeded", "Failed")


@asynccontextmanager
async def running(api: Api, namespace: str = "") -> AsyncIterator[Runner]:
    """Jobs of schemas run meanwhile."""
    runner = Runner(api, namespace)
    _CURRENT.set(runner)
    playing = asyncio.create_task(runner.play())
    try:
        yield runner
    finally:
        playing.cancel()
        with suppress(asyncio.CancelledError):
            await playing
