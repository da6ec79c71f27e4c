"""A stage on which DaapBackups are served beside databases, and CloudNativePG's part in them."""

from typing import Any

from daap_operator.engine.controller import Controller
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.archiver import Archiver, plugins
from daap_operator.kinds.backup.controller import BackupController
from tests.support.daapbackups import DONE
from tests.unit.stage import KEY, Stage, setting

Object = dict[str, Any]

NOW = Ref(known.DAAP_BACKUP, "shop", "now")
ARCHIVE, STORE = "daap-orders-5e1ec7ab", "s3"
PLUGINS = plugins(Archiver(STORE, ARCHIVE))


class BackupStage(Stage):
    """An operator that serves both."""

    def __init__(self, *also: Controller[Any]) -> None:
        super().__init__(also=(BackupController(), *also))

    # people ---------------------------------------------------------------------------------------

    def ask(self, key: Ref = NOW, *, database: str = "orders", **metadata: Any) -> Object:
        """Somebody creates a DaapBackup."""
        metadata |= {"name": key.name, "namespace": key.namespace}
        spec = {"databaseRef": {"name": database}}
        return self.kube.add(key.kind, {"metadata": metadata, "spec": spec})

    def backup(self, key: Ref = NOW) -> Object:
        """A DaapBackup as it is."""
        return self.kube.one(key.kind, key.name, key.namespace)

    def told(self, key: Ref = NOW) -> dict[str, tuple[str, str]]:
        """Status and reason of its conditions by their types, the inventory's aside."""
        conditions = self.backup(key)["status"]["conditions"]
        return {
            c["type"]: (c["status"], c["reason"])
            for c in conditions
            if c["type"] != "MetadataSynced"
        }

    def says(self, kind: str = "Ready", key: Ref = NOW) -> str:
        """The message of a condition."""
        conditions = self.backup(key)["status"]["conditions"]
        return next(str(c["message"]) for c in conditions if c["type"] == kind)

    def phase(self, key: Ref = NOW) -> str:
        """Its phase."""
        return str(self.backup(key)["status"].get("phase"))

    # CloudNativePG --------------------------------------------------------------------------------

    @property
    def made(self) -> list[str]:
        """The names of the Backups that there are."""
        return self.kube.there(known.BACKUP)

    def backs_up(self, name: str = "", **status: Any) -> None:
        """CloudNativePG says something of a Backup."""
        (only,) = [name] if name else self.made
        self.kube.change(known.BACKUP, only, setting("status", status))

    def archive(self) -> None:
        """The store is there, and the database's Cluster has the plugin."""
        self.object_store(STORE)

        def attach(cluster: Object) -> None:
            cluster["spec"]["plugins"] = PLUGINS

        self.kube.change(known.CLUSTER, "daap-orders", attach)

    def forget_requests(self) -> None:
        """Nothing was asked or announced until now."""
        self.kube.requests.clear()
        self.announcer.announced.clear()


async def archiving() -> BackupStage:
    """A stage on which the database `orders` is ready and archives."""
    stage = BackupStage()
    stage.order(backup={"store": STORE})
    await stage.settle()
    stage.archive()
    stage.watch()
    await stage.settle()
    stage.forget_requests()
    assert stage.database(KEY)["status"]["phase"] == "Ready"
    return stage


async def running() -> BackupStage:
    """The same, with a Backup under way."""
    stage = await archiving()
    stage.ask()
    await stage.look(NOW)
    assert stage.phase() == "Running", stage.backup()
    stage.forget_requests()
    return stage


async def completed() -> BackupStage:
    """The same, with a Backup that is done."""
    stage = await running()
    stage.backs_up(**DONE)
    await stage.look(NOW)
    assert stage.phase() == "Completed", stage.backup()
    stage.forget_requests()
    return stage
