"""Which replica leads: one, by a Lease, and each knows by its own clock when it no longer may.

As client-go's leader election, with a fencing epoch, and with the end of one's own term decided
before that of the Lease: https://pkg.go.dev/k8s.io/client-go/tools/leaderelection
"""

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from random import Random
from typing import Any

from daap_operator import raw
from daap_operator.cancellation import heed
from daap_operator.errors import Deposed, Outage
from daap_operator.kube import LEASE, ApiError, Replacing
from daap_operator.lease import Record, Term, manifest, plausible, read

log = logging.getLogger(__name__)

DEADLINE_SHARE, RETRY_SHARE = 2 / 3, 2 / 15
"""Of a Lease's duration: how long a leader goes on without a renewal; time between two tries."""

MOST_PAUSE_SECONDS = 2.0
"""Before another try of what did not succeed, however long the Lease lasts."""

RELEASE_SECONDS = 2.0


@dataclass(frozen=True)
class Candidate:
    """A replica that wants to lead, and by which Lease."""

    identity: str
    namespace: str
    name: str
    seconds: float
    """How long the Lease lasts without a renewal."""


class Elector:
    """One replica's part in the election."""

    def __init__(
        self,
        kube: Replacing,
        candidate: Candidate,
        *,
        monotonic: Callable[[], float],
        now: Callable[[], datetime],
        random: Random | None = None,
    ) -> None:
        """`monotonic` has to go on while the process, or the machine, is stopped."""
        self._kube = kube
        self._me = candidate
        self._monotonic = monotonic
        self._now = now
        self._random = random or Random()  # noqa: S311 - jitter, not cryptography
        self._term = Term(candidate.identity, 0, now())
        self._version = ""
        self._until = float("-inf")
        self._seen = ("", 0.0)
        self._writing = asyncio.Lock()
        self._told = ""

    @property
    def lease(self) -> str:
        """The Lease's namespace and name."""
        return f"{self._me.namespace}/{self._me.name}"

    @property
    def identity(self) -> str:
        """Who this replica is."""
        return self._me.identity

    @property
    def epoch(self) -> int:
        """Grows with every leader; that of this replica while it leads."""
        return self._term.epoch

    @property
    def trouble(self) -> str:
        """Why the Lease could not be read or written at the last try; empty when it could."""
        return self._told

    @property
    def leading(self) -> bool:
        """Whether this replica leads for certain."""
        return self._monotonic() < self._until

    def require(self) -> None:
        """Raise Deposed unless this replica leads for certain. To be asked before each write."""
        if not self.leading:
            raise Deposed(f"The Lease {self.lease} was not renewed in time")

    # before ---------------------------------------------------------------------------------------

    async def lead(self) -> None:
        """Wait until this replica leads."""
        while not await self._took_over():
            heed()
            await asyncio.sleep(min(self._pause(), MOST_PAUSE_SECONDS))
        self._tell("")
        log.info("Leading", extra={"lease": self.lease, "epoch": self.epoch})

    async def _took_over(self) -> bool:
        asked = self._monotonic()
        try:
            async with asyncio.timeout(self._deadline):
                found = await self._get()
                record = read(found) if found else Record("", 0, 0.0, "")
                if not self._is_free(record):
                    self._tell("")
                    return False
                term = Term(self._me.identity, record.epoch + 1, self._now())
                self._took(await self._put(term, record.version), term, asked)
        except (Outage, TimeoutError) as error:
            if not (isinstance(error, ApiError) and error.conflict):
                self._tell(str(error) or "The API server does not answer")
            return False
        return True

    def _is_free(self, record: Record) -> bool:
        """Whether nobody leads any more: by our own clock, since others' clocks may be wrong."""
        if record.version != self._seen[0]:
            self._seen = record.version, self._monotonic()
            log.debug("Standing by", extra={"leader": record.holder, "epoch": record.epoch})
        if record.holder in ("", self._me.identity):
            return True
        return self._monotonic() - self._seen[1] >= record.seconds

    # while leading --------------------------------------------------------------------------------

    async def hold(self) -> None:
        """Renew the Lease until cancelled. Raises Deposed once that has failed for too long."""
        while True:
            heed()
            left = self._until - self._monotonic()
            most = min(left, MOST_PAUSE_SECONDS) if self._told else left
            await asyncio.sleep(max(0.0, min(self._pause(), most)))
            left = self._until - self._monotonic()
            if left <= 0:
                because = f": {self._told}" if self._told else ""
                raise Deposed(f"The Lease {self.lease} was not renewed in time{because}")
            await self._renew(left)

    async def _renew(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds), self._writing:
                asked = self._monotonic()
                try:
                    made = await self._put(self._term, self._version)
                except ApiError as error:
                    if not (error.conflict or error.absent):
                        raise
                    await self._look_again()
                else:
                    self._took(made, self._term, asked)
            self._tell("")
        except Deposed:
            raise
        except (Outage, TimeoutError) as error:
            self._tell(str(error) or "The API server does not answer")

    async def _look_again(self) -> None:
        """The Lease is not as we left it: a write of ours without an answer, or another leader."""
        found = await self._get()
        record = read(found) if found else None
        if record is None:
            # Deleted by hand: made again at the next renewal, if nobody else did
            self._version = ""
        elif (record.holder, record.epoch) == (self._me.identity, self._term.epoch):
            self._version = record.version
        else:
            self._until = float("-inf")
            whose = f"{record.holder} holds it" if record.holder else "it was taken away"
            raise Deposed(f"The Lease {self.lease} is lost: {whose}")

    async def exceed(self, epoch: int) -> None:
        """Lead on in an epoch after that one, which somebody has seen who never should have.

        A Lease that was deleted by hand starts counting from zero, and so does that of a new
        cluster, while the inventory remembers. Raises Deposed when the Lease is another's, and
        Outage when it cannot be written, or no leader can have had that epoch.
        """
        async with self._writing:
            self.require()
            if not plausible(self._term.epoch, epoch):
                raise Outage(f"The epoch {epoch} is out of reach from {self._term.epoch}")
            asked, term = self._monotonic(), replace(self._term, epoch=epoch + 1)
            try:
                made = await self._put(term, self._version)
            except ApiError as error:
                if error.conflict or error.absent:
                    await self._look_again()
                raise
            self._took(made, term, asked)
        log.warning("Epoch raised", extra={"lease": self.lease, "epoch": self.epoch})

    # after ----------------------------------------------------------------------------------------

    async def release(self) -> None:
        """Give the Lease back, after all work: another replica need not wait then."""
        if not self.leading:
            return
        self._until = float("-inf")
        with suppress(Outage, TimeoutError):
            async with asyncio.timeout(RELEASE_SECONDS), self._writing:
                await self._put(replace(self._term, holder=""), self._version)

    # ----------------------------------------------------------------------------------------------

    @property
    def _deadline(self) -> float:
        return self._me.seconds * DEADLINE_SHARE

    def _pause(self) -> float:
        return self._me.seconds * RETRY_SHARE * self._random.uniform(0.9, 1.1)

    async def _get(self) -> dict[str, Any] | None:
        return await self._kube.get(LEASE, self._me.namespace, self._me.name)

    async def _put(self, term: Term, version: str) -> dict[str, Any]:
        """Write the Lease if it is still at that version, or, without one, if there is none."""
        me = self._me
        lease = manifest(me.namespace, me.name, term, seconds=me.seconds, now=self._now())
        if not version:
            return await self._kube.create_plain(LEASE, lease)
        return await self._kube.replace(LEASE, lease, version=version)

    def _took(self, made: dict[str, Any], term: Term, asked: float) -> None:
        """Our write took effect, at the earliest when we asked."""
        self._term = term
        self._version = raw.text(made, "metadata", "resourceVersion")
        self._until = asked + self._deadline

    def _tell(self, trouble: str) -> None:
        if trouble and not self._told:
            log.warning("The Lease is out of reach", extra={"lease": self.lease, "error": trouble})
        self._told = trouble
