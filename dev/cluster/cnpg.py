"""CloudNativePG as its Go module ships it: CRDs and manifest. No copy of either is kept here."""

from pathlib import Path

from dev.cluster import commands, programs, versions
from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step

NAMESPACE = "cnpg-system"
DEPLOYMENT = "cnpg-controller-manager"


def source() -> Path:
    """The directory of CloudNativePG's Go module, downloaded if need be. Raises ClusterError."""
    module = versions.MODULES / "cnpg"
    where = ("list", "-mod=readonly", "-m", "-f", "{{.Dir}}", versions.CNPG_MODULE)
    if not (found := programs.go(*where, module=module)):
        with Step(f"downloading CloudNativePG {versions.CNPG}") as step:
            command = ("go", "mod", "download", versions.CNPG_MODULE)
            step.run(*command, cwd=module, **programs.GO_ENVIRONMENT)
        found = programs.go(*where, module=module)
    return Path(found)


def crds() -> Path:
    """The directory with one YAML file for each of CloudNativePG's CRDs. Raises ClusterError."""
    return _existing(source() / "config/crd/bases")


def manifest() -> str:
    """The YAML that installs CloudNativePG: CRDs, RBAC, webhooks, Deployment."""
    return _existing(source() / f"releases/cnpg-{versions.CNPG}.yaml").read_text()


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


def _existing(path: Path) -> Path:
    if not path.exists():
        raise ClusterError(
            f"CloudNativePG {versions.CNPG} has no {path}: its module is incomplete; "
            "run: go clean -modcache"
        )
    return path
