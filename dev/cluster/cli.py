"""`dev/kind`: carries out a command line; faults become one message on stderr and exit status 1."""

import argparse
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path

from dev.cluster import (
    arguments,
    backup,
    barman,
    buildah,
    cnpg,
    control_plane,
    full,
    homes,
    kubeconfig,
    layout,
    node,
    paths,
    programs,
    versions,
)
from dev.cluster.errors import ClusterError
from dev.cluster.layout import Layout
from dev.cluster.progress import duration, say


def main() -> None:
    """Carry out the command line of this program and end it with kind's exit status."""
    try:
        words = arguments.parse(sys.argv[1:])
        COMMANDS[words.command](words)
    except ClusterError as error:
        sys.exit(f"ERROR: {error}")
    except OSError as error:
        if (known := paths.explain(error)) is None:
            raise
        sys.exit(f"ERROR: {known}")
    except KeyboardInterrupt:
        sys.exit("interrupted")


def _build(words: argparse.Namespace) -> None:
    if words.control_plane_only:
        programs.control_plane()
    else:
        full.build(with_backup=words.backup)


def _build_image(words: argparse.Namespace) -> None:
    print(buildah.build(Path(words.directory), words.tag, words.rest))


def _create(words: argparse.Namespace) -> None:
    for flag in ("config", "image"):
        if value := getattr(words, flag):
            say(f"ignoring --{flag}={value}: the node is always Kubernetes {versions.KUBERNETES}")
    flags = arguments.extra_flags(words.extra)
    started = time.monotonic()
    say(f'Creating cluster "{words.name}" ...')
    if words.control_plane_only:
        cluster = control_plane.create(words.name, flags=flags)
    else:
        parts = {"with_cnpg": not words.no_cnpg, "with_backup": words.backup}
        cluster = full.create(words.name, **parts, flags=flags)
    say(f'Cluster "{words.name}" is up after {duration(time.monotonic() - started)}')
    _add_to_kubeconfig(cluster, words.kubeconfig)


def _add_to_kubeconfig(cluster: Layout, chosen: str | None) -> None:
    path = kubeconfig.users_file(chosen)
    kubeconfig.merge(cluster.kubectl, path, cluster.kubeconfig())
    say(f'Set kubectl context to "{kubeconfig.context(cluster.name)}" in {path}')


def _delete(words: argparse.Namespace) -> None:
    say(f'Deleting cluster "{words.name}" ...')
    cluster = layout.read(paths.cluster_directory(words.name))
    if cluster and cluster.kubectl.exists():
        kubeconfig.remove(cluster.kubectl, kubeconfig.users_file(words.kubeconfig), words.name)
    homes.delete(words.name)


def _get_clusters(_: argparse.Namespace) -> None:
    names = homes.names()
    if not names:
        say("No kind clusters found.")
    print("".join(f"{name}\n" for name in names), end="")


def _get_nodes(words: argparse.Namespace) -> None:
    cluster = layout.read(paths.cluster_directory(words.name))
    if cluster and cluster.node and homes.running(cluster.directory):
        print(cluster.node_name)
    else:
        say(f'No kind nodes found for cluster "{words.name}".')


def _get_kubeconfig(words: argparse.Namespace) -> None:
    print(_running(words.name).kubeconfig().read_text())


def _get_binary(words: argparse.Namespace) -> None:
    print(programs.build([words.program])[words.program])


def _get_cnpg_crds(_: argparse.Namespace) -> None:
    print(cnpg.crds())


def _get_barman_crds(_: argparse.Namespace) -> None:
    print(barman.crds())


def _load_archive(words: argparse.Namespace) -> None:
    cluster = _with_node(words.name)
    for archive in words.archives:
        full.load(cluster, Path(archive))


def _load_image(words: argparse.Namespace) -> None:
    present = node.images(_with_node(words.name))
    for image in words.images:
        if not node.has(present, image):
            raise ClusterError(
                f'image: "{image}" not present on the node, and there is no Docker to take it '
                "from: make an archive (dev/kind build image) and load it "
                "(dev/kind load image-archive)"
            )


def _export_logs(words: argparse.Namespace) -> None:
    cluster = layout.read(paths.cluster_directory(words.name))
    if cluster is None:
        raise ClusterError(f'unknown cluster "{words.name}"; there are: {_known()}')
    target = Path(words.directory or f"{words.name}-logs")
    full.export_logs(cluster, target)
    say(f'Exported logs for cluster "{words.name}" to:')
    print(target)


def _export_kubeconfig(words: argparse.Namespace) -> None:
    _add_to_kubeconfig(_running(words.name), words.kubeconfig)


def _install_cnpg(words: argparse.Namespace) -> None:
    cnpg.install(_kubectl(), kubeconfig.users_file(words.kubeconfig), pull=True)


def _install_backup(words: argparse.Namespace) -> None:
    if words.name in homes.names():
        full.add_backup(_with_node(words.name))
    else:
        backup.install(_kubectl(), kubeconfig.users_file(words.kubeconfig), pull=True)


def _kubectl() -> Path:
    found = shutil.which("kubectl")
    return Path(found) if found else programs.build(["kubectl"])["kubectl"]


def _version(_: argparse.Namespace) -> None:
    print(f"dev/kind Kubernetes {versions.KUBERNETES} CloudNativePG {versions.CNPG}")


def _running(name: str) -> Layout:
    cluster = layout.read(paths.cluster_directory(name))
    if cluster is None or not homes.running(cluster.directory):
        raise ClusterError(
            f"could not locate any control plane nodes for cluster named '{name}'; "
            f"use --name for another; there are: {_known()}"
        )
    return cluster


def _with_node(name: str) -> Layout:
    cluster = layout.read(paths.cluster_directory(name))
    if cluster is None or not cluster.node or not homes.running(cluster.directory):
        raise ClusterError(f'no nodes found for cluster "{name}"; running clusters: {_known()}')
    return cluster


def _known() -> str:
    return ", ".join(homes.names()) or "none"


COMMANDS: dict[str, Callable[[argparse.Namespace], None]] = {
    "build": _build,
    "build image": _build_image,
    "create cluster": _create,
    "delete cluster": _delete,
    "get clusters": _get_clusters,
    "get nodes": _get_nodes,
    "get kubeconfig": _get_kubeconfig,
    "get binary": _get_binary,
    "get cnpg-crds": _get_cnpg_crds,
    "get barman-crds": _get_barman_crds,
    "load image-archive": _load_archive,
    "load docker-image": _load_image,
    "export logs": _export_logs,
    "export kubeconfig": _export_kubeconfig,
    "install cnpg": _install_cnpg,
    "install backup": _install_backup,
    "version": _version,
}
