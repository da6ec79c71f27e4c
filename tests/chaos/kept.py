"""What must hold of backups, restores and drills once everything is healed and at rest. Pure.

Whose data is where is known by the stand-in, which keeps the archives, and not by the operator.
"""

from collections.abc import Iterator
from itertools import pairwise

from daap_operator import names
from tests.chaos.lives import Life, Lives, owner
from tests.chaos.seen import KEPT, MADE, Seen, says, told
from tests.standin.bucket import Birth, Bucket
from tests.support.api import Object
from tests.support.databases import condition, is_ready, phase

STALE = frozenset({"StoreMissing", "PluginMissing"})
"""What may be said for a minute longer than it is true: no event tells when it is over."""

OVER = ("Completed", "Passed", "Failed")


def violations(lives: Lives, seen: Seen, bucket: Bucket) -> list[str]:
    """All that is not as it must be; empty when all is well."""
    found = [
        violation for life in lives.by_uid.values() for violation in _life(life, lives, bucket)
    ]
    there = {obj["metadata"]["uid"] for obj in seen.objects["daapdatabases"]}
    return [
        *found,
        *(told for life in lives.by_uid.values() for told in _last_backup(life, there, bucket)),
        *(told for told in bucket.mixed if any(each in told for each in lives.namespaces)),
        *(told for plural in KEPT for told in _ends(seen, plural)),
        *_unknown(seen, bucket),
        *_orphans(seen),
        *_left_of_drills(seen),
        *_rows(seen, "daapbackups", seen.backup_rows),
        *_rows(seen, "daaprestores", seen.restore_rows),
        *_rows(seen, "daapdrills", seen.drill_rows),
    ]


def _unknown(seen: Seen, bucket: Bucket) -> Iterator[str]:
    """Nothing could be said of the data of a Cluster that the stand-in has not told of."""
    for cluster in seen.objects["clusters"]:
        uid = cluster["metadata"]["uid"]
        if owner(cluster) and not any(uid in known for known in list(bucket.of_database.values())):
            yield f"{told(cluster)} is not known to the stand-in"


def _births(life: Life, bucket: Bucket) -> list[Birth]:
    """The Clusters that a database has had, in their order."""
    return [bucket.births[uid] for uid in list(bucket.of_database.get(life.uid, ()))]


def _life(life: Life, lives: Lives, bucket: Bucket) -> Iterator[str]:
    births = _births(life, bucket)
    yield from _data(life, births, lives.may_be_empty)
    yield from _archives(life, births)
    if life.source:
        yield from _origin(life, births, bucket)
    purged = [one for one, _ in pairwise(births) if one.uid not in lives.lost_by_hand]
    if len(purged) > lives.restores_of(life):
        told = [(birth.uid, birth.source) for birth in births]
        yield f"{life} has lost {len(purged)} Clusters that nobody deleted by hand: {told}"


def _last_backup(life: Life, there: set[str], bucket: Bucket) -> Iterator[str]:
    """Before its data is deleted one more backup is made of it, where that was asked for."""
    due = life.last_backup
    if due and life.uid not in there and not bucket.has_since(*due):
        yield f"{life} is gone without the last backup that it asked for: {due}"


def _data(life: Life, births: list[Birth], may_be_empty: set[str]) -> Iterator[str]:
    """What a database has stays its own, unless its Cluster was lost before there was a backup."""
    had: str | None = None
    for before, birth in pairwise(births):
        had = before.data or had
        if had and birth.data not in (None, had) and before.uid not in may_be_empty:
            yield (
                f"{life} had the data of {had} in Cluster {before.uid}, and has that of "
                f"{birth.data} in {birth.uid}, which was made from {birth.source}"
            )


def _archives(life: Life, births: list[Birth]) -> Iterator[str]:
    for birth in births:
        if len(birth.archives) > 1:
            yield f"{life}: Cluster {birth.uid} has changed its archive: {birth.archives}"


def _origin(life: Life, births: list[Birth], bucket: Bucket) -> Iterator[str]:
    """A copy has the data of a database of the name that it asked for."""
    if not births:
        return
    first = births[0]
    theirs = {
        birth.data
        for birth in list(bucket.births.values())
        if (birth.place[0], birth.database) == (first.place[0], life.source)
    }
    if first.source is None or (first.data and first.data not in theirs):
        yield f"{life} asked for the data of {life.source}, and has {first}"


# --- the objects ----------------------------------------------------------------------------------


def _ends(seen: Seen, plural: str) -> Iterator[str]:
    """Each is over, or says what it waits for; what it says is in the inventory."""
    for obj in seen.objects[plural]:
        if phase(obj) not in OVER and not _waits(obj, seen):
            yield f"{told(obj)} is not over: {says(obj)}"
        if condition(obj, "MetadataSynced").get("status") != "True":
            yield f"{told(obj)} is not synced: {condition(obj, 'MetadataSynced')}"


def _waits(obj: Object, seen: Seen) -> bool:
    """Whether it waits for what does not come by itself, and says so."""
    namespace = obj["metadata"]["namespace"]
    database = seen.one("daapdatabases", namespace, obj["spec"]["databaseRef"]["name"])
    waiting = condition(obj, "Stalled") or condition(obj, "Reconciling")
    reason = waiting.get("reason", "")
    backup = (database or {}).get("spec", {}).get("backup") or {"enabled": False}
    others = [
        one
        for plural in KEPT
        for one in seen.objects[plural]
        if one is not obj and one["metadata"]["namespace"] == namespace
    ]
    another = any(phase(one) not in OVER for one in others)
    due = {
        "DatabaseMissing": database is None,
        "DatabaseNotReady": not is_ready(database),
        "BackupsOff": not backup.get("enabled", True),
        "DatabaseProtected": bool(database and database["spec"].get("deletionProtection")),
        "RestoreStalled": bool(condition(database, "Stalled")),
        "NeverBackedUp": not _window(database, seen),
        **dict.fromkeys(("OtherRestoreUnderWay", "BackupNotCompleted", "Queued"), another),
        **dict.fromkeys(("SafetyBackupStalled", "SafetyBackupRunning"), another),
        **dict.fromkeys(STALE, True),
    }
    return condition(obj, "Ready").get("reason") == reason and due.get(reason, False)


def _window(database: Object | None, seen: Seen) -> Object:
    """What the ObjectStore tells of a database's archive: nothing once it was deleted."""
    backup = ((database or {}).get("status") or {}).get("backup") or {}
    namespace = (database or {}).get("metadata", {}).get("namespace", "")
    store = seen.one("objectstores", namespace, backup.get("store", "")) or {}
    windows = (store.get("status") or {}).get("serverRecoveryWindow") or {}
    told: Object = windows.get(backup.get("archive")) or {}
    return told


def _left_of_drills(seen: Seen) -> Iterator[str]:
    """Nothing is left of a drill: what is begun is over before anything is at rest."""
    for plural, found in seen.objects.items():
        for obj in found:
            labels = obj["metadata"].get("labels") or {}
            of_cluster = labels.get("cnpg.io/cluster", "").startswith("drill-")
            of_schema = names.SCHEMA_LABEL in labels
            if (plural in MADE and not of_schema) or "daap.io/drill" in labels or of_cluster:
                yield f"{told(obj)} is left of a drill"


def _orphans(seen: Seen) -> Iterator[str]:
    there = {
        obj["metadata"]["uid"]
        for plural in ("clusters", "daapbackups", "daapdatabases")
        for obj in seen.objects[plural]
    }
    for made in seen.objects["backups"]:
        references = made["metadata"].get("ownerReferences") or []
        if references and not any(each["uid"] in there for each in references):
            yield f"{told(made)} is an orphan of {[each['name'] for each in references]}"


def _rows(seen: Seen, plural: str, rows: list[Object]) -> Iterator[str]:
    live = {obj["metadata"]["uid"]: obj for obj in seen.objects[plural]}
    for row in rows:
        obj = live.pop(str(row["id"]), None)
        if obj is None and (row["status"] != "deleted" or row["deleted_at"] is None):
            yield f"row of {plural} {row['name']} is {row['status']}, its object is gone"
        if obj is not None:
            is_so = {field: row[field] for field in _row(obj)} | {"deleted_at": row["deleted_at"]}
            if is_so != _row(obj) | {"deleted_at": None}:
                yield f"row of {told(obj)} is {is_so}, should be {_row(obj)}"
    for obj in live.values():
        yield f"{told(obj)} has no row"


def _row(obj: Object) -> Object:
    status, metadata = obj.get("status") or {}, obj["metadata"]
    where = status.get("source") or status
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "database_name": obj["spec"]["databaseRef"]["name"],
        "archive": where.get("archive"),
        "store": where.get("store"),
        "status": "backing_up" if phase(obj) == "BackingUp" else phase(obj).lower(),
    }
