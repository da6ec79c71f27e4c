"""From what was seen to what to look at: events and LISTs into the cache, keys into the queue."""

import logging
from collections.abc import Callable, Collection, Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.cache import Cache, Key, Kind, key_of
from daap_operator.kube import ApiError, Kube, Resource
from daap_operator.workqueue import Workqueue

log = logging.getLogger(__name__)

WATCHED: dict[Kind, tuple[Resource, str]] = {
    # Owners before what they own: a child's event finds its owner
    Kind.DATABASE: (Resource.DATABASES, ""),
    Kind.CLUSTER: (Resource.CLUSTERS, f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}"),
    Kind.POOLER: (Resource.POOLERS, f"{names.MANAGED_BY_LABEL}={names.FIELD_MANAGER}"),
    Kind.DEPLOYMENT: (Resource.DEPLOYMENTS, names.CNPG_POOLER_LABEL),
    # CloudNativePG gives its Services the labels that it was asked to, and Kubernetes their slices
    Kind.ENDPOINTS: (Resource.ENDPOINTS, f"{names.DATABASE_LABEL},{names.SERVICE_LABEL}"),
    # Not by our own label: the pods of Jobs have only CloudNativePG's
    Kind.POD: (Resource.PODS, names.CNPG_CLUSTER_LABEL),
    Kind.ACCOUNT: (
        Resource.SERVICE_ACCOUNTS,
        f"{names.CNPG_CLUSTER_LABEL},{names.DATABASE_LABEL}",
    ),
    Kind.CLAIM: (Resource.VOLUME_CLAIMS, names.CNPG_CLUSTER_LABEL),
}
"""What is listed and watched, and by which label selector."""


class Intake:
    """Where everything that was seen comes in. Belongs to the event loop that runs the passes."""

    def __init__(
        self, cache: Cache, queue: Workqueue[Key], *, on_gone: Callable[[str], None]
    ) -> None:
        """`on_gone` is called with the uid of a DaapDatabase that is no more."""
        self._cache = cache
        self._queue = queue
        self._on_gone = on_gone

    def event(self, kind: Kind, event_type: str | None, obj: Mapping[str, Any]) -> None:
        """Take a watch event; `event_type` is None for an object of a watch's first listing."""
        if event_type == "DELETED":
            if (gone := self._cache.remove(kind, obj)) is not None:
                self._gone(kind, gone)
        elif (changed := self._cache.put(kind, obj)) is not None:
            self._wake(kind, changed)

    async def list_all(self, kube: Kube, namespaces: Collection[str]) -> None:
        """List everything that is watched: fills the cache, and repairs what a watch has lost."""
        for namespace in namespaces or ("",):
            version = 0
            for kind in WATCHED:
                version = await self._list(kube, kind, namespace, version)

    async def _list(self, kube: Kube, kind: Kind, namespace: str, version: int) -> int:
        """List one kind; the version of the list, or of the one before for a kind that is gone."""
        resource, selector = WATCHED[kind]
        listed: set[Key] = set()
        try:
            async for page, at in kube.pages(resource, namespace, selector=selector):
                version = at
                for obj in page:
                    listed.add(key_of(obj))
                    self.event(kind, None, obj)
        except ApiError as error:
            if not error.absent or kind is Kind.DATABASE:
                raise
            log.warning("Kind unknown to the API server", extra={"kind": kind.name.lower()})
        for gone in self._cache.prune(kind, listed, version, namespace=namespace):
            self._gone(kind, gone)
        return version

    def _gone(self, kind: Kind, obj: Mapping[str, Any]) -> None:
        if kind is Kind.DATABASE:
            self._on_gone(raw.text(obj, "metadata", "uid"))
        self._wake(kind, obj)

    def _wake(self, kind: Kind, obj: Mapping[str, Any]) -> None:
        """Have the owner looked at; for a DaapDatabase also those that want its name."""
        owner = self._cache.owner(kind, obj)
        if owner is None:
            return
        self._queue.add(owner)
        if kind is Kind.DATABASE:
            for namesake in self._cache.namesakes(raw.text(obj, "metadata", "name")):
                self._queue.add(namesake)
