"""What the API server and the stand-in need for the children alone, with no operator running."""

import json
import time
from typing import Any

from benchmarks.figures import Figures
from benchmarks.steps import Run, cluster_of
from benchmarks.waiting import all_of, each
from benchmarks.watching import Key
from daap_operator.kinds import known
from daap_operator.kinds.database.phases import HEALTHY
from tests.support.api import Object

PLACE = "floor"
MOST = 200
"""Pairs that are created: enough for a steady rate."""
KEPT = ("labels", "annotations")


async def floor(run: Run) -> Figures:
    """The same Clusters and Poolers created directly, until CloudNativePG says they are healthy.

    No operator that creates them can be faster. The operator ends first.
    """
    stage, count = run.stage, min(run.count, MOST)
    await stage.operator.stop()
    await stage.api.create("namespaces", {"metadata": {"name": PLACE}})
    keys = [(known.DATABASE, PLACE, f"floor-{number:05d}") for number in range(count)]
    healthy = [stage.watching.expect(cluster_of(key), _is_healthy) for key in keys]
    began = time.monotonic()

    async def post(key: Key) -> None:
        for child in run.children:
            await stage.api.create(*_again(child, run.databases[0], key))

    await each(keys, post)
    created = time.monotonic()
    moments = await all_of(f"N={run.count}: floor", healthy, stage.standin, run.seconds)
    return {
        "pairs": count,
        "created_per_s": round(count / (created - began), 1),
        "healthy_per_s": round(count / (max(moments) - began), 1),
    }


def _again(child: Object, first: Key, key: Key) -> tuple[Any, Object]:
    """The same child for another database, which nobody owns; with its plural."""
    metadata = {name: child["metadata"][name] for name in KEPT if name in child["metadata"]}
    metadata |= {"name": child["metadata"]["name"], "namespace": key[1]}
    body = {"apiVersion": child["apiVersion"], "kind": child["kind"], "metadata": metadata}
    text = json.dumps(body | {"spec": child["spec"]}).replace(first[2], key[2])
    kind = known.CLUSTER if child["kind"] == known.CLUSTER.name else known.POOLER
    return kind, json.loads(text)


def _is_healthy(cluster: Object | None) -> bool:
    return ((cluster or {}).get("status") or {}).get("phase") == HEALTHY
