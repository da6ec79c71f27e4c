"""A request to the API server, and how much of its answer is read, for how long."""

import asyncio
from collections.abc import Callable
from copy import copy
from typing import Any, Literal, Self
from urllib.parse import urlencode

import aiohttp
from kubernetes.aio import client

from daap_operator import __version__, names, raw
from daap_operator.kube.credentials import Credentials, configuration, usable
from daap_operator.kube.listing import Page
from daap_operator.kube.problems import ApiError, Unreachable, noted
from daap_operator.kube.request import OnRequest, request
from daap_operator.kube.sizes import ANSWER_BYTES, marked
from daap_operator.nesting import parsed

Object = dict[str, Any]

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

REQUEST_SECONDS = 15.0
"""A request that takes longer has failed; whether it had an effect is then unknown. Enough for a
page of PAGE_BYTES where a second brings half a megabyte."""


class TooSlow(Unreachable):
    """An answer did not come in time."""


class TooMuch(Unreachable):
    """An answer has more bytes than are read; the rest was left."""


class Connection:
    """Requests to the API server, and their answers as far as they are read."""

    def __init__(
        self, settings: client.Configuration, on_request: OnRequest = lambda _: None
    ) -> None:
        """`on_request` is called with each request when it is over."""
        self._on_request = on_request
        self._client = client.ApiClient(settings)
        self._client.user_agent = f"{names.FIELD_MANAGER}/{__version__}"
        self._before_write: Callable[[], None] = lambda: None
        self._listing = asyncio.Semaphore(1)
        self._firsts: dict[str, int] = {}
        """The first page of the next LIST, by path, where it was too slow for the last one."""

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

    async def _request(
        self,
        method: Method,
        path: str,
        query: dict[str, str] | None = None,
        body: Object | None = None,
        media: str = "application/json",
    ) -> Object:
        content = await self._exchange(method, path, query, body, {"Content-Type": media})
        answer = _decoded(content)
        if "kind" not in answer:  # somebody else answered: a proxy, a load balancer
            said = raw.text(answer, "message")
            raise Unreachable(f"{method} {path}: an answer, but no object: {said}")
        return marked(answer, len(content))

    async def _page(
        self, path: str, query: dict[str, str], most: int, headers: dict[str, str] | None = None
    ) -> Page:
        """A page of a LIST. Raises TooMuch when it has more bytes."""
        content = await self._exchange("GET", path, query, headers=headers, most=most)
        return Page(content.decode(errors="replace"), what=f"GET {path}")

    async def _exchange(
        self,
        method: Method,
        path: str,
        query: dict[str, str] | None = None,
        body: Object | None = None,
        headers: dict[str, str] | None = None,
        *,
        most: int = ANSWER_BYTES,
    ) -> bytes:
        if method != "GET":
            self._before_write()
        what = f"{method} {path}"
        status, began = 0, asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                sent = self._send(method, path, query, body, headers or {}, most)
                status, told, content = await sent
        except TimeoutError as error:
            raise TooSlow(f"{what}: {error or type(error).__name__}") from error
        except (aiohttp.ClientError, OSError) as error:
            raise Unreachable(f"{what}: {error or type(error).__name__}") from error
        finally:
            seconds = asyncio.get_running_loop().time() - began
            self._on_request(request(method, path, status, seconds))
        if len(content) > most:
            raise TooMuch(f"{what}: an answer of more than {most} bytes")
        if status >= 300:
            wait = _seconds(told)
            raise noted(ApiError(status, _decoded(content), what=what, retry_after=wait))
        return content

    async def _send(
        self,
        method: str,
        path: str,
        query: dict[str, str] | None,
        body: Object | None,
        headers: dict[str, str],
        most: int,
    ) -> tuple[int, Any, bytes]:
        ours = {"Content-Type": "application/json", "User-Agent": self._client.user_agent}
        headers = ours | headers
        await self._client.update_params_for_auth(headers, [], ["BearerToken"], path, method, body)
        url = f"{self._client.configuration.host}{path}"
        if query:
            url = f"{url}?{urlencode(query)}"
        reply = await self._client.rest_client.request(method, url, headers=headers, body=body)
        return reply.status, reply.headers, await _read(reply.response, most)


async def _read(reply: aiohttp.ClientResponse, most: int) -> bytes:
    """The answer's content, hardly more than so many bytes of it."""
    content = bytearray()
    try:
        async for part in reply.content.iter_any():
            content += part
            if len(content) > most:
                break
    except BaseException:
        reply.close()
        raise
    if len(content) > most:
        reply.close()  # and the connection with it: the rest would have to be read first
    return bytes(content)


def _decoded(content: bytes) -> Object:
    """The answer's object; what is not one (a proxy's page, say) becomes the message."""
    try:
        answer = parsed(content)
    except ValueError:
        answer = None
    if isinstance(answer, dict):
        return answer
    return {"message": content[:2000].decode(errors="replace").strip()[:500]}


def _seconds(headers: Any) -> float:
    try:
        return float(headers.get("Retry-After", 0))
    except ValueError:  # a date: rare, and the queue's own back-off will do
        return 0.0
