"""A full cluster: a control plane, a node on this machine, and CloudNativePG on it. Needs root."""

import shutil
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

from dev.cluster import (
    archive,
    backup,
    backup_images,
    cnpg,
    homes,
    images,
    layout,
    node,
    node_config,
    node_remains,
    packages,
    paths,
    ports,
    programs,
)
from dev.cluster.control_plane import ControlPlane
from dev.cluster.errors import ClusterError
from dev.cluster.layout import Layout
from dev.cluster.processes import Processes
from dev.cluster.progress import say

SPACE_BYTES = 3 * paths.GIB
"""The node's images unpacked, and some databases."""


def build(*, with_backup: bool = False) -> tuple[dict[str, Path], list[Path]]:
    """The programs by name and the node's images, built when not cached. Raises ClusterError."""
    images.require_root("a cluster with a node")
    packages.require(packages.NODE)
    further = programs.BACKUP if with_backup else ()
    built = programs.build((*programs.CONTROL_PLANE, *programs.NODE, *further))
    archives = images.build(images.node_images())
    return built, archives + (backup_images.build() if with_backup else [])


def create(
    name: str, *, with_cnpg: bool, with_backup: bool = False, flags: Mapping[str, Sequence[str]]
) -> Layout:
    """Build what is missing, start everything, and wait until the node and CloudNativePG serve.

    `with_backup` adds the Barman Cloud plugin and an S3 server. The cluster lives until it is
    deleted. On any error nothing is left but its logs. Raises ClusterError.
    """
    if with_backup and not with_cnpg:
        raise ClusterError("--backup needs CloudNativePG: leave out --no-cnpg")
    homes.require_free(name)  # before minutes of building
    built, archives = build(with_backup=with_backup)
    with homes.claim(name):
        _require_machine(name)
        cluster = homes.plan(name, kubectl=built["kubectl"], node=True, flags=flags)
        try:
            node.prepare(cluster)
            ControlPlane(cluster).launch(built)
            node.start(cluster, built, archives)
            if with_cnpg:
                cnpg.install(built["kubectl"], cluster.kubeconfig(), pull=False)
            if with_backup:
                backup.install(built["kubectl"], cluster.kubeconfig(), pull=False)
        except BaseException as error:
            node_remains.clear(cluster, Processes(cluster.directory))
            Processes(cluster.directory).stop(how=signal.SIGKILL)
            if isinstance(error, ClusterError):
                raise ClusterError(f"{error}\nlogs are in {cluster.directory}") from error
            raise
    return cluster


def _require_machine(name: str) -> None:
    """Raise ClusterError unless this machine has room for the one full cluster it can hold."""
    for other in homes.names():
        found = layout.read(paths.cluster_directory(other))
        if found and found.node:
            raise ClusterError(
                f"cluster {other} has this machine's only node; "
                f"delete it first: dev/kind delete cluster --name {other}"
            )
    ports.require(node_config.PORTS)
    paths.require_space(paths.state(), SPACE_BYTES, f"cluster {name}")


def add_backup(cluster: Layout) -> None:
    """Give a running cluster what backups need. Raises ClusterError."""
    for file in backup_images.build():
        load(cluster, file)
    backup.install(cluster.kubectl, cluster.kubeconfig(), pull=False)


def load(cluster: Layout, file: Path) -> None:
    """Load an image archive into the cluster's node and say what was in it. Raises ClusterError."""
    if not file.is_file():
        raise ClusterError(f"no image archive {file}; make one: dev/kind build image")
    node.load(cluster, file)
    say(f"loaded {', '.join(archive.image_names(file)) or file} into {cluster.node_name}")


def export_logs(cluster: Layout, target: Path) -> None:
    """Copy the logs of the cluster's programs and pods."""
    target.mkdir(parents=True, exist_ok=True)
    for log in cluster.directory.glob("*.log"):
        shutil.copy(log, target)
    pods = cluster.directory / "pod-logs"
    if pods.exists():
        shutil.copytree(pods, target / "pod-logs", dirs_exist_ok=True)
