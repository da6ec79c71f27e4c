"""The reference page of what the operator may do: the chart's rules, verb by verb. Pure."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

_DEFINE = re.compile(
    r'\{\{- define "(?P<name>[\w.-]+)" -\}\}\n(?P<body>.*?)\{\{- end \}\}', re.DOTALL
)
_EXPRESSION = re.compile(r"\{\{.*?\}\}")

RULES, LEASE_RULES = "daap-operator.rules", "daap-operator.leaseRules"
CLUSTER_RULES = "daap-operator.clusterRules"


class Right(NamedTuple):
    """One verb on one resource."""

    group: str
    resource: str
    verb: str


def rights(rules: list[dict[str, Any]]) -> list[Right]:
    """Each verb on each resource."""
    return [
        Right(group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    ]


_SEEN = "to see each one once at the start, and at each resync"
_WATCHED = "to act within a second"
_LIVE = (
    "asked live before what cannot be undone: deletion, and adoption of what has the name already"
)

WHY: dict[Right, str] = {
    Right("daap.io", "daapdatabases", "get"): "as it is now, before its finalizer is removed",
    Right("daap.io", "daapdatabases", "list"): _SEEN,
    Right("daap.io", "daapdatabases", "watch"): _WATCHED,
    Right("daap.io", "daapdatabases", "patch"): "the finalizer `daap.io/cleanup`, nothing else",
    Right("daap.io", "daapdatabases/status", "patch"): "the status",
    Right("postgresql.cnpg.io", "clusters", "get"): _LIVE,
    Right("postgresql.cnpg.io", "clusters", "list"): _SEEN,
    Right("postgresql.cnpg.io", "clusters", "watch"): _WATCHED,
    Right("postgresql.cnpg.io", "clusters", "create"): "one for each DaapDatabase",
    Right("postgresql.cnpg.io", "clusters", "patch"): "server-side apply: made, changed, put right",
    Right("postgresql.cnpg.io", "clusters", "delete"): "with its DaapDatabase, by uid",
    Right("postgresql.cnpg.io", "poolers", "get"): _LIVE,
    Right("postgresql.cnpg.io", "poolers", "list"): _SEEN,
    Right("postgresql.cnpg.io", "poolers", "watch"): _WATCHED,
    Right("postgresql.cnpg.io", "poolers", "create"): "one for each DaapDatabase",
    Right("postgresql.cnpg.io", "poolers", "patch"): "server-side apply: made, changed, put right",
    Right("postgresql.cnpg.io", "poolers", "delete"): "with its DaapDatabase, by uid",
    Right("apps", "deployments", "list"): "the Poolers' only, by label: whether PgBouncer serves",
    Right("apps", "deployments", "watch"): "the same, within a second",
    Right("discovery.k8s.io", "endpointslices", "list"): "those of the Clusters' Services only, by "
    "label: whether an instance takes connections, also while CloudNativePG is stopped",
    Right("discovery.k8s.io", "endpointslices", "watch"): "the same, within a second",
    Right(
        "", "pods", "list"
    ): "CloudNativePG's only, by label: whether they are what the spec says, "
    "and what keeps them from starting",
    Right("", "pods", "watch"): "the same, within a second",
    Right("", "serviceaccounts", "list"): "the Clusters' only, by label: which spec CloudNativePG "
    "has taken up, by a mark that it copies there",
    Right("", "serviceaccounts", "watch"): "the same, within a second",
    Right(
        "", "secrets", "get"
    ): "CloudNativePG's credentials and authority, and its own Secret; by "
    "name, as Secrets are neither listed nor watched",
    Right("", "secrets", "create"): "the connection Secret",
    Right("", "secrets", "update"): "the connection Secret, when it is not as it should be",
    Right("", "secrets", "patch"): "takes the owner from a retained connection Secret",
    Right(
        "", "secrets", "delete"
    ): "the connection Secret, by uid, with its DaapDatabase or its name",
    Right("", "persistentvolumeclaims", "list"): "those of Clusters only, by label: how large the "
    "volumes are, and whether a deleted database's are gone",
    Right("", "persistentvolumeclaims", "watch"): "how large the volumes are, within a second",
    Right("storage.k8s.io", "storageclasses", "get"): "whether volumes can grow, by name, once a "
    "minute at most while one should",
    Right("events.k8s.io", "events", "create"): "Events on DaapDatabases",
    Right("events.k8s.io", "events", "list"): "why pods are not created, in the namespace of a "
    "database that has waited for them for 10 s",
    Right("coordination.k8s.io", "leases", "get"): "which replica leads; the one Lease, by name",
    Right("coordination.k8s.io", "leases", "update"): "to go on leading; the one Lease, by name",
    Right("coordination.k8s.io", "leases", "create"): "the Lease, once (a name cannot be asked for "
    "here: what is to be created has none yet when it is decided)",
}
"""Why each right is needed. What takes it away is in tests/integration/test_rbac.py."""

_PAGE = """# What the operator may do

Generated from [the chart's rules](../../charts/daap-operator/templates/_rules.tpl) by `make crds`.
A [test](../../tests/integration/test_rbac.py) takes away one after the other and shows what breaks,
and all [integration tests](../../tests/fix_cluster.py) run with these rights and no other.

No wildcard, nothing of nodes or namespaces, no write to pods, no `escalate`, `bind` or
`impersonate`, no list or watch of Secrets, and no admission webhook. API discovery, which every
authenticated user may read, is all else it asks for.
"""

_TABLE = """
| group | resource | verb | why |
|---|---|---|---|
"""

_OTHERS = """
## For users

All on `daapdatabases`; `rbac.aggregateClusterRoles=false` leaves them out. None of them gives the
right to read a database's Secret.

| ClusterRole | aggregated to | verbs |
|---|---|---|
| `daap-operator-view` | view, edit, admin | get, list, watch |
| `daap-operator-edit` | edit, admin | create, update, patch, delete, deletecollection |
| `daap-operator-servicebinding` | what implements service binding | get, list, watch |

## Others

The migration Job has no token for the API server. `helm test` runs under a ServiceAccount of its
own, which may create DaapDatabases in one namespace, and get and delete the one it makes; it goes
when the test has succeeded.
"""


def page(templates: str) -> str:
    """The page. Raises ValueError for a right without a reason, and a reason without a right."""
    found = {name: rights(yaml.safe_load(body)) for name, body in bodies(templates)}
    every = {right for each in found.values() for right in each}
    if odd := every ^ WHY.keys():
        raise ValueError(f"rights without a reason, or reasons without a right: {sorted(odd)}")
    where = "A ClusterRole by default, or a Role in each of `watchNamespaces`."
    classes = "A ClusterRole also with `watchNamespaces`: StorageClasses are in no namespace."
    lease = "A Role in the release's namespace."
    return "".join(
        [
            _PAGE,
            f"\n## Databases\n\n{where}\n{_table(found[RULES])}",
            f"\n## Storage\n\n{classes}\n{_table(found[CLUSTER_RULES])}",
            f"\n## Leadership\n\n{lease}\n{_table(found[LEASE_RULES])}",
            _OTHERS,
        ]
    )


def bodies(templates: str) -> Iterator[tuple[str, str]]:
    """Name and text of each definition; its expressions become a name, so that it is YAML."""
    for match in _DEFINE.finditer(templates):
        yield match["name"], _EXPRESSION.sub("name", match["body"])


def _table(found: list[Right]) -> str:
    rows = [f"| {r.group or 'core'} | `{r.resource}` | {r.verb} | {WHY[r]} |\n" for r in found]
    return _TABLE + "".join(rows)
