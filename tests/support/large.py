"""Objects as large as the API server takes, of every kind that is watched."""

import asyncio
import json
from collections.abc import Sequence
from typing import Any

from daap_operator import names
from tests.support.api import Api, ApiError
from tests.support.kinds import kind as kind_of

Object = dict[str, Any]

LABELS = 30_000
"""So many labels of ten characters, which the API server repeats in `managedFields`, are what it
takes of an object in etcd: 1.5 MB. Parsed they need some ten times that."""

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
    "pods": {"containers": [{"name": "a", "image": "b"}], "nodeName": "nowhere"},
    "persistentvolumeclaims": {
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}},
        "storageClassName": "none",
    },
}
"""Of those that have one."""

MARKS: dict[str, Object] = {
    "clusters": {names.MANAGED_BY_LABEL: names.FIELD_MANAGER},
    "poolers": {names.MANAGED_BY_LABEL: names.FIELD_MANAGER},
    "deployments": {names.CNPG_POOLER_LABEL: "any"},
    "endpointslices": {names.DATABASE_LABEL: "any", names.SERVICE_LABEL: "any"},
    "pods": {names.CNPG_CLUSTER_LABEL: "any"},
    "persistentvolumeclaims": {names.CNPG_CLUSTER_LABEL: "any"},
    "serviceaccounts": {names.CNPG_CLUSTER_LABEL: "any", names.DATABASE_LABEL: "any"},
}
"""What the operator's watches select by: labels that anybody may set."""

PLURALS = ("daapdatabases", *MARKS)
"""Everything that is watched."""


def large(plural: str, namespace: str, name: str, labels: int = LABELS) -> Object:
    """An object of a kind with so many labels."""
    kind = kind_of(plural)
    many = {f"a{number:07d}": "b" for number in range(labels)}
    metadata = {"name": name, "namespace": namespace, "labels": many | MARKS.get(plural, {})}
    made = {"apiVersion": kind.api_version, "kind": kind.name, "metadata": metadata}
    if plural in SPECS:
        made["spec"] = SPECS[plural]
    if plural == "endpointslices":
        made |= {"addressType": "IPv4", "endpoints": []}
    return made


async def fill(api: Api, plurals: Sequence[str], namespace: str, count: int) -> int:
    """Make so many of each kind, as large as they can be; the bytes they have as JSON."""
    places = asyncio.Semaphore(AT_ONCE)
    labels = {plural: await _most(api, plural, namespace) for plural in plurals}

    async def make(plural: str, number: int) -> int:
        async with places:
            obj = large(plural, namespace, f"large-{number}", labels[plural])
            return len(json.dumps(await api.create(plural, obj)))

    made = [make(plural, number) for number in range(count) for plural in plurals]
    return sum(await asyncio.gather(*made))


async def _most(api: Api, plural: str, namespace: str) -> int:
    """So many labels, about, are the most that the API server takes of a kind."""
    labels = LABELS
    while True:
        try:
            await api.call(
                "POST",
                f"{kind_of(plural).path(namespace)}?dryRun=All",
                large(plural, namespace, "tried", labels),
            )
        except ApiError as error:
            if "too large" not in str(error) and "larger than max" not in str(error):
                raise
            labels = int(labels * 0.95)
        else:
            return labels


async def touch(api: Api, plurals: Sequence[str], namespace: str, count: int) -> None:
    """Change each of them: what watches is told all of it."""
    places = asyncio.Semaphore(AT_ONCE)

    async def change(plural: str, number: int) -> None:
        async with places:
            body = {"metadata": {"labels": {"a0000000": "c"}}}
            await api.patch(plural, namespace, f"large-{number}", body)

    await asyncio.gather(*(change(plural, n) for n in range(count) for plural in plurals))


async def clear(api: Api, plurals: Sequence[str], namespace: str) -> None:
    """Take them away, at once."""
    for plural in plurals:
        path = kind_of(plural).path(namespace)
        await api.call("DELETE", path, {"gracePeriodSeconds": 0})
