"""The operator as users install it: by Helm, its inventory in a PostgreSQL run by CloudNativePG."""

from dev import image
from dev.cluster import commands, provider
from dev.cluster.progress import Step
from dev.demo import places
from dev.demo.kubectl import kubectl, program_name
from dev.installation import CHART, NAMESPACE, RELEASE, VALUES, helm, metadata_database

SECONDS = 300


def start() -> None:
    """The image, the metadata database and the release; harmless when they are there."""
    chosen = provider.current()
    image.load(image.build(docker=chosen.real), places.CLUSTER, chosen.path)
    with Step("metadata database: a PostgreSQL run by CloudNativePG"):
        metadata_database(kubectl, seconds=SECONDS)
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
    {kubectl} logs {where} --selector app.kubernetes.io/name={RELEASE} --follow"""


def stop() -> None:
    """Take the release away, if it is there: two operators would serve the same databases."""
    if not places.kubeconfig().exists():
        return
    if RELEASE in _helm("list", "--short").split():
        with Step("uninstalling the operator that Helm installed"):
            _helm("uninstall", RELEASE, "--wait")


def _release() -> None:
    # A kind DaapDatabase made by MODE=local is taken over
    take = ("--install", "--take-ownership", "--wait", f"--timeout={SECONDS}s")
    with Step(f"helm upgrade {RELEASE} charts/{RELEASE}"):
        _helm("upgrade", RELEASE, str(CHART), *take, *VALUES)


def _helm(*arguments: str) -> str:
    where = (f"--kubeconfig={places.kubeconfig()}", f"--namespace={NAMESPACE}")
    return commands.run(helm(), *arguments, *where)
