"""The Barman Cloud plugin of some namespaces: it archives, makes backups and gives them back."""

from datetime import UTC, datetime
from typing import Any

from daap_operator.kinds import known
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kinds.database.desired import recovery
from tests.standin import script
from tests.standin.bucket import Bucket
from tests.support.api import Api

Object = dict[str, Any]


class Barman:
    """The plugin, and what is in the object stores. Its methods are the stand-in's to call."""

    def __init__(self) -> None:
        self.bucket = Bucket()
        """What is in the object stores of the namespaces where archives are kept."""
        self._keeping: set[str] = set()
        self._unplugged: set[str] = set()

    def keep(self, namespace: str) -> None:
        """Work there from now on: nothing there is restored that was not archived."""
        self._keeping.add(namespace)

    def keeps(self, namespace: str) -> bool:
        """Whether it works there."""
        return namespace in self._keeping

    def unplug(self, namespace: str) -> None:
        """Do not run there."""
        self._unplugged.add(namespace)

    def plug(self, namespace: str) -> None:
        """Run again."""
        self._unplugged.discard(namespace)

    def saw(self, cluster: Object) -> None:
        """A Cluster is told of."""
        if self.keeps(cluster["metadata"]["namespace"]):
            self.bucket.saw(cluster)

    def is_missed(self, cluster: Object) -> bool:
        """Whether CloudNativePG can do nothing about a Cluster for want of it."""
        needed = archiver_of(cluster) or recovery.of_cluster(cluster["spec"])
        return bool(needed) and cluster["metadata"]["namespace"] in self._unplugged

    def archive(self, cluster: Object) -> None:
        """The first segment of the write-ahead log, as soon as there is a primary."""
        if self.keeps(cluster["metadata"]["namespace"]) and is_up(cluster):
            self.bucket.begin(cluster)

    async def restore(self, api: Api, cluster: Object) -> bool:
        """Whether a Cluster has its data: one that is restored needs what it is restored from."""
        namespace = cluster["metadata"]["namespace"]
        source = recovery.of_cluster(cluster["spec"])
        if source is None or not self.keeps(namespace):
            return True
        store = await api.get(known.BARMAN_STORE, namespace, source.store)
        return store is not None and self.bucket.restore(cluster)

    async def back_up(self, api: Api, cluster: Object) -> Object:
        """Make a backup; the status of the Backup that asked for it."""
        namespace, told = cluster["metadata"]["namespace"], archiver_of(cluster)
        ended = datetime.now(UTC).replace(microsecond=0)  # noqa: TID251 - it has its own clock
        there = told and await api.get(known.BARMAN_STORE, namespace, told.store)
        made = ""
        if there and namespace not in self._unplugged:
            made = self.bucket.back_up(cluster, ended)
        return script.completed(made, ended) if made else script.failed(_NOT_WRITTEN)

    async def tell(self, api: Api, cluster: Object) -> None:
        """Have the ObjectStore tell of the Cluster's archive."""
        namespace, told = cluster["metadata"]["namespace"], archiver_of(cluster)
        if told and (kept := self.bucket.archives.get((namespace, told.archive))):
            ends = kept.backups.values()
            window = {"status": script.window(told.archive, max(ends), min(ends))}
            await api.patch(known.BARMAN_STORE, namespace, told.store, window, "status")


_NOT_WRITTEN = "rpc error: code = Unknown desc = the archive cannot be written"


def is_up(cluster: Object | None) -> bool:
    """Whether a Cluster has a primary."""
    return bool(((cluster or {}).get("status") or {}).get("currentPrimary"))
