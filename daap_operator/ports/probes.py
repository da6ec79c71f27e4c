"""`/livez` and `/readyz`: 200 or 503 for whoever asks, and the reason into the log.

Anybody on the network may ask, so no word is answered but `ok`.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping
from http import HTTPStatus

from daap_operator.ports.http import Answer, Request
from daap_operator.ports.owner import Owner
from daap_operator.ports.shared import Shared

log = logging.getLogger(__name__)

LOOP_SECONDS = 4.0
"""After this long without an answer the operator's event loop hangs. Below the timeout of the
chart's probes, so that it is logged."""

OK = Answer(HTTPStatus.OK, b"ok\n")
WRONG = Answer(HTTPStatus.SERVICE_UNAVAILABLE)

Check = Callable[[], str]
"""Gives back what is wrong; empty when nothing is. Called in the operator's event loop."""


class Probes:
    """Answers probes. One event loop owns it, that of its port."""

    def __init__(
        self, owner: Owner, checks: Mapping[str, Check], seconds: float = LOOP_SECONDS
    ) -> None:
        """`checks` are by the word that a path ends with: `live` for `/livez`."""
        self._seconds = seconds
        self._probes = {f"/{word}z": _Probe(word, owner, check) for word, check in checks.items()}

    async def answer(self, request: Request) -> Answer:
        """Answer a request."""
        probe = self._probes.get(request.path)
        if probe is None:
            return Answer(HTTPStatus.NOT_FOUND)
        if request.method != "GET":
            return Answer(HTTPStatus.METHOD_NOT_ALLOWED, headers={"Allow": "GET"})
        return WRONG if await probe.wrong(self._seconds) else OK


class _Probe:
    """One of them, and what was last logged of it."""

    def __init__(self, word: str, owner: Owner, check: Check) -> None:
        self._word = word
        self._logged = ""

        async def checked() -> str:
            return check()

        self._check = Shared(lambda: owner.ask(checked))

    async def wrong(self, seconds: float) -> str:
        """What is wrong; logged when it has changed."""
        try:
            async with asyncio.timeout(seconds):
                wrong = await self._check.get()
        except TimeoutError:
            wrong = f"The event loop has not answered for {seconds:g} s"
        if wrong != self._logged:
            self._logged = wrong
            self._log(wrong)
        return wrong

    def _log(self, wrong: str) -> None:
        if wrong:
            log.warning("Not %s", self._word, extra={"reason": wrong})
        else:
            log.info("%s again", self._word.capitalize())
