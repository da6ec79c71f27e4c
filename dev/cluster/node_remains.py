"""Taking a node off the machine: its containers, mounts, networks, rules, and nobody else's.

Works on what a dead cluster left as well: every step looks at what is there.
"""

import signal
from contextlib import suppress
from pathlib import Path

from dev.cluster import commands, iptables, mounts, node, node_config, processes, programs
from dev.cluster.errors import ClusterError
from dev.cluster.layout import NODE_ADDRESS, Layout
from dev.cluster.processes import Processes

STARTERS = ("kubelet", "kube-scheduler", "kube-proxy", "coredns", "volumes")
"""Stopped first: the kubelet would start again what is killed."""
SHIM = b"containerd-shim"
LOGS = Path("/var/log/containers")
CNI_RESULTS = Path("/var/lib/cni/results")
CGROUPS = Path("/sys/fs/cgroup")


def clear(cluster: Layout, started: Processes) -> None:
    """Leave nothing of the cluster's node on the machine. Safe to repeat."""
    started.stop(STARTERS, how=signal.SIGKILL)
    _end_containers(cluster, started)
    started.stop(["containerd"], seconds=5)
    _end_shims(cluster)
    for point in mounts.below(cluster.directory, Path("/proc/self/mountinfo").read_text()):
        commands.ask("umount", "--lazy", point)  # the pods' network namespaces are among them
    _clear_network(cluster)
    _clear_files(cluster)


def _end_containers(cluster: Layout, started: Processes) -> None:
    if not cluster.containerd_socket.exists():
        return
    if not started.live(["containerd"]):
        # The container runtime died before its containers: only it knows which they are.
        with suppress(ClusterError):
            node.start_containerd(cluster, started)
    ctr = node.ctr(cluster)
    for task in commands.ask(*ctr, "tasks", "ls", "-q").split():
        commands.ask(*ctr, "tasks", "kill", "--all", "--signal", "SIGKILL", task)
        commands.ask(*ctr, "tasks", "rm", "--force", task)
    for container in commands.ask(*ctr, "containers", "ls", "-q").split():
        commands.ask(*ctr, "containers", "rm", container)
        for result in CNI_RESULTS.glob(f"*-{container}-*"):
            result.unlink(missing_ok=True)


def _end_shims(cluster: Layout) -> None:
    # What containerd did not end is told by the socket on its command line.
    address = str(cluster.containerd_socket).encode()
    shims = [
        int(path.parent.name)
        for path in Path("/proc").glob("[0-9]*/cmdline")
        if SHIM in (line := _read(path)) and address in line.split(b"\0")
    ]
    records = [record for pid in shims for record in processes.family(pid)]
    processes.stop(records, how=signal.SIGKILL, seconds=0)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError:
        return b""  # it ended while we looked


def _clear_network(cluster: Layout) -> None:
    commands.ask("ip", "link", "del", node_config.BRIDGE)
    kube_proxy = programs.cached("kube-proxy")
    if kube_proxy.exists():
        commands.ask(kube_proxy, "--cleanup", f"--config={cluster.directory}/kube-proxy.json")
    iptables.clear(node_config.NETWORK)
    commands.ask("ip", "addr", "del", f"{NODE_ADDRESS}/32", "dev", "lo")


def _clear_files(cluster: Layout) -> None:
    for link in (node.PROVISIONED, *LOGS.glob("*")):
        if link.is_symlink() and link.readlink().is_relative_to(cluster.directory):
            link.unlink()
    # Only directories without a process can be removed, so another kubelet's stay.
    for group in sorted(CGROUPS.glob("**/kubepods*/**/"), reverse=True):
        with suppress(OSError):
            group.rmdir()
