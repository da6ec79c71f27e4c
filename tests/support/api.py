"""A small client for tests: plain objects, every verb, watches. Not the operator's own."""

import asyncio
import json
import ssl
import tempfile
from base64 import b64decode
from collections.abc import AsyncIterator
from io import BytesIO
from pathlib import Path
from typing import Any, Self

import aiohttp
import yaml

from daap_operator.nesting import parsed
from tests.support.kinds import Which, kind

Object = dict[str, Any]

TRIES, RETRY_SECONDS = 50, 0.1

LAST_TLS_SECONDS = 0.05
"""Sockets under TLS are closed in the turns of the event loop after their sessions were."""

MERGE = "application/merge-patch+json"
APPLY = "application/apply-patch+yaml"


class ApiError(Exception):
    """The API server refused."""

    def __init__(self, status: int, body: bytes) -> None:
        try:
            self.body: Object = parsed(body)
        except ValueError:
            self.body = {"message": body.decode(errors="replace")}
        self.status = status
        self.message = str(self.body.get("message"))
        super().__init__(f"{status}: {self.message}")


def connection(kubeconfig: Path) -> tuple[str, ssl.SSLContext]:
    """The server of a kubeconfig, and TLS with its client certificate."""
    config = yaml.safe_load(kubeconfig.read_text())
    cluster, user = config["clusters"][0]["cluster"], config["users"][0]["user"]
    authority = b64decode(cluster["certificate-authority-data"]).decode()
    tls = ssl.create_default_context(cadata=authority)
    with tempfile.NamedTemporaryFile() as pem:
        pem.write(b64decode(user["client-certificate-data"]))
        pem.write(b"\n" + b64decode(user["client-key-data"]))
        pem.flush()
        tls.load_cert_chain(pem.name)
    return cluster["server"], tls


class Api:
    """Requests with a kubeconfig's client certificate. An async context manager."""

    def __init__(self, kubeconfig: Path, *, connections: int = 0) -> None:
        """`connections` is the most that it has at a time, each for a request; 0 is no limit."""
        self._server, self._tls = connection(kubeconfig)
        self._connections = connections

    async def __aenter__(self) -> Self:
        connector = aiohttp.TCPConnector(ssl=self._tls, limit=self._connections)
        self._session = aiohttp.ClientSession(connector=connector)
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._session.close()
        await asyncio.sleep(LAST_TLS_SECONDS)

    def act_as(self, user: str, *groups: str) -> None:
        """Have all further requests count as those of another user: an administrator may."""
        headers = self._session.headers
        headers["Impersonate-User"] = user
        for group in groups:
            headers.add("Impersonate-Group", group)

    async def call(
        self, method: str, path: str, body: object = None, media: str = "application/json"
    ) -> Object:
        """One request; raises ApiError."""
        answer: Object = parsed(await self._content(method, path, body, media))
        return answer

    async def text(self, path: str) -> str:
        """What a GET answers that is no object: a pod's log."""
        return (await self._content("GET", path, None, "application/json")).decode()

    async def _content(self, method: str, path: str, body: object, media: str) -> bytes:
        content = None if body is None else json.dumps(body).encode()
        headers = {"Content-Type": media}
        url = self._server + path
        for _ in range(TRIES):
            data = None if content is None else BytesIO(content)
            async with self._session.request(method, url, data=data, headers=headers) as reply:
                answer = await reply.read()
            if reply.status != 429:  # "storage is (re)initializing", right after a CRD's creation
                break
            await asyncio.sleep(RETRY_SECONDS)
        if reply.status >= 300:
            raise ApiError(reply.status, answer)
        return answer

    async def get(self, which: Which, namespace: str, name: str) -> Object | None:
        """The object; None when it is not there."""
        try:
            return await self.call("GET", path(which, namespace, name))
        except ApiError as error:
            if error.status == 404:
                return None
            raise

    async def list(self, which: Which, namespace: str = "", query: str = "") -> list[Object]:
        """The objects of a namespace, or all."""
        answer = await self.call("GET", f"{path(which, namespace)}?{query}")
        items: list[Object] = answer["items"]
        return items

    async def create(self, which: Which, obj: Object) -> Object:
        """Create."""
        namespace = obj["metadata"].get("namespace", "")
        return await self.call("POST", path(which, namespace), obj)

    async def apply(self, which: Which, obj: Object, manager: str = "tests") -> Object:
        """Server-side apply."""
        namespace, name = obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
        query = f"?fieldManager={manager}&force=true"
        return await self.call("PATCH", path(which, namespace, name) + query, obj, APPLY)

    async def patch(
        self, which: Which, namespace: str, name: str, body: Object, subresource: str = ""
    ) -> Object:
        """Merge patch."""
        return await self.call("PATCH", path(which, namespace, name, subresource), body, MERGE)

    async def delete(self, which: Which, namespace: str, name: str, body: object = None) -> None:
        """Delete; fine when it is gone."""
        try:
            await self.call("DELETE", path(which, namespace, name), body)
        except ApiError as error:
            if error.status != 404:
                raise

    async def watch(self, which: Which, query: str = "") -> AsyncIterator[tuple[str, Object]]:
        """List, then watch, for ever: event types LISTED (one object), ADDED, MODIFIED, DELETED."""
        version = ""
        while True:
            try:
                if not version:
                    listing = await self.call("GET", f"{path(which)}?{query}")
                    version = listing["metadata"]["resourceVersion"]
                    for item in listing["items"]:
                        yield "LISTED", item
                async for event, obj in self._stream(which, query, version):
                    if event == "ERROR":
                        version = ""
                        break
                    version = obj["metadata"]["resourceVersion"]
                    yield event, obj
            except (aiohttp.ClientError, ApiError, OSError):
                version = ""
                await asyncio.sleep(0.2)

    async def _stream(
        self, which: Which, query: str, version: str
    ) -> AsyncIterator[tuple[str, Object]]:
        url = f"{self._server}{path(which)}?watch=1&resourceVersion={version}&{query}"
        timeout = aiohttp.ClientTimeout(total=None)
        async with self._session.get(url, timeout=timeout) as reply:
            if reply.status != 200:
                raise ApiError(reply.status, await reply.read())
            rest = b""
            async for chunk in reply.content.iter_any():
                *lines, rest = (rest + chunk).split(b"\n")
                for line in lines:
                    told = parsed(line)
                    yield told["type"], told["object"]


def path(which: Which, namespace: str = "", name: str = "", subresource: str = "") -> str:
    """The URL's path."""
    return kind(which).path(namespace, name, subresource)
