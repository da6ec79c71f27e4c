"""An admission webhook that refuses, as CloudNativePG's own does, or that nobody answers."""

import json
import ssl
import subprocess
from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from daap_operator.kinds import known
from tests.support.api import Api
from tests.support.eventually import eventually
from tests.support.tried import new_cluster

CONFIGURATION = "tests-refusing"
NAME = "refusing.tests.example"


@asynccontextmanager
async def refusing(
    api: Api, namespace: str, directory: Path, *, status: int, message: str
) -> AsyncIterator[None]:
    """Every write of a Cluster or Pooler in the namespace is refused with that status.

    From the first one in the context on, and none after it.
    """

    async def answer(request: web.Request) -> web.Response:
        review = await request.json()
        reason = "Invalid" if status == 422 else "Forbidden"
        verdict = {"code": status, "status": "Failure", "reason": reason, "message": message}
        response = {"uid": review["request"]["uid"], "allowed": False, "status": verdict}
        body = {"apiVersion": review["apiVersion"], "kind": review["kind"], "response": response}
        return web.json_response(text=json.dumps(body))

    certificate, key = _certificate(directory)
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(certificate, key)
    application = web.Application()
    application.router.add_post("/", answer)
    runner = web.AppRunner(application)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    port = runner.addresses[0][1]
    try:
        async with _configured(api, namespace, port, certificate.read_bytes()):
            yield
    finally:
        await runner.cleanup()


@asynccontextmanager
async def unanswered(api: Api, namespace: str, directory: Path) -> AsyncIterator[None]:
    """The webhook is configured, but nobody listens: CloudNativePG is down."""
    certificate, _ = _certificate(directory)
    async with _configured(api, namespace, 1, certificate.read_bytes()):
        yield


@asynccontextmanager
async def _configured(api: Api, namespace: str, port: int, authority: bytes) -> AsyncIterator[None]:
    webhook = {
        "name": NAME,
        "clientConfig": {
            "url": f"https://127.0.0.1:{port}/",
            "caBundle": b64encode(authority).decode(),
        },
        "rules": [
            {
                "apiGroups": [known.CLUSTER.group],
                "apiVersions": [known.CLUSTER.version],
                "operations": ["CREATE", "UPDATE"],
                "resources": [known.CLUSTER.plural, known.POOLER.plural],
            }
        ],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "admissionReviewVersions": ["v1"],
        "sideEffects": "None",
        "timeoutSeconds": 5,
    }
    body = {"metadata": {"name": CONFIGURATION}, "webhooks": [webhook]}
    await api.create("validatingwebhookconfigurations", body)
    try:
        await eventually(lambda: new_cluster(api, namespace), lambda said: NAME in said)
        yield
    finally:
        await api.delete("validatingwebhookconfigurations", "", CONFIGURATION)
        await eventually(lambda: new_cluster(api, namespace), lambda said: NAME not in said)


def _certificate(directory: Path) -> tuple[Path, Path]:
    """A self-signed certificate for 127.0.0.1."""
    certificate, key = directory / "webhook.crt", directory / "webhook.key"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "1", "-subj", "/CN=webhook"),
            *("-addext", "subjectAltName=IP:127.0.0.1"),
            *("-keyout", str(key), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate, key
