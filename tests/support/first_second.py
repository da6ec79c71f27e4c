"""A client that connects past the pooler in the very moment in which a database is Ready.

It waits in its pod already, and reads Ready and the Secret from the API server itself.
"""

import json
from typing import Any

from tests.support.clients import IMAGE, PRELUDE, Clients
from tests.support.databases import Databases
from tests.support.eventually import eventually

AT_ONCE = """
import base64, ssl, time, urllib.request

account = pathlib.Path("/var/run/secrets/kubernetes.io/serviceaccount")
headers = {"Authorization": f"Bearer {(account / 'token').read_text()}"}
tls = ssl.create_default_context(cafile=account / "ca.crt")

def get(path):
    request = urllib.request.Request(f"https://kubernetes.default.svc{path}", headers=headers)
    with urllib.request.urlopen(request, context=tls, timeout=30) as answer:
        return json.load(answer)

def is_ready():
    database = get(f"/apis/daap.io/v1alpha1/namespaces/{NAMESPACE}/daapdatabases")["items"]
    conditions = [c for one in database for c in one["status"].get("conditions", ())]
    return any(c["type"] == "Ready" and c["status"] == "True" for c in conditions)

tell("waits")
while not is_ready():
    time.sleep(0.02)
ready = time.monotonic()
secret = get(f"/api/v1/namespaces/{NAMESPACE}/secrets/daap-orders-connection")
uri = base64.b64decode(secret["data"]["direct-uri"]).decode()
errors = []
while True:
    try:
        with psycopg.connect(uri, connect_timeout=2) as connection:
            connection.execute("SELECT 1")
        break
    except psycopg.OperationalError as error:
        errors.append(f"{time.monotonic() - ready:.3f} s: {error}")
        if time.monotonic() > ready + 60:
            break
tell({"seconds": time.monotonic() - ready, "errors": errors})
"""


class AtOnce:
    """The client in its pod: made before the database is."""

    def __init__(self, shop: Databases, clients: Clients) -> None:
        self._shop, self._clients = shop, clients
        self._pod = ""

    async def wait(self, namespace: str) -> None:
        """Have it wait for `orders`, from a namespace whose pods may read the shop's."""
        account = {"kind": "ServiceAccount", "name": "default", "namespace": namespace}
        admin = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole"}
        binding = {
            "metadata": {"name": "reader", "namespace": self._shop.namespace},
            "subjects": [account],
            "roleRef": {**admin, "name": "cluster-admin"},
        }
        await self._shop.api.create("rolebindings", binding)
        script = f"{PRELUDE}NAMESPACE = {self._shop.namespace!r}\n{AT_ONCE}"
        nothing = {"type": "Opaque", "data": {}}
        self._pod = await self._clients.start_command(["python", "-c", script], nothing, IMAGE)
        await eventually(lambda: self._clients.said(self._pod), lambda said: "waits" in said)

    async def connected(self) -> dict[str, Any]:
        """After how many seconds, and what went wrong before."""
        said = await eventually(
            lambda: self._clients.said(self._pod), lambda said: "seconds" in said, seconds=90
        )
        told: dict[str, Any] = json.loads(said.splitlines()[-1])
        return told
