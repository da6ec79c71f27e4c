"""Kubernetes Events on the user's object: what `kubectl describe` shows.

Events are posted in the background and never hold up a pass. They may be lost in a crash: the
status has it all. https://kubernetes.io/docs/reference/kubernetes-api/cluster-resources/event-v1/
"""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from daap_operator import names
from daap_operator.api.meta import ConditionType, Metadata, Phase, Status
from daap_operator.api.reasons import CommonEvent, CommonReason
from daap_operator.cancellation import heed
from daap_operator.engine.turns import Turns
from daap_operator.errors import Outage
from daap_operator.kube import EVENT, Kind, Plain
from daap_operator.lines import visible

log = logging.getLogger(__name__)

WAITING = 500
"""Events of one namespace that wait to be posted; what comes on top of them is dropped."""

NOTE_BYTES = 1024
"""What the API server takes."""

NAMESPACE_OF_CLUSTER_SCOPED = "default"
"""Where Events about an object that is in no namespace are: the API server takes no other."""


@dataclass(frozen=True)
class Announcement:
    """One Event to be."""

    warning: bool
    reason: str
    note: str


def phase_of(status: Status) -> str | None:
    """The phase, of a kind whose status has one."""
    phase = getattr(status, "phase", None)
    return None if phase is None else str(phase)


def transitions(before: Status, after: Status) -> list[Announcement]:
    """What is worth an Event between two statuses: phase, error, who must act, the inventory."""
    made = []
    if _situation(before) != _situation(after):
        made.append(_life(after))
    stalled = after.condition(ConditionType.STALLED)
    if stalled and stalled.reason not in (_stalled(before), *(one.reason for one in made)):
        made.append(Announcement(warning=True, reason=stalled.reason, note=stalled.message))
    elif _stalled(before) and not stalled and not made:
        made.append(_life(after))  # somebody has acted
    old = before.condition(ConditionType.METADATA_SYNCED)
    new = after.condition(ConditionType.METADATA_SYNCED)
    if new and new.status != (old.status if old else "True"):
        lost = new.status == "False"
        reason = CommonEvent.METADATA_NOT_SYNCED if lost else CommonEvent.METADATA_SYNCED
        made.append(Announcement(lost, reason, new.message))
    return made


def turned_away(kind: Kind, namespace: str) -> Announcement:
    """That there is no memory for objects of a kind in a namespace, and what to do. Pure."""
    where = f"namespace {namespace}" if namespace else "the cluster"
    counted = f"{kind.plural}.{kind.group}" if kind.group else kind.plural
    note = (
        f"The operator has no memory for more objects of kind {kind.name} in {where}, which has "
        "more than others: this one is not served, and maybe not the only one. The operator looks "
        "again at the next resync. Delete what is not needed there; the platform team can bound "
        f"the number by a ResourceQuota (count/{counted}), or raise the operator's memory limit"
    )
    return Announcement(warning=True, reason=CommonReason.NAMESPACE_OVER_SHARE, note=note)


def _life(status: Status) -> Announcement:
    ready, phase = status.condition(ConditionType.READY), phase_of(status)
    reason = ready.reason if ready and phase in _WITH_REASON else str(phase)
    warning = phase == Phase.ERROR or reason in _HELD or (phase is None and bool(_stalled(status)))
    return Announcement(warning, reason, ready.message if ready else "")


def _stalled(status: Status) -> str:
    stalled = status.condition(ConditionType.STALLED)
    return stalled.reason if stalled else ""


_WITH_REASON = (Phase.ERROR, Phase.DELETING, None)
"""The phases in which another reason is another situation; so it is for a kind without phases."""

_HELD = (CommonReason.DELETION_BLOCKED, CommonReason.DELETION_PROTECTED, CommonReason.RETRYING)
"""A deletion that does not go on by itself."""


def _situation(status: Status) -> tuple[object, ...]:
    ready, phase = status.condition(ConditionType.READY), phase_of(status)
    return phase, ready.reason if ready and phase in _WITH_REASON else ""


def event(
    kind: Kind, metadata: Metadata, announcement: Announcement, *, now: datetime, number: int
) -> dict[str, Any]:
    """The Event object. Pure; `number` keeps names of one moment apart."""
    stamp = now.astimezone(UTC)
    place = {"namespace": metadata.namespace} if metadata.namespace else {}
    return {
        "apiVersion": "events.k8s.io/v1",
        "kind": "Event",
        "metadata": {
            "name": f"{metadata.name}.{int(stamp.timestamp() * 1e6):x}{number % 4096:03x}",
            "namespace": metadata.namespace or NAMESPACE_OF_CLUSTER_SCOPED,
        },
        "eventTime": stamp.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "reportingController": names.REPORTER,
        "reportingInstance": names.FIELD_MANAGER,
        "action": "Reconcile",
        "type": "Warning" if announcement.warning else "Normal",
        "reason": announcement.reason,
        "note": visible(announcement.note).encode()[:NOTE_BYTES].decode(errors="ignore"),
        "regarding": {
            "apiVersion": kind.api_version,
            "kind": kind.name,
            **place,
            "name": metadata.name,
            "uid": metadata.uid,
        },
    }


class Events(Protocol):
    """Where a pass leaves what is to be announced."""

    def announce(
        self, kind: Kind, metadata: Metadata, announcement: Announcement, now: datetime
    ) -> None:
        """Have an Event posted, soon."""


class Announcer:
    """Posts Events one after the other; the namespaces take turns."""

    def __init__(self, kube: Plain, *, on_drop: Callable[[Kind], None] = lambda _: None) -> None:
        """`on_drop` is told of each Event that was dropped, by the kind that it was about."""
        self._kube = kube
        self._on_drop = on_drop
        self._waiting: Turns[dict[str, Any]] = Turns(_namespace, most=WAITING)
        self._came = asyncio.Event()
        self._full: set[str] = set()
        """Namespaces that lose Events just now."""
        self._number = 0

    def announce(
        self, kind: Kind, metadata: Metadata, announcement: Announcement, now: datetime
    ) -> None:
        """Have an Event posted, soon."""
        self._number += 1
        made = event(kind, metadata, announcement, now=now, number=self._number)
        namespace = _namespace(made)
        if self._waiting.put(made):
            self._came.set()
            return
        self._on_drop(kind)
        if namespace not in self._full:  # once, until there is room again
            self._full.add(namespace)
            log.warning("Events dropped: too many wait", extra={"namespace": namespace})

    async def run(self) -> None:
        """Post until cancelled. A refused Event is logged and forgotten."""
        while True:
            heed()
            made = self._waiting.take()
            if made is None:
                self._came.clear()
                await self._came.wait()
                continue
            self._full.discard(_namespace(made))
            try:
                await self._kube.create_plain(EVENT, made)
            except Outage as error:
                log.warning(
                    "Event not posted", extra={"event": made["reason"], "error": str(error)}
                )


def _namespace(made: dict[str, Any]) -> str:
    namespace: str = made["metadata"]["namespace"]
    return namespace
