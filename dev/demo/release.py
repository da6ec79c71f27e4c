"""The operator as users install it: by Helm, its inventory in a PostgreSQL run by CloudNativePG."""

from pathlib import Path

from dev import image
from dev.cluster import commands, programs, provider
from dev.cluster.progress import Step
from dev.demo import places
from dev.demo.kubectl import kubectl, program_name

NAME = "daap-operator"
NAMESPACE = "daap-system"
CHART = places.ROOT / "charts" / "daap-operator"
METADATA = places.ROOT / "examples" / "install" / "metadata-database.yaml"
SECONDS = 300
RESTRICTED = "pod-security.kubernetes.io/enforce=restricted"

VALUES = {
    "metadataDatabase.existingSecret.name": "daap-metadata-app",
    "metadataDatabase.existingSecret.key": "uri",
    "metadataDatabase.tls.caSecret.name": "daap-metadata-ca",
}
"""What docs/install.md says for such a metadata database."""


def start() -> None:
    """The image, the metadata database and the release; harmless when they are there."""
    chosen = provider.current()
    image.load(image.build(docker=chosen.real), places.CLUSTER, chosen.path)
    _metadata_database()
    _release()


def inventory() -> str:
    """The rows, as psql prints them."""
    pod = ("daap-metadata-1", f"--namespace={NAMESPACE}", "--container=postgres")
    psql = ("psql", "--dbname=daap", "--pset=footer=off", f"--command={places.ROWS}")
    return kubectl("exec", *pod, "--", *psql).strip("\n")


def suggestions() -> str:
    """How to reach the inventory and the operator's log."""
    kubectl, where = program_name(), f"--namespace {NAMESPACE}"
    return f"""{kubectl} exec -it daap-metadata-1 {where} -- psql --dbname daap
    {kubectl} logs {where} --selector app.kubernetes.io/name={NAME} --follow"""


def stop() -> None:
    """Take the release away, if it is there: two operators would serve the same databases."""
    if not places.kubeconfig().exists():
        return
    if NAME in _helm("list", "--short").split():
        with Step("taking away the operator that Helm has installed"):
            _helm("uninstall", NAME, "--wait")


def _metadata_database() -> None:
    with Step("metadata database: a PostgreSQL run by CloudNativePG"):
        namespace = kubectl("create", "namespace", NAMESPACE, "--dry-run=client", "--output=yaml")
        kubectl("apply", "--filename=-", text=namespace)
        kubectl("label", "--overwrite", "namespace", NAMESPACE, RESTRICTED)
        kubectl("apply", f"--filename={METADATA}")
        ready = ("--for=condition=Ready", "cluster/daap-metadata", f"--timeout={SECONDS}s")
        kubectl("wait", *ready, f"--namespace={NAMESPACE}")


def _release() -> None:
    values = [f"--set={name}={value}" for name, value in VALUES.items()]
    # A kind DaapDatabase made by MODE=local is taken over
    take = ("--install", "--take-ownership", "--wait", f"--timeout={SECONDS}s")
    with Step(f"helm upgrade {NAME} charts/{NAME}"):
        _helm("upgrade", NAME, str(CHART), *take, *values)


def _helm(*arguments: str) -> str:
    helm = _program()
    where = (f"--kubeconfig={places.kubeconfig()}", f"--namespace={NAMESPACE}")
    return commands.run(helm, *arguments, *where)


def _program() -> Path:
    """Helm of our own: the one on PATH may be of any age."""
    return programs.build(["helm"])["helm"]
