"""One operator on a stage: its passes, cache and intake for real, the world around it played."""

import base64
from collections.abc import Callable, Sequence
from datetime import timedelta
from random import Random
from typing import Any

from daap_operator import names, quantity
from daap_operator.engine.controller import Controller
from daap_operator.engine.intake import Intake
from daap_operator.engine.kinds import Ref, Source, selects, sources
from daap_operator.engine.loop import Loop
from daap_operator.engine.shares import SHARED_BYTES
from daap_operator.engine.store import Store
from daap_operator.engine.world import World
from daap_operator.kinds import known
from daap_operator.kinds.database.controller import DatabaseController
from daap_operator.kinds.database.desired.resolved import Platform
from daap_operator.kinds.database.memory import DatabaseWorld
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.watched import WATCHES
from daap_operator.kube import Kind
from tests.unit.fake_kube import FakeKube
from tests.unit.fakes import Clock, FakeAnnouncer, FakeMirror

Object = dict[str, Any]

KEY = ref("shop", "orders")
CLUSTER, POOLER, SECRET = "daap-orders", "daap-orders-pooler", "daap-orders-connection"
STANDARD = "standard"
"""The StorageClass that is there: its volumes can grow."""
SPEC: Object = {"ownerTeam": "checkout"}
SOURCES = {watch.kind: watch.source for watch in WATCHES}
"""The stream of each kind."""

PLATFORM = Platform(
    default_postgres_version=17,
    postgres_versions=(15, 16, 17, 18),
    postgres_image="registry.example/postgresql:{major}-standard-trixie",
    cluster_domain="cluster.local",
)


class Woken:
    """A `workqueue.Queue` that only notes what would be worked on."""

    def __init__(self) -> None:
        self.keys: list[Ref] = []

    def add(self, item: Ref) -> None:
        if item not in self.keys:
            self.keys.append(item)

    def taken(self) -> list[Ref]:
        """The keys that were added since the last call."""
        keys, self.keys = self.keys, []
        return keys


MOST_AT_ONCE = 4
"""Passes in a row, of which each but the last asks for the next at once."""


class Stage:
    """An operator, the API server it talks to, CloudNativePG, and people."""

    def __init__(
        self,
        *,
        secret_check: timedelta = timedelta(minutes=10),
        also: Sequence[Controller[Any]] = (),
        most: int = SHARED_BYTES,
        platform: Platform = PLATFORM,
    ) -> None:
        """`also`: the controllers of further kinds; `most`: what the store keeps, in bytes."""
        self._most = most
        self._also = also
        self._platform = platform
        self._watches = [*WATCHES, *(watch for each in also for watch in each.watches)]
        self.clock = Clock()
        self.kube = FakeKube(self.clock)
        self.mirror = FakeMirror()
        self.announcer = FakeAnnouncer()
        self.gone: list[str] = []
        self.turned_away: list[Ref] = []
        self._secret_check = secret_check
        self._start()

    def _start(self) -> None:
        self.store = Store(self._watches, most=self._most)
        self.queue = Woken()
        self.intake = Intake(
            self.store,
            self.queue,
            self._watches,
            on_gone=self._on_gone,
            on_turned_away=lambda kind, obj: self.turned_away.append(Ref.of(kind, obj)),
        )
        shared = World(
            kube=self.kube,
            mirror=self.mirror,
            store=self.store,
            announcer=self.announcer,
            resync=timedelta(minutes=10),
            now=self.clock.now,
            monotonic=self.clock.monotonic,
            wake=self.queue.add,
            written=self.intake.written,
            random=Random(0),
        )
        self.shared = shared
        """What passes of any kind share."""
        self.world = DatabaseWorld(shared, self._platform, secret_check=self._secret_check)
        self.controller = DatabaseController(self.world)
        self.loop = Loop(shared, [self.controller, *self._also])

    # the operator ---------------------------------------------------------------------------------

    async def restart(self) -> None:
        """A new process takes over: it knows what a LIST tells."""
        self._start()
        await self.relist()

    async def relist(self) -> None:
        """What a resync does to the cache."""
        asked = list(self.kube.requests)
        await self.intake.list_all(self.kube, ())
        self.kube.requests[:] = asked
        self.kube.changes.clear()

    async def complete(self) -> None:
        """What belongs to objects that came after it is listed."""
        asked = list(self.kube.requests)
        await self.intake.complete_lacking(self.kube)
        self.kube.requests[:] = asked

    def watch(self) -> list[Ref]:
        """Deliver what the watches have to tell; the keys that are woken by it."""
        changes, self.kube.changes = self.kube.changes, []
        for kind, before, after in changes:
            for source in sources(self._watches):
                if source.kind == kind:
                    self._deliver(source, before, after)
        while self.intake.many.next() is not None:
            pass
        return self.queue.taken()

    def _deliver(self, source: Source, before: Object | None, after: Object | None) -> None:
        if after is not None and selects(source.selector, after):
            self.intake.event(source, "MODIFIED", after)
        elif before is not None and selects(source.selector, before):
            self.intake.event(source, "DELETED", before if after is None else after)

    def _on_gone(self, kind: Kind, obj: Object) -> None:
        if kind == known.DATABASE:
            self.controller.gone(obj)
            self.gone.append(obj["metadata"]["uid"])

    async def look(self, key: Ref = KEY, failures: int = 0) -> float | None:
        """One pass that sees all there is to see."""
        self.watch()
        await self.complete()
        return await self.loop.reconcile(key, failures)

    async def settle(self, *, rounds: int = 30, playing: bool = True) -> None:
        """Passes over all databases, and all that happens beside them, until nothing changes."""
        for _ in range(rounds):
            before = self._happened()
            if playing:
                play(self.kube)
            self.watch()
            await self.complete()
            for key in self.store.refs(known.DATABASE):
                await self._pass(key)
            self.kube.collect_garbage()
            self.clock.advance(6)
            if before == self._happened():
                return
        raise AssertionError(f"not settled after {rounds} rounds")

    async def _pass(self, key: Ref) -> None:
        """A pass, and those that it asks for at once: nothing may ask for them for ever."""
        for _ in range(MOST_AT_ONCE):
            if await self.loop.reconcile(key, 0) != 0.0:
                return
        raise AssertionError(f"{key.name} keeps a worker busy: each pass asks for the next at once")

    def _happened(self) -> object:
        """What moves with every change."""
        return self.kube.version, len(self.mirror.saved), len(self.mirror.deleted)

    def object_store(self, name: str = "backups", namespace: str = "shop") -> Object:
        """The platform team creates an ObjectStore."""
        place = {"name": name, "namespace": namespace}
        return self.kube.add(known.BARMAN_STORE, {"metadata": place})

    # people ---------------------------------------------------------------------------------------

    def order(self, name: str = "orders", *, namespace: str = "shop", **spec: Any) -> Object:
        """Somebody creates a DaapDatabase."""
        obj = {
            "apiVersion": known.DATABASE.api_version,
            "kind": known.DATABASE.name,
            "metadata": {"name": name, "namespace": namespace},
            "spec": SPEC | spec,
        }
        return self.kube.add(known.DATABASE, obj)

    def edit(self, **spec: Any) -> None:
        """Somebody changes the spec; None takes a field away."""

        def change(obj: Object) -> None:
            obj["spec"] = {k: v for k, v in (obj["spec"] | spec).items() if v is not None}

        self.kube.change(known.DATABASE, KEY.name, change)

    def database(self, key: Ref = KEY) -> Object:
        """The DaapDatabase as it is."""
        return self.kube.one(known.DATABASE, key.name, key.namespace)

    def status(self, key: Ref = KEY) -> Object:
        """Its status."""
        status: Object = self.database(key)["status"]
        return status

    def condition(self, kind: str, key: Ref = KEY) -> tuple[str, str] | None:
        """Status and reason of a condition; None when it is absent."""
        for condition in self.status(key).get("conditions", ()):
            if condition["type"] == kind:
                return condition["status"], condition["reason"]
        return None

    def message(self, kind: str = "Ready", key: Ref = KEY) -> str:
        """The message of a condition."""
        return next(str(c["message"]) for c in self.status(key)["conditions"] if c["type"] == kind)


async def ready(**spec: Any) -> Stage:
    """A stage on which the database `orders` is ready, and the requests so far are forgotten."""
    stage = Stage()
    stage.order(**spec)
    await stage.settle()
    stage.watch()
    stage.kube.requests.clear()
    stage.announcer.announced.clear()
    assert stage.status()["phase"] == "Ready", stage.status()
    return stage


# --- CloudNativePG --------------------------------------------------------------------------------


def play(kube: FakeKube) -> None:
    """What CloudNativePG makes of all Clusters and Poolers, when all goes well."""
    for (resource, namespace, name), obj in list(kube.objects.items()):
        if "deletionTimestamp" in obj["metadata"] or names.DRILL_LABEL in obj["metadata"].get(
            "labels", {}
        ):  # a drill's plays on its own stage
            continue
        if resource is known.CLUSTER:
            play_cluster(kube, namespace, name)
        elif resource is known.POOLER:
            play_pooler(kube, namespace, name)


def play_cluster(kube: FakeKube, namespace: str, name: str, **status: Any) -> None:
    """Bring a Cluster up; `status` is laid over the status of a healthy one."""
    cluster = kube.one(known.CLUSTER, name, namespace)
    instances = cluster["spec"]["instances"]
    pods = [f"{name}-{number + 1}" for number in range(instances)]
    for pod in pods:
        play_claim(kube, cluster, pod)
        play_pod(kube, cluster, pod)
    for (resource, space, there), obj in list(kube.objects.items()):
        labels = obj["metadata"].get("labels", {})
        here = (resource, space, labels.get(names.CNPG_CLUSTER_LABEL)) == (
            known.POD,
            namespace,
            name,
        )
        if here and there not in pods and labels.get(names.CNPG_POD_ROLE_LABEL) == "instance":
            kube.delete_object(known.POD, there, namespace)
    play_account(kube, cluster)
    play_endpoints(kube, cluster, ready=True)
    begun = cluster["spec"]["bootstrap"]
    user = (begun.get("initdb") or begun["recovery"])["owner"]
    app = _owned(kube, known.SECRET, cluster, f"{name}-app", secret(user, "s3cret"))
    ca = _owned(kube, known.SECRET, cluster, f"{name}-ca", authority("PEM"))
    seen = {
        "phase": "Cluster in healthy state",
        "instances": instances,
        "readyInstances": instances,
        "currentPrimary": pods[0],
        "targetPrimary": pods[0],
        "instancesStatus": {"healthy": pods},
        "image": cluster["spec"]["imageName"],
        "pgDataImageInfo": {"majorVersion": int(cluster["spec"]["imageName"].split(":")[1][:2])},
        "secretsResourceVersion": {
            "applicationSecretVersion": app["metadata"]["resourceVersion"],
            "serverCaSecretVersion": ca["metadata"]["resourceVersion"],
        },
    } | status
    kube.change(known.CLUSTER, name, setting("status", seen), namespace)


def play_pod(kube: FakeKube, cluster: Object, name: str, **status: Any) -> None:
    """Have an instance's pod as the Cluster says; `status` is laid over that of a ready one."""
    namespace = cluster["metadata"]["namespace"]
    labels = {names.CNPG_CLUSTER_LABEL: cluster["metadata"]["name"]}
    labels |= {names.CNPG_POD_ROLE_LABEL: "instance"}
    body = {"metadata": {"labels": labels}, "spec": pod_spec(cluster)}
    made = _owned(kube, known.POD, cluster, name, body)
    if made["spec"] != body["spec"]:
        kube.delete_object(known.POD, name, namespace)
        _owned(kube, known.POD, cluster, name, body)
    seen = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]} | status
    kube.change(known.POD, name, setting("status", seen), namespace)


def pod_spec(cluster: Object) -> Object:
    """What CloudNativePG makes an instance's pod from."""
    spec = cluster["spec"]
    container: Object = {"name": "postgres", "image": spec["imageName"]}
    container["resources"] = spec.get("resources", {})
    container["startupProbe"] = spec.get("probes", {}).get("startup", {"periodSeconds": 10})
    made = {
        "containers": [container],
        "terminationGracePeriodSeconds": spec.get("stopDelay", 1800),
    }
    if spec.get("plugins"):
        made["initContainers"] = [{"name": "plugin-barman-cloud"}]
    return made


def play_account(kube: FakeKube, cluster: Object) -> None:
    """Have the mark of the Cluster's spec on its ServiceAccount: CloudNativePG has taken it up."""
    namespace, name = cluster["metadata"]["namespace"], cluster["metadata"]["name"]
    database = cluster["metadata"]["labels"][names.DATABASE_LABEL]
    labels = {names.CNPG_CLUSTER_LABEL: name, names.DATABASE_LABEL: database}
    body = {"metadata": {"labels": labels}}
    _owned(kube, known.ACCOUNT, cluster, name, body)
    template = cluster["spec"].get("serviceAccountTemplate", {"metadata": {"annotations": {}}})
    marked = template["metadata"]["annotations"]

    def mark(obj: Object) -> None:
        obj["metadata"]["annotations"] = marked

    kube.change(known.ACCOUNT, name, mark, namespace)


def play_mark(kube: FakeKube, pooler: Object) -> None:
    """Have the mark of the Pooler's spec on its Service's EndpointSlice."""
    namespace, name = pooler["metadata"]["namespace"], pooler["metadata"]["name"]
    template = pooler["spec"].get("serviceTemplate", {}).get("metadata", {})
    labels = template.get("labels", {})
    labels = labels | {names.SERVICE_LABEL: name}
    body = {"metadata": {"labels": labels}, "endpoints": [{"conditions": {"ready": True}}]}
    _owned(kube, known.ENDPOINTS, pooler, f"{name}-vwxyz", body)

    def mark(obj: Object) -> None:
        obj["metadata"]["labels"] = labels

    kube.change(known.ENDPOINTS, f"{name}-vwxyz", mark, namespace)


def play_claim(kube: FakeKube, cluster: Object, name: str) -> None:
    """Have a volume made, and made larger when the Cluster and the StorageClass say so.

    CloudNativePG gets no further with a class that refuses: here it fails.
    """
    namespace, storage = cluster["metadata"]["namespace"], cluster["spec"]["storage"]
    body = claim(cluster["metadata"]["name"], storage["size"])
    body["spec"]["storageClassName"] = storage.get("storageClass", STANDARD)
    made = _owned(kube, known.CLAIM, cluster, name, body)
    requested = made["spec"]["resources"]["requests"]["storage"]
    larger = quantity.parse(requested) < quantity.parse(storage["size"])
    if larger and storage.get("resizeInUseVolumes", True):
        found = kube.given[Ref(known.STORAGE_CLASS, "", made["spec"]["storageClassName"])]
        assert found["allowVolumeExpansion"], "CloudNativePG is stuck on a resize"
        for field in ("spec", "status"):
            kube.change(known.CLAIM, name, setting(field, body[field]), namespace)


def claim(cluster: str, size: str, capacity: str | None = None) -> Object:
    """The body of a Cluster's PersistentVolumeClaim, bound to a volume of its size."""
    labels = {names.CNPG_CLUSTER_LABEL: cluster, names.CNPG_PVC_ROLE_LABEL: "PG_DATA"}
    return {
        "metadata": {"labels": labels},
        "spec": {"storageClassName": STANDARD, "resources": {"requests": {"storage": size}}},
        "status": {"capacity": {"storage": capacity or size}},
    }


def play_endpoints(kube: FakeKube, cluster: Object, *, ready: bool) -> None:
    """Have Kubernetes tell whether the primary's pod takes connections."""
    namespace, name = cluster["metadata"]["namespace"], cluster["metadata"]["name"]
    service, found = names.primary_service(name), [{"conditions": {"ready": ready}}]
    labels = {
        names.DATABASE_LABEL: cluster["metadata"]["labels"][names.DATABASE_LABEL],
        names.SERVICE_LABEL: service,
    }
    _owned(kube, known.ENDPOINTS, cluster, f"{service}-abcde", {"metadata": {"labels": labels}})
    kube.change(known.ENDPOINTS, f"{service}-abcde", setting("endpoints", found), namespace)


def play_pooler(kube: FakeKube, namespace: str, name: str, available: int | None = None) -> None:
    """Bring a Pooler's Deployment up, or leave only some of its pods available."""
    pooler = kube.one(known.POOLER, name, namespace)
    replicas = pooler["spec"]["instances"]
    labels = {"labels": {names.CNPG_POOLER_LABEL: name}}
    template = {"spec": pooler["spec"]["template"]["spec"]}
    spec = {"spec": {"replicas": replicas, "template": template}}
    play_mark(kube, pooler)
    made = _owned(kube, known.DEPLOYMENT, pooler, name, {"metadata": labels} | spec)
    if made["spec"] != spec["spec"]:
        kube.change(known.DEPLOYMENT, name, setting("spec", spec["spec"]), namespace)
    generation = kube.one(known.DEPLOYMENT, name, namespace)["metadata"]["generation"]
    seen = {
        "observedGeneration": generation,
        "replicas": replicas,
        "updatedReplicas": replicas,
        "availableReplicas": replicas if available is None else available,
    }
    kube.change(known.DEPLOYMENT, name, setting("status", seen), namespace)


def setting(field: str, value: Any) -> Callable[[Object], None]:
    """An edit that sets a field of an object."""

    def edit(obj: Object) -> None:
        obj[field] = value

    return edit


def secret(user: str, password: str) -> Object:
    """The body of CloudNativePG's Secret with the owner's credentials."""
    return {"data": {"username": encoded(user), "password": encoded(password)}}


def authority(certificate: str) -> Object:
    """The body of CloudNativePG's Secret with the certificate authority."""
    return {"data": {"ca.crt": encoded(certificate)}}


def encoded(text: str) -> str:
    """Text as it stands in a Secret."""
    return base64.b64encode(text.encode()).decode()


def _owned(kube: FakeKube, resource: Kind, owner: Object, name: str, body: Object) -> Object:
    """An object that belongs to another one; made unless it is there."""
    namespace = owner["metadata"]["namespace"]
    if (resource, namespace, name) in kube.objects:
        return kube.one(resource, name, namespace)
    reference = {"kind": owner["kind"], "name": owner["metadata"]["name"]}
    reference |= {"apiVersion": owner["apiVersion"], "uid": owner["metadata"]["uid"]}
    metadata = {"name": name, "namespace": namespace, "ownerReferences": [reference]}
    return kube.add(resource, body | {"metadata": metadata | body.get("metadata", {})})
