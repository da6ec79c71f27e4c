"""Buckets of the S3 server in a cluster, as the platform team makes and loses them."""

import json
from base64 import b64encode

from dev.cluster import object_store, versions
from tests.support.api import Object
from tests.support.clients import Clients
from tests.support.failures import Program

SERVER = Program(object_store.NAMESPACE, object_store.NAME, f"app={object_store.NAME}")
"""What it keeps stays while it is stopped."""

_KEYS = {"key": object_store.ACCESS_KEY, "secret": object_store.SECRET_KEY}
CREDENTIALS: Object = {
    "type": "Opaque",
    "data": {name: b64encode(key.encode()).decode() for name, key in _KEYS.items()},
}

OPENED = f"""
import json, os, pathlib, sys

os.environ["AWS_REQUEST_CHECKSUM_CALCULATION"] = "when_required"  # as docs/backup.md says
import boto3

def entry(key):
    return pathlib.Path("/binding", key).read_text()

s3 = boto3.resource(
    "s3",
    endpoint_url={object_store.ENDPOINT!r},
    region_name="us-east-1",
    aws_access_key_id=entry("key"),
    aws_secret_access_key=entry("secret"),
)
bucket = s3.Bucket(sys.argv[1])
"""
CREATE = "bucket.create()"
DELETE = """
for each in bucket.objects.all():
    each.delete()
bucket.delete()
"""
LIST = "print(json.dumps([each.key for each in bucket.objects.filter(Prefix=sys.argv[2])]))"


class Buckets:
    """Runs Amazon's library, which the plugin's sidecar has, in pods of one namespace."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def create(self, name: str) -> None:
        """Make an empty one."""
        await self._run(CREATE, name)

    async def delete(self, name: str) -> None:
        """Delete it with all that is in it."""
        await self._run(DELETE, name)

    async def keys(self, name: str, prefix: str) -> list[str]:
        """The objects whose keys begin so."""
        found: list[str] = json.loads(await self._run(LIST, name, prefix))
        return found

    async def _run(self, script: str, *arguments: str) -> str:
        command = ["python", "-c", OPENED + script, *arguments]
        return await self._clients.output(command, CREDENTIALS, versions.SIDECAR_IMAGE)
