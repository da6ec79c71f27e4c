"""The probes: `/livez` for what a restart mends, `/readyz` for whether the work is being done."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from daap_operator.errors import StartError

Check = Callable[[], str]
"""Gives back what is wrong; empty when nothing is."""


@dataclass(frozen=True)
class Checks:
    """What the probes ask."""

    live: Check
    """Whether the process is beyond help. Never asks for the API server or a database."""
    ready: Check
    """Whether databases are being looked after."""


async def serve(host: str, port: int, checks: Checks) -> tuple[web.AppRunner, int]:
    """Answer probes until the runner is cleaned up; the port is the one that was taken.

    Raises StartError when the port cannot be had.
    """
    application = web.Application()
    application.router.add_get("/livez", _endpoint(checks.live))
    application.router.add_get("/readyz", _endpoint(checks.ready))
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
