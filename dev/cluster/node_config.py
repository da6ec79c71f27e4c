"""The configuration files and flags of the node's programs. Pure: a layout in, text out."""

import json
from pathlib import Path
from typing import Any

from dev.cluster import command_lines, layout, versions
from dev.cluster.layout import Layout

BRIDGE = "daap0"
NETWORK = "daap-operator"
CNI_PROGRAMS = "/usr/lib/cni"
DNS_PORT = 10053
PORTS = {
    10248: "kubelet",
    10249: "kube-proxy",
    10250: "kubelet",
    10256: "kube-proxy",
    10257: "kube-controller-manager",
    10259: "kube-scheduler",
    DNS_PORT: "coredns",
}
"""The fixed ports of a node: why one full cluster fits a machine at a time."""


def files(cluster: Layout, shim: Path) -> dict[str, str]:
    """Every configuration file of a node by its name in the cluster's directory.

    `shim` is the program that containerd starts for each pod.
    """
    return {
        "cni/10-bridge.conflist": json.dumps(network(cluster), indent=1),
        "containerd.toml": containerd(cluster, shim),
        "kubelet.json": json.dumps(kubelet(cluster), indent=1),
        "kube-proxy.json": json.dumps(kube_proxy(cluster), indent=1),
        "Corefile": coredns(cluster),
        "resolv.conf": "",
    }


def programs(cluster: Layout) -> dict[str, list[str]]:
    """The flags of the node's Kubernetes programs, in the order of starting."""
    directory = cluster.directory
    flags = {
        "kube-scheduler": [
            f"--kubeconfig={cluster.kubeconfig('kube-scheduler')}",
            "--leader-elect=false",
        ],
        "kubelet": [
            f"--kubeconfig={cluster.kubeconfig('kubelet')}",
            f"--config={directory}/kubelet.json",
            f"--root-dir={directory}/kubelet",
            f"--hostname-override={cluster.node_name}",
            f"--node-ip={layout.NODE_ADDRESS}",
        ],
        "kube-proxy": [f"--config={directory}/kube-proxy.json"],
        "coredns": ["-conf", f"{directory}/Corefile"],
    }
    return {name: [*words, *cluster.flags.get(name, [])] for name, words in flags.items()}


def network(cluster: Layout) -> dict[str, Any]:
    """The CNI configuration: one bridge of our own, addresses kept in the cluster's directory."""
    addresses = {
        "type": "host-local",
        "ranges": [[{"subnet": layout.POD_NETWORK}]],
        "routes": [{"dst": "0.0.0.0/0"}],
        "dataDir": f"{cluster.directory}/ipam",
    }
    # No ipMasq: it leaves a rule a pod behind when pods are killed; node.py adds one for all.
    bridge = {"type": "bridge", "bridge": BRIDGE, "isGateway": True, "hairpinMode": True}
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    plugins = [bridge | {"ipam": addresses}, ports]
    return {"cniVersion": "1.0.0", "name": NETWORK, "plugins": plugins}


def containerd(cluster: Layout, shim: Path) -> str:
    """The container runtime's configuration, everything below the cluster's directory."""
    return f"""version = 2
root = "{cluster.directory}/containerd"
state = "{cluster.directory}/run"
[grpc]
  address = "{cluster.containerd_socket}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{versions.PAUSE_IMAGE}"
  netns_mounts_under_state_dir = true
  # The machine may lack CAP_SYS_RESOURCE, as containers do.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PROGRAMS}"
    conf_dir = "{cluster.directory}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    runtime_path = "{shim}"
"""


def kubelet(cluster: Layout) -> dict[str, Any]:
    """The kubelet's configuration: no eviction short of a full disk, since tests share machines."""
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{cluster.pki}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "oomScoreAdj": 0,
        "clusterDomain": "cluster.local",
        "clusterDNS": [layout.DNS_SERVICE],
        "resolvConf": f"{cluster.directory}/resolv.conf",
        "containerRuntimeEndpoint": f"unix://{cluster.containerd_socket}",
        "tlsCertFile": f"{cluster.pki}/kubelet-server.crt",
        "tlsPrivateKeyFile": f"{cluster.pki}/kubelet-server.key",
        "featureGates": command_lines.FEATURE_GATES,
        "evictionHard": {
            "memory.available": "100Mi",
            "nodefs.available": "1%",
            "imagefs.available": "1%",
        },
        "imageGCHighThresholdPercent": 100,
        "maxPods": 200,
        "podLogsDir": f"{cluster.directory}/pod-logs",
        "serializeImagePulls": False,
    }


def kube_proxy(cluster: Layout) -> dict[str, Any]:
    """kube-proxy's configuration; the machine's connection tracking limits stay as they are."""
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "clusterCIDR": layout.POD_NETWORK,
        "hostnameOverride": cluster.node_name,
        "oomScoreAdj": 0,
        "clientConnection": {"kubeconfig": str(cluster.kubeconfig("kube-proxy"))},
        "conntrack": {
            "maxPerCore": 0,
            "min": 0,
            "tcpEstablishedTimeout": "0s",
            "tcpCloseWaitTimeout": "0s",
        },
    }


def coredns(cluster: Layout) -> str:
    """CoreDNS's configuration: the cluster's names only, nothing is forwarded."""
    return f""".:{DNS_PORT} {{
 bind {layout.NODE_ADDRESS}
 errors
 kubernetes cluster.local in-addr.arpa {{
  kubeconfig {cluster.kubeconfig()} kind-{cluster.name}
  ttl 5
 }}
 cache 5
}}
"""


def objects() -> list[dict[str, Any]]:
    """What a new cluster's API server is given: storage class, DNS service, kube-proxy's rights."""
    protocols = (("dns", "UDP"), ("dns-tcp", "TCP"))
    dns = {"name": "kube-dns", "namespace": "kube-system"}
    service_ports = [
        {"name": name, "port": 53, "protocol": protocol, "targetPort": DNS_PORT}
        for name, protocol in protocols
    ]
    return [
        {
            "apiVersion": "storage.k8s.io/v1",
            "kind": "StorageClass",
            "metadata": {
                "name": "standard",
                "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
            },
            "provisioner": "kubernetes.io/host-path",
            "reclaimPolicy": "Delete",
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": dns,
            "spec": {"clusterIP": layout.DNS_SERVICE, "ports": service_ports},
        },
        {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": dns | {"labels": {"kubernetes.io/service-name": "kube-dns"}},
            "addressType": "IPv4",
            "endpoints": [{"addresses": [layout.NODE_ADDRESS], "conditions": {"ready": True}}],
            "ports": [
                {"name": name, "port": DNS_PORT, "protocol": protocol}
                for name, protocol in protocols
            ],
        },
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "daap-kube-proxy"},
            "roleRef": {
                "apiGroup": "rbac.authorization.k8s.io",
                "kind": "ClusterRole",
                "name": "system:node-proxier",
            },
            "subjects": [{"kind": "User", "name": "system:kube-proxy"}],
        },
    ]
