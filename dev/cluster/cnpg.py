"""CloudNativePG as its Go module ships it: CRDs and manifest. No copy of either is kept here."""

from pathlib import Path

from dev.cluster import commands, go_modules, versions
from dev.cluster.progress import Step

NAMESPACE = "cnpg-system"
DEPLOYMENT = "cnpg-controller-manager"


def source() -> Path:
    """The directory of CloudNativePG's Go module, downloaded if need be. Raises ClusterError."""
    return go_modules.source("cnpg", versions.CNPG_MODULE)


def crds() -> Path:
    """The directory with one YAML file for each of CloudNativePG's CRDs. Raises ClusterError."""
    return go_modules.part("cnpg", versions.CNPG_MODULE, "config/crd/bases")


def manifest() -> str:
    """The YAML that installs CloudNativePG: CRDs, RBAC, webhooks, Deployment."""
    file = f"releases/cnpg-{versions.CNPG}.yaml"
    return go_modules.part("cnpg", versions.CNPG_MODULE, file).read_text()


def install(kubectl: Path, kubeconfig: Path, *, pull: bool) -> None:
    """Install CloudNativePG into a cluster with nodes, and wait until it serves.

    With `pull` the node fetches the published image, as real kind does; without it the image must
    be on the node already. Safe to repeat. Raises ClusterError.
    """
    text = manifest()
    if not pull:
        text = text.replace("imagePullPolicy: Always", "imagePullPolicy: IfNotPresent")
    cluster = (kubectl, f"--kubeconfig={kubeconfig}")
    with Step(f"installing CloudNativePG {versions.CNPG}") as step:
        commands.run(*cluster, "apply", "--server-side", "--force-conflicts", "-f", "-", text=text)
        patience = "600s" if pull else "180s"
        rollout = ("-n", NAMESPACE, "rollout", "status", f"deployment/{DEPLOYMENT}")
        step.run(*cluster, *rollout, f"--timeout={patience}")
