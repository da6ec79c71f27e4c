"""The operator's ServiceAccount in a real cluster, with the rights that the chart ships."""

import json
from pathlib import Path

import yaml
from pytest_kind import KindCluster

from tests.support import rights

TOKEN = ("--duration=12h",)


def kubeconfig(cluster: KindCluster, target: Path) -> Path:
    """Make it, give it the shipped rights and no other, and write a kubeconfig with its token."""
    where = f"--namespace={rights.NAMESPACE}"
    account = {
        "apiVersion": "v1",
        "kind": "ServiceAccount",
        "metadata": {"name": rights.NAME, "namespace": rights.NAMESPACE},
    }
    listed = {"apiVersion": "v1", "kind": "List", "items": [account, *rights.shipped()]}
    cluster.kubectl("apply", "--server-side", "--filename=-", input=json.dumps(listed))
    token = cluster.kubectl("create", "token", rights.NAME, where, *TOKEN).strip()
    config = yaml.safe_load(Path(cluster.kubeconfig_path).read_text())
    for user in config["users"]:
        user["user"] = {"token": token}
    target.write_text(yaml.safe_dump(config))
    target.chmod(0o600)
    return target
