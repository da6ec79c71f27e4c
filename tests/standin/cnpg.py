"""A stand-in for CloudNativePG on a control plane without nodes, scripted at will.

It watches Clusters and Poolers and does what CloudNativePG does to the objects: Secrets, a volume
claim with its volume and a pod per instance, the phases of the status, the Cluster's
ServiceAccount, the Pooler's Service and Deployment; and it makes the first backup of a
ScheduledBackup, which the ObjectStore then tells of. It runs no database. In namespaces where it
is told to `keep`, it also makes all other Backups, and knows what is in each archive, so that a
Cluster is restored only from what there is. Garbage collection and everything else is the real
control plane's; only Deployments and volumes have no controller, for the stand-in writes their
status, as it does that of the pods, which nobody schedules.
"""

import asyncio
import base64
import json
import secrets
import threading
from collections.abc import Coroutine
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

from daap_operator import names, quantity
from daap_operator.engine.kinds import Ref
from daap_operator.engine.ownership import owners
from daap_operator.kinds import known
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kube import Kind
from tests.standin import script
from tests.standin.barman import Barman, is_up
from tests.support.api import Api, ApiError
from tests.support.kinds import SERVICE

Object = dict[str, Any]
Place = tuple[str, str]
T = TypeVar("T")

OPERATOR_LABEL = {"app.kubernetes.io/managed-by": "cloudnative-pg"}

BY_THE_WAY = (known.POD, known.ACCOUNT, SERVICE)
"""What is kept to know it, and not to act upon."""

OF_CLUSTERS = "labelSelector=cnpg.io/cluster"
WATCHED = {
    **dict.fromkeys((known.POD, known.ACCOUNT, SERVICE, known.BACKUP), OF_CLUSTERS),
    known.DEPLOYMENT: "labelSelector=cnpg.io/poolerName",
    known.CLUSTER: "",
    known.POOLER: "",
    known.SCHEDULED_BACKUP: "",
}
"""The query of each watch."""

SIDECAR = {
    "name": "plugin-barman-cloud",
    "image": "ghcr.io/cloudnative-pg/plugin-barman-cloud-sidecar:v0.14.0",
    "restartPolicy": "Always",
}
"""What the Barman Cloud plugin puts beside PostgreSQL."""

PROBED = {"httpGet": {"path": "/healthz", "port": 8000}, "periodSeconds": 10}
"""The startup probe of an instance of which nothing else is asked."""

RESTORE_SECONDS = 1.0
"""After a restore that failed, the next try; without end, where CloudNativePG makes seven."""

RESTORE_PODS = 2
"""Of the tries that have failed, the first ones leave a pod."""

EVERYWHERE = ""
"""Every namespace."""

PLAYED = (
    *("deployment-controller", "replicaset-controller"),
    *("persistentvolume-binder-controller", "persistentvolume-expander-controller"),
)
"""Controllers whose part the stand-in plays."""

CONTROL_PLANE_FLAGS = {
    "kube-controller-manager": [f"--controllers=*,{','.join(f'-{name}' for name in PLAYED)}"],
    "kube-apiserver": ["--feature-gates=ImageVolume=true"],
}
"""What the control plane under a stand-in has to be started with. Pods mount images, as they do
from Kubernetes 1.35 on."""

GROWING, FIXED = "growing", "fixed"
"""StorageClasses: the default one, whose volumes can grow, and one whose volumes cannot."""

STORAGE_CLASSES: list[Object] = [
    {
        "apiVersion": known.STORAGE_CLASS.api_version,
        "kind": known.STORAGE_CLASS.name,
        "metadata": {
            "name": name,
            "annotations": {"storageclass.kubernetes.io/is-default-class": default},
        },
        "provisioner": "standin.example",
        "allowVolumeExpansion": name == GROWING,
    }
    for name, default in ((GROWING, "true"), (FIXED, "false"))
]
"""What the control plane under a stand-in has to be given."""


class StandIn:
    """The stand-in in a thread of its own. Its methods may be called from anywhere."""

    def __init__(self, kubeconfig: Path, *, connections: int = 0) -> None:
        """`connections` is the most that it has to the API server at a time; 0 is no limit."""
        self._kubeconfig = kubeconfig
        self._connections = connections
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="standin", daemon=True)
        self._objects: dict[Ref, Object] = {}
        self._busy: dict[Ref, asyncio.Task[None]] = {}
        self._again: set[Ref] = set()
        self._last_step: dict[Place, int] = {}
        self._own: set[Place] = set()
        self._most_claims: dict[str, int] = {}
        """By a Cluster's uid: the highest number of an instance that has been given a claim."""
        self._unmade: dict[Place, set[Ref]] = {}
        """By the place of a Cluster that cannot back up yet: what waits for it to."""
        self.barman = Barman()
        self._pace = 0.0
        self._asleep: set[str] = set()
        self._stiff: set[str] = set()

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait for the thread."""
        self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join()

    # what a test can ask for ----------------------------------------------------------------------

    def pace(self, seconds: float) -> None:
        """Take so long for each step from now on."""
        self._pace = seconds

    def stop_at(self, namespace: str, cluster: str, step: int) -> None:
        """Do not go beyond that step of a Cluster's birth."""
        self._ask(self._stop_at((namespace, cluster), step))

    def go_on(self, namespace: str, cluster: str) -> None:
        """Take up a Cluster that was stopped, or taken over, again."""
        self._ask(self._go_on((namespace, cluster)))

    def take_over(self, namespace: str, cluster: str) -> None:
        """Leave a Cluster's status to the test."""
        self._own.add((namespace, cluster))

    def sleep(self, namespace: str = EVERYWHERE) -> None:
        """Do nothing at all: CloudNativePG is down."""
        self._asleep.add(namespace)

    def wake(self, namespace: str = EVERYWHERE) -> None:
        """Work again, on everything there is."""
        self._asleep.discard(namespace)
        self._loop.call_soon_threadsafe(self._look_at_all, namespace)

    def plug(self, namespace: str) -> None:
        """Have the Barman Cloud plugin again."""
        self.barman.plug(namespace)
        self._loop.call_soon_threadsafe(self._look_at_all, namespace)

    def _ask(self, asked: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(asked, self._loop).result(10)

    async def _stop_at(self, place: Place, step: int) -> None:
        self._last_step[place] = step

    async def _go_on(self, place: Place) -> None:
        self._own.discard(place)
        self._last_step.pop(place, None)
        self._look(Ref(known.CLUSTER, *place))

    def stiffen(self, namespace: str) -> None:
        """Let no volume there become larger, whatever its class promises."""
        self._stiff.add(namespace)

    # the thread -----------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._main = self._loop.create_task(self._watch_all())
        with suppress(asyncio.CancelledError):
            self._loop.run_until_complete(self._main)
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.run_until_complete(asyncio.sleep(0.1))  # TLS connections close in the loop
        self._loop.close()

    async def _watch_all(self) -> None:
        async with (
            Api(self._kubeconfig, connections=self._connections) as self._api,
            asyncio.TaskGroup() as tasks,
        ):
            for kind, query in WATCHED.items():
                tasks.create_task(self._watch(kind, query))

    async def _watch(self, kind: Kind, query: str) -> None:
        async for event, obj in self._api.watch(kind, query):
            key = Ref.of(kind, obj)
            if event == "DELETED":
                self._objects.pop(key, None)
            else:
                self._objects[key] = obj
                if kind == known.CLUSTER:
                    self.barman.saw(obj)
            self._look(key)
            if kind == known.CLUSTER:
                for schedule in self._unmade.pop((key.namespace, key.name), ()):
                    self._look(schedule)

    def _look_at_all(self, namespace: str) -> None:
        for key in list(self._objects):
            if namespace in (EVERYWHERE, key.namespace):
                self._look(key)

    def _sleeps(self, namespace: str) -> bool:
        return not self._asleep.isdisjoint((EVERYWHERE, namespace))

    def _look(self, key: Ref) -> None:
        """Work on the object; once more when it is being worked on."""
        if key.kind in BY_THE_WAY or self._is_played_by_others(key):
            return
        if key.kind == known.DEPLOYMENT:
            key = key._replace(kind=known.POOLER)
        if key in self._busy:
            self._again.add(key)
            return
        self._busy[key] = self._loop.create_task(self._work(key))

    def _is_played_by_others(self, key: Ref) -> bool:
        """Whether it is a Backup that tests complete by themselves."""
        return key.kind == known.BACKUP and not self.barman.keeps(key.namespace)

    async def _work(self, key: Ref) -> None:
        work = {
            known.CLUSTER: self._cluster,
            known.POOLER: self._pooler,
            known.SCHEDULED_BACKUP: self._schedule,
            known.BACKUP: self._backup,
        }[key.kind]
        try:
            obj = self._objects.get(key)
            if obj and not self._sleeps(key[1]) and not obj["metadata"].get("deletionTimestamp"):
                await work(obj)
        except (ApiError, aiohttp.ClientError, OSError):
            self._loop.call_later(0.2, self._look, key)
        finally:
            del self._busy[key]
            if key in self._again:
                self._again.discard(key)
                self._look(key)

    # Clusters -------------------------------------------------------------------------------------

    async def _cluster(self, obj: Object) -> None:
        place = (obj["metadata"]["namespace"], obj["metadata"]["name"])
        if place in self._own or await self._lacks_its_plugin(obj):
            return
        versions = await self._cluster_secrets(obj)
        await self._volume_claims(obj)
        await self._account(obj)
        spec, status = _summary(obj), obj.get("status") or {}
        spec["outdated"] = not all(self._pod_is_right(obj, name) for name in _pods(obj))
        if status.get("phase") == script.HEALTHY:
            steps = script.change(spec, status)
            if status.get("secretsResourceVersion") != versions:
                steps.insert(0, {"secretsResourceVersion": versions})
        else:
            steps = script.birth(spec, versions)
            if not await self._restored(obj):
                steps = script.until_restored(steps)
            steps = script.left(steps[: self._last_step.get(place)], status)
        for step in steps:
            await asyncio.sleep(self._pace)
            if place in self._own:  # since the last look; what is under way comes before the test's
                return
            for name in step.get("instancesStatus", {}).get("healthy", ()):
                await self._pod(obj, name)
            await self._status(known.CLUSTER, obj, step)
        await self._scale_down(obj)
        latest = self._objects.get(Ref.of(known.CLUSTER, obj), obj)
        if latest["metadata"]["uid"] == obj["metadata"]["uid"]:
            self.barman.archive(latest)

    async def _status(self, kind: Kind, obj: Object, patch: Object) -> None:
        key = Ref.of(kind, obj)
        latest = self._objects.get(key, obj)["metadata"]
        if latest["uid"] != obj["metadata"]["uid"]:
            raise ApiError(409, b"another object has taken the name")
        # A uid would not do: the API server does not look at it in a patch of the status
        body = {"metadata": {"resourceVersion": latest["resourceVersion"]}, "status": patch}
        self._objects[key] = await self._api.patch(*key, body, "status")

    async def _cluster_secrets(self, obj: Object) -> Object:
        name = obj["metadata"]["name"]
        begun = obj["spec"].get("bootstrap", {})
        user = (begun.get("initdb") or begun.get("recovery") or {}).get("owner", "app")
        application = {"username": user, "password": secrets.token_urlsafe(24), "dbname": user}
        authority = {"ca.crt": f"-----BEGIN CERTIFICATE-----\n{name}\n", "ca.key": "none"}
        app = await self._secret(obj, f"{name}-app", application)
        ca = await self._secret(obj, f"{name}-ca", authority)
        server = await self._secret(obj, f"{name}-server", {"tls.crt": "none", "tls.key": "none"})
        return {
            "applicationSecretVersion": app,
            "serverCaSecretVersion": ca,
            "serverSecretVersion": server,
        }

    async def _secret(self, owner: Object, name: str, entries: dict[str, str]) -> str:
        """The Secret's version; created when it is missing, waited for while an old one goes."""
        namespace = owner["metadata"]["namespace"]
        found = await self._api.get(known.SECRET, namespace, name)
        if found is None:
            data = {k: base64.b64encode(v.encode()).decode() for k, v in entries.items()}
            metadata = _owned(owner, known.CLUSTER, name)
            found = await self._api.create(known.SECRET, {"metadata": metadata, "data": data})
        elif any(
            each["uid"] != owner["metadata"]["uid"] for each in owners(found, known.CLUSTER)
        ):  # one that is no Cluster's is taken as it is
            raise ApiError(409, b"the Secret of an earlier Cluster is still there")
        version: str = found["metadata"]["resourceVersion"]
        return version

    async def _volume_claims(self, obj: Object) -> None:
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        for number in _instances(obj):
            self._most_claims[obj["metadata"]["uid"]] = max(number, self._most(obj))
            claim = await self._api.get(known.CLAIM, namespace, f"{name}-{number}")
            if claim is None:
                claim = await self._api.create(known.CLAIM, _claim(obj, f"{name}-{number}"))
            if claim["metadata"].get("deletionTimestamp"):
                raise ApiError(409, b"the claim of an instance that was there is still going")
            await self._volume(obj["spec"]["storage"], claim)

    async def _volume(self, storage: Object, claim: Object) -> None:
        """Make the volume, or a larger one; the API server refuses what the class does not allow.

        Refused, CloudNativePG gets no further with the Cluster: it tries again for ever.
        """
        place = claim["metadata"]["namespace"], claim["metadata"]["name"]
        if not claim["status"].get("capacity"):
            claim = await self._bound(claim)
        wanted, requested = storage["size"], claim["spec"]["resources"]["requests"]["storage"]
        larger = quantity.parse(wanted) > quantity.parse(requested)
        if larger and storage.get("resizeInUseVolumes", True):
            body = {"spec": {"resources": {"requests": {"storage": wanted}}}}
            claim = await self._api.patch(known.CLAIM, *place, body)
            if place[0] not in self._stiff:
                await self._bound(claim)

    async def _bound(self, claim: Object) -> Object:
        """Have a volume of the size that the claim asks for."""
        metadata, requests = claim["metadata"], claim["spec"]["resources"]["requests"]
        status = {"phase": "Bound", "capacity": requests}
        place = metadata["namespace"], metadata["name"]
        return await self._api.patch(known.CLAIM, *place, {"status": status}, "status")

    async def _account(self, obj: Object) -> None:
        """The ServiceAccount, with what the Cluster wants on it."""
        metadata = _owned(obj, known.CLUSTER, obj["metadata"]["name"])
        metadata["labels"] |= obj["spec"].get("inheritedMetadata", {}).get("labels", {})
        template = obj["spec"].get("serviceAccountTemplate", {}).get("metadata", {})
        metadata["annotations"] = template.get("annotations", {})
        await self._carried(known.ACCOUNT, obj, {"metadata": metadata})

    async def _carried(self, kind: Kind, owner: Object, body: Object) -> None:
        """An object whose metadata follow those of its owner's spec."""
        metadata, key = body["metadata"], Ref.of(kind, body)
        found = await self._found(key, owner)
        if found is None:
            self._objects[key] = await self._api.create(kind, body)
        else:
            wanted = {field: metadata.get(field, {}) for field in ("labels", "annotations")}
            if not script.holds(wanted, found["metadata"]):
                patch = {"metadata": wanted}
                self._objects[key] = await self._api.patch(*key, patch)

    async def _found(self, key: Ref, owner: Object) -> Object | None:
        """What the owner has there; raises ApiError while that is an earlier owner's."""
        found = self._objects.get(key)
        if found and not _owns(owner, found):
            # Its deletion is not told of when the watch had to begin anew meanwhile
            found = await self._api.get(*key)
            if found and not _owns(owner, found):
                raise ApiError(409, b"one of an earlier owner is still there")
        return found

    def _pod_is_right(self, obj: Object, name: str) -> bool:
        found = self._objects.get(Ref(known.POD, obj["metadata"]["namespace"], name))
        return found is not None and found["metadata"]["annotations"] == _pod_asked(obj)

    async def _pod(self, obj: Object, name: str) -> None:
        """An instance's pod as the Cluster says, ready; made anew where it is not."""
        key = Ref(known.POD, obj["metadata"]["namespace"], name)
        found = await self._found(key, obj)
        if found and not self._pod_is_right(obj, name):
            await self._api.delete(*key)
            found = None
        if found is None:
            found = await self._api.create(known.POD, _pod(obj, name))
        ready = [{"type": "Ready", "status": "True"}]
        if (found.get("status") or {}).get("phase") != "Running":
            status = {"status": {"phase": "Running", "conditions": ready}}
            found = await self._api.patch(*key, status, "status")
        self._objects[key] = found

    async def _scale_down(self, obj: Object) -> None:
        """Without the claims and the pods of instances that the Cluster has no more."""
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        for number in range(len(_instances(obj)) + 1, self._most(obj) + 1):
            await self._api.delete(known.CLAIM, namespace, f"{name}-{number}")
        self._most_claims[obj["metadata"]["uid"]] = len(_instances(obj))
        for (kind, space, pod), found in list(self._objects.items()):
            if (kind, space) != (known.POD, namespace) or pod in _pods(obj):
                continue
            labels = found["metadata"]["labels"]
            instance = labels.get("cnpg.io/podRole") == "instance"  # and no pod of a Job
            if instance and labels.get("cnpg.io/cluster") == name:
                await self._api.delete(known.POD, namespace, pod)

    def _most(self, obj: Object) -> int:
        return self._most_claims.get(obj["metadata"]["uid"], 0)

    # backups --------------------------------------------------------------------------------------

    async def _schedule(self, obj: Object) -> None:
        """The first backup, at once, as CloudNativePG and the plugin make and report it."""
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        place = namespace, obj["spec"]["cluster"]["name"]
        cluster = self._objects.get(Ref(known.CLUSTER, *place))
        told = archiver_of(cluster)
        if script.is_idle(obj):
            return
        if cluster is None or told is None:
            self._unmade.setdefault(place, set()).add(Ref.of(known.SCHEDULED_BACKUP, obj))
            return
        now = datetime.fromisoformat(obj["metadata"]["creationTimestamp"])
        metadata = _owned(cluster, known.CLUSTER, f"{name}-{now:%Y%m%d%H%M%S}")
        spec = {key: obj["spec"][key] for key in ("cluster", "method", "pluginConfiguration")}
        kind = {"apiVersion": known.BACKUP.api_version, "kind": known.BACKUP.name}
        backup = await self._api.get(known.BACKUP, namespace, metadata["name"])
        if backup is None:  # it is there when only what follows has failed before
            backup = kind | {"metadata": metadata, "spec": spec}
            backup = await self._api.create(known.BACKUP, backup)
        if self.barman.keeps(namespace):
            await self._status(known.SCHEDULED_BACKUP, obj, script.scheduled(now))
            return
        await self._status(known.BACKUP, backup, script.backup(now))
        if await self._api.get(known.BARMAN_STORE, namespace, told.store):
            window = {"status": script.window(told.archive, now)}
            await self._api.patch(known.BARMAN_STORE, namespace, told.store, window, "status")
        await self._status(known.SCHEDULED_BACKUP, obj, script.scheduled(now))

    async def _backup(self, obj: Object) -> None:
        """Make one Backup, once there is something to back up."""
        namespace = obj["metadata"]["namespace"]
        if (obj.get("status") or {}).get("phase") in ("completed", "failed"):
            return
        place = Ref(known.CLUSTER, namespace, obj["spec"]["cluster"]["name"])
        cluster = self._objects.get(place)
        if cluster is None or not is_up(cluster):
            waiting = self._unmade.setdefault((place.namespace, place.name), set())
            waiting.add(Ref.of(known.BACKUP, obj))
            return
        status = await self.barman.back_up(self._api, cluster)
        await self._status(known.BACKUP, obj, status)
        if status["phase"] == "completed":
            await self.barman.tell(self._api, cluster)

    async def _lacks_its_plugin(self, obj: Object) -> bool:
        """Whether CloudNativePG can do nothing about a Cluster for want of the plugin."""
        missed = self.barman.is_missed(obj)
        if missed and not script.holds(script.UNPLUGGED, obj.get("status") or {}):
            await self._status(known.CLUSTER, obj, script.UNPLUGGED)
        return missed

    async def _restored(self, obj: Object) -> bool:
        """Whether a Cluster has its data; one that is restored from what is not there fails."""
        if await self.barman.restore(self._api, obj):
            return True
        for number in range(RESTORE_PODS):
            pod = f"{obj['metadata']['name']}-1-full-recovery-{obj['metadata']['uid'][:5]}{number}"
            key = Ref(known.POD, obj["metadata"]["namespace"], pod)
            if await self._found(key, obj) is None:
                await self._try_to_restore(obj, key)
                break
        self._loop.call_later(RESTORE_SECONDS, self._look, Ref.of(known.CLUSTER, obj))
        return False

    async def _try_to_restore(self, obj: Object, key: Ref) -> None:
        """One more pod that has failed."""
        body = _pod(obj, key.name)
        body["metadata"]["labels"] |= {"cnpg.io/jobRole": "full-recovery"}
        body["metadata"]["labels"].pop("cnpg.io/podRole")
        await self._api.create(known.POD, body)
        failed = {"status": {"phase": "Failed"}}
        self._objects[key] = await self._api.patch(*key, failed, "status")

    # Poolers --------------------------------------------------------------------------------------

    async def _pooler(self, obj: Object) -> None:
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        count = obj["spec"].get("instances", 1)
        deployment = await self._api.get(known.DEPLOYMENT, namespace, name)
        if deployment is None:
            deployment = await self._api.create(known.DEPLOYMENT, _deployment(obj, count))
        elif deployment["metadata"]["ownerReferences"][0]["uid"] != obj["metadata"]["uid"]:
            raise ApiError(409, b"the Deployment of an earlier Pooler is still there")
        elif deployment["spec"]["replicas"] != count:
            body = {"spec": {"replicas": count}}
            deployment = await self._api.patch(known.DEPLOYMENT, namespace, name, body)
        elif deployment["spec"]["template"]["spec"]["containers"][0]["resources"] != _wanted(obj):
            template = _deployment(obj, count)["spec"]["template"]
            body = {"spec": {"template": template}}
            deployment = await self._api.patch(known.DEPLOYMENT, namespace, name, body)
        await self._service(obj)
        await asyncio.sleep(self._pace)
        wanted = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": count,
            "updatedReplicas": count,
            "readyReplicas": count,
            "availableReplicas": count,
        }
        if not script.holds(wanted, deployment.get("status") or {}):
            await self._status(known.DEPLOYMENT, deployment, wanted)
        told = {"phase": "active", "instances": count, "secrets": await self._served(obj)}
        if not script.holds(told, obj.get("status") or {}):
            await self._status(known.POOLER, obj, told)

    async def _served(self, pooler: Object) -> Object:
        """The Secrets as they are when the Pooler is looked at: by themselves they wake nobody."""
        made: Object = {}
        for place, kind in (("serverCA", "ca"), ("clientTLS", "server")):
            name = f"{pooler['spec']['cluster']['name']}-{kind}"
            found = await self._api.get(known.SECRET, pooler["metadata"]["namespace"], name)
            if found:
                made[place] = {"name": name, "version": found["metadata"]["resourceVersion"]}
        return made

    async def _service(self, obj: Object) -> None:
        """The Pooler's Service; Kubernetes makes its EndpointSlice, with the same labels."""
        metadata = _owned(obj, known.POOLER, obj["metadata"]["name"])
        template = obj["spec"].get("serviceTemplate", {}).get("metadata", {})
        metadata["labels"] |= template.get("labels", {})
        spec = {
            "clusterIP": "None",
            "selector": {"cnpg.io/poolerName": obj["metadata"]["name"]},
            "ports": [{"name": "pgbouncer", "port": 5432}],
        }
        await self._no_slices_of_an_earlier(metadata)
        await self._carried(SERVICE, obj, {"metadata": metadata, "spec": spec})

    async def _no_slices_of_an_earlier(self, service: Object) -> None:
        """Raises ApiError while slices of an earlier Service of that name are there, and none now.

        Kubernetes would take them for the new one's and make no others when they are gone, until
        the Service's pods change. Those of a real Pooler do; here there are none.
        """
        namespace, name = service["namespace"], service["name"]
        if Ref(SERVICE, namespace, name) in self._objects:
            return
        query = f"labelSelector={names.SERVICE_LABEL}={name}"
        if await self._api.list(known.ENDPOINTS, namespace, query):
            raise ApiError(409, b"EndpointSlices of an earlier Service are still there")


def _owns(owner: Object, obj: Object) -> bool:
    return bool(obj["metadata"]["ownerReferences"][0]["uid"] == owner["metadata"]["uid"])


def _pods(cluster: Object) -> list[str]:
    """The names of its instances' pods."""
    return [f"{cluster['metadata']['name']}-{number}" for number in _instances(cluster)]


def _instances(cluster: Object) -> range:
    """The numbers of its instances."""
    return range(1, cluster["spec"].get("instances", 1) + 1)


def _pod_asked(cluster: Object) -> Object:
    """The annotation in which CloudNativePG keeps what it made a pod from."""
    spec = cluster["spec"]
    container = {"name": "postgres", "image": spec.get("imageName", "postgresql:17")}
    container |= {
        "resources": spec.get("resources", {}),
        "startupProbe": PROBED | spec.get("probes", {}).get("startup", {}),
    }
    asked = {
        "containers": [container],
        "terminationGracePeriodSeconds": spec.get("stopDelay", 1800),
    }
    if archiver_of(cluster):
        asked["initContainers"] = [SIDECAR]
    return {"cnpg.io/podSpec": json.dumps(asked)}


def _pod(cluster: Object, name: str) -> Object:
    metadata = _owned(cluster, known.CLUSTER, name)
    metadata["labels"] |= {"cnpg.io/podRole": "instance"}
    metadata["annotations"] = _pod_asked(cluster)
    spec = json.loads(metadata["annotations"]["cnpg.io/podSpec"])
    account = {"serviceAccountName": cluster["metadata"]["name"]}
    return {"metadata": metadata, "spec": spec | account | {"automountServiceAccountToken": False}}


def _wanted(pooler: Object) -> Object:
    """The resources of the pooler's container."""
    resources: Object = pooler["spec"]["template"]["spec"]["containers"][0].get("resources", {})
    return resources


def _summary(obj: Object) -> Object:
    image = obj["spec"].get("imageName", "postgresql:17")
    return {
        "name": obj["metadata"]["name"],
        "instances": obj["spec"].get("instances", 1),
        "image": image,
        "major": int(image.rpartition(":")[2].partition("-")[0]),
    }


def _owned(owner: Object, kind: Kind, name: str) -> Object:
    metadata = owner["metadata"]
    reference = {
        "apiVersion": kind.api_version,
        "kind": kind.name,
        "name": metadata["name"],
        "uid": metadata["uid"],
        "controller": True,
    }
    return {
        "name": name,
        "namespace": metadata["namespace"],
        "labels": OPERATOR_LABEL | {"cnpg.io/cluster": metadata["name"]},
        "ownerReferences": [reference],
    }


def _claim(cluster: Object, name: str) -> Object:
    """The claim for an instance's data; without a class it gets the default."""
    storage, metadata = cluster["spec"]["storage"], _owned(cluster, known.CLUSTER, name)
    metadata["labels"] |= {"cnpg.io/pvcRole": "PG_DATA"}
    spec = {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": storage["size"]}},
    }
    if "storageClass" in storage:
        spec["storageClassName"] = storage["storageClass"]
    return {"metadata": metadata, "spec": spec}


def _deployment(pooler: Object, count: int) -> Object:
    labels = {"cnpg.io/poolerName": pooler["metadata"]["name"]}
    metadata = _owned(pooler, known.POOLER, pooler["metadata"]["name"])
    metadata["labels"] |= labels
    container: Object = {"name": "pgbouncer", "image": "ghcr.io/cloudnative-pg/pgbouncer:1.25.1"}
    container |= {"resources": _wanted(pooler)}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    selector = {"matchLabels": labels}
    return {
        "metadata": metadata,
        "spec": {"replicas": count, "selector": selector, "template": template},
    }
