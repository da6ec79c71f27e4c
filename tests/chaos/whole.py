"""Whether one database that has its name is whole: status, children and Secret as asked. Pure."""

from base64 import b64decode
from collections.abc import Iterator

from tests.chaos.lives import owner
from tests.chaos.seen import Seen, says
from tests.standin.bucket import Bucket
from tests.support.api import Object
from tests.support.databases import condition, is_ready, phase

SOURCE_WAITS = frozenset(
    {"SourceNotFound", "SourceNotRecoverable", "SourceDiffers", "SourcePending"}
)


def waits_for_source(obj: Object) -> bool:
    """Whether it is still open what a database is made from, and it says so."""
    return condition(obj, "Ready").get("reason") in SOURCE_WAITS


def _vain(obj: Object, bucket: Bucket) -> bool:
    """Whether what a database is made from has no base backup."""
    archive = (obj["status"].get("source") or {}).get("archive", "")
    return not bucket.has_base_backup(obj["metadata"]["namespace"], archive)


def violations(obj: Object, seen: Seen, bucket: Bucket) -> Iterator[str]:
    """What is not as the spec asks for."""
    going = bool(obj["metadata"].get("deletionTimestamp"))
    blocked = _blocked(obj, seen)
    if going:
        if phase(obj) != "Deleting" or condition(obj, "Ready")["reason"] != "DeletionProtected":
            yield f"is held and does not say so: {says(obj)}"
    elif blocked:
        if condition(obj, "Stalled").get("reason") != blocked:
            yield f"does not say {blocked}: {says(obj)}"
    elif condition(obj, "Ready").get("reason") == "RestoreFailing" and _vain(obj, bucket):
        return
    elif not is_ready(obj):
        yield f"is not ready: {says(obj)}; {_cluster_says(obj, seen)}"
    if blocked != "ObjectConflict":
        yield from _children(obj, seen)
    if not blocked:
        yield from _secret(obj, seen)


def _cluster_says(obj: Object, seen: Seen) -> str:
    """What the Cluster really says: whose fault it is that the operator tells something else."""
    cluster = seen.one("clusters", obj["metadata"]["namespace"], obj["status"]["clusterName"])
    status = (cluster or {}).get("status") or {}
    told = ("phase", "currentPrimary", "instancesStatus", "instances", "readyInstances", "image")
    return f"the Cluster says { ({field: status.get(field) for field in told}) }"


def _own(obj: Object, child: Object | None) -> bool:
    return child is not None and owner(child) == obj["metadata"]["uid"]


def _blocked(obj: Object, seen: Seen) -> str:
    """The reason for which it cannot be served: another's object has a name it needs."""
    namespace, status = obj["metadata"]["namespace"], obj["status"]
    for plural, field in (("clusters", "clusterName"), ("poolers", "poolerName")):
        child = seen.one(plural, namespace, status[field])
        if child and not _own(obj, child):
            return "ObjectConflict"
    secret = seen.one("secrets", namespace, _secret_name(obj))
    return "SecretNameTaken" if secret and not _own(obj, secret) else ""


def _secret_name(obj: Object) -> str:
    name = obj["spec"].get("connectionSecretName")
    return str(name or f"daap-{obj['metadata']['name']}-connection")


def _children(obj: Object, seen: Seen) -> Iterator[str]:
    namespace, status, spec = obj["metadata"]["namespace"], obj["status"], obj["spec"]
    cluster = seen.one("clusters", namespace, status["clusterName"])
    pooler = seen.one("poolers", namespace, status["poolerName"])
    if cluster is None or pooler is None:
        yield f"lacks its {'Pooler' if cluster else 'Cluster'}: {says(obj)}"
        return
    asked = {
        "instances": spec["instances"],
        "storage": spec["storage"]["size"],
        "pooler": spec["pooler"]["instances"],
        "of": status["clusterName"],
        "shutdown": 10,
    }
    found = {
        "instances": cluster["spec"]["instances"],
        "storage": cluster["spec"]["storage"]["size"],
        "pooler": pooler["spec"]["instances"],
        "of": pooler["spec"]["cluster"]["name"],
        "shutdown": cluster["spec"]["smartShutdownTimeout"],
    }
    if asked != found:
        yield f"its children are {found}, asked for {asked}"
    yield from _marks(obj, cluster)
    yield from _marks(obj, pooler)
    yield from _archive(obj, cluster)


def _archive(obj: Object, cluster: Object) -> Iterator[str]:
    """Whatever BackupHealthy says, the database is Ready; and its archive is the Cluster's own."""
    told = obj["status"].get("backup") or {}
    for plugin in cluster["spec"].get("plugins") or ():
        if plugin["parameters"]["serverName"] != told.get("archive"):
            yield f"its Cluster archives as {plugin['parameters']}, told is {told}"
    if condition(obj, "BackupHealthy") and not told.get("schedule"):
        yield f"is judged by backups that it has not: {told}"


def _marks(obj: Object, child: Object) -> Iterator[str]:
    """Labels and owner: by them the operator knows what is its own."""
    uid, metadata = obj["metadata"]["uid"], child["metadata"]
    labels = metadata.get("labels") or {}
    if labels.get("daap.io/database-uid") != uid or labels.get("daap.io/database") != obj[
        "metadata"
    ].get("name"):
        yield f"{child['plural']} has the labels {labels}"
    owners = [r["uid"] for r in metadata.get("ownerReferences") or ()]
    if owners != ([] if _outlives(obj["spec"]) else [uid]):
        yield f"{child['plural']} has the owners {owners}"


def _outlives(spec: Object) -> bool:
    """Whether what there is of a database must not go with the object at once."""
    backup = spec.get("backup") or {"enabled": False}
    last = backup.get("enabled", True) and backup.get("onDelete") == "FinalBackup"
    return bool(spec.get("deletionPolicy") == "Retain" or last)


def _secret(obj: Object, seen: Seen) -> Iterator[str]:
    namespace, status = obj["metadata"]["namespace"], obj["status"]
    secret = seen.one("secrets", namespace, _secret_name(obj))
    source = seen.one("secrets", namespace, f"{status['clusterName']}-app")
    if secret is None or source is None or status.get("secretName") != _secret_name(obj):
        yield f"its Secret is missing, or another is told: {status.get('secretName')}"
        return
    data = {key: b64decode(value).decode() for key, value in secret["data"].items()}
    if data["host"] != status["host"] or secret["data"]["password"] != source["data"]["password"]:
        yield "its Secret does not connect"
    if ("ro-uri" in data) != (obj["spec"]["instances"] > 1):
        yield "its Secret does not fit the number of instances"
    yield from _marks(obj, secret)
