"""`daap-operator try`: a database made and deleted again, as by a team. `helm test` runs it."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from daap_operator import raw
from daap_operator.cancellation import heed
from daap_operator.errors import Outage
from daap_operator.kinds import known
from daap_operator.kube import ApiError, Deleting

Object = dict[str, Any]
Answer = TypeVar("Answer")

LOOK_SECONDS = 1.0
END_SECONDS = 15.0
"""How long to try to delete what was made when the trial has failed."""

LABEL = "daap.io/trial"
"""Only what bears it is cleared away."""


class TrialError(Exception):
    """The database did not come to be, or did not go; the message says why."""


@dataclass(frozen=True)
class Wish:
    """Which database to make."""

    namespace: str
    name: str
    owner_team: str
    storage_class: str = ""

    @property
    def manifest(self) -> Object:
        """The smallest DaapDatabase there is."""
        storage = {"size": "1Gi"}
        if self.storage_class:
            storage["storageClass"] = self.storage_class
        return {
            "apiVersion": known.DATABASE.api_version,
            "kind": known.DATABASE.name,
            "metadata": {
                "namespace": self.namespace,
                "name": self.name,
                "labels": {LABEL: "true"},
            },
            "spec": {
                "ownerTeam": self.owner_team,
                "purpose": "Shows that databases can be created and deleted",
                "storage": storage,
            },
        }

    def __str__(self) -> str:
        return f"{known.DATABASE.name} {self.namespace}/{self.name}"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # a pod's log is read while it runs


async def try_out(
    kube: Deleting, wish: Wish, *, seconds: float, say: Callable[[str], None] = _print
) -> None:
    """Make the database, wait until it is Ready, delete it, and wait until it is gone.

    An API server that does not answer is tried again until the time is over. What was made is
    deleted in any case; where that is not possible the message says so. Raises TrialError.
    """
    trial = _Trial(kube, wish, say)
    try:
        async with asyncio.timeout(seconds):
            await trial.clear_away()
            await trial.make()
            await trial.become("Ready", _is_ready)
            await trial.delete()
            await trial.become("gone", lambda found: found is None)
    except TimeoutError:
        why = f"{wish} is not {trial.goal} after {seconds:g} s. {trial.why}"
        raise TrialError(f"{why}{await trial.end()}") from None
    except Outage as error:
        raise TrialError(f"{error}{error.remedy}{await trial.end()}") from error
    except TrialError as error:
        raise TrialError(f"{error}{await trial.end()}") from error
    except BaseException:
        await trial.end()
        raise


class _Trial:
    def __init__(self, kube: Deleting, wish: Wish, say: Callable[[str], None]) -> None:
        self._kube = kube
        self._wish = wish
        self._say = say
        self._place = wish.namespace, wish.name
        self._uid = ""
        self._unanswered = False
        self._outage = ""
        self.goal = "made"
        self.told = ""

    @property
    def why(self) -> str:
        """What there is to say when the time is over."""
        if self._outage:
            return f"The API server does not answer: {self._outage}"
        return f"{self.told or 'It has no status'}: look at the operator's log"

    async def clear_away(self) -> None:
        """Delete what a trial that was cut off has left."""
        found = await self._get()
        if found is None:
            return
        self._uid = self._uid_of_trial(found)
        await self.delete()
        await self.become("gone", lambda left: left is None)

    def _uid_of_trial(self, found: Object) -> str:
        if raw.text(found, "metadata", "labels", LABEL) != "true":
            raise TrialError(f"{self._wish} exists and is not a trial's: choose another name")
        return raw.text(found, "metadata", "uid")

    async def make(self) -> None:
        """Create it."""
        self._uid = raw.text(await self._insist(self._create), "metadata", "uid")
        self._unanswered = False
        self._say(f"{self._wish} created")

    async def _create(self) -> Object:
        """Create it, or find that an earlier request, which had no answer, did."""
        before, self._unanswered = self._unanswered, True
        try:
            return await self._kube.create_plain(known.DATABASE, self._wish.manifest)
        except ApiError as error:
            if not _passes(error):
                self._unanswered = before
            found = await self._found() if before and error.conflict else None
            if found is None:
                raise
        self._uid_of_trial(found)
        return found

    async def delete(self) -> None:
        """Delete what was created, once."""
        if self._uid:
            await self._insist(self._delete)
            self._uid = ""

    async def _delete(self) -> None:
        await self._kube.delete(known.DATABASE, *self._place, uid=self._uid)

    async def end(self) -> str:
        """Delete what there still is of it; what to do by hand when that fails."""
        try:
            async with asyncio.timeout(END_SECONDS):
                if self._unanswered and not self._uid:
                    self._uid = self._uid_of_trial(await self._get() or {})
                await self.delete()
        except (Outage, TimeoutError):
            namespace, name = self._place
            command = f"kubectl delete {known.DATABASE.plural} --namespace {namespace} {name}"
            return f". {self._wish} could not be deleted: {command}"
        except TrialError:  # nothing is there, or it is somebody else's
            pass
        return ""

    async def become(self, goal: str, holds: Callable[[Object | None], bool]) -> None:
        """Wait until it holds, and report what goes on meanwhile.

        Raises TrialError when somebody has to act first; what is being deleted may have needed it.
        """
        self.goal = goal
        while not holds(found := await self._look()):
            if self._uid and (stalled := _condition(found, "Stalled")):
                raise TrialError(f"{self._wish} is not {goal}: {raw.text(stalled, 'message')}")
            heed()
            await asyncio.sleep(LOOK_SECONDS)
        self._say(f"{self._wish} is {goal}")

    async def _look(self) -> Object | None:
        found = await self._get()
        phase = raw.text(found, "status", "phase")
        told = f"{phase}: {raw.text(_condition(found, 'Ready'), 'message')}" if phase else ""
        if told and told != self.told:
            self._say(told)
        self.told = told
        return found

    async def _get(self) -> Object | None:
        return await self._insist(self._found)

    async def _found(self) -> Object | None:
        return await self._kube.get(known.DATABASE, *self._place)

    async def _insist(self, request: Callable[[], Awaitable[Answer]]) -> Answer:
        """The answer, however long it takes: whoever asks has set a limit."""
        while True:
            heed()
            try:
                answer = await request()
            except Outage as error:
                if not _passes(error):
                    raise
                if not self._outage:
                    self._say(f"The API server does not answer, trying again: {error}")
                self._outage = str(error)
                await asyncio.sleep(max(LOOK_SECONDS, error.retry_after))
            else:
                self._outage = ""
                return answer


def _passes(error: Outage) -> bool:
    """Whether the same request may be answered later: nothing was said about the object."""
    return not isinstance(error, ApiError) or error.status >= 500 or error.status == 429


def _condition(found: Object | None, kind: str) -> raw.Object:
    conditions = raw.items(found, "status", "conditions")
    return next((c for c in conditions if raw.text(c, "type") == kind), {})


def _is_ready(found: Object | None) -> bool:
    return raw.text(_condition(found, "Ready"), "status") == "True"
