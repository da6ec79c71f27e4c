"""What enforces NetworkPolicies in the cluster without Docker: Kubernetes' own implementation.

Its network is one bridge, and heeds none. Real kind's own network has the same program built in.
The program judges the first packet of each connection, which rules of the kernel hand it. Its own
rules take a part of nftables that not every kernel has, so that the same are made with iptables.
"""

import asyncio
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from pytest_kind import KindCluster

from dev.cluster import layout, programs, provider
from tests.support.clients import load_image

NAME = "kube-network-policies"
IMAGE = f"localhost/{NAME}:1"
# It takes its rules away when it is interrupted, and not when it is terminated
DOCKERFILE = f'FROM scratch\nCOPY {NAME} /program\nSTOPSIGNAL SIGINT\nENTRYPOINT ["/program"]\n'

CHAIN = "KUBE-DAAP-POLICIES"  # what deletes the cluster takes away all that begin so
QUEUE = "100"
RULES: tuple[tuple[str, ...], ...] = (
    # What the node's own programs send, the kubelet's probes for one, is judged by nobody
    ("-m", "owner", "--uid-owner", "0", "-j", "RETURN"),
    ("-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "RETURN"),
    ("-d", layout.POD_NETWORK, "-j", "NFQUEUE", "--queue-num", QUEUE),
    ("-s", layout.POD_NETWORK, "-j", "NFQUEUE", "--queue-num", QUEUE),
)

ARGUMENTS = (
    "--hostname-override=$(NODE)",
    "--disable-nri",
    "--metrics-bind-address=127.0.0.1:0",
    f"--nfqueue-id={QUEUE}",
)


@asynccontextmanager
async def policies_enforced(cluster: KindCluster, place: Path) -> AsyncIterator[None]:
    """NetworkPolicies are enforced while the context lasts; `place` is an empty directory."""
    if not _is_ours(cluster):
        yield
        return
    await asyncio.to_thread(_install, cluster, place)
    try:
        yield
    finally:
        await asyncio.to_thread(_hand_over, begin=False)
        for kind in ("daemonset", "serviceaccount"):
            await _kubectl(cluster, "delete", kind, NAME, "--namespace=kube-system")
        gone = ("wait", "pod", "--for=delete", f"--selector=app={NAME}", "--namespace=kube-system")
        await _kubectl(cluster, *gone, "--timeout=60s")
        for kind in ("clusterrolebinding", "clusterrole"):
            await _kubectl(cluster, "delete", kind, NAME)


def _is_ours(cluster: KindCluster) -> bool:
    return Path(cluster.kind_path).resolve() == provider.OURS


async def _kubectl(cluster: KindCluster, *words: str) -> None:
    await asyncio.to_thread(cluster.kubectl, *words)


def _install(cluster: KindCluster, place: Path) -> None:
    shutil.copy(programs.build([NAME])[NAME], place / NAME)
    (place / "Dockerfile").write_text(DOCKERFILE)
    load_image(Path(cluster.kind_path), cluster.name, place, IMAGE, real=False)
    listed = {"apiVersion": "v1", "kind": "List", "items": _objects()}
    cluster.kubectl("apply", "--filename=-", input=json.dumps(listed))
    rollout = ("rollout", "status", f"daemonset/{NAME}", "--namespace=kube-system")
    cluster.kubectl(*rollout, "--timeout=120s")
    _hand_over(begin=True)


def _hand_over(*, begin: bool) -> None:
    """Have the program judge packets, or nobody; the node is this machine, and we are root."""
    if begin:
        _iptables("-N", CHAIN)
        for rule in RULES:
            _iptables("-A", CHAIN, *rule)
    _iptables("-I" if begin else "-D", "POSTROUTING", "-j", CHAIN)
    if not begin:
        _iptables("-F", CHAIN)
        _iptables("-X", CHAIN)


def _iptables(*words: str) -> None:
    subprocess.run(["iptables", "-w", "-t", "mangle", *words], check=True)


def _objects() -> list[dict[str, Any]]:
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": NAME}
    read = {"verbs": ["get", "list", "watch"]}
    rules = [
        read | {"apiGroups": [""], "resources": ["pods", "namespaces", "nodes"]},
        read | {"apiGroups": ["networking.k8s.io"], "resources": ["networkpolicies"]},
    ]
    rbac, inside = "rbac.authorization.k8s.io/v1", {"name": NAME, "namespace": "kube-system"}
    subject = {"kind": "ServiceAccount"} | inside
    return [
        {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": inside},
        {"apiVersion": rbac, "kind": "ClusterRole", "metadata": {"name": NAME}, "rules": rules},
        {
            "apiVersion": rbac,
            "kind": "ClusterRoleBinding",
            "metadata": {"name": NAME},
            "roleRef": role,
            "subjects": [subject],
        },
        {"apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": inside, "spec": _daemon_set()},
    ]


def _daemon_set() -> dict[str, Any]:
    labels = {"app": NAME}
    node = {"name": "NODE", "valueFrom": {"fieldRef": {"fieldPath": "spec.nodeName"}}}
    container = {
        "name": NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": list(ARGUMENTS),
        "env": [node],
        "securityContext": {"privileged": True},
    }
    spec = {
        "hostNetwork": True,
        "serviceAccountName": NAME,
        "tolerations": [{"operator": "Exists"}],
        "containers": [container],
    }
    template = {"metadata": {"labels": labels}, "spec": spec}
    return {"selector": {"matchLabels": labels}, "template": template}
