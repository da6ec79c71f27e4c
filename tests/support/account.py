"""The operator's ServiceAccount in a real cluster, with the rights that the chart ships."""

import json
from pathlib import Path

import yaml
from pytest_kind import KindCluster

from tests.support import rights
from tests.support.helm import render

NAME = "daap-e2e"
"""Of account, roles and Lease: a release in the same cluster has names of its own."""


def kubeconfig(cluster: KindCluster, target: Path) -> Path:
    """Make it, give it the shipped rights and no other, and write a kubeconfig with its token."""
    where = f"--namespace={rights.NAMESPACE}"
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": NAME, "namespace": rights.NAMESPACE},
    }
    roles = rights.of_the_operator(render({"fullnameOverride": NAME}, namespace=rights.NAMESPACE))
    listed = {"apiVersion": "v1", "kind": "List", "items": [account, *roles]}
    cluster.kubectl("apply", "--server-side", "--filename=-", input=json.dumps(listed))
    token = cluster.kubectl("create", "token", NAME, where, "--duration=12h").strip()
    config = yaml.safe_load(Path(cluster.kubeconfig_path).read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    target.write_text(yaml.safe_dump(config))
    target.chmod(0o600)
    return target
