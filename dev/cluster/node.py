"""A full cluster's node: container runtime, kubelet, kube-proxy, scheduler, DNS. Needs root."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from dev.cluster import api, commands, node_config, ports, programs, volumes
from dev.cluster.errors import ClusterError
from dev.cluster.layout import NODE_ADDRESS, POD_NETWORK, Layout
from dev.cluster.processes import Processes
from dev.cluster.progress import Step

START_SECONDS = 60.0
READY_SECONDS = 120.0
PROVISIONED = Path("/tmp/hostpath_pv")
"""Where kube-controller-manager's provisioner makes volumes; it cannot be told another place."""
MASQUERADE = (
    *("POSTROUTING", "-s", POD_NETWORK, "!", "-d", POD_NETWORK),
    *("-m", "comment", "--comment", node_config.NETWORK, "-j", "MASQUERADE"),
)
"""The iptables rule (table nat) by which pods reach beyond the node."""


def prepare(cluster: Layout) -> None:
    """Give the machine what the node stands on, before the API server starts.

    Raises ClusterError when the place of the volumes is somebody else's.
    """
    (cluster.directory / "volumes").mkdir()
    if PROVISIONED.is_symlink():
        PROVISIONED.unlink()
    if PROVISIONED.exists():
        _remove_if_empty(PROVISIONED)
    PROVISIONED.symlink_to(cluster.directory / "volumes")
    commands.run("ip", "addr", "replace", f"{NODE_ADDRESS}/32", "dev", "lo", "scope", "global")
    Path("/proc/sys/net/ipv4/ip_forward").write_text("1")
    commands.run("iptables", "-w", "-t", "nat", "-A", *MASQUERADE)


def _remove_if_empty(directory: Path) -> None:
    try:
        directory.rmdir()
    except OSError as error:
        raise ClusterError(
            f"{directory} holds the volumes of another cluster; "
            f"delete that cluster, then run: rm -r {directory}"
        ) from error


def start(cluster: Layout, built: Mapping[str, Path], images: Sequence[Path]) -> None:
    """Start the node's programs and wait until the node is ready. Raises ClusterError."""
    processes = Processes(cluster.directory)
    for name, text in node_config.files(cluster, built["containerd-shim-runc-v2"]).items():
        path = cluster.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    start_containerd(cluster, processes)
    with Step("loading the node's images"):
        for archive in images:
            load(cluster, archive)
    opener = ("-I", volumes.__file__, str(cluster.directory / "volumes"))
    processes.start("volumes", Path(sys.executable), opener)
    for name, flags in node_config.programs(cluster).items():
        processes.start(name, built[name], flags)
    _apply_objects(cluster, built["kubectl"])
    with Step("waiting for the node"):
        processes.wait(
            "the node's readiness",
            lambda: _serving() and ready(api.items(cluster, "/api/v1/nodes")),
            seconds=READY_SECONDS,
            needs=("kubelet", "containerd", "kube-proxy", "kube-scheduler", "coredns"),
        )


def _serving() -> bool:
    # The kubelet alone makes the node ready; without the others its pods reach nothing.
    return not any(ports.free("0.0.0.0", port) for port in node_config.PORTS)  # noqa: S104 - probed


def start_containerd(cluster: Layout, processes: Processes) -> None:
    """Start the container runtime and wait until it answers. Raises ClusterError."""
    program = programs.build(programs.CONTAINERD)["containerd"]
    processes.start("containerd", program, ("--config", str(cluster.directory / "containerd.toml")))
    processes.wait(
        "containerd's start",
        lambda: "Server" in commands.ask(*ctr(cluster), "version"),
        seconds=START_SECONDS,
        needs=("containerd",),
    )


def ctr(cluster: Layout) -> tuple[str, ...]:
    """The command of containerd's client, at the place where Kubernetes keeps its images."""
    program = str(programs.cached("ctr"))
    return (program, "--address", str(cluster.containerd_socket), "--namespace", "k8s.io")


def load(cluster: Layout, archive: Path) -> None:
    """Load a docker-archive into the node. Raises ClusterError."""
    commands.run(*ctr(cluster), "images", "import", archive)


def images(cluster: Layout) -> list[str]:
    """The names of the node's images."""
    return commands.run(*ctr(cluster), "images", "ls", "-q").split()


def has(present: Iterable[str], image: str) -> bool:
    """Whether an image is among the node's, which know it by its name with registry and tag."""
    tagged = image if ":" in image.rsplit("/", 1)[-1] else f"{image}:latest"
    return any(name == tagged or name.endswith(f"/{tagged}") for name in present)


def ready(nodes: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there is a node and its kubelet calls it ready."""
    conditions = [c for node in nodes for c in node.get("status", {}).get("conditions", ())]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)


def _apply_objects(cluster: Layout, kubectl: Path) -> None:
    objects = {"apiVersion": "v1", "kind": "List", "items": node_config.objects()}
    command = (kubectl, f"--kubeconfig={cluster.kubeconfig()}", "apply", "-f", "-")
    commands.run(*command, text=json.dumps(objects))
