"""The chart's admission policies on a control plane, and the people they judge."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import yaml

from daap_operator.kinds import known
from daap_operator.kinds.database import ownership
from dev.cluster import ControlPlane
from dev.installation import NAMESPACE, RELEASE
from tests.support.admission_objects import CLAIMS_OF, SECRETS_OF, claim, labelled, secret
from tests.support.api import MERGE, Api, ApiError, Object, path
from tests.support.daapbackups import backup
from tests.support.databases import Databases, database
from tests.support.eventually import eventually
from tests.support.helm import render

POLICY = "ValidatingAdmissionPolicy"
BINDING = "ValidatingAdmissionPolicyBinding"

PROTECTION = f"{RELEASE}-deletion-protection"
CHILDREN = f"{PROTECTION}-children"
NAMESPACES = f"{PROTECTION}-namespaces"
CLAIMS = f"{PROTECTION}-claims"
SECRETS = f"{PROTECTION}-secrets"
MARKS = f"{RELEASE}-marks"
MARKS_OF_SECRETS = f"{MARKS}-secrets"
MARKS_OF_BACKUPS = f"{MARKS}-backups"
MARKS_OF_DRILLS = f"{MARKS}-drills"
MARKS_OF_SCHEMAS = f"{MARKS}-schemas"
METADATA = f"{RELEASE}-metadata"
NAMES = f"{RELEASE}-names"
LABELS = {
    "deployments": f"{RELEASE}-labels-deployments",
    "services": f"{RELEASE}-labels-services",
    "endpointslices": f"{RELEASE}-labels-endpoints",
}
OWNERSHIP = f"{RELEASE}-ownership"
MEMBERS = f"{OWNERSHIP}-members"
REFERENCES = f"{OWNERSHIP}-references"
SOURCES = f"{RELEASE}-sources"
VERSIONS = f"{RELEASE}-postgres-versions"
CRDS = f"{RELEASE}-crd-protection"
BOUNDED = (
    "secrets",
    "clusters",
    "poolers",
    "scheduledbackups",
    "databases",
    "leases",
    "backups",
    "daapbackups",
    "networkpolicies",
    "jobs",
    "daapdrills",
    "schemas",
)
BOUNDS = tuple(f"{RELEASE}-bounds-{kind}" for kind in BOUNDED)
BOUNDS_OF_DRILLS, BOUNDS_OF_SCHEMAS = f"{RELEASE}-bounds-jobs", f"{RELEASE}-bounds-schemas"
"""Of Jobs: whatever is not of a DaapSchema, and what is."""

CHILDREN_OF = {"clusters": "daap-{}", "poolers": "daap-{}-pooler"}
"""What a database's children are called, by plural."""

VALUES: Object = {
    "admission": {
        "ownership": {
            "membersOnly": True,
            "groupPrefix": "team:",
            "exemptGroups": ["system:masters", "platform"],
            "exemptServiceAccounts": ["argocd/argocd-application-controller"],
        },
        "labels": {"enabled": True},
    },
    "config": {"restore": {"acrossNamespaces": True}},
}
"""Everything switched on."""


Probe = Callable[[], Awaitable[object]]


@dataclass(frozen=True)
class Person:
    """Who asks; each of them may do everything by RBAC."""

    name: str
    groups: tuple[str, ...] = field(default=())


def account(namespace: str, name: str) -> Person:
    """A service account, as the API server knows it."""
    groups = ("system:serviceaccounts", f"system:serviceaccounts:{namespace}")
    return Person(f"system:serviceaccount:{namespace}:{name}", groups)


ADMIN = Person("admin", ("system:masters",))
PLATFORM = Person("paula", ("platform",))
MEMBER = Person("ann", ("team:checkout",))
OTHER = Person("bob", ("team:payments",))
BOTH = Person("eve", ("team:checkout", "team:payments"))
OPERATOR = account(NAMESPACE, RELEASE)
GITOPS = account("argocd", "argocd-application-controller")
STRANGER = account("elsewhere", RELEASE)
RESTORER = account("velero", "velero")
CNPG = account("cnpg-system", "cnpg-manager")
COLLECTOR = account("kube-system", "generic-garbage-collector")
NAMESPACE_CONTROLLER = account("kube-system", "namespace-controller")
CONTROLLER_MANAGER = Person("system:kube-controller-manager")

EVERYBODY_MAY = """
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everything}
rules:
  - apiGroups: ["*"]
    resources: ["*"]
    verbs: [get, list, watch, create, update, patch, delete, deletecollection]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: everybody}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: everything}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:authenticated"}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: velero}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: cluster-admin}
subjects: [{kind: ServiceAccount, name: velero, namespace: velero}]
"""
"""So that it is the policies that refuse, and nothing else. What everybody may not is to administer
databases: that verb is in no role but cluster-admin, which Velero's service account has."""


def policies(values: Object | None = None) -> list[Object]:
    """The chart's policies and bindings."""
    return [obj for obj in render(values) if obj["kind"] in (POLICY, BINDING)]


def apply(plane: ControlPlane, objects: list[Object]) -> None:
    """Apply objects as an administrator does."""
    plane.kubectl("apply", "--server-side", "-f", "-", input=yaml.safe_dump_all(objects))


async def refused(attempt: Callable[[], Awaitable[object]], policy: str) -> None:
    """Wait until that policy refuses what is tried: it reads what a watch brings it."""

    async def said() -> str:
        try:
            return await refusal(attempt())
        except ApiError as error:
            if UNREADY in error.message:
                return ""
            raise

    await eventually(said, lambda answer: f"'{policy}'" in answer)


UNREADY = "failed to configure"
"""What is said, with another code, while the kind or the objects a policy reads are not known."""


async def refusal(request: Awaitable[object]) -> str:
    """What the API server says against a request; empty when it passes."""
    try:
        await request
    except ApiError as error:
        if error.status != 403:
            raise
        return error.message
    return ""


async def delete(api: Api, plural: str, namespace: str, name: str, *, dry: bool = False) -> Object:
    """Delete, and raise ApiError whatever is in the way."""
    query = "?dryRun=All" if dry else ""
    return await api.call("DELETE", path(plural, namespace, name) + query)


async def until_deleted(api: Api, plural: str, namespace: str, name: str) -> None:
    """Delete as soon as it passes: what the API server knows of protections is a watch behind."""

    async def attempt() -> str:
        try:
            return await refusal(delete(api, plural, namespace, name))
        except ApiError as error:
            if error.status in (404, 409):  # gone, or under way
                return ""
            raise

    await eventually(attempt, lambda said: said == "")


def child(parent: Object, plural: str, name: str, **metadata: object) -> Object:
    """A child as the operator makes it, as far as the policies look at it."""
    uid, place = parent["metadata"]["uid"], parent["metadata"]["namespace"]
    owner = {"apiVersion": "daap.io/v1alpha1", "kind": "DaapDatabase", "uid": uid}
    specs: dict[str, Object] = {
        "clusters": {"instances": 1, "storage": {"size": "1Gi"}},
        "poolers": {
            "cluster": {"name": name.removesuffix("-pooler")},
            "pgbouncer": {"poolMode": "session"},
        },
        "scheduledbackups": {"cluster": {"name": name}, "schedule": "0 0 0 * * *"},
    }
    kinds = {"clusters": "Cluster", "poolers": "Pooler", "scheduledbackups": "ScheduledBackup"}
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": kinds[plural],
        "metadata": {
            "name": name,
            "namespace": place,
            "labels": ownership.labels(parent["metadata"]["name"], uid),
            "ownerReferences": [owner | {"name": parent["metadata"]["name"], "controller": True}],
            **metadata,
        },
        "spec": specs[plural],
    }


async def with_children(databases: Databases, name: str, **spec: object) -> Object:
    """A DaapDatabase with a Cluster and a Pooler, of which the API server's cache knows."""
    api, namespace = databases.api, databases.namespace
    parent = await databases.create(name, **spec)
    await served(databases, name)
    for plural, made in CHILDREN_OF.items():
        await api.create(plural, child(parent, plural, made.format(name)))
    if parent["spec"]["deletionProtection"]:
        await protection_known(api, namespace, name)
    return parent


async def served(databases: Databases, name: str) -> None:
    """Have the status say what the operator says of a database that serves."""
    told = {"clusterName": f"daap-{name}", "secretName": f"daap-{name}-connection"}
    status: Object = {"status": {"observedGeneration": 1, **told}}
    await databases.api.patch("daapdatabases", databases.namespace, name, status, "status")


async def with_data(databases: Databases, name: str, **spec: object) -> Object:
    """The same with claims and Secrets, as CloudNativePG and the operator make them."""
    parent = await with_children(databases, name, **spec)
    for made in CLAIMS_OF:
        await databases.api.create("persistentvolumeclaims", claim(databases, name, made))
    for made in SECRETS_OF:
        await databases.api.create("secrets", secret(parent, name, made.format(name)))
    return parent


async def protection_known(api: Api, namespace: str, name: str) -> None:
    """Wait until the API server's cache has a protection; all the policies read the same one."""
    cluster = CHILDREN_OF["clusters"].format(name)
    await refused(lambda: delete(api, "clusters", namespace, cluster, dry=True), CHILDREN)


async def in_force(api: Api, outsider: Api, operator: Api) -> None:
    """Wait until the API server goes by every policy: it takes them up one by one, within seconds.

    Tries in a namespace of its own, dry, what each of them has to refuse.
    """
    labels = {"daap.io/team": "checkout"}
    await api.create("namespaces", {"metadata": {"name": "probe", "labels": labels}})
    parent = await with_data(Databases(api, "probe"), "probe", deletionProtection=True)
    unmarked: Object = {"metadata": {"labels": {known.DATABASE.uid_label: None}}}
    foreign = database("probe", "foreign", ownerTeam="payments")
    create = path("daapdatabases", "probe") + "?dryRun=All"
    held = database("probe", "held")
    held["metadata"]["finalizers"] = [f"example.com/{number}" for number in range(17)]
    of_backups = path("daapbackups", "probe") + "?dryRun=All"
    marked = backup("probe", "mine", "nothing")  # of a database of no team
    marked["metadata"]["labels"] = {known.DAAP_RESTORE.uid_label: "of-a-restore"}
    probes: dict[str, Probe] = {
        PROTECTION: lambda: delete(api, "daapdatabases", "probe", "probe", dry=True),
        CHILDREN: lambda: delete(api, "clusters", "probe", "daap-probe", dry=True),
        NAMESPACES: lambda: delete(api, "namespaces", "", "probe", dry=True),
        OWNERSHIP: lambda: api.call("POST", create, foreign),
        MEMBERS: lambda: outsider.call("POST", create, database("probe", "mine")),
        REFERENCES: lambda: outsider.call("POST", of_backups, backup("probe", "mine", "probe")),
        CLAIMS: lambda: delete(api, "persistentvolumeclaims", "probe", "daap-probe-1", dry=True),
        SECRETS: lambda: delete(outsider, "secrets", "probe", "daap-probe-app", dry=True),
        MARKS: lambda: dry_patch(outsider, "clusters", "daap-probe", unmarked),
        METADATA: lambda: api.call("POST", create, held),  # nobody may, and no other policy minds
        NAMES: lambda: api.call("POST", create, database("probe", f"{RELEASE}-test")),
        **{policy: labelled(outsider, plural) for plural, policy in LABELS.items()},
        MARKS_OF_SECRETS: lambda: dry_patch(outsider, "secrets", "daap-probe-connection", unmarked),
        MARKS_OF_BACKUPS: lambda: outsider.call("POST", of_backups, marked),
    }
    crd = "daapdatabases.daap.io"
    probes[CRDS] = lambda: delete(api, "customresourcedefinitions", "", crd, dry=True)
    probes |= _beyond_bounds(operator, parent)
    for policy, attempt in probes.items():
        await refused(attempt, policy)


ASKED: Object = {
    "apiVersion": known.DAAP_BACKUP.api_version,
    "kind": known.DAAP_BACKUP.name,
}
POLICY_OF_ALL: Object = {
    "apiVersion": known.NETWORK_POLICY.api_version,
    "kind": known.NETWORK_POLICY.name,
    "spec": {"podSelector": {}},
}
_POD: Object = {"restartPolicy": "Never", "containers": [{"name": "x", "image": "x"}]}
SOME_JOB: Object = {
    "apiVersion": known.JOB.api_version,
    "kind": known.JOB.name,
    "spec": {"template": {"spec": _POD}},
}
_SCHEMA: Object = {
    "apiVersion": known.DAAP_SCHEMA.api_version,
    "kind": known.DAAP_SCHEMA.name,
    "name": "probe",
    "uid": "probe",
}
DRILL: Object = {"apiVersion": known.DAAP_DRILL.api_version, "kind": known.DAAP_DRILL.name}
BACKUP: Object = {"apiVersion": known.BACKUP.api_version, "kind": known.BACKUP.name}


def _beyond_bounds(operator: Api, parent: Object) -> dict[str, Probe]:
    """What the operator's own account may not do, by policy."""
    named: Object = {"metadata": {"namespace": "probe", "name": "probe"}}
    label = {"metadata": {"labels": {"probe": "yes"}}}
    theirs = {"metadata": {"annotations": {"cnpg.io/probe": "yes"}}}

    def tried(plural: str, name: str, body: Object) -> Probe:
        method, media = ("PATCH", MERGE) if name else ("POST", "application/json")
        where = f"{path(plural, 'probe', name)}?dryRun=All"
        return lambda: operator.call(method, where, body, media)

    attempts = [
        tried("secrets", "", named),
        tried("clusters", "daap-probe", theirs),
        tried("poolers", "", child(parent, "poolers", "daap-probe-pooler", labels={})),
        tried("scheduledbackups", "", child(parent, "scheduledbackups", "daap-probe", labels={})),
        tried("daapdatabases", "probe", label),
        tried("leases", "", named),
        tried("backups", "", named | {**BACKUP, "spec": {"cluster": {"name": "daap-probe"}}}),
        tried("daapbackups", "", named | {**ASKED, "spec": {"databaseRef": {"name": "probe"}}}),
        tried("networkpolicies", "", named | POLICY_OF_ALL),
        tried("jobs", "", named | SOME_JOB),
        tried("daapdrills", "", named | {**DRILL, "spec": {"databaseRef": {"name": "probe"}}}),
        tried(
            "jobs", "", {**SOME_JOB, "metadata": named["metadata"] | {"ownerReferences": [_SCHEMA]}}
        ),
    ]
    return dict(zip(BOUNDS, attempts, strict=True))


async def dry_patch(api: Api, plural: str, name: str, body: Object) -> Object:
    """Change an object of the namespace `probe`, without its being changed."""
    return await api.call("PATCH", path(plural, "probe", name) + "?dryRun=All", body, MERGE)
