"""What backups need beside CloudNativePG: its Barman Cloud plugin, and an S3 server."""

from functools import partial
from pathlib import Path

from dev.cluster import barman, commands, object_store, versions
from dev.cluster.progress import Step


def install(kubectl: Path, kubeconfig: Path, *, pull: bool) -> None:
    """Install both into a cluster with CloudNativePG, and wait until they serve.

    With `pull` the node fetches the published images, as real kind does; without it they must be on
    the node already (backup_images.py). Safe to repeat. Raises ClusterError.
    """
    cluster = (kubectl, f"--kubeconfig={kubeconfig}")
    run = partial(commands.run, *cluster)
    patience = "600s" if pull else "180s"
    with Step(f"installing the Barman Cloud plugin {versions.BARMAN} and an S3 server") as step:
        object_store.apply(run)
        barman.apply(run)
        for namespace, name in (
            (object_store.NAMESPACE, object_store.NAME),
            (barman.NAMESPACE, barman.DEPLOYMENT),
        ):
            rollout = ("-n", namespace, "rollout", "status", f"deployment/{name}")
            step.run(*cluster, *rollout, f"--timeout={patience}")
