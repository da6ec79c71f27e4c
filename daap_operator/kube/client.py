"""The requests to the API server, each with the precondition that makes it safe to repeat."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from copy import copy
from typing import Any, Literal, Self
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client

from daap_operator import __version__, names, raw
from daap_operator.kube.credentials import Credentials, configuration, usable
from daap_operator.kube.kinds import EVENT, Kind
from daap_operator.kube.problems import ApiError, Unreachable
from daap_operator.kube.protocols import Propagation
from daap_operator.kube.request import OnRequest, request

Object = dict[str, Any]

REQUEST_SECONDS = 15.0
"""A request that takes longer has failed; whether it had an effect is then unknown."""

LAST_TLS_SECONDS = 0.05
"""Sockets under TLS are closed in the turns of the event loop after their sessions were."""

PAGE = 500
"""Objects a page of a LIST."""


class Kube:
    """Requests to the API server. An async context manager, which closes the connections."""

    def __init__(
        self, settings: client.Configuration, on_request: OnRequest = lambda _: None
    ) -> None:
        """`on_request` is called with each request when it is over."""
        self._on_request = on_request
        self._client = client.ApiClient(settings)
        self._client.user_agent = f"{names.FIELD_MANAGER}/{__version__}"
        self._before_write: Callable[[], None] = lambda: None

    def fenced(self, before_write: Callable[[], None]) -> Self:
        """The same connections, with something to be asked before each write, which may raise."""
        fenced = copy(self)
        fenced._before_write = before_write
        return fenced

    @classmethod
    async def connect(cls, kubeconfig: str | None, on_request: OnRequest = lambda _: None) -> Self:
        """A client for a kubeconfig's current context, or for the pod's service account.

        Raises StartError when neither is there, or is not usable.
        """
        with usable(kubeconfig):
            return cls(await configuration(kubeconfig), on_request)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()
        await asyncio.sleep(LAST_TLS_SECONDS)

    async def credentials(self) -> Credentials:
        """How this client reaches the API server; tokens are refreshed first."""
        settings = self._client.configuration
        return Credentials(
            server=settings.host,
            insecure=not settings.verify_ssl,
            ca_file=settings.ssl_ca_cert,
            ca_data=settings.ca_cert_data,
            certificate_file=settings.cert_file,
            key_file=settings.key_file,
            authorization=await settings.get_api_key_with_prefix("BearerToken", "authorization"),
        )

    # reading --------------------------------------------------------------------------------------

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object as it is now; None when it is not there."""
        try:
            return await self._request("GET", kind.path(namespace, name))
        except ApiError as error:
            if error.absent:
                return None
            raise

    async def serves(self, kind: Kind, namespace: str = "") -> bool:
        """Whether the API server has this kind at all."""
        try:
            await self._request("GET", kind.path(namespace), {"limit": "1"})
        except ApiError as error:
            if error.absent:
                return False
            raise
        return True

    async def pages(
        self, kind: Kind, namespace: str = "", *, selector: str = ""
    ) -> AsyncIterator[tuple[list[Object], int]]:
        """A LIST page by page: the objects, and the resource version the list speaks of.

        Raises ApiError 410 when the list changed too much in between: begin again.
        """
        query = {"limit": str(PAGE), "labelSelector": selector, "continue": ""}
        while True:
            asked = {key: value for key, value in query.items() if value}
            page = await self._request("GET", kind.path(namespace), asked)
            yield page.get("items") or [], int(raw.text(page, "metadata", "resourceVersion"))
            query["continue"] = raw.text(page, "metadata", "continue")
            if not query["continue"]:
                return

    async def warnings(self, namespace: str) -> list[Object]:
        """The Warning Events of a namespace, one page of them."""
        query = {"fieldSelector": "type=Warning", "limit": str(PAGE)}
        page = await self._request("GET", EVENT.path(namespace), query)
        return page.get("items") or []

    # children -------------------------------------------------------------------------------------

    async def create(self, kind: Kind, manifest: Object) -> Object:
        """Apply an object that is not there yet. Never touches one that is.

        Raises ApiError 409 when it is there. A server-side apply with a resource version means "if
        it is still at that version", which no object is at version 1, or "create it": one atomic
        request, where asking first would leave a gap and a plain create another field manager.
        """
        return await self._apply(kind, manifest, {"resourceVersion": "1"})

    async def apply(self, kind: Kind, manifest: Object, *, uid: str, version: str = "") -> Object:
        """Apply to the object with that uid. Never brings one back that is gone.

        Raises ApiError 409 when it is gone, or no longer at the resource version if one is given,
        and 422 when another has its name.
        """
        extra = {"uid": uid, "resourceVersion": version}
        return await self._apply(kind, manifest, {k: v for k, v in extra.items() if v})

    async def _apply(self, kind: Kind, manifest: Object, extra: Object) -> Object:
        metadata = manifest["metadata"] | extra
        path = kind.path(metadata.get("namespace", ""), metadata["name"])
        query = {"fieldManager": names.FIELD_MANAGER, "force": "true"}
        body = manifest | {"metadata": metadata}
        return await self._request("PATCH", path, query, body, "application/apply-patch+yaml")

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str,
        version: str = "",
        propagation: Propagation | None = None,
    ) -> Object | None:
        """Delete the object with that uid; fine when it is gone already.

        Gives back the object when it stays for a while, held by finalizers; None when it is gone.
        With a resource version it is deleted only as it was seen. Raises ApiError 409 when it is
        still there: a conflict is not always about the uid.

        `propagation` says what becomes of the objects that it owns. Without it the API server
        decides by the kind: those of most kinds go, the pods of a Job stay.
        """
        preconditions = {"uid": uid} | ({"resourceVersion": version} if version else {})
        body = {"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": preconditions}
        if propagation is not None:
            body["propagationPolicy"] = propagation
        try:
            answer = await self._request("DELETE", kind.path(namespace, name), body=body)
        except ApiError as error:
            if error.absent:
                return None
            if error.conflict and await self._is_gone(kind, namespace, name, uid):
                return None
            raise
        return None if raw.text(answer, "kind") == "Status" else answer

    async def _is_gone(self, kind: Kind, namespace: str, name: str, uid: str) -> bool:
        found = await self.get(kind, namespace, name)
        return raw.text(found, "metadata", "uid") != uid

    async def create_plain(self, kind: Kind, manifest: Object) -> Object:
        """Create an object without server-side apply. Raises ApiError 409 when it is there."""
        path = kind.path(manifest["metadata"].get("namespace", ""))
        return await self._request("POST", path, {"fieldManager": names.FIELD_MANAGER}, manifest)

    async def replace(self, kind: Kind, manifest: Object, *, version: str) -> Object:
        """Replace an object at that resource version. Raises ApiError 409 when it has moved on."""
        metadata = manifest["metadata"] | {"resourceVersion": version}
        path = kind.path(metadata.get("namespace", ""), metadata["name"])
        body = manifest | {"metadata": metadata}
        return await self._request("PUT", path, {"fieldManager": names.FIELD_MANAGER}, body)

    async def disown(
        self, kind: Kind, found: Object, *, owners: list[Any], annotations: dict[str, str]
    ) -> Object:
        """Leave an object just fetched only these owner references, so that it outlives the others.

        The annotations are added in the same request. Raises ApiError 409 when it has moved on.
        """
        metadata = found["metadata"]
        version = raw.text(metadata, "resourceVersion")
        changed = {
            "ownerReferences": owners or None,
            "resourceVersion": version,
            "annotations": annotations,
        }
        path = kind.path(metadata.get("namespace", ""), metadata["name"])
        return await self._merge(path, {"metadata": changed})

    # objects of our own kinds ---------------------------------------------------------------------

    async def set_finalizers(
        self, kind: Kind, namespace: str, name: str, finalizers: list[str], *, version: str
    ) -> Object:
        """Set the finalizers of an object that is still at that resource version."""
        body = {"metadata": {"finalizers": finalizers, "resourceVersion": version}}
        return await self._merge(kind.path(namespace, name), body)

    async def write_status(
        self, kind: Kind, namespace: str, name: str, status: Object, *, version: str
    ) -> Object:
        """Patch the status of an object that is still at that resource version.

        The patch is a merge: a field is removed by null. Raises ApiError 409 when it has moved on.
        """
        path = kind.path(namespace, name, "status")
        return await self._merge(path, {"metadata": {"resourceVersion": version}, "status": status})

    async def _merge(self, path: str, body: Object) -> Object:
        query = {"fieldManager": names.FIELD_MANAGER}
        return await self._request("PATCH", path, query, body, "application/merge-patch+json")

    # ----------------------------------------------------------------------------------------------

    async def _request(
        self,
        method: Literal["GET", "POST", "PUT", "PATCH", "DELETE"],
        path: str,
        query: dict[str, str] | None = None,
        body: Object | None = None,
        media: str = "application/json",
    ) -> Object:
        if method != "GET":
            self._before_write()
        what = f"{method} {path}"
        status, began = 0, asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                status, headers, content = await self._send(method, path, query, body, media)
        except (aiohttp.ClientError, OSError, TimeoutError) as error:
            raise Unreachable(f"{what}: {error or type(error).__name__}") from error
        finally:
            seconds = asyncio.get_running_loop().time() - began
            self._on_request(request(method, path, status, seconds))
        answer = _decoded(content)
        if status >= 300:
            raise ApiError(status, answer, what=what, retry_after=_seconds(headers))
        if "kind" not in answer:  # somebody else answered: a proxy, a load balancer
            raise Unreachable(f"{what}: {status}, but no object: {raw.text(answer, 'message')}")
        return answer

    async def _send(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None,
        body: Object | None,
        media: str,
    ) -> tuple[int, Any, bytes]:
        headers: dict[str, str] = {"Content-Type": media, "User-Agent": self._client.user_agent}
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = f"{self._client.configuration.host}{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        reply = await self._client.rest_client.request(method, url, headers=headers, body=body)
        return reply.status, reply.headers, await reply.read()


def _decoded(content: bytes) -> Object:
    """The answer's object; what is not one (a proxy's page, say) becomes the message."""
    try:
        answer = json.loads(content)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    return {"message": content.decode(errors="replace").strip()[:500]}


def _seconds(headers: Any) -> float:
    try:
        return float(headers.get("Retry-After", 0))
    except ValueError:  # a date: rare, and the queue's own back-off will do
        return 0.0
