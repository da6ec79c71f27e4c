"""The image, run as the strictest namespaces have it: not as root, nothing to write but /tmp."""

import json
import uuid
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from daap_operator import __version__
from dev.image import Built
from tests.fix_cluster import remove_namespace
from tests.fix_e2e import pods_may_come
from tests.support.api import Api, Object
from tests.support.eventually import eventually
from tests.support.slowness import slowness

MOST_BYTES = 150_000_000
MOST_SECONDS = 1.5
"""Of CPU until all is imported, where 0.6 is usual: the first watch is to begin within 2 s."""

RESTRICTED = {
    "runAsNonRoot": True,
    "readOnlyRootFilesystem": True,
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "seccompProfile": {"type": "RuntimeDefault"},
}


class Pods:
    """Runs the image in pods of a namespace that enforces Pod Security "restricted"."""

    def __init__(self, api: Api, namespace: str, image: str) -> None:
        self._api, self._namespace, self._image = api, namespace, image

    async def run(self, *args: str, command: Sequence[str] = ()) -> tuple[int, str]:
        """The exit code and all that was printed."""
        name = f"image-{uuid.uuid4().hex[:8]}"
        await self._api.create("pods", self._pod(name, args, command))
        pod = await eventually(
            lambda: self._api.get("pods", self._namespace, name),
            lambda pod: pod and pod["status"].get("phase") in ("Succeeded", "Failed"),
            seconds=120,
            every=0.2,
        )
        assert pod
        (container,) = pod["status"]["containerStatuses"]
        said = await self._api.text(f"/api/v1/namespaces/{self._namespace}/pods/{name}/log")
        return int(container["state"]["terminated"]["exitCode"]), said

    async def ask(self, script: str) -> Any:
        """What a Python script in the image prints, as JSON."""
        code, said = await self.run(command=["python", "-c", script])
        assert code == 0, said
        return json.loads(said)

    def _pod(self, name: str, args: Sequence[str], command: Sequence[str]) -> Object:
        container: Object = {
            "name": "operator",
            "image": self._image,
            "imagePullPolicy": "IfNotPresent",
            "args": list(args),
            "securityContext": RESTRICTED,
            "volumeMounts": [{"name": "tmp", "mountPath": "/tmp"}],
        }
        if command:
            container["command"] = list(command)
        return {
            "metadata": {"name": name, "namespace": self._namespace},
            "spec": {
                "restartPolicy": "Never",
                "automountServiceAccountToken": False,
                "containers": [container],
                "volumes": [{"name": "tmp", "emptyDir": {}}],
            },
        }


@pytest.fixture
async def pods(real_api: Api, operator_image: str) -> AsyncIterator[Pods]:
    name = f"restricted-{uuid.uuid4().hex[:8]}"
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    await real_api.create("namespaces", {"metadata": {"name": name, "labels": labels}})
    try:
        await pods_may_come(real_api, name)
        yield Pods(real_api, name, operator_image)
    finally:
        await remove_namespace(real_api, name)


async def test_the_commands_run_without_root_and_without_a_file_to_write(pods: Pods) -> None:
    assert await pods.run("--version") == (0, f"daap-operator {__version__}\n")
    code, said = await pods.run("migrate", "--help")
    assert (code, said.split("\n")[0][:28]) == (0, "usage: daap-operator migrate")


async def test_without_arguments_the_operator_runs(pods: Pods) -> None:
    code, said = await pods.run()
    assert (code, said[:35]) == (2, "error: DATABASE_URL is not set: set")


LINT = """
import contextlib, io, json, pathlib
from daap_operator import cli
file = pathlib.Path("/tmp/001_orders.sql")
file.write_text("CREATE TABLE orders (id integer PRIMARY KEY);")
with contextlib.redirect_stdout(io.StringIO()) as said:
    code = cli.main(["schema", "lint", str(file)])
print(json.dumps([code, said.getvalue()]))
"""


async def test_the_linter_of_sql_files_is_there_with_all_it_loads(pods: Pods) -> None:
    code, said = await pods.ask(LINT)
    assert code == 0
    assert "prefer-bigint-over-int" in said  # squawk's, which is a program beside Python
    assert "linter-unavailable" not in said


LOOK = """
import importlib.util, json, os, pathlib, shutil, ssl, stat, tempfile

def writable(folder):
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True

def mounted(path):
    return path in ("/proc", "/sys", "/dev", "/run", "/tmp")

special = []
for folder, folders, files in os.walk("/"):
    folders[:] = [name for name in folders if not mounted(os.path.join(folder, name))]
    for path in (os.path.join(folder, name) for name in files + folders):
        mode = os.lstat(path).st_mode
        loose = stat.S_ISUID | stat.S_ISGID | (0 if stat.S_ISLNK(mode) else stat.S_IWOTH)
        if mode & loose:
            special.append(path)
programs = "sh bash dash busybox apt-get dpkg pip pip3 perl curl wget".split()
modules = "pip setuptools hatchling ensurepip".split()
path = "/bin:/sbin:/usr/bin:/usr/sbin:/usr/local/bin:/usr/local/sbin:/opt/daap/bin"
print(json.dumps({
    "ids": [os.getuid(), os.getgid()],
    "writable": [f for f in ("/", "/opt/daap", "/var", "/home", "/etc", "/tmp") if writable(f)],
    "special": special,
    "programs": [name for name in programs if shutil.which(name, path=path)],
    "modules": [name for name in modules if importlib.util.find_spec(name)],
    "packages": sorted(p.name for p in pathlib.Path("/var/lib/dpkg/status.d").iterdir()),
    "authorities": len(ssl.create_default_context().get_ca_certs()) > 50,
    "user": pathlib.Path("/etc/passwd").read_text().splitlines()[-1].split(":")[0],
    "migrations": len(list(pathlib.Path("/opt/daap").rglob("daap_operator/migrations/*.sql"))) > 1,
}))
"""


async def test_there_is_nothing_in_it_but_the_operator(pods: Pods) -> None:
    seen = await pods.ask(LOOK)
    packages = seen.pop("packages")
    assert {"libc6", "libssl3t64", "zlib1g"} <= set(packages)  # what scanners look for
    assert not {"apt", "bash", "coreutils", "dpkg", "perl-base"} & set(packages)
    assert seen == {
        "ids": [65532, 65532],
        "writable": ["/tmp"],
        "special": [],
        "programs": [],
        "modules": [],
        "authorities": True,
        "user": "daap",
        "migrations": True,
    }


async def test_it_is_small(built_image: Built) -> None:
    assert built_image.bytes < MOST_BYTES


START = """
import json, os, sys, time
import daap_operator.cli
files = [getattr(module, "__cached__", None) for module in list(sys.modules.values())]
print(json.dumps({
    "seconds": time.process_time(),
    "without bytecode": [file for file in files if file and not os.path.exists(file)],
}))
"""


async def test_it_starts_soon(pods: Pods) -> None:
    before = slowness()
    seen = await pods.ask(START)
    assert seen["without bytecode"] == []
    assert seen["seconds"] < MOST_SECONDS * max(before, slowness())
