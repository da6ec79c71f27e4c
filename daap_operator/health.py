"""What is asked of the process over HTTP.

`/livez` for what a restart repairs, `/readyz` for whether the work is being done, `/metrics` for
how much of it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from daap_operator.errors import StartError

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
    """Whether databases are being looked after."""
    metrics: Page


async def serve(host: str, port: int, answers: Answers) -> tuple[web.AppRunner, int]:
    """Answer until the runner is cleaned up; the port is the one that was taken.

    Raises StartError when the port cannot be had.
    """
    application = web.Application()
    application.router.add_get("/livez", _endpoint(answers.live))
    application.router.add_get("/readyz", _endpoint(answers.ready))
    application.router.add_get("/metrics", _page(answers.metrics))
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
    except OSError as error:
        await runner.cleanup()
        raise StartError(
            f"the probes cannot be answered at {host}:{port}: {error}; "
            "set DAAP_HEALTH_PORT to a free port, or to 0 for any"
        ) from error
    return runner, int(runner.addresses[0][1])


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
