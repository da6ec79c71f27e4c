"""The requests to the API server, each with the precondition that makes it safe to repeat."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any, Self

from daap_operator import names, raw
from daap_operator.api.kind import Kind
from daap_operator.kube.connection import Connection, TooMuch, TooSlow
from daap_operator.kube.kinds import EVENT, POD
from daap_operator.kube.listing import FIRST_PAGE, METADATA, PAGE, Page, Paging, heard
from daap_operator.kube.problems import ApiError
from daap_operator.kube.protocols import LOG_LINES, Propagation

Object = dict[str, Any]

LOG_BYTES = 128 * 1024
"""How much of the last lines of a pod's log is read."""

LAST_TLS_SECONDS = 0.05
"""Sockets under TLS are closed in the turns of the event loop after their sessions were."""


class Kube(Connection):
    """Requests to the API server. An async context manager, which closes the connections."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.close()
        await asyncio.sleep(LAST_TLS_SECONDS)

    # reading --------------------------------------------------------------------------------------

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object as it is now, whole; None when it is not there.

        One over OBJECT_BYTES has the mark TOO_LARGE besides. Raises Unreachable when the answer has
        more than ANSWER_BYTES, which are not read: no object that the API server takes has so many.
        """
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
        self,
        kind: Kind,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
    ) -> AsyncIterator[Page]:
        """A LIST page by page, each to be read once, before the next one.

        A page has as many objects as fit into PAGE_BYTES: what they are decides how many requests
        it takes, and never how much memory. Raises ApiError 410 when the list changed too much in
        between and cannot be continued: begin again. A server that cannot answer with the objects'
        metadata alone answers with all of them.
        """
        asked = {"labelSelector": selector} if selector else {}
        headers = {"Accept": METADATA} if metadata_only else {}
        async with aclosing(self._pages(kind.path(namespace), asked, headers)) as pages:
            async for page in pages:
                yield page

    async def _pages(
        self, path: str, asked: dict[str, str], headers: dict[str, str]
    ) -> AsyncGenerator[Page]:
        paging, after = Paging(self._firsts.pop(path, FIRST_PAGE)), ""
        while True:
            async with self._listing:  # one at a time: each may take a page's memory
                page = await self._next(path, asked, headers, paging, after)
                yield page
                page.finish()
            if not (after := page.next):
                return
            paging.learn(page.count, page.length)

    async def _next(
        self,
        path: str,
        asked: dict[str, str],
        headers: dict[str, str],
        paging: Paging,
        after: str,
    ) -> Page:
        """The page after another (or, empty, the first), with as many objects as it may have."""
        while True:
            query = asked | {"limit": str(paging.limit)} | ({"continue": after} if after else {})
            try:
                return await self._page(path, query, paging.most, headers)
            except TooMuch:
                if not paging.less():
                    raise
            except TooSlow:  # because of the objects, or of the API server: who knows at first
                if not (paging.slower() and after):
                    self._firsts[path] = paging.limit
                    raise
            except ApiError as error:
                if not error.go_on:
                    raise
                after = error.go_on  # what follows is newer than the pages before

    async def warnings(self, namespace: str) -> list[Object]:
        """The Warning Events of a namespace, one page of them: what is read of each."""
        query = {"fieldSelector": "type=Warning"}
        paging = Paging(PAGE)
        while True:
            asked = query | {"limit": str(paging.limit)}
            async with self._listing:
                try:
                    page = await self._page(EVENT.path(namespace), asked, paging.most)
                except TooMuch:
                    if not paging.less():
                        raise
                else:
                    return [heard(event) for event in page]

    async def log(self, namespace: str, pod: str, container: str, *, lines: int = LOG_LINES) -> str:
        """The last lines that a container of a pod has written; empty when it is gone."""
        query = {"container": container, "tailLines": str(lines), "limitBytes": str(LOG_BYTES)}
        path = POD.path(namespace, pod, "log")
        try:
            content = await self._exchange("GET", path, query, most=2 * LOG_BYTES)
        except ApiError as error:
            if error.absent:
                return ""
            raise
        return content.decode(errors="replace")

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
