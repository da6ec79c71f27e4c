"""The directories of clusters: claimed for a new one, listed, cleared of what a dead one left."""

import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from dev.cluster import layout, mounts, node_remains, paths, ports
from dev.cluster.errors import ClusterError
from dev.cluster.layout import Layout
from dev.cluster.processes import Processes, Record
from dev.cluster.progress import say

OWNER = "owner"
"""The record of the Python process a plane belongs to; a cluster of the command line has none."""

MARKS = (OWNER, layout.FACTS)
"""One is the first file of every cluster and the last to go: others keep files near it, too."""


def names() -> list[str]:
    """The clusters that run."""
    found = sorted(path.parent for path in paths.state().glob(f"*/{layout.FACTS}"))
    return [directory.name for directory in found if running(directory)]


def running(directory: Path) -> bool:
    """Whether a cluster runs for somebody; its files outlive its programs, as after a reboot."""
    live = {record.name for record in Processes(directory).live()}
    owner = directory / OWNER
    if owner.exists():
        # Its API server may be stopped for the moment, on purpose.
        record = Record.parse(owner.read_text())
        return bool(live) and record is not None and record.alive()
    return "kube-apiserver" in live


def require_free(name: str) -> None:
    """Raise ClusterError when a cluster of the name runs, or none could be called so."""
    if running(paths.cluster_directory(name)):
        raise ClusterError(
            "failed to create cluster: node(s) already exist for a cluster with the name "
            f'"{name}"; delete it first: dev/kind delete cluster --name {name}'
        )


@contextmanager
def claim(name: str) -> Iterator[Path]:
    """The new directory of a cluster, held against other creators and deleters.

    What a dead cluster left under the name is cleared. Raises ClusterError when one runs.
    """
    directory = paths.cluster_directory(name)
    with _lock(name):
        require_free(name)
        if directory.exists():
            _require_ours(directory)
            say(f"clearing what a dead cluster {name} left in {directory}")
            _delete(directory)
        directory.mkdir(mode=0o700)
        try:
            yield directory
        except BaseException:
            if not any(directory.glob("*.log")):
                _delete(directory)  # nothing was started, so there is nothing to look into
            raise


def plan(
    name: str,
    *,
    kubectl: Path,
    node: bool = False,
    audit: bool = False,
    flags: Mapping[str, Sequence[str]],
) -> Layout:
    """A layout with ports that no other cluster of this user has, kept in the claimed directory."""
    directory = paths.cluster_directory(name)
    with paths.lock(paths.state() / ".locks" / "ports", "waiting for ports"):
        others = [layout.read(path.parent) for path in paths.state().glob(f"*/{layout.FACTS}")]
        taken = {p for o in others if o for p in (o.api_port, o.etcd_port, o.peer_port)}
        api_port, etcd_port, peer_port = ports.choose(3, taken)
        cluster = Layout(
            name=name,
            directory=directory,
            api_port=api_port,
            etcd_port=etcd_port,
            peer_port=peer_port,
            kubectl=kubectl,
            node=node,
            audit=audit,
            flags={program: list(words) for program, words in flags.items()},
        )
        cluster.write()
    return cluster


def delete(name: str) -> None:
    """End a cluster's programs and delete every trace of it; nothing happens when there is none."""
    directory = paths.cluster_directory(name)
    with _lock(name):
        if directory.exists():
            _require_ours(directory)
            _delete(directory)


def _require_ours(directory: Path) -> None:
    files = {path.name for path in directory.iterdir()}
    if files and files.isdisjoint(MARKS):
        raise ClusterError(
            f"{directory} holds files that are not a cluster's; "
            f"choose another --name, or remove them: rm -r {directory}"
        )


def _lock(name: str) -> AbstractContextManager[None]:
    return paths.lock(
        paths.state() / ".locks" / name, f"waiting for another program to finish with {name}"
    )


def _delete(directory: Path) -> None:
    cluster = layout.read(directory)
    processes = Processes(directory)
    if cluster and cluster.node:
        node_remains.clear(cluster, processes)
    # Killed, not asked: what they would write down is deleted next.
    processes.stop(how=signal.SIGKILL)
    mounts.delete_tree(directory, last=MARKS)
