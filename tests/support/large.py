"""Objects as large as the API server takes, of every kind that is watched."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from daap_operator import names
from tests.support.api import Api
from tests.support.kinds import kind as kind_of

Object = dict[str, Any]

LABELS = 16_000
"""So many labels, whose names the API server repeats in `managedFields`, make 1.49 MB: hardly less
than the 1.57 MB that etcd takes. Nothing bounds their number."""

AT_ONCE = 4

SPECS: dict[str, Object] = {
    "daapdatabases": {"ownerTeam": "checkout"},
    "clusters": {"instances": 1, "storage": {"size": "1Gi"}},
    "poolers": {"cluster": {"name": "none"}, "pgbouncer": {"poolMode": "transaction"}},
    "deployments": {
        "replicas": 0,
        "paused": True,
        "selector": {"matchLabels": {"a": "b"}},
        "template": {
            "metadata": {"labels": {"a": "b"}},
            "spec": {"containers": [{"name": "a", "image": "b"}]},
        },
    },
    "pods": {"containers": [{"name": "a", "image": "b"}]},
    "persistentvolumeclaims": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "none",
    },
}
"""Of those that have one."""

OF = names.cluster_name("daapdatabases-0")
"""The Cluster of the first of them: what is labelled as its own is kept, and nothing of others."""

MARKS: dict[str, Object] = {
    "clusters": {names.MANAGED_BY_LABEL: names.FIELD_MANAGER},
    "poolers": {names.MANAGED_BY_LABEL: names.FIELD_MANAGER},
    "deployments": {names.CNPG_POOLER_LABEL: names.pooler_name(OF)},
    "endpointslices": {
        names.DATABASE_LABEL: "any",
        names.SERVICE_LABEL: names.primary_service(OF),
    },
    "pods": {names.CNPG_CLUSTER_LABEL: OF},
    "persistentvolumeclaims": {names.CNPG_CLUSTER_LABEL: OF},
    "serviceaccounts": {names.CNPG_CLUSTER_LABEL: OF, names.DATABASE_LABEL: "any"},
}
"""What the operator's watches select by: labels that anybody may set."""

PLURALS = ("daapdatabases", *MARKS)
"""Everything that is watched."""

BY_ADMINISTRATORS = ("clusters", "poolers", "endpointslices")
"""What Kubernetes' role `edit` does not let a tenant create: CloudNativePG's manifest has no role
for its Clusters and Poolers that adds to `edit`, and EndpointSlices are the control plane's."""

BY_TENANTS = tuple(plural for plural in PLURALS if plural not in BY_ADMINISTRATORS)


def large(plural: str, namespace: str, name: str) -> Object:
    """The largest object of a kind."""
    kind = kind_of(plural)
    many = {f"a{number:07d}": "b" * 63 for number in range(LABELS)}
    metadata = {"name": name, "namespace": namespace, "labels": many | MARKS.get(plural, {})}
    made = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
    if plural in SPECS:
        made["spec"] = SPECS[plural]
    if plural == "endpointslices":
        made |= {"addressType": "IPv4", "endpoints": []}
    return made


async def fill(
    api: Api, plurals: Sequence[str], namespace: str, count: int, prefix: str = ""
) -> int:
    """Make so many of each kind; the bytes they have as JSON."""
    places = asyncio.Semaphore(AT_ONCE)

    async def make(plural: str, number: int) -> int:
        async with places:
            obj = large(plural, namespace, f"{prefix}{plural}-{number}")
            return len(json.dumps(await api.create(plural, obj)))

    made = [make(plural, number) for number in range(count) for plural in plurals]
    return sum(await asyncio.gather(*made))


async def touch(api: Api, plurals: Sequence[str], namespace: str, count: int) -> None:
    """Change each of them: what watches is told all of it."""
    places = asyncio.Semaphore(AT_ONCE)

    async def change(plural: str, number: int) -> None:
        async with places:
            body = {"metadata": {"labels": {"a0000000": "c"}}}
            await api.patch(plural, namespace, f"{plural}-{number}", body)

    await asyncio.gather(*(change(plural, n) for n in range(count) for plural in plurals))


async def clear(api: Api, plurals: Sequence[str], namespace: str) -> None:
    """Take them away, at once."""
    for plural in plurals:
        path = kind_of(plural).path(namespace)
        await api.call("DELETE", path, {"gracePeriodSeconds": 0})
