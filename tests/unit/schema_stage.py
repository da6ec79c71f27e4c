"""A stage on which DaapSchemas are served, and what their Jobs do."""

import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from daap_operator import names
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.schema.controller import SchemaController
from daap_operator.kinds.schema.job import CONTAINER
from daap_operator.kinds.schema.memory import Choices
from tests.unit.backup_stage import BackupStage
from tests.unit.fakes import Killed
from tests.unit.stage import KEY, setting

Object = dict[str, Any]

SCHEMA = Ref(known.DAAP_SCHEMA, "shop", "tables")
IMAGE = "registry.example/daap-operator:1"
DAY = 86_400
CHOICES = Choices(image=IMAGE, verify_seconds=DAY)
PLAN, OTHER_PLAN, LEDGER = "a" * 64, "b" * 64, "c" * 64
FILES = {"001_users.sql": "CREATE TABLE users (id int);\n"}

CHECKED: Object = {
    "format": 1,
    "result": "Checked",
    "reason": "",
    "message": "",
    "ledger": "default",
    "ledgerChecksum": LEDGER,
    "current": "",
    "count": 0,
    "plan": PLAN,
    "pending": [],
    "pendingCount": 0,
    "findingsCount": 0,
    "destructiveCount": 0,
    "obstacles": [],
    "obstaclesCount": 0,
    "drift": [],
    "driftCount": 0,
}
"""What a look says of a database in which nothing is pending."""


def pending(name: str = "001_users.sql", **more: Any) -> Object:
    """A file of a plan, as the runner reports it."""
    found = {
        "part": "schema",
        "file": name,
        "checksum": "d" * 64,
        "statements": 1,
        "transactional": True,
        "locks": [{"mode": "ACCESS EXCLUSIVE", "relation": "users"}],
        "findings": [],
    }
    return found | more


def planned(*files: Object, **more: Any) -> Object:
    """What a look says of a plan."""
    found = list(files) or [pending()]
    findings = [each for file in found for each in file["findings"]]
    counts = {
        "pendingCount": len(found),
        "findingsCount": len(findings),
        "destructiveCount": sum(each["destructive"] for each in findings),
    }
    return CHECKED | {"pending": found} | counts | more


def finding(*, destructive: bool = False) -> Object:
    return {
        "rule": "drop-table" if destructive else "slow-index",
        "level": "Warning",
        "line": 3,
        "message": "DROP TABLE users: deletes the table with all its rows",
        "remedy": "have a backup",
        "destructive": destructive,
    }


def applied(count: int = 1, current: str = "001_users.sql", **more: Any) -> Object:
    """What a run says that has applied everything."""
    rows = [{"part": "schema", "file": current, "checksum": "d" * 64, "seconds": 0.1}]
    found = {"format": 1, "result": "Applied", "reason": "", "message": "", "applied": rows}
    return found | {"ledgerChecksum": LEDGER, "current": current, "count": count} | more


class SchemaStage(BackupStage):
    """An operator that serves them beside databases."""

    def __init__(self, choices: Choices = CHOICES) -> None:
        self.schemas = SchemaController(choices)
        super().__init__(self.schemas)

    # people ---------------------------------------------------------------------------------------

    def files(self, name: str = "tables", **data: str) -> None:
        """Somebody applies a ConfigMap with files; their names have `_sql` for `.sql`."""
        found = {f"{key.removesuffix('_sql')}.sql": text for key, text in data.items()} or FILES
        metadata = {"name": name, "labels": {names.SCHEMA_FILES_LABEL: "true"}}
        if (known.CONFIG_MAP, "shop", name) in self.kube.objects:
            self.kube.change(known.CONFIG_MAP, name, setting("data", found))
        else:
            self.kube.add(known.CONFIG_MAP, {"metadata": metadata, "data": found})

    def schema(self, key: Ref = SCHEMA, **spec: Any) -> Object:
        """Somebody creates a DaapSchema of the ConfigMap `tables`."""
        asked = {"databaseRef": {"name": "orders"}, "schema": [{"configMap": {"name": "tables"}}]}
        metadata = {"name": key.name, "namespace": key.namespace}
        return self.kube.add(key.kind, {"metadata": metadata, "spec": asked | spec})

    def respecified(self, key: Ref = SCHEMA, **spec: Any) -> None:
        """Somebody changes a DaapSchema."""
        its = self.kube.one(key.kind, key.name)["spec"]
        self.kube.change(key.kind, key.name, setting("spec", its | spec))

    def its(self, key: Ref = SCHEMA) -> Object:
        """The status of a schema."""
        status: Object = self.kube.one(key.kind, key.name, key.namespace)["status"]
        return status

    def why(self, key: Ref = SCHEMA) -> str:
        """The message of Ready."""
        return next(str(c["message"]) for c in self.its(key)["conditions"] if c["type"] == "Ready")

    # Kubernetes -----------------------------------------------------------------------------------

    @property
    def jobs(self) -> list[str]:
        """The names of the Jobs that are not over."""
        return [
            name
            for name in self.kube.there(known.JOB)
            if not self.kube.one(known.JOB, name).get("status")
        ]

    @property
    def job(self) -> Object:
        """The only Job that is not over."""
        (name,) = self.jobs
        return self.kube.one(known.JOB, name)

    @property
    def asked(self) -> list[str]:
        """The arguments of that Job."""
        (container,) = self.job["spec"]["template"]["spec"]["containers"]
        args: list[str] = container["args"]
        return args

    def reports(self, said: Object, *, log: bool = True, owner: str = "") -> None:
        """The pod of the Job has ended with a report, and the Job is over."""
        name = self.job["metadata"]["name"]
        lists = ("pending", "drift", "obstacles") if log else ()
        words = {key: value for key, value in said.items() if key not in lists}
        code = {"Applied": 0, "Checked": 0, "Refused": 2}.get(said["result"], 3)
        ended = {"exitCode": code, "message": json.dumps(words)}
        self.pod({"terminated": ended}, owner=owner)
        self.kube.logs["shop", f"{name}-pod", CONTAINER] = f"a plan\n{json.dumps(said)}\n"
        self.over("Complete" if code == 0 else "Failed")

    def pod(self, state: Object, *, owner: str = "") -> None:
        """The Job has a pod, whose container is in that state."""
        job = self.job
        name = job["metadata"]["name"]
        reference = {"apiVersion": "batch/v1", "kind": "Job", "name": name}
        reference |= {"uid": owner or job["metadata"]["uid"]}
        labels = {names.SCHEMA_LABEL: name}
        metadata = {"name": f"{name}-pod", "labels": labels, "ownerReferences": [reference]}
        if (known.POD, "shop", f"{name}-pod") not in self.kube.objects:
            self.kube.add(known.POD, {"metadata": metadata})
        containers = [{"name": CONTAINER, "state": state}]
        self.kube.change(
            known.POD, f"{name}-pod", setting("status", {"containerStatuses": containers})
        )

    def over(self, condition: str = "Failed", message: str = "") -> None:
        """The Job is over."""
        conditions = [{"type": condition, "status": "True", "message": message}]
        name = self.job["metadata"]["name"]
        self.kube.change(known.JOB, name, setting("status", {"conditions": conditions}))

    # passes ---------------------------------------------------------------------------------------

    async def passes(self, rounds: int = 1) -> None:
        """Passes over all schemas."""
        for _ in range(rounds):
            self.watch()
            await self.complete()
            for key in self.store.refs(known.DAAP_SCHEMA):
                await self._pass(key)
            self.kube.collect_garbage()
            self.clock.advance(6)


async def ready(choices: Choices = CHOICES) -> SchemaStage:
    """A stage on which the database `orders` is ready, and the files are there."""
    stage = SchemaStage(choices)
    stage.order()
    await stage.settle()
    stage.files()
    stage.forget_requests()
    assert stage.database(KEY)["status"]["phase"] == "Ready", stage.database(KEY)
    return stage


async def going(said: Object | None = None, **spec: Any) -> SchemaStage:
    """A stage on which a schema was looked at, with what came of it."""
    stage = await ready()
    stage.schema(**spec)
    await stage.passes(2)
    stage.reports(said or planned())
    await stage.passes(2)
    return stage


async def done(**spec: Any) -> SchemaStage:
    """A stage on which a schema is applied and verified."""
    stage = await going(**spec)
    stage.reports(applied())
    await stage.passes(2)
    stage.reports(CHECKED | {"count": 1, "current": "001_users.sql"})
    await stage.passes(2)
    return stage


async def killed_at(stage: SchemaStage, at: int, passes: int, answer: Callable[[], None]) -> None:
    """Have the operator die after a write, the first one being 0, and start again.

    `answer` is what others do after each pass.
    """
    writes = 0

    def die() -> None:
        nonlocal writes
        writes += 1
        if writes == at + 1:
            raise Killed

    stage.kube.after_write = die
    for _ in range(passes):
        with suppress(Killed):
            await stage.passes()
        if writes == at + 1:
            await stage.restart()
            writes += 1
        answer()
