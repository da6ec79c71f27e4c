"""The API server as a dict behind the methods of `kube.Requests`.

It behaves as the real one as far as the passes need it: server-side apply, preconditions,
finalizers, owners, and nothing written that does not differ.
"""

from collections.abc import AsyncIterator, Callable
from itertools import count
from typing import Any

from daap_operator import names
from daap_operator.engine.kinds import Ref, selects
from daap_operator.kinds import known
from daap_operator.kube import EVENT, Kind, Propagation
from daap_operator.kube.protocols import LOG_LINES
from tests.unit import server_side_apply as field_owners
from tests.unit.fakes import Clock, refused
from tests.unit.server_side_apply import copied

Object = dict[str, Any]
Place = tuple[Kind, str, str]
"""A Ref, or a tuple that is equal to one."""

NAMESPACE = "shop"
"""Where an object of a kind that is in namespaces is, unless it says otherwise."""

CLASS = "standard"
"""The StorageClass that there is; its volumes can grow."""

FOREGROUND = "foregroundDeletion"
"""The finalizer of an object that goes after what it owns."""
DEFAULT_PROPAGATION: dict[str, Propagation] = {"Job": "Orphan"}
"""What the API server does for a kind when it is not told: with all others what is owned goes."""


class Listed(list[Object]):
    """A page of a LIST."""

    def __init__(self, objects: list[Object], version: int) -> None:
        super().__init__(objects)
        self.version = version


class FakeKube:
    """The API server as a dict."""

    def __init__(self, clock: Clock) -> None:
        self.objects: dict[Place, Object] = {}
        """Those of the users, the operator and CloudNativePG."""
        self.given: dict[Place, Object] = {
            Ref(known.STORAGE_CLASS, "", CLASS): {"allowVolumeExpansion": True}
        }
        """The platform's, which are there before all others."""
        self.requests: list[str] = []
        """Every request, as in `create Cluster daap-orders`."""
        self.refusals: dict[str, Exception] = {}
        """What is raised instead of an answer, by request."""
        self.missing: set[Kind] = set()
        """Kinds whose CRD is not installed."""
        self.terminating: set[str] = set()
        """Namespaces in which nothing can be created any more."""
        self.without_quota: set[str] = set()
        """Namespaces whose ResourceQuota allows no Cluster."""
        self.after_write: Callable[[], None] = lambda: None
        """Called when a request of the operator has changed something, before it is answered."""
        self.changes: list[tuple[Kind, Object | None, Object | None]] = []
        """What was there before and after each change, for the watches."""
        self.logs: dict[tuple[str, str, str], str] = {}
        """What containers have written, by namespace, pod and container."""
        self.page = 500
        self._clock = clock
        self.version = 100
        """The resource version of the latest change or LIST."""
        self._uids = count(1)
        self._foreground: set[str] = set()
        """The uids of what was deleted so that what it owns goes first."""

    @property
    def writes(self) -> list[str]:
        """The requests that ask for a change."""
        return [r for r in self.requests if not r.startswith(("get ", "list "))]

    def one(self, kind: Kind, name: str, namespace: str = NAMESPACE) -> Object:
        """An object that is there."""
        return self.objects[_ref(kind, namespace, name)]

    def there(self, kind: Kind) -> list[str]:
        """The names of all objects of a kind."""
        return sorted(name for its, _, name in self.objects if its == kind)

    # what the operator asks for -------------------------------------------------------------------

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        self._ask("get", kind, name)
        ref = _ref(kind, namespace, name)
        return copied(self.objects.get(ref) or self.given.get(ref))

    async def pages(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
    ) -> AsyncIterator["Listed"]:
        self._ask("list metadata of" if metadata_only else "list", kind, namespace)
        if kind in self.missing:
            raise refused(404)
        where = _ref(kind, namespace, "").namespace
        found = [
            copied(obj)
            for (its, space, _), obj in self.objects.items()
            if its == kind and where in ("", space) and selects(selector, obj)
        ]
        if metadata_only:
            found = [{"metadata": obj["metadata"]} for obj in found]
        version = self._next_version()
        for start in range(0, max(len(found), 1), self.page):
            yield Listed(found[start : start + self.page], version)

    async def warnings(self, namespace: str) -> list[Object]:
        self._ask("list", EVENT, namespace)
        return [
            copied(obj)
            for (its, space, _), obj in self.objects.items()
            if its == EVENT and space == namespace and obj.get("type") == "Warning"
        ]

    async def log(self, namespace: str, pod: str, container: str, *, lines: int = LOG_LINES) -> str:
        self._ask("get", known.POD, f"{pod} log")
        written = self.logs.get((namespace, pod, container), "")
        return "\n".join(written.splitlines()[-lines:])

    async def create(self, kind: Kind, manifest: Object) -> Object:
        place = self._asked("create", kind, manifest)
        self._require_kind(kind)
        if place in self.objects:
            raise refused(409, "the object has been modified", "Conflict")
        self._require_namespace(place)
        if kind.name == "Cluster" and place.namespace in self.without_quota:
            raise refused(403, f"clusters {place.name!r} is forbidden: exceeded quota: databases")
        made = field_owners.apply(None, manifest, names.FIELD_MANAGER)
        return self._answer(self._store(kind, None, self._born(made)))

    async def apply(self, kind: Kind, manifest: Object, *, uid: str, version: str = "") -> Object:
        place = self._asked("apply", kind, manifest)
        self._require_kind(kind)
        live = self.objects.get(place)
        if live is None:
            raise refused(409, "UID in precondition does not match", "Conflict")
        if live["metadata"]["uid"] != uid:
            causes = [{"field": "metadata.uid", "reason": "FieldValueInvalid"}]
            raise refused(422, "field is immutable", "Invalid", causes=causes)
        if version:
            self._live(place, version)
        made = field_owners.apply(live, manifest, names.FIELD_MANAGER)
        return self._answer(self._store(kind, live, made))

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str,
        version: str = "",
        propagation: Propagation | None = None,
    ) -> Object | None:
        self._ask("delete", kind, name)
        place = _ref(kind, namespace, name)
        live = self.objects.get(place)
        if live is not None and version:
            self._live(place, version)
        if live is None or live["metadata"]["uid"] != uid:
            return None
        self.delete_object(kind, name, namespace, propagation)
        self.after_write()
        return copied(self.objects.get(place))

    async def create_plain(self, kind: Kind, manifest: Object) -> Object:
        place = self._asked("create", kind, manifest)
        if place in self.objects:
            raise refused(409, "already exists", "AlreadyExists")
        self._require_namespace(place)
        return self._answer(self._store(kind, None, self._born(copied(manifest))))

    async def replace(self, kind: Kind, manifest: Object, *, version: str) -> Object:
        place = self._asked("replace", kind, manifest)
        live = self._live(place, version)
        if live.get("type") != manifest.get("type"):
            raise refused(422, "type: field is immutable", "Invalid")
        return self._answer(self._store(kind, live, copied(manifest)))

    async def disown(
        self, kind: Kind, found: Object, *, owners: list[Any], annotations: dict[str, str]
    ) -> Object:
        place = self._asked("disown", kind, found)
        made = copied(self._live(place, found["metadata"]["resourceVersion"]))
        made["metadata"].pop("ownerReferences", None)
        made["metadata"].setdefault("annotations", {}).update(annotations)
        if owners:
            made["metadata"]["ownerReferences"] = owners
        made = field_owners.updated(self.objects[place], made, "merge")
        return self._answer(self._store(kind, self.objects[place], made))

    async def set_finalizers(
        self, kind: Kind, namespace: str, name: str, finalizers: list[str], *, version: str
    ) -> Object:
        self._ask("finalizers of", kind, name)
        live = self._live(_ref(kind, namespace, name), version)
        made = copied(live)
        made["metadata"]["finalizers"] = list(finalizers)
        return self._answer(self._store(kind, live, made))

    async def write_status(
        self, kind: Kind, namespace: str, name: str, status: Object, *, version: str
    ) -> Object:
        self._ask("status of", kind, name)
        live = self._live(_ref(kind, namespace, name), version)
        made = copied(live) | {"status": merged(live.get("status", {}), status)}
        types = [condition["type"] for condition in made["status"].get("conditions", ())]
        if len(types) != len(set(types)):
            raise refused(422, "status.conditions: Duplicate value", "Invalid")
        return self._answer(self._store(kind, live, made))

    # what others do -------------------------------------------------------------------------------

    def add(self, kind: Kind, obj: Object) -> Object:
        """Somebody creates an object."""
        made = copied(obj)
        metadata = made.setdefault("metadata", {})
        if kind.namespaced:
            metadata.setdefault("namespace", NAMESPACE)
        if kind.group == names.GROUP:  # as the CRDs of our kinds say
            made.setdefault("status", {"observedGeneration": -1})
        made = field_owners.updated({"metadata": dict(metadata)}, made, "kubectl")
        return copied(self._store(kind, None, self._born(made)))

    def change(
        self,
        kind: Kind,
        name: str,
        edit: Callable[[Object], object],
        namespace: str = NAMESPACE,
    ) -> None:
        """Somebody edits an object; what they change is theirs."""
        live = self.objects[_ref(kind, namespace, name)]
        made = copied(live)
        edit(made)
        if any(made.get(field) != live.get(field) for field in made | live if field != "status"):
            made = field_owners.updated(live, made, "kubectl-edit")
        self._store(kind, live, made)

    def delete_object(
        self,
        kind: Kind,
        name: str,
        namespace: str = NAMESPACE,
        propagation: Propagation | None = None,
    ) -> None:
        """Somebody deletes an object; its finalizers hold it."""
        live = self.objects[_ref(kind, namespace, name)]
        made = copied(live)
        if (propagation or DEFAULT_PROPAGATION.get(kind.name)) == "Orphan":
            for owned_kind, owned in self._owned(live):
                self.change(owned_kind, owned["metadata"]["name"], _orphan, namespace)
        elif propagation == "Foreground":
            made["metadata"]["finalizers"] = [*made["metadata"].get("finalizers", []), FOREGROUND]
            self._foreground.add(live["metadata"]["uid"])
        if "deletionTimestamp" not in made["metadata"]:
            made["metadata"]["deletionTimestamp"] = stamp(self._clock)
            made["metadata"]["generation"] += 1
        self._store(kind, live, made)

    def collect_garbage(self) -> None:
        """Delete every object whose owners are all gone, again and again."""
        uids = {obj["metadata"]["uid"] for obj in self.objects.values()}
        for (kind, namespace, name), obj in list(self.objects.items()):
            owners = obj["metadata"].get("ownerReferences", ())
            if owners and all(owner["uid"] not in uids for owner in owners):
                self.delete_object(kind, name, namespace)
            elif obj["metadata"]["uid"] in self._foreground:
                self._delete_in_foreground(kind, obj)
        if uids != {obj["metadata"]["uid"] for obj in self.objects.values()}:
            self.collect_garbage()

    def _delete_in_foreground(self, kind: Kind, obj: Object) -> None:
        """Let what an object owns go first, then the object."""
        name, namespace = obj["metadata"]["name"], obj["metadata"]["namespace"]
        for owned_kind, owned in self._owned(obj):
            self.delete_object(owned_kind, owned["metadata"]["name"], namespace)
        if not self._owned(obj):
            self._foreground.discard(obj["metadata"]["uid"])
            self.change(kind, name, _end_foreground, namespace)

    def _owned(self, owner: Object) -> list[tuple[Kind, Object]]:
        uid = owner["metadata"]["uid"]
        return [
            (kind, obj)
            for (kind, _, _), obj in self.objects.items()
            if any(each["uid"] == uid for each in obj["metadata"].get("ownerReferences", ()))
        ]

    # ----------------------------------------------------------------------------------------------

    def _asked(self, verb: str, kind: Kind, manifest: Object) -> Ref:
        self._ask(verb, kind, manifest["metadata"]["name"])
        return Ref.of(kind, manifest)

    def _ask(self, verb: str, kind: Kind, name: str) -> None:
        request = f"{verb} {kind.name} {name}".rstrip()
        self.requests.append(request)
        if request in self.refusals:
            raise self.refusals[request]

    def _answer(self, made: Object) -> Object:
        self.after_write()
        return copied(made)

    def _live(self, place: Place, version: str) -> Object:
        live = self.objects.get(place)
        if live is None:
            raise refused(404, "not found", "NotFound")
        if live["metadata"]["resourceVersion"] != version:
            raise refused(409, "the object has been modified", "Conflict")
        return live

    def _require_kind(self, kind: Kind) -> None:
        if kind in self.missing:
            raise refused(404, "the server could not find the requested kind", "NotFound")

    def _require_namespace(self, place: Ref) -> None:
        if place.namespace in self.terminating:
            causes = [{"reason": "NamespaceTerminating"}]
            raise refused(403, "namespace is being terminated", "Forbidden", causes=causes)

    def _born(self, made: Object) -> Object:
        made["metadata"] |= {
            "uid": f"00000000-0000-4000-8000-{next(self._uids):012}",
            "creationTimestamp": stamp(self._clock),
            "generation": 1,
        }
        return made

    def _next_version(self) -> int:
        self.version += 1
        return self.version

    def _store(self, kind: Kind, live: Object | None, made: Object) -> Object:
        """Keep a new or changed object, unless it is as it was, or its deletion is complete."""
        if live == made:
            return made
        metadata = made["metadata"]
        place = Ref.of(kind, made)
        if live is not None and live.get("spec") != made.get("spec"):
            metadata["generation"] = live["metadata"]["generation"] + 1
        metadata["resourceVersion"] = str(self._next_version())
        gone = "deletionTimestamp" in metadata and not metadata.get("finalizers")
        if gone:
            del self.objects[place]
        else:
            self.objects[place] = made
        self.changes.append((kind, live, None if gone else made))
        if gone:
            self.changes[-1] = (kind, made, None)
        return made


def _orphan(obj: Object) -> None:
    del obj["metadata"]["ownerReferences"]


def _end_foreground(obj: Object) -> None:
    obj["metadata"]["finalizers"].remove(FOREGROUND)


def _ref(kind: Kind, namespace: str, name: str) -> Ref:
    """Where the API server has an object: what is asked of a kind in no namespace names none."""
    return Ref(kind, namespace if kind.namespaced else "", name)


def merged(before: Any, patch: Any) -> Any:
    """What a JSON merge patch makes of a value: RFC 7386, section 2, word by word."""
    if not isinstance(patch, dict):
        return patch
    made = dict(before) if isinstance(before, dict) else {}
    for name, value in patch.items():
        if value is None:
            made.pop(name, None)
        else:
            made[name] = merged(made.get(name), value)
    return made


def stamp(clock: Clock) -> str:
    """The time as it stands in metadata."""
    return clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
