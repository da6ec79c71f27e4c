"""The ConfigMaps with files, for all schemas: each version of one is read once, one at a time.

Whoever may create ConfigMaps and DaapSchemas decides how many of the first each of the second
names, and how many of the second name the same. A pass keeps the text of none.
"""

import asyncio
from collections import OrderedDict
from typing import NamedTuple

from daap_operator import names, raw
from daap_operator.api.v1alpha1 import SeenConfigMap
from daap_operator.engine.kinds import Object
from daap_operator.errors import Waiting
from daap_operator.kinds import known
from daap_operator.kinds.schema import sources
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.kinds.schema.sources import Held
from daap_operator.kube import Requests

WAITING_SECONDS = 300.0
"""When to look again for a ConfigMap, should no event come."""
MOST_KEPT = 20_000
"""Keys of ConfigMaps that are remembered, with what they hold: some 500 bytes each at most."""


class _Version(NamedTuple):
    namespace: str
    name: str
    uid: str
    resource_version: str


class Library:
    """What the ConfigMaps hold. Belongs to the event loop that runs the passes."""

    def __init__(self) -> None:
        self._one = asyncio.Lock()
        self._known: OrderedDict[_Version, Held] = OrderedDict()
        self._keys = 0

    async def held(
        self, kube: Requests, namespace: str, wanted: SeenConfigMap
    ) -> tuple[SeenConfigMap, Held]:
        """What a ConfigMap holds, and which version that is: the wanted one, or a later one.

        Raises Waiting when it is not there, ApiError.
        """
        place = _Version(namespace, wanted.name, wanted.uid, wanted.resource_version)
        if (its := self._recalled(place)) is not None:
            return wanted, its
        async with self._one:  # a ConfigMap that is being read needs memory, whose ever it is
            if (its := self._recalled(place)) is not None:  # read for another while this one waited
                return wanted, its
            found = await kube.get(known.CONFIG_MAP, namespace, wanted.name)
            if found is None:
                raise missing(namespace, wanted.name)
            there, its = version(found), sources.held(found)
        self._keep(_Version(namespace, there.name, there.uid, there.resource_version), its)
        return there, its

    def _recalled(self, place: _Version) -> Held | None:
        if place in self._known:
            self._known.move_to_end(place)
        return self._known.get(place)

    def _keep(self, place: _Version, its: Held) -> None:
        """Remember it, and forget those that were of use least lately."""
        self._keys += _weight(its) - _weight(self._known.pop(place, None))
        self._known[place] = its
        while self._keys > MOST_KEPT:
            _, forgotten = self._known.popitem(last=False)
            self._keys -= _weight(forgotten)


def _weight(its: Held | None) -> int:
    return 0 if its is None else 1 + len(its.texts) + len(its.binary)


async def others_first() -> None:
    """Let other passes go on: to go through thousands of keys takes its time, for each source."""
    await asyncio.sleep(0)


def version(config_map: Object) -> SeenConfigMap:
    """Which version of a ConfigMap that is."""
    metadata = raw.mapping(config_map, "metadata")
    return SeenConfigMap(
        name=raw.text(metadata, "name"),
        uid=raw.text(metadata, "uid"),
        resource_version=raw.text(metadata, "resourceVersion"),
    )


def missing(namespace: str, name: str) -> Waiting:
    """What a schema says whose ConfigMap is not there."""
    label = names.SCHEMA_FILES_LABEL
    return Waiting(
        SchemaReason.FILES_MISSING,
        f"ConfigMap {name} with the label {label} does not exist in this namespace: create it, or "
        f"set the label by kubectl label configmap {name} --namespace={namespace} {label}=true",
        seconds=WAITING_SECONDS,
    )
