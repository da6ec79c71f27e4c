"""What is asked of the process over HTTP.

`/livez` for what a restart repairs, `/readyz` for whether the work is being done, `/metrics` for
how much of it.
"""

import errno
import socket
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from daap_operator.errors import StartError

EVERYWHERE = "::"
"""All addresses of the machine, of both families."""

NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.ENOPROTOOPT}
"""What a kernel without IPv6 says."""

Check = Callable[[], str]
"""Gives back what is wrong; empty when nothing is."""


Page = Callable[[str], Awaitable[tuple[bytes, str]]]
"""Takes an Accept header, and gives back what is to be read and its content type."""


@dataclass(frozen=True)
class Answers:
    """What is answered."""

    live: Check
    """Whether the process is beyond help. Never asks for the API server or a database."""
    ready: Check
    """Whether databases are being reconciled."""
    metrics: Page


async def serve(host: str, port: int, answers: Answers) -> tuple[web.AppRunner, int]:
    """Answer until the runner is cleaned up; the port is the one that was taken.

    The host `::` answers on every address, IPv4 and IPv6 alike, at the same port. Raises StartError
    when address or port cannot be had.
    """
    application = web.Application()
    application.router.add_get("/livez", _endpoint(answers.live))
    application.router.add_get("/readyz", _endpoint(answers.ready))
    application.router.add_get("/metrics", _page(answers.metrics))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await _site(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        shown = f"[{host}]" if ":" in host else host
        raise StartError(
            f"the probes cannot be answered at {shown}:{port}: {error}; set DAAP_HEALTH_PORT to a "
            "free port, or to 0 for any, and DAAP_HEALTH_HOST to an address of this machine"
        ) from error
    return runner, int(runner.addresses[0][1])


def _site(runner: web.AppRunner, host: str, port: int) -> web.BaseSite:
    if host == EVERYWHERE:
        return web.SockSite(runner, _everywhere(port))
    return web.TCPSite(runner, host, port)


def _everywhere(port: int) -> socket.socket:
    """One socket for both families: two would each take another port where any will do.

    asyncio makes a socket on `::` one for IPv6 alone.
    """
    try:
        return socket.create_server(
            (EVERYWHERE, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128
        )
    except (OSError, ValueError) as error:  # ValueError: this Python knows of no dual stack here
        if isinstance(error, OSError) and error.errno not in NO_IPV6:
            raise
    return socket.create_server(("0.0.0.0", port), backlog=128)  # noqa: S104 - as asked


def _endpoint(check: Check) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        del request
        wrong = check()
        return web.Response(text=f"{wrong or 'ok'}\n", status=503 if wrong else 200)

    return answer


def _page(page: Page) -> Callable[[web.Request], Awaitable[web.Response]]:
    async def answer(request: web.Request) -> web.Response:
        body, content_type = await page(request.headers.get("Accept", ""))
        response = web.Response(body=body, headers={"Content-Type": content_type})
        response.enable_compression()  # a database is five lines that are much alike
        return response

    return answer
