"""An S3 server in a cluster, for backups: versitygw. What it keeps lasts as long as the cluster."""

import json
from collections.abc import Callable
from typing import Any

from dev.cluster import versions

NAMESPACE = "object-store"
NAME = "s3"
PORT = 7070
ENDPOINT = f"http://{NAME}.{NAMESPACE}.svc:{PORT}"
"""As pods reach it."""
BUCKET = "backups"
ACCESS_KEY = "daap"
SECRET_KEY = "daapdaapdaap"  # noqa: S105 - of a server that only this cluster reaches
CREDENTIALS = {"ACCESS_KEY_ID": ACCESS_KEY, "ACCESS_SECRET_KEY": SECRET_KEY}
"""The data of a Secret for an ObjectStore."""


def objects() -> list[dict[str, Any]]:
    """The server: a namespace, a volume, a Deployment and a Service. Pure."""
    place = {"name": NAME, "namespace": NAMESPACE}
    return [
        {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}},
        {
            "apiVersion": "v1",
            "kind": "PersistentVolumeClaim",
            "metadata": place,
            "spec": {
                "accessModes": ["ReadWriteOnce"],
                "resources": {"requests": {"storage": "5Gi"}},
            },
        },
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": place, "spec": _deployment()},
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": place,
            "spec": {"selector": {"app": NAME}, "ports": [{"port": PORT}]},
        },
    ]


def _deployment() -> dict[str, Any]:
    labels = {"app": NAME}
    claim = {"name": "data", "persistentVolumeClaim": {"claimName": NAME}}
    return {
        "selector": {"matchLabels": labels},
        "strategy": {"type": "Recreate"},
        "template": {
            "metadata": {"labels": labels},
            "spec": {
                "automountServiceAccountToken": False,
                "terminationGracePeriodSeconds": 1,
                "containers": [_container()],
                "volumes": [claim],
            },
        },
    }


def _container() -> dict[str, Any]:
    keys = {"ROOT_ACCESS_KEY": ACCESS_KEY, "ROOT_SECRET_KEY": SECRET_KEY}
    # A directory is a bucket: the kubelet makes the first. Attributes of objects are kept beside
    # them, since not every file system has room for them in its own
    mounts = {"/objects": "objects", f"/objects/{BUCKET}": f"objects/{BUCKET}"}
    mounts["/attributes"] = "attributes"
    return {
        "name": NAME,
        "image": versions.VERSITYGW_IMAGE,
        "args": ["--port", f":{PORT}", "posix", "--sidecar", "/attributes", "/objects"],
        "env": [{"name": name, "value": value} for name, value in keys.items()],
        "ports": [{"containerPort": PORT}],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "volumeMounts": [
            {"name": "data", "mountPath": path, "subPath": sub} for path, sub in mounts.items()
        ],
    }


def apply(kubectl: Callable[..., str]) -> None:
    """Give the server to a cluster; safe to repeat. Raises ClusterError.

    `kubectl` runs it with the given words, and with `text` as its input.
    """
    listed = {"apiVersion": "v1", "kind": "List", "items": objects()}
    kubectl("apply", "-f", "-", text=json.dumps(listed))
