"""Who may read the metrics: the API server's word, remembered for a while.

Nothing is remembered but a token's digest. Both memories are bounded, and apart: no number of wrong
tokens makes the right one forgotten. How often the API server is asked about tokens that it has
allowed nothing yet is bounded, too: they are cheap to invent. Each address has a share of that, and
those from which a reader has come before have one that is theirs alone.
"""

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TypeVar

from daap_operator.errors import Outage
from daap_operator.ports.budget import Bucket, Rate, Shares
from daap_operator.ports.shared import Shared

log = logging.getLogger(__name__)

ALLOWED_SECONDS, REFUSED_SECONDS = 60.0, 10.0
"""How long an answer is remembered: a right that is taken away holds so long."""

MOST_ALLOWED, MOST_REFUSED = 100, 1000
"""Tokens that are remembered, and addresses of readers."""

EACH, STRANGERS, READERS = Rate(6, 0.2), Rate(8, 4.0), Rate(4, 1.0)
"""Questions about tokens that are not known to be allowed: for one address, and for all together;
for those of readers besides. A token that stays wrong takes less than its address may."""

READER_SECONDS = 24 * 3600.0
"""How long an address is known as a reader's: tokens change every hour or so, at one address."""

REVIEW_SECONDS = 5.0
"""After this long the API server is out of reach."""

LOG_SECONDS = 60.0

K = TypeVar("K")
T = TypeVar("T")

Review = Callable[[str], Awaitable[HTTPStatus]]
"""Has the API server judge a token: 200, 401 or 403. Raises Outage when it does not."""


class Access:
    """Judges bearer tokens. One event loop owns it, that of the port."""

    def __init__(
        self, review: Review, monotonic: Callable[[], float], seconds: float = REVIEW_SECONDS
    ) -> None:
        """`monotonic` gives seconds that never go back; `seconds` are given to a review."""
        self._review = review
        self._monotonic = monotonic
        self._seconds = seconds
        self._allowed: dict[bytes, float] = {}
        self._refused: dict[bytes, tuple[HTTPStatus, float]] = {}
        self._asking: dict[bytes, Shared[HTTPStatus]] = {}
        now = monotonic()
        self._each = Shares(EACH, monotonic)
        self._strangers, self._readers = Bucket(STRANGERS, now), Bucket(READERS, now)
        self._known: dict[str, float] = {}
        """Addresses that a reader has come from, and until when that counts."""
        self._quiet_until = now

    async def judge(self, token: str, peer: str) -> HTTPStatus:
        """Judge a token that came from an address.

        200; 401 without a token or with a wrong one, 403, 429 when too many ask, 503 for an API
        server that cannot be asked: what is not known to be allowed is not.
        """
        status = await self._judged(token, peer)
        if status == HTTPStatus.OK:
            self._known.pop(peer, None)
            self._known[peer] = self._monotonic() + READER_SECONDS
            _limit(self._known, MOST_ALLOWED)
        return status

    async def _judged(self, token: str, peer: str) -> HTTPStatus:
        if not token:
            return HTTPStatus.UNAUTHORIZED
        digest = hashlib.sha256(token.encode()).digest()
        known = self._remembered(digest)
        if known is not None:
            return known
        if digest not in self._asking:
            if digest not in self._allowed and not self._may_ask(peer):
                return HTTPStatus.TOO_MANY_REQUESTS
            self._asking[digest] = Shared(lambda: self._ask(digest, token))
        return await self._asking[digest].get()

    def _remembered(self, digest: bytes) -> HTTPStatus | None:
        now = self._monotonic()
        if self._allowed.get(digest, now) > now:
            return HTTPStatus.OK
        status, until = self._refused.get(digest, (None, now))
        return status if until > now else None

    def _may_ask(self, peer: str) -> bool:
        """Whether the API server is to be asked about one more stranger now."""
        now = self._monotonic()
        own = self._each.of(peer)
        shares = [self._readers] if self._known.get(peer, now) > now else []
        found = next((each for each in (*shares, self._strangers) if each.has(now)), None)
        if found is None or not own.has(now):
            return False
        own.take()
        found.take()
        return True

    async def _ask(self, digest: bytes, token: str) -> HTTPStatus:
        try:
            async with asyncio.timeout(self._seconds):
                status = await self._review(token)
        except (Outage, TimeoutError) as error:
            self._log(error)
            return HTTPStatus.SERVICE_UNAVAILABLE
        finally:
            del self._asking[digest]
        self._remember(digest, status)
        return status

    def _remember(self, digest: bytes, status: HTTPStatus) -> None:
        now = self._monotonic()
        self._allowed.pop(digest, None)
        self._refused.pop(digest, None)
        if status == HTTPStatus.OK:
            self._allowed[digest] = now + ALLOWED_SECONDS
        else:
            self._refused[digest] = status, now + REFUSED_SECONDS
        _limit(self._allowed, MOST_ALLOWED)
        _limit(self._refused, MOST_REFUSED)

    def _log(self, error: Exception) -> None:
        now = self._monotonic()
        if now >= self._quiet_until:
            self._quiet_until = now + LOG_SECONDS
            extra = {"error": str(error) or "no answer in time"}
            log.warning("Metrics refused: the API server cannot be asked who may", extra=extra)


def _limit(memory: dict[K, T], most: int) -> None:
    """Forget the oldest of what is too much."""
    while len(memory) > most:
        del memory[next(iter(memory))]
