"""Fixtures: a real cluster with the real CloudNativePG, through pytest-kind, and the operator."""

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from daap_operator import crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev import image
from dev.cluster import cnpg, provider
from dev.cluster.established import wait_established
from tests.fix_cluster import own_namespace
from tests.support import account, client_libraries
from tests.support.api import Api, Object
from tests.support.clients import Clients, build_image, load_image
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.failures import AT_ONCE
from tests.support.frozen import frozen
from tests.support.operator import PORTS
from tests.support.rows import Rows


@pytest.fixture(scope="session")
def real_cluster(kind_cluster: KindCluster) -> KindCluster:
    """A cluster with nodes, CloudNativePG, what backups need, and our CRD."""
    if is_real_kind(kind_cluster):
        cnpg.install(Path(kind_cluster.kubectl_path), Path(kind_cluster.kubeconfig_path), pull=True)
    place = (f"--name={kind_cluster.name}", f"--kubeconfig={kind_cluster.kubeconfig_path}")
    subprocess.run([provider.OURS, "install", "backup", *place], check=True)
    kind_cluster.kubectl("apply", "--server-side", "-f", "-", input=crd.render(*DEFINITIONS))
    wait_established(kind_cluster.kubectl)
    return kind_cluster


def is_real_kind(cluster: KindCluster) -> bool:
    """Whether it is kind's own, with Docker, and not dev/kind's."""
    return Path(cluster.kind_path).resolve() != provider.OURS


@pytest.fixture(scope="session")
def client_image(real_cluster: KindCluster, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The image that clients run from is on the node."""
    build_image(
        Path(real_cluster.kind_path),
        real_cluster.name,
        tmp_path_factory.mktemp("image"),
        real=is_real_kind(real_cluster),
    )


@pytest.fixture(scope="session")
def libraries_image(real_cluster: KindCluster, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The tag of the image with the client libraries of docs/clients.md, which is on the node."""
    load_image(
        Path(real_cluster.kind_path),
        real_cluster.name,
        client_libraries.context(tmp_path_factory.mktemp("libraries")),
        client_libraries.IMAGE,
        real=is_real_kind(real_cluster),
    )
    return client_libraries.IMAGE


@pytest.fixture(scope="session")
def built_image(real_cluster: KindCluster) -> image.Built:
    """The operator's image as it was built, on the node."""
    built = image.build(docker=is_real_kind(real_cluster))
    image.load(built, real_cluster.name, Path(real_cluster.kind_path))
    return built


@pytest.fixture(scope="session")
def operator_image(built_image: image.Built) -> str:
    """The tag of the operator's image, which is on the node."""
    return built_image.tag


@pytest.fixture
async def real_api(real_cluster: KindCluster) -> AsyncIterator[Api]:
    """A client with all rights."""
    async with Api(Path(real_cluster.kubeconfig_path)) as client:
        yield client


@pytest.fixture
async def shop(real_api: Api, real_operator: "OperatorProcess") -> AsyncIterator[Databases]:
    """DaapDatabases in a namespace of the test's own, and an operator that looks after them."""
    async with own_namespace(real_api, "shop") as name:
        shop = Databases(real_api, name)
        yield shop
        await cleared(shop)


async def cleared(shop: Databases) -> None:
    """Delete all databases and wait until they are gone, without the time that their pods have.

    What a test is over with is given no ten seconds to say goodbye to its clients.
    """
    for found in await shop.api.list("daapdatabases", shop.namespace):
        await shop.edit(found["metadata"]["name"], deletionProtection=False)
        await shop.delete(found["metadata"]["name"])

    async def left() -> list[Object]:
        for pod in await shop.api.list("pods", shop.namespace):
            if "deletionTimestamp" in pod["metadata"]:  # else somebody may make another one
                await shop.api.delete("pods", shop.namespace, pod["metadata"]["name"], AT_ONCE)
        return await shop.api.list("daapdatabases", shop.namespace)

    await eventually(left, lambda found: not found, seconds=120, every=0.2)


@pytest.fixture
async def elsewhere(real_api: Api) -> AsyncIterator[str]:
    """Another namespace: where clients, or rivals for a name, live."""
    async with own_namespace(real_api, "elsewhere") as name:
        await pods_may_come(real_api, name)
        yield name


async def pods_may_come(api: Api, namespace: str) -> None:
    """Wait until a new namespace has the account that pods run as: without it they are refused."""
    await eventually(lambda: api.get("serviceaccounts", namespace, "default"))


@pytest.fixture
def clients(real_api: Api, elsewhere: str, client_image: None) -> Clients:
    """Clients in another namespace."""
    return Clients(real_api, elsewhere)


@pytest.fixture
def real_rows(migrated_database: str) -> Rows:
    """The inventory of the operator process."""
    return Rows(migrated_database)


class OperatorProcess:
    """`daap-operator run` as a process, to be killed and started at will."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self._environment = environment
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, **settings: str) -> None:
        """Start it, with settings that differ from the fixture's."""
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "daap_operator", "run"],
                env=self._environment | settings,
                stdout=log,
                stderr=log,
            )

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        """Send it a signal and wait for its end."""
        if self._process is not None:
            self._process.send_signal(number)
            self._process.wait(timeout=60)
            self._process = None

    def frozen(self) -> AbstractContextManager[None]:
        """It stands still while the context lasts."""
        assert self._process
        return frozen(self._process.pid)

    @property
    def log(self) -> str:
        """All it has said."""
        return self._log.read_text(errors="replace")


@pytest.fixture(scope="session")
def operator_account(real_cluster: KindCluster, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A kubeconfig of the operator's ServiceAccount: all it has is what the chart gives it."""
    return account.kubeconfig(real_cluster, tmp_path_factory.mktemp("account") / "kubeconfig")


@pytest.fixture
def real_operator(
    operator_account: Path, migrated_database: str, tmp_path: Path
) -> Iterator[OperatorProcess]:
    """The operator on this machine, with no rights but those that the chart ships."""
    environment = {
        **os.environ,
        "KUBECONFIG": str(operator_account),
        "DATABASE_URL": migrated_database,
        **PORTS,
        "DAAP_METRICS_AUTHENTICATION": "none",
        "DAAP_LEASE_NAME": account.NAME,
        # One after the other: the next need not wait for the Lease, nor a frozen one end over it
        "DAAP_IDENTITY": "tests",
        "DAAP_LEASE_DURATION": "5m",
        "DAAP_LOG_FORMAT": "text",
    }
    process = OperatorProcess(environment, tmp_path / "operator.log")
    process.start()
    yield process
    process.stop()
    print(process.log)  # noqa: T201 - pytest shows it with a failure


@pytest.fixture
def jobs_run(real_operator: OperatorProcess, operator_image: str) -> None:
    """The Jobs of drills and schemas have the operator's image, which is on the node."""
    real_operator.stop()
    real_operator.start(DAAP_DRILL_IMAGE=operator_image)


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print what was measured, also when the test passes."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(f"\n    {line}", end="", flush=True)  # noqa: T201

    return say
