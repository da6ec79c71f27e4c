"""The command lines of the control plane's programs. Pure: a layout in, flags out."""

import json

from dev.cluster import layout
from dev.cluster.layout import Layout

AUDIT_POLICY = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived", "ResponseStarted", "Panic"],
    "rules": [{"level": "Metadata"}],
}
"""One entry a finished request, of every user."""


FEATURE_GATES = {"ImageVolume": True}
"""What Kubernetes has on by default from 1.35 on, and tests need: pods mount images."""


def etcd(cluster: Layout) -> list[str]:
    """Flags of etcd: alone, and without waiting for the disk, since a cluster is thrown away."""
    peer = f"http://127.0.0.1:{cluster.peer_port}"
    return [
        f"--data-dir={cluster.directory}/etcd",
        "--unsafe-no-fsync",
        "--quota-backend-bytes=4294967296",
        f"--listen-client-urls={cluster.etcd}",
        f"--advertise-client-urls={cluster.etcd}",
        f"--listen-peer-urls={peer}",
        f"--initial-advertise-peer-urls={peer}",
        f"--initial-cluster=default={peer}",
        *cluster.flags.get("etcd", []),
    ]


def kube_apiserver(cluster: Layout) -> list[str]:
    """Flags of the API server; only that of a full cluster listens beyond the loopback."""
    pki = cluster.pki
    return [
        f"--etcd-servers={cluster.etcd}",
        f"--secure-port={cluster.api_port}",
        f"--bind-address={'0.0.0.0' if cluster.node else '127.0.0.1'}",  # noqa: S104 - pods call it
        f"--advertise-address={layout.NODE_ADDRESS}",
        f"--service-cluster-ip-range={layout.SERVICE_NETWORK}",
        f"--client-ca-file={pki}/ca.crt",
        f"--tls-cert-file={pki}/apiserver.crt",
        f"--tls-private-key-file={pki}/apiserver.key",
        f"--service-account-key-file={pki}/sa.pub",
        f"--service-account-signing-key-file={pki}/sa.key",
        "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
        "--authorization-mode=Node,RBAC",
        "--allow-privileged=true",
        "--enable-admission-plugins=NodeRestriction,OwnerReferencesPermissionEnforcement",
        *_aggregation(cluster),
        *(_of_a_node(cluster) if cluster.node else []),
        *(_audit(cluster) if cluster.audit else []),
        *cluster.flags.get("kube-apiserver", []),
    ]


def _aggregation(cluster: Layout) -> list[str]:
    return [
        f"--requestheader-client-ca-file={cluster.pki}/ca.crt",
        "--requestheader-allowed-names=front-proxy-client",
        "--requestheader-username-headers=X-Remote-User",
        "--requestheader-group-headers=X-Remote-Group",
        "--requestheader-extra-headers-prefix=X-Remote-Extra-",
        f"--proxy-client-cert-file={cluster.pki}/front-proxy.crt",
        f"--proxy-client-key-file={cluster.pki}/front-proxy.key",
    ]


def _of_a_node(cluster: Layout) -> list[str]:
    gates = ",".join(f"{name}={str(on).lower()}" for name, on in FEATURE_GATES.items())
    return [
        f"--feature-gates={gates}",
        f"--kubelet-client-certificate={cluster.pki}/apiserver-kubelet.crt",
        f"--kubelet-client-key={cluster.pki}/apiserver-kubelet.key",
        "--kubelet-preferred-address-types=InternalIP",
    ]


def _audit(cluster: Layout) -> list[str]:
    return [
        f"--audit-policy-file={cluster.directory}/audit-policy.json",
        f"--audit-log-path={cluster.audit_log}",
        "--audit-log-maxsize=100000",  # MB; without it the log is rotated at 100
    ]


def audit_policy() -> str:
    """The audit policy file."""
    return json.dumps(AUDIT_POLICY)


def kube_controller_manager(cluster: Layout) -> list[str]:
    """Flags of the controllers; without a node there is nothing to serve, so no port."""
    kubeconfig = cluster.kubeconfig("kube-controller-manager")
    return [
        f"--kubeconfig={kubeconfig}",
        f"--authentication-kubeconfig={kubeconfig}",
        f"--authorization-kubeconfig={kubeconfig}",
        f"--root-ca-file={cluster.pki}/ca.crt",
        f"--service-account-private-key-file={cluster.pki}/sa.key",
        f"--cluster-signing-cert-file={cluster.pki}/ca.crt",
        f"--cluster-signing-key-file={cluster.pki}/ca.key",
        "--use-service-account-credentials",
        "--controllers=*",
        "--leader-elect=false",
        "--enable-hostpath-provisioner",
        # At the default 20 requests/s the controllers alone take 5 s to start.
        "--kube-api-qps=200",
        "--kube-api-burst=400",
        f"--secure-port={10257 if cluster.node else 0}",
        *cluster.flags.get("kube-controller-manager", []),
    ]


def control_plane(cluster: Layout) -> dict[str, list[str]]:
    """The flags of the control plane's programs, in the order of starting."""
    return {
        "etcd": etcd(cluster),
        "kube-apiserver": kube_apiserver(cluster),
        "kube-controller-manager": kube_controller_manager(cluster),
    }
