"""What the platform team has before anything else: CloudNativePG, and a place for backups."""

import subprocess
from pathlib import Path

from dev.cluster import backup, barman, cnpg, commands, provider
from dev.cluster.errors import ClusterError
from dev.cluster.progress import say
from dev.demo import places
from dev.demo.kubectl import kubectl, program


def cluster() -> None:
    """The cluster with CloudNativePG and what backups need, made unless it is there."""
    chosen = provider.current()
    say(f"cluster: {chosen.path} ({chosen.reason})")
    if not _is_running(chosen.path):
        _create(chosen)
    elif not _is_whole(chosen):
        say(f"cluster: {places.CLUSTER} was left half created: creating it again")
        remove()
        _create(chosen)
    else:
        say(f"cluster: {places.CLUSTER} is running already")
    if chosen.real:
        cnpg.install(program(), places.kubeconfig(), pull=True)
        backup.install(program(), places.kubeconfig(), pull=True)
    elif not _has(barman.NAMESPACE, barman.DEPLOYMENT):  # made by a version without backups
        _run(chosen.path, "install", "backup")


def remove() -> None:
    """Take away the cluster."""
    chosen = provider.current()
    if _is_running(chosen.path):
        _run(chosen.path, "delete", "cluster")


def _is_running(kind: Path) -> bool:
    return places.CLUSTER in commands.run(kind, "get", "clusters").split()


def _is_whole(chosen: provider.Provider) -> bool:
    """Whether its creation came to its end, which for our own cluster is CloudNativePG."""
    try:
        places.kubeconfig().write_text(
            commands.run(chosen.path, "get", "kubeconfig", f"--name={places.CLUSTER}")
        )
        kubectl("get", "nodes")
    except ClusterError:
        return False
    return chosen.real or _has(cnpg.NAMESPACE, cnpg.DEPLOYMENT)


def _has(namespace: str, deployment: str) -> bool:
    try:
        kubectl("get", "deployment", deployment, f"--namespace={namespace}")
    except ClusterError:
        return False
    return True


def _create(chosen: provider.Provider) -> None:
    _run(chosen.path, "create", "cluster", *(() if chosen.real else ("--backup",)))


def _run(kind: Path, *what: str) -> None:
    place = (f"--name={places.CLUSTER}", f"--kubeconfig={places.kubeconfig()}")
    if subprocess.run([kind, *what, *place], check=False).returncode:
        raise ClusterError(f"kind {' '.join(what)} failed; the message above says why")
