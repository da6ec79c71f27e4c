"""What a database goes through while a step fails, and the state that each has to end in."""

import uuid
from base64 import b64decode, b64encode
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from daap_operator import names
from daap_operator.kinds import known
from daap_operator.kinds.archiver import Archiver, archiver_of
from daap_operator.kinds.database.desired.backup import archive_name, next_archive_name
from tests.support.api import Object
from tests.support.backups import tell_of_backup
from tests.support.databases import condition
from tests.support.drills import Drills
from tests.support.eventually import eventually
from tests.support.site import Site

SECONDS = 60.0
"""Within so long everything has to be made good, also on a busy machine."""

EVERY = 0.25
KINDS = (
    *("clusters", "poolers", "deployments", "secrets", "persistentvolumeclaims"),
    "scheduledbackups",
)
LAST_DRILL = datetime(2026, 3, 1, 4, 0, tzinfo=UTC)
"""When the last of many drills has passed."""
ELSEWHERE = "elsewhere"
OLD_ARCHIVE = "daap-old-0a1b2c3d"
"""What is kept of a database that nobody knows any more."""
ALLOTTED = {"clusterName", "poolerName", "databaseName", "postgresVersion", "pendingSecret"}


@dataclass(frozen=True)
class Trial:
    """One database at a site."""

    site: Site
    name: str

    @property
    def cluster(self) -> str:
        """Its Cluster."""
        return names.cluster_name(self.name)

    @property
    def secret(self) -> str:
        """Its connection Secret, until that is renamed."""
        return names.secret_name(self.name)


Step = Callable[[Trial], Awaitable[None]]


@dataclass(frozen=True)
class Scenario:
    """Something that is asked for, and the state it has to end in."""

    act: Step
    ended: Step
    """Waits for the state; fails when it does not come in time."""
    of_ready: bool = True
    """Whether there is a database that is Ready beforehand."""
    offline: bool = False
    """Whether it is asked for while no operator runs."""
    make: Step | None = None
    """Makes what is Ready beforehand; None for a database."""
    events: int = 2
    """How many Events tell of that, in the background."""
    clear: Step | None = None
    """Takes away what is left."""
    loses: bool = False
    """Whether what is asked for takes the Cluster away."""


# --- what is there --------------------------------------------------------------------------------


async def snapshot(trial: Trial) -> dict[str, Any]:
    """All there is: the object, its children, everything else in the namespace, the rows."""
    databases, api = trial.site.databases, trial.site.api
    found = await databases.get(trial.name)
    lists = [await api.list(plural, databases.namespace) for plural in KINDS]
    there = dict(zip(KINDS, lists, strict=True))
    rows = await trial.site.rows.named(trial.name)
    return {
        "told": told(found),
        "clusters": {o["metadata"]["name"]: o["spec"]["instances"] for o in there["clusters"]},
        "poolers": {o["metadata"]["name"]: o["spec"]["instances"] for o in there["poolers"]},
        "deployments": [o["metadata"]["name"] for o in there["deployments"]],
        "secrets": {o["metadata"]["name"]: o["type"] for o in there["secrets"]},
        "claims": [o["metadata"]["name"] for o in there["persistentvolumeclaims"]],
        "schedules": {
            o["metadata"]["name"]: (o["spec"]["schedule"].split(" ", 1)[1], o["spec"]["suspend"])
            for o in there["scheduledbackups"]
        },
        "archives": [each for o in there["clusters"] if (each := archiver_of(o))],
        "owners": sum(_owned(o) for plural in KINDS for o in there[plural]),
        "passwords": len({b64decode(p) for p in _passwords(there["secrets"])}),
        "rows": [(row["status"], row["deleted_at"] is None) for row in rows],
        "row": _current(rows[-1] if rows else None, found),
        "said": _said(found),
    }


def told(found: Object | None) -> dict[str, Any] | None:
    """The status, so far as machines read it; whether it speaks of the present generation."""
    if found is None:
        return None
    status, generation = found["status"], found["metadata"]["generation"]
    conditions = {
        c["type"]: c["status"]
        for c in status.get("conditions", ())
        if c["type"] != "BackupHealthy"  # of backups that are made when they are due
    }
    observed = {status["observedGeneration"], condition(found, "Ready").get("observedGeneration")}
    phase = {"phase": status["phase"]} if "phase" in status else {}
    return {**phase, **conditions, "current": observed == {generation}}


def _said(found: Object | None) -> list[str]:
    """What the status says, for whoever reads that a trial failed."""
    conditions = ((found or {}).get("status") or {}).get("conditions") or []
    return [f"{c['type']}: {c['reason']}: {c['message']}" for c in conditions]


def _owned(obj: Object) -> bool:
    references = obj["metadata"].get("ownerReferences") or ()
    return any(reference["kind"] == known.DATABASE.name for reference in references)


def _passwords(secrets: list[Object]) -> list[str]:
    return [data["password"] for secret in secrets if "password" in (data := secret["data"])]


def _current(row: Object | None, found: Object | None) -> bool | None:
    """Whether the newest row says what the object says; None without an object."""
    if row is None or found is None:
        return None
    return bool(
        row["id"] == uuid.UUID(found["metadata"]["uid"])
        and row["generation"] == found["metadata"]["generation"]
        and row["owner_team"] == found["spec"]["ownerTeam"]
        and row["host"] == found["status"].get("host")
        and row["secret_name"] == found["status"].get("secretName")
    )


async def becomes(trial: Trial, **wanted: Any) -> None:
    """Wait until all there is is what is wanted: first the object alone, which costs little."""

    async def object_alone() -> dict[str, Any]:
        found = await trial.site.databases.get(trial.name)
        return {"told": told(found), "said": _said(found)}

    def same(seen: dict[str, Any]) -> bool:
        wrong = {key: seen[key] for key in seen if key in wanted and seen[key] != wanted[key]}
        assert not wrong, f"not as it should be: {wrong}"
        return True

    await eventually(object_alone, same, seconds=SECONDS, every=EVERY)
    await eventually(lambda: snapshot(trial), same, seconds=SECONDS, every=EVERY)


# --- the states -----------------------------------------------------------------------------------


async def serves(
    trial: Trial,
    *,
    instances: int = 1,
    secret: str = "",
    stale_rows: int = 0,
    schedule: str = "",
) -> None:
    """One Cluster, one Pooler, one Secret, one row, nothing else, and the status is true.

    With a schedule also one archive, under the name that the status says, and one ScheduledBackup.
    """
    found = await trial.site.databases.get(trial.name)
    uid = found["metadata"]["uid"] if found else ""
    archive = Archiver("backups", archive_name(trial.cluster, uid))
    cluster, pooler = trial.cluster, names.pooler_name(trial.cluster)
    ours = {secret or trial.secret: names.SECRET_TYPE}
    await becomes(
        trial,
        told={"phase": "Ready", "Ready": "True", "MetadataSynced": "True", "current": True},
        clusters={cluster: instances},
        poolers={pooler: instances},
        deployments=[pooler],
        secrets={
            f"{cluster}-app": "Opaque",
            f"{cluster}-ca": "Opaque",
            f"{cluster}-server": "Opaque",
            **ours,
        },
        claims=[f"{cluster}-{number}" for number in range(1, instances + 1)],
        schedules={cluster: (schedule, False)} if schedule else {},
        archives=[archive] if schedule else [],
        owners=4 if schedule else 3,
        passwords=1,
        rows=[("deleted", False)] * stale_rows + [("ready", True)],
        row=True,
    )


async def backs_up(trial: Trial, schedule: str = "* * * * *") -> None:
    """The same with backups."""
    await serves(trial, schedule=schedule)
    found = await trial.site.databases.get(trial.name)
    assert found
    uid, told = found["metadata"]["uid"], found["status"]["backup"]
    cluster = await trial.site.databases.child("clusters", trial.cluster)
    live, first = archiver_of(cluster), archive_name(trial.cluster, uid)
    assert live
    assert told["archive"] == live.archive
    # A process that does not know whether there was a Cluster leaves that one's archive alone
    assert live.archive in (first, next_archive_name(first, trial.cluster, uid))
    rows = await trial.site.rows.named(trial.name)
    assert (rows[-1]["archive"], rows[-1]["store"]) == (told["archive"], "backups")


async def restored(trial: Trial, archive: str = OLD_ARCHIVE) -> None:
    """One Cluster that was restored from an archive, as the status says, and serves."""

    async def seen() -> dict[str, Any]:
        found = await trial.site.databases.get(trial.name)
        cluster = await trial.site.databases.child("clusters", trial.cluster)
        status, spec = (found or {}).get("status", {}), (cluster or {}).get("spec", {})
        live = archiver_of(cluster)
        return {
            "told": told(found),
            "noted": status.get("source", {}).get("archive"),
            "restored": [e["plugin"]["parameters"] for e in spec.get("externalClusters", ())],
            "empty": "initdb" in spec.get("bootstrap", {}),
            "archive": live.archive if live else None,
            "said": status.get("backup", {}).get("archive"),
        }

    wanted = {
        "told": {"phase": "Ready", "Ready": "True", "MetadataSynced": "True", "current": True},
        "noted": archive,
        "restored": [{"barmanObjectName": "backups", "serverName": archive}],
        "empty": False,
    }

    def holds(there: dict[str, Any]) -> bool:
        wrong = {key: there[key] for key in wanted if there[key] != wanted[key]}
        assert not wrong, f"not as it should be: {wrong}"
        assert there["archive"] == there["said"] != archive
        return True

    await eventually(seen, holds, seconds=SECONDS, every=EVERY)


async def restored_from_its_own(trial: Trial) -> None:
    """The same from the archive of its first Cluster."""
    found = await trial.site.databases.get(trial.name)
    assert found
    await restored(trial, archive_name(trial.cluster, found["metadata"]["uid"]))


NOTHING: dict[str, Any] = {
    "told": None,
    "schedules": {},
    "archives": [],
    "clusters": {},
    "poolers": {},
    "deployments": [],
    "secrets": {},
    "claims": [],
    "owners": 0,
    "passwords": 0,
    "row": None,
}


async def serves_changed(trial: Trial) -> None:
    """The same after `change`."""
    await serves(trial, instances=2, secret=f"{trial.name}-renamed")


async def in_vain(trial: Trial) -> None:
    """No Cluster but the one in the way, no name, no live row, and the status says why."""
    stalled = {"phase": "Error", "Ready": "False", "Stalled": "True", "current": True}
    held = await trial.site.api.list("clusters", trial.site.namespace)
    await becomes(
        trial, told=stalled, clusters={trial.cluster: 1}, poolers={}, rows=[("deleted", False)]
    )
    await eventually(  # it may just be trying again
        lambda: trial.site.databases.get(trial.name),
        lambda found: found and not ALLOTTED & found["status"].keys(),
        seconds=SECONDS,
        every=EVERY,
    )
    assert [obj["metadata"].get("ownerReferences") for obj in held] == [None]


async def gone(trial: Trial) -> None:
    """Nothing is left but rows that say so."""
    rows = [("deleted", False)] * max(1, len(await trial.site.rows.named(trial.name)))
    await becomes(trial, **NOTHING, rows=rows)


async def kept(trial: Trial, **more: Any) -> None:
    """The object is gone, and what it made is there and owned by nobody."""
    cluster, pooler = trial.cluster, names.pooler_name(trial.cluster)
    opaque = {f"{cluster}-{what}": "Opaque" for what in ("app", "ca", "server")}
    there = {
        "clusters": {cluster: 1},
        "poolers": {pooler: 1},
        "deployments": [pooler],
        "secrets": {**opaque, trial.secret: names.SECRET_TYPE},
        "claims": [f"{cluster}-1"],
        "passwords": 1,
        **more,
    }
    await becomes(trial, **{**NOTHING, **there}, rows=[("deleted", False)])


async def kept_with_backups(trial: Trial) -> None:
    """The same, and it goes on backing up."""
    clusters = await trial.site.api.list("clusters", trial.site.namespace)
    told = [archiver_of(each) for each in clusters]
    assert None not in told
    schedules = {trial.cluster: ("* * * * *", False)}
    await kept(trial, schedules=schedules, archives=told)


# --- the steps ------------------------------------------------------------------------------------


async def create(trial: Trial) -> None:
    await trial.site.databases.create(trial.name)


async def create_in_vain(trial: Trial) -> None:
    """Somebody else's Cluster is where the database's should be."""
    metadata = {"name": trial.cluster, "namespace": trial.site.namespace}
    spec = {"instances": 1, "storage": {"size": "1Gi"}}
    body = {"apiVersion": "postgresql.cnpg.io/v1", "kind": "Cluster", "metadata": metadata}
    await trial.site.api.create("clusters", {**body, "spec": spec})
    await create(trial)


async def delete_what_was_in_the_way(trial: Trial) -> None:
    await delete(trial)
    await eventually(
        lambda: trial.site.databases.get(trial.name), lambda obj: obj is None, seconds=SECONDS
    )
    await trial.site.api.delete("clusters", trial.site.namespace, trial.cluster)
    await gone(trial)


async def create_from_an_archive(trial: Trial) -> None:
    """A database that begins with what is kept of another one."""
    await _object_store(trial)
    source = {"archive": OLD_ARCHIVE, "store": "backups"}
    await trial.site.databases.create(trial.name, source=source, postgresVersion=17)


async def create_with_a_base_backup(trial: Trial) -> None:
    await create_with_backups(trial)
    await tell_of_backup(trial.site.databases, trial.name)
    await eventually(
        lambda: trial.site.databases.get(trial.name),
        lambda obj: condition(obj, "BackupHealthy").get("status") == "True",
        seconds=SECONDS,
        every=EVERY,
    )


async def lose_the_cluster(trial: Trial) -> None:
    await trial.site.api.delete("clusters", trial.site.namespace, trial.cluster)


async def create_over_a_stale_row(trial: Trial) -> None:
    await _insert_row(trial, ELSEWHERE)
    await create(trial)


async def _insert_row(trial: Trial, namespace: str) -> None:
    await trial.site.rows.execute(
        "INSERT INTO databases (name, owner_team, cluster_name, pooler_name, namespace) "
        "VALUES (%s, 'nobody', 'none', 'none', %s)",
        trial.name,
        namespace,
    )


async def change(trial: Trial) -> None:
    await trial.site.databases.edit(
        trial.name,
        ownerTeam="payments",
        instances=2,
        pooler={"instances": 2},
        connectionSecretName=f"{trial.name}-renamed",
    )


async def rotate(trial: Trial) -> None:
    """A new password, as CloudNativePG makes it: the stand-in looks when its Cluster changes."""
    api, namespace = trial.site.api, trial.site.namespace
    entries = {"password": b64encode(uuid.uuid4().hex.encode()).decode()}
    await api.patch("secrets", namespace, f"{trial.cluster}-app", {"data": entries})
    await api.patch("clusters", namespace, trial.cluster, {"spec": {"description": "look"}})


async def retype(trial: Trial) -> None:
    """Somebody has made the Secret anew with another type, which cannot be changed."""
    api, namespace = trial.site.api, trial.site.namespace
    found = await trial.site.databases.child("secrets", trial.secret)
    assert found
    metadata = {key: found["metadata"][key] for key in ("name", "labels", "ownerReferences")}
    other = {"metadata": {**metadata, "namespace": namespace}, "data": found["data"]}
    await api.delete("secrets", namespace, trial.secret)
    await api.create("secrets", other)
    await rotate(trial)


async def delete(trial: Trial) -> None:
    await trial.site.databases.delete(trial.name)


async def retain_and_delete(trial: Trial) -> None:
    await trial.site.databases.edit(trial.name, deletionPolicy="Retain")
    await delete(trial)


async def delete_what_was_kept(trial: Trial) -> None:
    api, namespace = trial.site.api, trial.site.namespace
    await api.delete("poolers", namespace, names.pooler_name(trial.cluster))
    await api.delete("clusters", namespace, trial.cluster)
    await api.delete("secrets", namespace, trial.secret)
    await gone(trial)


async def back_up(trial: Trial) -> None:
    await _object_store(trial)
    backup = {"store": "backups", "schedule": "* * * * *", "enabled": True}
    await trial.site.databases.edit(trial.name, backup=backup)


async def _object_store(trial: Trial) -> None:
    if await trial.site.api.get("objectstores", trial.site.namespace, "backups") is None:
        await trial.site.databases.object_store()


async def create_with_backups(trial: Trial) -> None:
    await create(trial)
    await back_up(trial)
    await backs_up(trial)


async def create_with_final_backup(trial: Trial) -> None:
    """Ready, with backups, and with one more to be made before its data goes."""
    await create_with_backups(trial)
    await trial.site.databases.edit(trial.name, backup={"onDelete": "FinalBackup"})
    await eventually(
        lambda: trial.site.api.get("clusters", trial.site.namespace, trial.cluster),
        lambda found: found and not found["metadata"].get("ownerReferences"),
        seconds=SECONDS,
        every=EVERY,
    )
    await trial.site.databases.ready(trial.name, seconds=SECONDS)


async def gone_with_backup(trial: Trial) -> None:
    """Nothing is left of it, not even the Backup; what that has written stays in the store."""
    await gone(trial)
    assert await trial.site.api.list("backups", trial.site.namespace) == []


async def back_up_hourly(trial: Trial) -> None:
    await trial.site.databases.edit(trial.name, backup={"schedule": "*/30 * * * *"})


async def back_up_no_more(trial: Trial) -> None:
    await trial.site.databases.edit(trial.name, backup={"enabled": False})


async def delete_what_was_kept_with_backups(trial: Trial) -> None:
    namespace = trial.site.namespace
    await trial.site.api.delete("scheduledbackups", namespace, trial.cluster)
    await delete_what_was_kept(trial)


async def create_recoverable(trial: Trial) -> None:
    """Ready, with backups, and with the first one in the store."""
    await create_with_backups(trial)
    await eventually(
        lambda: trial.site.databases.get(trial.name),
        lambda found: condition(found, "BackupHealthy").get("status") == "True",
        seconds=SECONDS,
        every=EVERY,
    )


async def verify(trial: Trial) -> None:
    """It is due at once: tests.support.drills.PATCHED."""
    await trial.site.databases.edit(trial.name, backup={"verify": {"schedule": "@hourly"}})


async def _drills(trial: Trial) -> list[str]:
    """Its drills' names: those of a trial before may still be going."""
    found = await Drills(trial.site.api, trial.site.namespace).names()
    return [name for name in found if name.startswith(trial.name)]


async def is_drilled(trial: Trial) -> None:
    """By one drill, whatever happens."""
    await eventually(partial(_drills, trial), bool, seconds=SECONDS, every=EVERY)
    await trial.site.databases.ready(trial.name, seconds=SECONDS)
    assert len(await _drills(trial)) == 1


async def order_many_drills(trial: Trial) -> None:
    """Of which all have passed: one more than are kept."""
    drills = Drills(trial.site.api, trial.site.namespace)
    database = await trial.site.databases.get(trial.name)
    assert database
    for day in range(4):
        when = LAST_DRILL - timedelta(days=day)
        await drills.ends(await drills.scheduled(database, when), database, when)


async def three_drills_are_left(trial: Trial) -> None:
    wanted = [names.drill_name(trial.name, LAST_DRILL - timedelta(days=day)) for day in (2, 1, 0)]
    drills = partial(_drills, trial)
    await eventually(drills, lambda found: found == wanted, seconds=SECONDS, every=EVERY)
    await eventually(
        lambda: trial.site.databases.get(trial.name),
        lambda found: found and found["status"]["backup"].get("lastVerified"),
        seconds=SECONDS,
        every=EVERY,
    )


async def leave_a_row(trial: Trial) -> None:
    await _insert_row(trial, trial.site.namespace)


async def delete_again(trial: Trial) -> None:
    await delete(trial)
    await gone(trial)


SCENARIOS = {
    "create": Scenario(create, serves, of_ready=False, clear=delete_again),
    "create over a stale row": Scenario(
        create_over_a_stale_row, partial(serves, stale_rows=1), of_ready=False, clear=delete_again
    ),
    "create in vain": Scenario(
        create_in_vain, in_vain, of_ready=False, clear=delete_what_was_in_the_way
    ),
    "change": Scenario(change, serves_changed, clear=delete_again),
    "new password": Scenario(rotate, serves, clear=delete_again),
    "Secret of another type": Scenario(retype, serves, clear=delete_again),
    "delete": Scenario(delete, gone),
    "delete and retain": Scenario(
        retain_and_delete, kept, offline=True, clear=delete_what_was_kept
    ),
    "back up": Scenario(back_up, backs_up, clear=delete_again),
    "back up at other times": Scenario(
        back_up_hourly,
        partial(backs_up, schedule="0-59/30 * * * *"),
        make=create_with_backups,
        clear=delete_again,
    ),
    "back up no more": Scenario(
        back_up_no_more, serves, make=create_with_backups, clear=delete_again
    ),
    "delete with backups": Scenario(delete, gone, make=create_with_backups),
    "delete with a final backup": Scenario(delete, gone_with_backup, make=create_with_final_backup),
    "delete and retain with backups": Scenario(
        retain_and_delete,
        kept_with_backups,
        offline=True,
        make=create_with_backups,
        clear=delete_what_was_kept_with_backups,
    ),
    "create from an archive": Scenario(
        create_from_an_archive, restored, of_ready=False, clear=delete_again
    ),
    "lose the Cluster": Scenario(
        lose_the_cluster,
        restored_from_its_own,
        make=create_with_a_base_backup,
        clear=delete_again,
        loses=True,
    ),
    "verify": Scenario(verify, is_drilled, make=create_recoverable, clear=delete_again),
    "forget old drills": Scenario(
        order_many_drills,
        three_drills_are_left,
        offline=True,
        make=create_recoverable,
        clear=delete_again,
    ),
    "row without object": Scenario(leave_a_row, gone, of_ready=False, offline=True),
}
