"""A stage on which DaapRestores are served beside databases and DaapBackups."""

from datetime import timedelta
from typing import Any

from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.restore.controller import RestoreController
from tests.support.daapbackups import DONE
from tests.unit.backup_stage import STORE, BackupStage
from tests.unit.stage import KEY, play, setting

Object = dict[str, Any]

BACK = Ref(known.DAAP_RESTORE, "shop", "back")
ARCHIVE = "daap-orders-00000000"
NEXT = f"{ARCHIVE}-2"
SERVED = (known.DATABASE, known.DAAP_BACKUP, known.DAAP_RESTORE)


class RestoreStage(BackupStage):
    """An operator that serves all three."""

    def __init__(self) -> None:
        super().__init__(RestoreController())

    # people ---------------------------------------------------------------------------------------

    def restore(self, key: Ref = BACK, *, database: str = "orders", **spec: Any) -> Object:
        """Somebody creates a DaapRestore; to a moment ago unless it says otherwise."""
        if not {"at", "backup"} & spec.keys():
            spec["at"] = self.ago(60)
        asked = {"databaseRef": {"name": database}, "confirm": database} | spec
        metadata = {"name": key.name, "namespace": key.namespace}
        return self.kube.add(key.kind, {"metadata": metadata, "spec": asked})

    def ago(self, seconds: float) -> str:
        """A moment that has been, in RFC 3339."""
        moment = self.clock.now() - timedelta(seconds=seconds)
        return moment.isoformat().replace("+00:00", "Z")

    def backup(self, key: Ref = BACK) -> Object:
        """An object of ours as it is."""
        return self.kube.one(key.kind, key.name, key.namespace)

    @property
    def safety(self) -> list[str]:
        """The names of the DaapBackups that there are."""
        return self.kube.there(known.DAAP_BACKUP)

    # what happens ---------------------------------------------------------------------------------

    def covers(self, archive: str = ARCHIVE, *, seconds: float = 3600) -> None:
        """The store tells of an archive that reaches back so far."""
        first = {"firstRecoverabilityPoint": self.ago(seconds)}
        windows = {"serverRecoveryWindow": {archive: first}}
        self.kube.change(known.BARMAN_STORE, STORE, setting("status", windows))

    def completes_backups(self) -> None:
        """CloudNativePG makes each Backup that there is."""
        for name in self.kube.there(known.BACKUP):
            if self.kube.one(known.BACKUP, name).get("status", {}).get("phase") != "completed":
                self.kube.change(known.BACKUP, name, setting("status", DONE))

    async def passes(self) -> None:
        """One pass over everything."""
        self.watch()
        await self.complete()
        for kind in SERVED:
            for key in self.store.refs(kind):
                await self._pass(key)

    async def carry_on(self, *, until: str = "", rounds: int = 40) -> None:
        """All that happens, until nothing changes any more, or until BACK is in a phase."""
        for _ in range(rounds):
            before = self._happened()
            play(self.kube)
            self.completes_backups()
            await self.passes()
            if until and self.phase(BACK) == until:
                return
            self.kube.collect_garbage()
            self.clock.advance(6)
            if before == self._happened():
                assert not until, self.kube.objects.get(BACK, {}).get("status")
                return
        raise AssertionError(f"not over after {rounds} rounds: {self.backup(BACK)}")

    @property
    def cluster(self) -> Object:
        """The Cluster as it is."""
        return self.kube.one(known.CLUSTER, "daap-orders")


async def recoverable(**spec: Any) -> RestoreStage:
    """A stage on which the database `orders` is ready, archives, and can be restored."""
    stage = RestoreStage()
    stage.order(backup={"store": STORE}, **spec)
    stage.object_store(STORE)
    await stage.carry_on()
    stage.clock.advance(7200)
    stage.covers()
    await stage.carry_on()
    stage.forget_requests()
    assert stage.database(KEY)["status"]["phase"] == "Ready", stage.database(KEY)
    return stage
