"""Lets kopf read and nothing else: its requests are fenced by no Lease and counted nowhere.

None of ours makes kopf write (`kopf_watch.settings`). This is the second lock on that door.
"""

import logging

import aiohttp

log = logging.getLogger(__name__)


class WriteRefused(Exception):  # noqa: N818 - what was done, as kopf is to show it
    """kopf was about to write."""


def reading_only() -> aiohttp.ClientMiddlewareType:
    """For a session: lets GETs through, and refuses all else before it is sent.

    Raises WriteRefused, which kopf does not take for a request to be tried again. The first one is
    logged; kopf itself says which object each one was about.
    """
    told = False

    async def middleware(
        request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        nonlocal told
        if request.method == "GET":
            return await handler(request)
        what = f"{request.method} {request.url.path}"
        if not told:
            told = True
            log.error("Write of kopf refused", extra={"request": what})
        raise WriteRefused(f"{what}: kopf only reads here")

    return middleware
