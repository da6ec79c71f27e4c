"""A stage on which DaapDrills are served, and what CloudNativePG and Kubernetes do for them."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.drill.controller import DrillController
from daap_operator.kinds.drill.memory import Choices
from daap_operator.kinds.recovery_log import ROLE
from tests.unit.backup_stage import STORE, BackupStage
from tests.unit.stage import KEY, setting

Object = dict[str, Any]

DRILL = Ref(known.DAAP_DRILL, "shop", "proof")
IMAGE = "registry.example/daap-operator:1"
HOUR = 3600
CHOICES = Choices(image=IMAGE, seconds=HOUR, ports=(443, 6443))
SERVED = (known.DATABASE, known.DAAP_BACKUP, known.DAAP_DRILL)

FOUND = {
    "relations": 310,
    "corrupt": 0,
    "corruption": "",
    "tables": 2,
    "rows": 7,
    "backup": "20260301T110000",
}
"""What the checks say of a database without damage."""

REDO_DONE = "redo done at 0/5000060 system usage: CPU: user: 0.00 s, system: 0.01 s, elapsed: 3.2 s"
LAST = "last completed transaction was at log time 2026-03-01 13:58:31.123456+00"


class DrillStage(BackupStage):
    """An operator that serves them beside databases and DaapBackups."""

    def __init__(self, choices: Choices = CHOICES) -> None:
        self.drills = DrillController(choices)
        super().__init__(self.drills)

    # people ---------------------------------------------------------------------------------------

    def drill(self, key: Ref = DRILL, *, database: str = "orders", **spec: Any) -> Object:
        """Somebody creates a DaapDrill."""
        metadata = {"name": key.name, "namespace": key.namespace}
        asked = {"databaseRef": {"name": database}} | spec
        return self.kube.add(key.kind, {"metadata": metadata, "spec": asked})

    def backup(self, key: Ref = DRILL) -> Object:
        """An object of ours as it is."""
        return self.kube.one(key.kind, key.name, key.namespace)

    def its(self, key: Ref = DRILL) -> Object:
        """The status of a drill."""
        status: Object = self.backup(key)["status"]
        return status

    @property
    def left(self) -> list[str]:
        """All that there is of drills, and of what their Clusters own."""
        return sorted(
            f"{kind.name} {name}"
            for kind, _, name in self.kube.objects
            if name.startswith("drill-")
        )

    # CloudNativePG and Kubernetes -----------------------------------------------------------------

    @property
    def scratch(self) -> str:
        """The name of the only scratch Cluster."""
        (found,) = [n for n in self.kube.there(known.CLUSTER) if n.startswith("drill-")]
        return found

    def covers(self, archive: str = "daap-orders-00000000", *, seconds: float = HOUR) -> None:
        """The store tells of an archive that reaches back so far."""
        first = self.clock.now() - timedelta(seconds=seconds)
        windows = {archive: {"firstRecoverabilityPoint": first.isoformat()}}
        self.kube.change(known.BARMAN_STORE, STORE, setting("status", {names_of_windows: windows}))

    def restores(self, *, log: str | None = None) -> None:
        """CloudNativePG's Job has restored the scratch Cluster, which has a volume then."""
        self.recovery_pod("Succeeded", log=log or "")
        name = self.scratch
        body = {"metadata": {"labels": {names.CNPG_CLUSTER_LABEL: name}}}
        self.owned(known.CLAIM, f"{name}-1", body)

    def recovery_pod(
        self, phase: str, number: int = 1, *, log: str = "", sidecar: str = ""
    ) -> None:
        """A try to restore has ended."""
        name = f"{self.scratch}-1-full-recovery-{number}"
        # No more than is promised: those of CloudNativePG 1.30 inherit the Cluster's labels, too
        labels = {names.CNPG_CLUSTER_LABEL: self.scratch, names.CNPG_JOB_ROLE_LABEL: ROLE}
        since = self.clock.now() - timedelta(seconds=10)
        ended = {"exitCode": 0, "startedAt": since.isoformat()}
        containers = [{"name": "full-recovery", "state": {"terminated": ended}}]
        self.owned(known.POD, name, {"metadata": {"labels": labels}})
        self.kube.logs["shop", name, "full-recovery"] = log
        self.kube.logs["shop", name, "plugin-barman-cloud"] = sidecar
        status = {"phase": phase, "containerStatuses": containers}
        self.kube.change(known.POD, name, setting("status", status))

    def serves(self) -> None:
        """The scratch Cluster is ready."""
        now = self.clock.now().isoformat()
        ready = {"type": "Ready", "status": "True", "lastTransitionTime": now}
        status = {"phase": "Cluster in healthy state", "conditions": [ready]}
        self.kube.change(known.CLUSTER, self.scratch, setting("status", status))

    def checks(
        self, found: Mapping[str, Any] = FOUND, *, text: str | None = None, owner: str = ""
    ) -> None:
        """The checking Job's pod has ended, and says what it has found."""
        job = self.kube.one(known.JOB, self.scratch)
        ended = {"exitCode": 0, "message": json.dumps(found) if text is None else text}
        reference = {"apiVersion": "batch/v1", "kind": "Job", "name": self.scratch}
        reference |= {"uid": owner or job["metadata"]["uid"]}
        name = f"{self.scratch}-check"
        if (known.POD, "shop", name) not in self.kube.objects:
            labels = {names.DRILL_LABEL: self.scratch}
            metadata = {"name": name, "labels": labels, "ownerReferences": [reference]}
            self.kube.add(known.POD, {"metadata": metadata})
        containers = [{"name": "check", "state": {"terminated": ended}}]
        status = {"phase": "Succeeded", "containerStatuses": containers}
        self.kube.change(known.POD, name, setting("status", status))

    def owned(self, kind: Any, name: str, body: Object) -> None:
        """Something that the scratch Cluster owns."""
        cluster = self.kube.one(known.CLUSTER, self.scratch)
        reference = {"apiVersion": known.CLUSTER.api_version, "kind": "Cluster"}
        reference |= {"name": self.scratch, "uid": cluster["metadata"]["uid"]}
        metadata = {"name": name, "ownerReferences": [reference]} | body.get("metadata", {})
        self.kube.add(kind, body | {"metadata": metadata})

    # passes ---------------------------------------------------------------------------------------

    async def passes(self, rounds: int = 1) -> None:
        """Passes over all drills, and garbage collected in between."""
        for _ in range(rounds):
            self.watch()
            await self.complete()
            for key in self.store.refs(known.DAAP_DRILL):
                await self._pass(key)
            self.kube.collect_garbage()
            self.clock.advance(6)

    async def restoring(self) -> None:
        """Until the scratch Cluster is there."""
        await self.passes(2)
        assert self.phase(DRILL) == "Restoring", self.its()

    async def checking(self) -> None:
        """Until the checking Job is there."""
        await self.restoring()
        self.restores()
        self.serves()
        await self.passes(2)
        assert self.phase(DRILL) == "Checking", self.its()


names_of_windows = "serverRecoveryWindow"


async def provable(choices: Choices = CHOICES, **spec: Any) -> DrillStage:
    """A stage on which the database `orders` is ready, archives, and can be restored."""
    stage = DrillStage(choices)
    stage.order(backup={"store": STORE}, **spec)
    stage.object_store(STORE)
    await stage.settle()
    stage.clock.advance(2 * HOUR)
    stage.covers()
    await stage.settle()
    stage.forget_requests()
    assert stage.database(KEY)["status"]["phase"] == "Ready", stage.database(KEY)
    return stage
