"""kro as a peer: a ResourceGraphDefinition with a Cluster and a Pooler, and kro tuned for speed."""

import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from benchmarks.programs import ServingProgram
from benchmarks.systems import SIZE, System
from daap_operator.kinds.database.phases import HEALTHY
from daap_operator.kube import Kind
from dev.cluster import ControlPlane, go_modules, programs, versions
from dev.cluster.established import wait_established
from dev.postgres.ports import free_ports
from tests.support.api import Api, ApiError, Object

GROUP, VERSION = "bench.daap.io", "v1alpha1"
GRAPH = "daapdatabase"
GRAPH_PATH = f"/apis/kro.run/v1alpha1/resourcegraphdefinitions/{GRAPH}"
IMAGE = "ghcr.io/cloudnative-pg/postgresql:17-standard-trixie"

TUNED = (
    "--dynamic-controller-concurrent-reconciles=20",
    "--dynamic-controller-rate-limiter-rate-limit=2000",
    "--dynamic-controller-rate-limiter-burst-limit=5000",
    "--client-qps=2000",
    "--client-burst=4000",
)
"""As many workers as this operator has by default, and no limit that would be met before the API
server's own."""


def graph() -> Object:
    """The API that kro serves: the least that makes a database, which costs it the least."""
    name = "${schema.metadata.name}"
    spec = {
        "ownerTeam": "string | required=true",
        "purpose": "string | required=true",
        "storage": f'string | default="{SIZE}"',
    }
    status = {"host": '${pooler.metadata.name + "." + pooler.metadata.namespace + ".svc"}'}
    schema = {"group": GROUP, "apiVersion": VERSION, "kind": "DaapDatabase"}
    ready = '${cluster.?status.?phase.orValue("") == "' + HEALTHY + '"}'
    return {
        "apiVersion": "kro.run/v1alpha1",
        "kind": "ResourceGraphDefinition",
        "metadata": {"name": GRAPH},
        "spec": {
            "schema": schema | {"spec": spec, "status": status},
            "resources": [
                {"id": "cluster", "readyWhen": [ready], "template": _cluster(name)},
                {"id": "pooler", "template": _pooler(name)},
            ],
        },
    }


def _head(kind: str, name: str) -> Object:
    labels = {"daap.io/team": "${schema.spec.ownerTeam}"}
    metadata = {"name": name, "labels": labels}
    return {"apiVersion": "postgresql.cnpg.io/v1", "kind": kind, "metadata": metadata}


def _cluster(name: str) -> Object:
    storage = {"size": "${schema.spec.storage}"}
    spec = {"instances": 1, "imageName": IMAGE, "storage": storage}
    return _head("Cluster", f"daap-{name}") | {"spec": spec}


def _pooler(name: str) -> Object:
    containers = {"spec": {"containers": [{"name": "pgbouncer"}]}}
    spec = {
        "cluster": {"name": f"daap-{name}"},
        "instances": 1,
        "type": "rw",
        "pgbouncer": {"poolMode": "transaction"},
        "template": containers,
    }
    return _head("Pooler", f"daap-{name}-pooler") | {"spec": spec}


class KroProgram(ServingProgram):
    """kro's controller, with what its Helm chart gives it, as a process of its own."""

    rest_seconds = 4.5
    """It looks at everything once more after 3 s."""

    def __init__(self, kubeconfig: Path, log: Path, api: Api) -> None:
        """`api` is a client that may read the graph."""
        ports = free_ports()
        self.health = next(ports)
        self._api = api
        words = (
            str(programs.build(["kro"])["kro"]),
            f"--kubeconfig={kubeconfig}",
            f"--health-probe-bind-address=127.0.0.1:{self.health}",
            f"--metrics-bind-address=127.0.0.1:{next(ports)}",
            "--zap-devel=false",
            "--zap-log-level=info",
            *TUNED,
        )
        super().__init__("kro", words, os.environ, log)

    async def is_ready(self) -> bool:
        """Whether it serves the graph."""
        if not await super().is_ready():
            return False
        try:
            found = await self._api.call("GET", GRAPH_PATH)
        except ApiError:
            return False
        return (found.get("status") or {}).get("state") == "Active"


class Kro(System):
    """kro, whose account may do everything, as its chart has it by default."""

    name = "kro"
    kind = Kind(GROUP, VERSION, "DaapDatabase", "daapdatabases")
    user = "kro"

    @asynccontextmanager
    async def installed(self, plane: ControlPlane, directory: Path) -> AsyncIterator[None]:
        """Its CRDs and the graph are there, and its account has its rights."""
        crds = go_modules.part("kro", versions.KRO_MODULE, "helm/crds")
        plane.kubectl("apply", "--server-side", "-f", str(crds))
        wait_established(plane.kubectl)
        binding = ("clusterrolebinding", self.user, "--clusterrole=cluster-admin")
        plane.kubectl("create", *binding, f"--user={self.user}")
        plane.kubectl("apply", "--server-side", "-f", "-", input=json.dumps(graph()))
        async with Api(plane.kubeconfig) as api:
            kubeconfig = plane.user_kubeconfig(self.user)
            self.program = KroProgram(kubeconfig, directory / "operator.log", api)
            yield

    def size(self, size: str) -> Object:
        """The part of a spec that says how large the volumes are to be."""
        return {"storage": size}
