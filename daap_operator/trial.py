"""`daap-operator try`: a database made and deleted again, as by a team. `helm test` runs it."""

import asyncio
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from daap_operator import names, raw
from daap_operator.cancellation import heed
from daap_operator.errors import Outage
from daap_operator.kube import ApiError, Kube, Resource

Object = dict[str, Any]

LOOK_SECONDS = 1.0
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
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {
                "namespace": self.namespace,
                "name": self.name,
                "labels": {LABEL: "true"},
            },
            "spec": {
                "ownerTeam": self.owner_team,
                "purpose": "Shows that databases can be made and deleted",
                "storage": storage,
            },
        }

    def __str__(self) -> str:
        return f"{names.KIND} {self.namespace}/{self.name}"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()  # a pod's log is read while it runs


async def try_out(
    kube: Kube, wish: Wish, *, seconds: float, say: Callable[[str], None] = _print
) -> None:
    """Make the database, wait until it is Ready, delete it, and wait until it is gone.

    What was made is deleted in any case. Raises TrialError.
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
        raise TrialError(
            f"{wish} is not {trial.goal} after {seconds:g} s. {trial.told or 'It has no status'}: "
            "look at the operator's log"
        ) from None
    except ApiError as error:
        raise TrialError(str(error)) from error
    finally:
        with suppress(Outage):
            await trial.delete()


class _Trial:
    def __init__(self, kube: Kube, wish: Wish, say: Callable[[str], None]) -> None:
        self._kube = kube
        self._wish = wish
        self._say = say
        self._uid = ""
        self.goal = "made"
        self.told = ""

    async def clear_away(self) -> None:
        """Delete what a trial that was cut off has left."""
        found = await self._get()
        if found is None:
            return
        if raw.text(found, "metadata", "labels", LABEL) != "true":
            raise TrialError(f"{self._wish} is there and of no trial: choose another name")
        self._uid = raw.text(found, "metadata", "uid")
        await self.delete()
        await self.become("gone", lambda left: left is None)

    async def make(self) -> None:
        """Create it."""
        made = await self._kube.create_plain(Resource.DATABASES, self._wish.manifest)
        self._uid = raw.text(made, "metadata", "uid")
        self._say(f"{self._wish} created")

    async def delete(self) -> None:
        """Delete what was created, once."""
        if self._uid:
            uid, self._uid = self._uid, ""
            place = self._wish.namespace, self._wish.name
            await self._kube.delete(Resource.DATABASES, *place, uid=uid)

    async def become(self, goal: str, holds: Callable[[Object | None], bool]) -> None:
        """Wait until it holds, and tell of what goes on meanwhile.

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
        return await self._kube.get(Resource.DATABASES, self._wish.namespace, self._wish.name)


def _condition(found: Object | None, kind: str) -> raw.Object:
    conditions = raw.items(found, "status", "conditions")
    return next((c for c in conditions if raw.text(c, "type") == kind), {})


def _is_ready(found: Object | None) -> bool:
    return raw.text(_condition(found, "Ready"), "status") == "True"
