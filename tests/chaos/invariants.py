"""What must hold once everything is healed and at rest. Pure: each violation is a sentence."""

from collections.abc import Iterator

from tests.chaos import kept, whole
from tests.chaos.lives import Life, Lives, owner
from tests.chaos.seen import BELOW, CHILDREN, Seen, says, told
from tests.standin.bucket import Bucket
from tests.support.api import Object
from tests.support.databases import condition

KEPT_CREDENTIALS = "-app"
"""How the name of the Secret ends that is kept for the Cluster of a restore, beside the other."""


def violations(lives: Lives, seen: Seen, bucket: Bucket) -> list[str]:
    """All that is not as it must be; empty when all is well."""
    return [
        *kept.violations(lives, seen, bucket),
        *_existence(lives, seen),
        *_terminating(seen),
        *_names(lives, seen, bucket),
        *_orphans(lives, seen),
        *_retained(lives, seen),
        *_rows(seen),
    ]


def holders(seen: Seen) -> list[Object]:
    """The databases that have their names: their status names a Cluster."""
    return [obj for obj in seen.objects["daapdatabases"] if _cluster_name(obj)]


def _cluster_name(obj: Object) -> str:
    return str((obj.get("status") or {}).get("clusterName") or "")


def _existence(lives: Lives, seen: Seen) -> Iterator[str]:
    there = {obj["metadata"]["uid"]: obj for obj in seen.objects["daapdatabases"]}
    for uid, life in lives.by_uid.items():
        obj = there.pop(uid, None)
        if obj is None and not life.asked_to_go:
            yield f"{life} is gone, and nobody asked for it"
        if obj is None and life.held:
            yield f"{life} is gone although it was protected"
        if obj and life.asked_to_go and not obj["spec"].get("deletionProtection"):
            yield f"{told(obj)} hangs: {obj['metadata'].get('finalizers')}, {says(obj)}"
    for obj in there.values():
        yield f"{told(obj)} was made by nobody"


def _terminating(seen: Seen) -> Iterator[str]:
    for plural, found in seen.objects.items():
        for obj in found:
            if obj["metadata"].get("deletionTimestamp") and plural != "daapdatabases":
                yield f"{told(obj)} is Terminating: {obj['metadata'].get('finalizers')}"


# --- names ----------------------------------------------------------------------------------------


def _names(lives: Lives, seen: Seen, bucket: Bucket) -> Iterator[str]:
    by_name: dict[str, list[Object]] = {}
    for obj in seen.objects["daapdatabases"]:
        by_name.setdefault(obj["metadata"]["name"], []).append(obj)
    for name, rivals in by_name.items():
        with_name = [obj for obj in rivals if _cluster_name(obj)]
        undecided = [obj for obj in rivals if obj not in with_name and whole.waits_for_source(obj)]
        if len(with_name) + bool(undecided) != 1:
            yield f"'{name}' has {len(with_name)} holders among {len(rivals)}"
        for obj in (obj for obj in rivals if obj not in undecided):
            life = lives.by_uid.get(obj["metadata"]["uid"])
            yield from _holder(obj, seen, bucket) if obj in with_name else _rival(obj, life)


def _rival(obj: Object, life: Life | None) -> Iterator[str]:
    if condition(obj, "Stalled").get("reason") != "NameTaken":
        yield f"{told(obj)} does not say NameTaken: {says(obj)}"
    # One that asks for another's data is taken on before it is known whether there is any
    if obj["metadata"].get("finalizers") and not obj["spec"].get("source"):
        yield f"{told(obj)} has finalizers without having the name"
    if life and life.has_name:
        yield f"{told(obj)} had the name and lost it"


def _holder(obj: Object, seen: Seen, bucket: Bucket) -> Iterator[str]:
    if condition(obj, "MetadataSynced").get("status") != "True":
        yield f"{told(obj)} is not synced: {condition(obj, 'MetadataSynced')}"
    for violation in whole.violations(obj, seen, bucket):
        yield f"{told(obj)}: {violation}"


# --- children -------------------------------------------------------------------------------------


def _orphans(lives: Lives, seen: Seen) -> Iterator[str]:
    holding = {obj["metadata"]["uid"] for obj in holders(seen)}
    owners = holding | {uid for uid, life in lives.by_uid.items() if life.retained}
    made: set[tuple[str, str]] = set()
    for child in (child for plural in CHILDREN for child in seen.objects[plural]):
        uid = owner(child)
        if uid and uid not in owners:
            yield f"{told(child)} is an orphan of {lives.by_uid.get(uid)}"
        # A change of the Secret's name that was cut off may leave two that are to stay
        two_are_fine = uid not in holding and child["plural"] == "secrets"
        kept_beside = child["metadata"]["name"].endswith(KEPT_CREDENTIALS)
        if uid and (uid, child["plural"]) in made and not (two_are_fine or kept_beside):
            yield f"{told(child)} is one too many of {lives.by_uid.get(uid)}"
        if not uid and child["plural"] != "secrets":
            yield f"{told(child)} is nobody's"
        if not kept_beside:
            made.add((uid, child["plural"]))
    there = {o["metadata"]["uid"] for plural in CHILDREN[:2] for o in seen.objects[plural]}
    for below in (obj for plural in (*BELOW, "secrets") for obj in seen.objects[plural]):
        references = below["metadata"].get("ownerReferences") or []
        if any(r["kind"] != "DaapDatabase" and r["uid"] not in there for r in references):
            yield f"{told(below)} is an orphan of {[r['name'] for r in references]}"


def _retained(lives: Lives, seen: Seen) -> Iterator[str]:
    there = {obj["metadata"]["uid"] for obj in seen.objects["daapdatabases"]}
    children = [child for plural in CHILDREN for child in seen.objects[plural]]
    uids = {child["metadata"]["uid"] for child in children}
    secrets = {owner(child) for child in children if child["plural"] == "secrets"}
    for uid, life in lives.by_uid.items():
        if uid in there or not life.retained:
            continue
        if life.must_stay - uids:
            yield f"{life} was to be retained, and of its children some are gone"
        left = uid in secrets or lives.taken_over(life, children)
        if life.secret_must_stay and not left:
            yield f"{life} was to be retained, and its Secret is gone"
        for child in children:
            if owner(child) == uid and child["metadata"].get("ownerReferences"):
                yield f"{told(child)} is retained and still has an owner"


# --- rows -----------------------------------------------------------------------------------------


def _rows(seen: Seen) -> Iterator[str]:
    live = {obj["metadata"]["uid"]: obj for obj in holders(seen)}
    for row in seen.rows:
        obj = live.pop(str(row["id"]), None)
        if obj is None and (row["status"] != "deleted" or row["deleted_at"] is None):
            yield f"row of {row['namespace']}/{row['name']} is {row['status']}, its object is gone"
        if obj is not None:
            is_so = {field: row[field] for field in _row(obj)} | {"deleted_at": row["deleted_at"]}
            if is_so != _row(obj) | {"deleted_at": None}:
                yield f"row of {told(obj)} is {is_so}, should be {_row(obj)}"
    for obj in live.values():
        yield f"{told(obj)} has no row"


def _row(obj: Object) -> Object:
    status, metadata = obj["status"], obj["metadata"]
    return {
        "namespace": metadata["namespace"],
        "name": metadata["name"],
        "owner_team": obj["spec"]["ownerTeam"],
        "cluster_name": status["clusterName"],
        "pooler_name": status["poolerName"],
        "status": status.get("phase", "").lower(),
        "host": status.get("host"),
        "port": status.get("port"),
        "secret_name": status.get("secretName"),
        "generation": metadata["generation"],
    }
