"""What the platform team has before anything else: the cluster with CloudNativePG."""

import subprocess
from pathlib import Path

from dev.cluster import cnpg, commands, provider
from dev.cluster.errors import ClusterError
from dev.cluster.progress import say
from dev.demo import places
from dev.demo.kubectl import kubectl, program


def cluster() -> None:
    """The cluster with CloudNativePG, made unless it is there."""
    chosen = provider.current()
    say(f"cluster: {chosen.path} ({chosen.reason})")
    if not _is_running(chosen.path):
        _create(chosen.path)
    elif not _is_whole(chosen):
        say(f"cluster: {places.CLUSTER} was left half created: creating it again")
        remove()
        _create(chosen.path)
    else:
        say(f"cluster: {places.CLUSTER} is running already")
    if chosen.real:
        cnpg.install(program(), places.kubeconfig(), pull=True)


def remove() -> None:
    """Take away the cluster."""
    chosen = provider.current()
    if _is_running(chosen.path):
        delete = [str(chosen.path), "delete", "cluster", f"--name={places.CLUSTER}"]
        done = subprocess.run([*delete, f"--kubeconfig={places.kubeconfig()}"], check=False)
        if done.returncode:
            raise ClusterError("the cluster could not be deleted; the message above says why")


def _is_running(kind: Path) -> bool:
    return places.CLUSTER in commands.run(kind, "get", "clusters").split()


def _is_whole(chosen: provider.Provider) -> bool:
    """Whether its creation came to its end, which for our own cluster is CloudNativePG."""
    try:
        places.kubeconfig().write_text(
            commands.run(chosen.path, "get", "kubeconfig", f"--name={places.CLUSTER}")
        )
        kubectl("get", "nodes")
        if not chosen.real:
            kubectl("get", "deployment", cnpg.DEPLOYMENT, f"--namespace={cnpg.NAMESPACE}")
    except ClusterError:
        return False
    return True


def _create(kind: Path) -> None:
    create = [str(kind), "create", "cluster", f"--name={places.CLUSTER}"]
    done = subprocess.run([*create, f"--kubeconfig={places.kubeconfig()}"], check=False)
    if done.returncode:
        raise ClusterError("the cluster could not be created; the message above says why")
