"""Who in a cluster has which certificate."""

from dev.cluster import kubeconfig, layout, pki
from dev.cluster.layout import Layout

API_NAMES = (
    "localhost",
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    "kubernetes.default.svc.cluster.local",
)
API_ADDRESSES = ("127.0.0.1", "::1", layout.NODE_ADDRESS, layout.API_SERVICE)


def users(cluster: Layout) -> dict[str, str]:
    """Subjects of the cluster's own clients that get a kubeconfig, by file name."""
    alone = {
        "admin": pki.subject("kubernetes-admin", ["system:masters"]),
        "kube-controller-manager": pki.subject("system:kube-controller-manager"),
    }
    node = {
        "kube-scheduler": pki.subject("system:kube-scheduler"),
        "kubelet": pki.subject(f"system:node:{cluster.node_name}", ["system:nodes"]),
        "kube-proxy": pki.subject("system:kube-proxy"),
    }
    return alone | (node if cluster.node else {})


def clients(cluster: Layout) -> dict[str, str]:
    """Subjects of the API server itself as a client, by file name."""
    kubelet = pki.subject("kube-apiserver-kubelet-client", ["system:masters"])
    return {"front-proxy": pki.subject("front-proxy-client")} | (
        {"apiserver-kubelet": kubelet} if cluster.node else {}
    )


def servers(cluster: Layout) -> dict[str, tuple[str, list[str]]]:
    """Subject and alternative names of the servers, by file name."""
    names = [*(f"DNS:{n}" for n in API_NAMES), *(f"IP:{a}" for a in API_ADDRESSES)]
    kubelet = [f"DNS:{cluster.node_name}", f"IP:{layout.NODE_ADDRESS}", "IP:127.0.0.1"]
    api = {"apiserver": (pki.subject("kube-apiserver"), names)}
    return api | (
        {"kubelet-server": (pki.subject(cluster.node_name), kubelet)} if cluster.node else {}
    )


def certify(cluster: Layout) -> None:
    """Make the authority, every certificate and every kubeconfig of a new cluster."""
    authority = pki.Authority(cluster.pki)
    authority.create()
    for name, (subject, alternatives) in servers(cluster).items():
        authority.issue(name, subject, alternatives)
    for name, subject in clients(cluster).items():
        authority.issue(name, subject)
    for name, subject in users(cluster).items():
        authority.issue(name, subject)
        kubeconfig.write(
            cluster.kubeconfig(name), cluster.name, cluster.server, authority=authority, issued=name
        )
