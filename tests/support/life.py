"""A database's life, step by step, that needs each right of the operator; and where it stops."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from daap_operator.kinds import known
from tests.standin.cnpg import StandIn
from tests.support.daapbackups import DONE, Backups
from tests.support.databases import Databases, condition, is_ready
from tests.support.drilling import Drills, checked
from tests.support.drills import Drills as ScheduledDrills
from tests.support.eventually import eventually
from tests.support.http import metrics
from tests.support.kinds import SERVICE
from tests.support.operator import RunningOperator
from tests.support.restores import Restores
from tests.support.schema_runner import running
from tests.support.schemas import Schemas
from tests.support.scrape import scraper
from tests.support.slowness import slowness
from tests.support.warnings import failed_create

Object = dict[str, Any]
Look = Callable[[], Awaitable[object]]

STEP_SECONDS = 60.0
EVERY = 0.2
"""Seconds between two looks: many lives in one process look at the same time."""
STUCK_SECONDS = 3.0
"""So long after it was refused, times the machine's slowness, what is not there is not coming."""


SETTING_UP = 3
"""The step of a Cluster's birth at which its first instance is being set up."""

DRILLED = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
"""When the last drill has passed."""

NOWHERE = {"after the end"}

WATCHED = "watch"
TIMES = 3
"""So often a watch is refused before it counts as never begun."""


class Stuck(Exception):  # noqa: N818 - what the test waits for
    """The life has stopped at this step, after the operator was refused something."""

    def __init__(self, step: str) -> None:
        super().__init__(step)
        self.step = step


class Life:
    """Lived by one database under an operator of its own."""

    def __init__(
        self,
        databases: Databases,
        name: str,
        environment: dict[str, str],
        refused: Callable[[], Counter[Any]],
        standin: StandIn,
        *,
        stops: Collection[str],
        idle: Callable[[], None] = lambda: None,
    ) -> None:
        """`refused` tells what the API server has forbidden this operator so far, and how often.

        `stops` are the steps at which that counts, or NOWHERE: what is refused before may be made
        up for, and on a busy machine every step takes its time. `idle` is called when nothing is
        left but to wait until it is certain that nothing more comes.
        """
        self._databases = databases
        self._name = name
        self._cluster, self._pooler = f"daap-{name}", f"daap-{name}-pooler"
        self._environment = environment
        self._refused = refused
        self._standin = standin
        self._stops = stops
        self._idle = idle
        self._operator: RunningOperator | None = None

    async def live(self) -> None:
        """From nothing to nothing. Raises Stuck."""
        try:
            await self._start()
            await self._watch()
            await self._be_born()
            await self._be_scraped()
            await self._be_backed_up()
            await self._be_verified()
            await self._be_put_back()
            await self._be_drilled()
            await self._be_given_tables()
            await self._be_repaired()
            await self._grow()
            await self._change_secrets()
            await self._die()
            await self._be_retained()
        finally:
            if self._operator:
                await self._operator.kill()

    # the steps ------------------------------------------------------------------------------------

    async def _start(self) -> None:
        self._operator = RunningOperator(self._environment)
        await self._operator.__aenter__()
        ready = asyncio.create_task(self._operator.operator.ready())
        try:
            await self._reach("start", lambda: _done(ready))
        finally:
            ready.cancel()

    async def _watch(self) -> None:
        """A watch that is refused is asked for again and again, and never begins.

        How far a database would get by the listings of the others is chance.
        """

        async def refused() -> int:
            return self._refused().total()

        if WATCHED in self._stops:
            self._idle()
            await eventually(refused, lambda times: times >= TIMES, seconds=STEP_SECONDS)
            raise Stuck(WATCHED)

    async def _be_born(self) -> None:
        await self._databases.create(self._name)
        await self._reach("be Ready", lambda: self._databases.get(self._name), is_ready)

        async def events() -> set[str]:
            return await self._databases.events(self._name)

        await self._reach("be told of in Events", events)

    async def _be_scraped(self) -> None:
        api, namespace = self._databases.api, self._databases.namespace
        token = await scraper(api, namespace)

        async def page() -> tuple[int, str]:
            assert self._operator
            return await metrics(self._operator.operator, token=token)

        await self._reach("be seen in the metrics", page, lambda seen: seen[0] == 200)

    async def _be_backed_up(self) -> None:
        """On a schedule, and now; beside a backup that waits for a database which never comes."""
        backups = Backups(self._databases.api, self._databases.namespace)
        await backups.create("never", "nobody")
        await self._reach(
            "wait for another one to be backed up",
            lambda: backups.get("never"),
            lambda found: reason(found) == "DatabaseMissing",
        )
        await backups.delete("never")
        await self._reach(
            "lose what was never begun", lambda: backups.get("never"), lambda found: found is None
        )
        await self._databases.object_store()
        await self._databases.edit(self._name, backup={"store": "backups"})
        await self._reach(
            "be backed up",
            lambda: self._databases.child("scheduledbackups", self._cluster),
            lambda found: found and found.get("status", {}).get("lastScheduleTime"),
        )
        await self._reach("be Ready backed up", lambda: self._databases.get(self._name), is_ready)
        await backups.create("now", self._name)
        await self._reach(
            "be backed up now",
            lambda: backups.get("now"),
            lambda found: reason(found) == "BackupRunning",
        )
        await backups.backs_up("now", **DONE)
        await self._reach(
            "be told of its backup",
            lambda: backups.get("now"),
            lambda found: reason(found) == "BackupCompleted",
        )
        await backups.delete("now")
        await self._reach(
            "lose its backup", lambda: backups.get("now"), lambda found: found is None
        )
        await self._reach("be Ready for more", lambda: self._databases.get(self._name), is_ready)

    async def _be_verified(self) -> None:
        """By a drill that is due at once, and three that are older: one more than are kept."""
        drills = ScheduledDrills(self._databases.api, self._databases.namespace)
        await self._databases.edit(self._name, backup={"verify": {"schedule": "@hourly"}})
        await self._reach("be drilled", drills.names)
        await self._databases.edit(self._name, backup={"verify": None})
        database = await self._databases.get(self._name)
        assert database
        await self._drill_over(drills, (await drills.names())[0], database, DRILLED)
        for day in range(1, 4):
            before = DRILLED - timedelta(days=day)
            name = await drills.scheduled(database, before)
            await self._drill_over(drills, name, database, before)
        await self._reach(
            "lose an old drill",
            drills.names,
            lambda found: isinstance(found, list) and len(found) == 3,
        )
        await drills.delete()
        await self._reach("lose its drills", drills.names, lambda found: found == [])
        await self._reach("be Ready verified", lambda: self._databases.get(self._name), is_ready)

    async def _drill_over(
        self, drills: ScheduledDrills, name: str, database: Object, ended: datetime
    ) -> None:
        """A drill has passed, whatever the operator was about to write of it; it may be gone then:
        it can be one more than are kept."""

        async def said() -> Object | None:
            found = await drills.get(name)
            if found and found.get("status", {}).get("phase") != "Passed":
                await drills.ends(name, database, ended)
            return found

        await self._reach(
            "be told that a drill is over", said, lambda found: found is None or is_ready(found)
        )

    async def _be_put_back(self) -> None:
        """To a moment, with a backup first; beside a restore of a database that is not there."""
        api, namespace = self._databases.api, self._databases.namespace
        restores, backups = Restores(api, namespace), Backups(api, namespace)
        await restores.create("never", "nobody", at="2026-01-01T00:00:00Z")
        await self._reach(
            "be told that nothing is restored",
            lambda: restores.get("never"),
            lambda found: reason(found) == "DatabaseMissing",
        )
        await restores.delete("never")
        await self._reach(
            "lose what was not restored", lambda: restores.get("never"), lambda found: found is None
        )
        moment = await restores.moment(self._name)
        await restores.create("back", self._name, at=moment)

        async def safety() -> Object | None:
            found = await restores.get("back")
            named = ((found or {}).get("status", {}).get("safetyBackup") or {}).get("name", "none")
            return await backups.get(named)

        await self._reach(
            "be backed up before a restore",
            safety,
            lambda found: reason(found) == "BackupRunning",
        )
        made = await safety()
        assert made
        await backups.backs_up(made["metadata"]["name"], **DONE)
        await self._reach("be put back", lambda: restores.get("back"), is_ready)
        await restores.delete("back")
        await backups.delete(made["metadata"]["name"])
        await self._reach(
            "lose its restore", lambda: restores.get("back"), lambda found: found is None
        )
        await self._reach("be Ready as it was", lambda: self._databases.get(self._name), is_ready)

    async def _be_drilled(self) -> None:
        """Once; beside a drill that waits for its turn until it is deleted."""
        api, namespace = self._databases.api, self._databases.namespace
        drills = Drills(api, namespace)
        await drills.create("proof", self._name)
        await self._reach(
            "be restored for a drill",
            lambda: drills.get("proof"),
            lambda found: reason(found) == "CheckingBackup",
        )
        await drills.create("waits", self._name)
        await self._reach(
            "wait for another drill",
            lambda: drills.get("waits"),
            lambda found: reason(found) == "Queued",
        )
        await drills.delete("waits")
        await self._reach(
            "lose the drill that waited", lambda: drills.get("waits"), lambda found: found is None
        )
        async with checked(api, namespace):
            await self._reach("pass its drill", lambda: drills.get("proof"), is_ready)
        await drills.delete("proof")
        await self._reach(
            "lose its drill", lambda: drills.get("proof"), lambda found: found is None
        )

    async def _be_given_tables(self) -> None:
        """From a ConfigMap and inline; beside a schema of a database that is not there."""
        api, namespace = self._databases.api, self._databases.namespace
        schemas = Schemas(api, namespace)
        await schemas.files("tables", {"001_users.sql": "CREATE TABLE users (id int);"})
        await schemas.create("never", "nobody", schema=[{"configMap": {"name": "tables"}}])
        await self._reach(
            "be told that a schema waits",
            lambda: schemas.get("never"),
            lambda found: reason(found) == "WaitingForDatabase",
        )
        inline = [{"inline": [{"name": "001_rows.sql", "sql": "INSERT INTO users VALUES (1);"}]}]
        await schemas.create("tables", self._name, fixtures=inline)
        await self._reach("have a Job for its schema", schemas.runs)
        async with running(api, namespace):
            await self._reach("be given its tables", lambda: schemas.get("tables"), is_ready)
        for name in ("tables", "never"):
            await schemas.delete(name)
            await self._reach(
                "lose a schema", partial(schemas.get, name), lambda found: found is None
            )

    async def _be_repaired(self) -> None:
        api, namespace = self._databases.api, self._databases.namespace
        spoilt = {"spec": {"smartShutdownTimeout": 99}}
        await api.patch("clusters", namespace, self._cluster, spoilt)
        await self._reach(
            "have its Cluster mended",
            lambda: self._databases.child("clusters", self._cluster),
            lambda cluster: cluster["spec"]["smartShutdownTimeout"] == 10,
        )
        before = await self._databases.child("poolers", self._pooler)
        assert before
        await api.delete("poolers", namespace, self._pooler)
        await self._reach(
            "have its Pooler made again",
            lambda: self._databases.child("poolers", self._pooler),
            lambda pooler: pooler and pooler["metadata"]["uid"] != before["metadata"]["uid"],
        )
        await self._reach("be Ready again", lambda: self._databases.get(self._name), is_ready)

    async def _grow(self) -> None:
        await self._databases.edit(self._name, storage={"size": "11Gi"})
        await self._reach(
            "grow",
            lambda: self._databases.get(self._name),
            lambda found: found["status"].get("storage") == "11Gi",
        )
        await self._reach("be Ready at its size", lambda: self._databases.get(self._name), is_ready)

    async def _change_secrets(self) -> None:
        namespace, first = self._databases.namespace, f"daap-{self._name}-connection"
        spoilt = {"data": {"host": ""}}
        await self._databases.api.patch("secrets", namespace, first, spoilt)
        await self._reach(
            "have its Secret mended",
            lambda: self._databases.child("secrets", first),
            lambda secret: secret["data"]["host"],
        )
        await self._databases.edit(self._name, connectionSecretName=f"{self._name}-other")
        await self._reach(
            "lose the Secret of its old name",
            lambda: self._databases.child("secrets", first),
            lambda secret: secret is None,
        )
        await self._reach("be Ready renamed", lambda: self._databases.get(self._name), is_ready)

    async def _be_retained(self) -> None:
        """Retain and deletion come in one go: no pass has taken the owner from the children."""
        kept = f"{self._name}-kept"
        children = {
            "clusters": f"daap-{kept}",
            "poolers": f"daap-{kept}-pooler",
            "scheduledbackups": f"daap-{kept}",
            "secrets": f"daap-{kept}-connection",
        }
        await self._fail_to_restore(f"{self._name}-copy")
        await self._wait_for_room(kept)
        await self._reach("be Ready to be kept", lambda: self._databases.get(kept), is_ready)
        await self._reach(
            "be backed up to be kept",
            lambda: self._databases.child("scheduledbackups", children["clusters"]),
        )
        assert self._operator
        await self._operator.kill()
        await self._databases.edit(kept, deletionPolicy="Retain")
        await self._databases.delete(kept)
        await self._start()
        await self._reach("retain", lambda: self._databases.get(kept), lambda found: found is None)
        for plural, name in children.items():
            child = await self._databases.child(plural, name)
            assert child, name
            assert not child["metadata"].get("ownerReferences"), name

    async def _wait_for_room(self, name: str) -> None:
        """Be created under a quota that lets no pod be, which only an Event tells; then it goes."""
        api, namespace = self._databases.api, self._databases.namespace
        metadata = {"name": "none", "namespace": namespace}
        body: Object = {"metadata": metadata, "spec": {"hard": {"pods": "0"}}}
        await api.create("resourcequotas", body)
        await eventually(
            lambda: api.get("resourcequotas", namespace, "none"),
            lambda found: found and (found.get("status") or {}).get("hard"),
        )
        await self._databases.create(name, backup={"store": "backups"})
        note = "exceeded quota: none, requested: pods=1, used: pods=0, limited: pods=0"
        await api.create("events", failed_create(namespace, f"daap-{name}-1-initdb", note))
        await self._reach(
            "be told why it waits",
            lambda: self._databases.get(name),
            lambda found: reason(found) == "QuotaExceeded",
        )
        await api.delete("resourcequotas", namespace, "none")

    async def _fail_to_restore(self, name: str) -> None:
        """Be restored in vain at first: a pod has failed, which without a node has no log."""
        api, namespace = self._databases.api, self._databases.namespace
        cluster = f"daap-{name}"
        labels = {"cnpg.io/cluster": cluster, "cnpg.io/jobRole": "full-recovery"}
        container = {"name": "full-recovery", "image": "postgresql:17"}
        spec = {"containers": [container], "automountServiceAccountToken": False}
        pod = f"{cluster}-1-full-recovery-x2x4z"
        metadata = {"name": pod, "namespace": namespace, "labels": labels}
        await api.create("pods", {"metadata": metadata, "spec": spec})
        await api.patch("pods", namespace, pod, {"status": {"phase": "Failed"}}, "status")
        self._standin.stop_at(namespace, cluster, SETTING_UP)
        source = {"archive": "daap-old-0a1b2c3d", "store": "backups"}
        await self._databases.create(name, source=source, postgresVersion=17)
        await self._reach(
            "be told why its restore fails",
            lambda: self._databases.get(name),
            lambda found: "does not say why" in str(condition(found, "Ready").get("message")),
        )
        self._standin.go_on(namespace, cluster)
        await self._databases.ready(name)
        await self._databases.delete(name)
        await self._databases.gone(name)

    async def _die(self) -> None:
        await self._databases.delete(self._name)
        await self._reach(
            "go", lambda: self._databases.get(self._name), lambda found: found is None
        )
        for plural, name in (
            ("clusters", self._cluster),
            ("poolers", self._pooler),
            ("scheduledbackups", self._cluster),
        ):
            assert await self._databases.child(plural, name) is None

    # ----------------------------------------------------------------------------------------------

    async def _reach(self, step: str, look: Look, holds: Callable[[Any], object] = bool) -> None:
        """Wait until it holds. Raises Stuck when it does not, and something was refused."""
        loop = asyncio.get_running_loop()
        until: list[float] = []

        async def look_closely() -> object:
            found = await look()
            if holds(found):
                return None
            if self._operator and not self._operator.alive:
                raise Stuck(step)
            if step in self._stops and self._refused() and not until:
                self._idle()
                until.append(loop.time() + STUCK_SECONDS * await asyncio.to_thread(slowness))
            if until and loop.time() > until[0]:
                raise Stuck(step)
            return {step: found}

        def reached(lacking: object) -> bool:
            return lacking is None

        try:
            await eventually(look_closely, reached, seconds=STEP_SECONDS, every=EVERY)
        except AssertionError as error:
            if not until:
                error.add_note(await self._around_the_pooler())
                raise
            # On a slow machine it may take longer to be sure that nothing is coming
            left = until[0] - loop.time() + STEP_SECONDS
            await eventually(look_closely, reached, seconds=left, every=EVERY)

    async def _around_the_pooler(self) -> str:
        """What Kubernetes has made for the Pooler, and for which one: all in a line each."""
        lines = ["There is:"]
        for kind in (known.POOLER, known.DEPLOYMENT, SERVICE, known.ENDPOINTS):
            for found in await self._databases.api.list(kind, self._databases.namespace):
                kept = ("name", "uid", "resourceVersion", "labels", "ownerReferences", "finalizers")
                metadata = {key: found["metadata"].get(key) for key in kept}
                lines.append(f"{kind.name} {metadata} {found.get('endpoints', '')}")
        return "\n".join(lines)


async def _done(task: "asyncio.Task[None]") -> bool:
    return task.done()


def reason(found: Object | None) -> str:
    """Why it is not Ready."""
    return str(condition(found, "Ready").get("reason", ""))
