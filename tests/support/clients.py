"""Clients in pods: what a team's software sees of a database."""

import json
import platform
import shutil
import subprocess
import sys
import uuid
from base64 import b64decode
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.support.api import Api, ApiError, Object
from tests.support.eventually import eventually

IMAGE = "daap-e2e-client:1"
SOURCE = Path(__file__).resolve().parents[1] / "e2e" / "client"
POD_SECONDS = 120.0
MOUNTED = ("/binding", "/var/run/secrets/daap/orders")
"""Where a pod has the Secret's entries; the second is where docs/clients.md says for `orders`."""


def build_image(kind: Path, cluster: str, directory: Path, *, real: bool) -> None:
    """Build the client's image and load it into the cluster, with Docker or without."""
    context = directory / "client"
    shutil.copytree(SOURCE, context)
    _download_wheels(context)
    load_image(kind, cluster, context, IMAGE, real=real)


def load_image(kind: Path, cluster: str, context: Path, tag: str, *, real: bool) -> None:
    """Build an image from a directory and load it into the cluster, with Docker or without."""
    if real:
        _run("docker", "build", "--tag", tag, str(context))
        _run(str(kind), "load", "docker-image", tag, "--name", cluster)
    else:
        archive = _run(str(kind), "build", "image", str(context), "--tag", tag)
        _run(str(kind), "load", "image-archive", archive, "--name", cluster)


def _download_wheels(context: Path) -> None:
    """For the image's Python, so that its build needs no registry."""
    options = ["--quiet", "--require-hashes", "--no-deps", "--only-binary=:all:"]
    target = ["--python-version=3.13", f"--platform=manylinux2014_{platform.machine()}"]
    files = [f"--dest={context / 'wheels'}", f"--requirement={context / 'requirements.txt'}"]
    _run(sys.executable, "-m", "pip", "download", *options, *target, *files)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


class Clients:
    """Runs Python with psycopg in pods of one namespace."""

    def __init__(self, api: Api, namespace: str) -> None:
        self._api = api
        self._namespace = namespace

    async def run(
        self, script: str, secret: Object, image: str = IMAGE, seconds: float = POD_SECONDS
    ) -> Any:
        """Run a script once the database answers, and give back the JSON it prints.

        The Secret is copied here, as people do, and its entries are files below /binding. Raises
        AssertionError with what the script said when it fails.
        """
        python = ["python", "-c", PRELUDE + ANSWERED + script]
        return json.loads(await self.output(python, secret, image, seconds))

    async def output(
        self, command: Sequence[str], secret: Object, image: str, seconds: float = POD_SECONDS
    ) -> str:
        """What a command prints that succeeds in a pod with the Secret's entries below /binding."""
        name = await self.start_command(command, secret, image)
        pod = await eventually(
            lambda: self._api.get("pods", self._namespace, name),
            lambda pod: pod and pod["status"].get("phase") in ("Succeeded", "Failed"),
            seconds=seconds,
            every=0.2,
        )
        assert pod
        said = await eventually(lambda: self._log(name), lambda log: log is not None)
        assert said is not None
        assert pod["status"]["phase"] == "Succeeded", said
        return said

    async def start(self, script: str, secret: Object) -> str:
        """Have a script begun, and give back the pod's name."""
        return await self.start_command(["python", "-c", PRELUDE + script], secret, IMAGE)

    async def start_command(self, command: Sequence[str], secret: Object, image: str) -> str:
        """Have a command begun in a pod of the image, and give back the pod's name."""
        name = f"client-{uuid.uuid4().hex[:8]}"
        copy = {
            "metadata": {"name": name, "namespace": self._namespace},
            "type": secret["type"],
            "data": secret["data"],
        }
        await self._api.create("secrets", copy)
        await self._api.create("pods", self._pod(name, command, image))
        return name

    async def said(self, name: str) -> str:
        """What the script in that pod has printed so far; nothing before it runs."""
        return await self._log(name) or ""

    async def _log(self, name: str) -> str | None:
        """The pod's log; None while its node does not find it."""
        try:
            return await self._api.text(f"/api/v1/namespaces/{self._namespace}/pods/{name}/log")
        except ApiError as error:
            if error.status == 400:  # its container waits to start
                return ""
            if error.status == 404:
                return None
            raise

    def _pod(self, name: str, command: Sequence[str], image: str) -> Object:
        container = {
            "name": "client",
            "image": image,
            "imagePullPolicy": "IfNotPresent",
            "command": list(command),
            "volumeMounts": [{"name": "binding", "mountPath": path} for path in MOUNTED],
        }
        volume = {"name": "binding", "secret": {"secretName": name}}
        return {
            "metadata": {"name": name, "namespace": self._namespace},
            "spec": {
                "restartPolicy": "Never",
                "terminationGracePeriodSeconds": 0,
                "containers": [container],
                "volumes": [volume],
            },
        }


PRELUDE = """
import json, pathlib, psycopg

def entry(key):
    return pathlib.Path("/binding", key).read_text()

def tell(value):
    print(json.dumps(value), flush=True)

VERIFIED = {"sslmode": "verify-full", "sslrootcert": "/binding/ca.crt"}
"""
"""What each script has: `entry`, `tell`, and the options that verify the server."""

ANSWERED = """
import time

give_up = time.monotonic() + 60
while True:
    try:
        psycopg.connect(entry("uri"), connect_timeout=5).close()
        break
    except psycopg.OperationalError:
        if time.monotonic() > give_up:
            raise
        time.sleep(0.2)
"""
"""Nodes learn where the pooler's host leads when its pods are ready, and some a little later than
the status tells. For how long the two may disagree is held against test_failures.py's client."""


def entries(secret: Object) -> dict[str, str]:
    """A Secret's entries as text."""
    return {key: b64decode(value).decode() for key, value in secret["data"].items()}
