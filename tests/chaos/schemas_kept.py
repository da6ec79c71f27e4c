"""What must hold of schemas once everything is healed and at rest. Pure.

What was applied where is known by the stand-in, which keeps the ledgers, and not by the operator.
"""

import hashlib
from collections.abc import Iterator, Mapping

from daap_operator import names
from tests.chaos.authors import ANY
from tests.chaos.seen import Seen, says, told
from tests.support.api import Object
from tests.support.databases import condition, is_ready, phase
from tests.support.schema_runner import Run, Runner

_WITHOUT_PODS = ("FilesMissing", "WaitingForDatabase")
"""Reasons for which the pod of a Job that was begun before does not start."""

Approved = Mapping[tuple[str, str], set[str]]


def violations(approved: Approved, seen: Seen, runner: Runner, places: list[str]) -> list[str]:
    """All that is not as it must be; empty when all is well."""
    runs = [run for run in runner.runs if run.namespace in places]
    return [
        *_once(runner, places),
        *(wrong for run in runs for wrong in _consent(run, approved)),
        *_unfinished(seen),
        *(wrong for obj in seen.objects["daapschemas"] for wrong in _schema(obj, seen, runner)),
        *_rows(seen),
    ]


def _once(runner: Runner, places: list[str]) -> Iterator[str]:
    for namespace in places:
        for (cluster, file), count in runner.applied(namespace).items():
            if count > 1:
                yield f"{file} was applied {count} times in Cluster {cluster}"


def _consent(run: Run, approved: Approved) -> Iterator[str]:
    """What was applied had been approved, where that is required."""
    plan = run.order.options.get("plan", "")
    name = run.job.rpartition("-")[0]
    allowed = approved.get((run.namespace, name), set())
    if run.report.get("applied") and not {ANY, plan} & allowed:
        yield f"Job {run.job} has applied the plan {plan[:12]}, which nobody has approved"


def _unfinished(seen: Seen) -> Iterator[str]:
    """No Job runs on of a schema that is gone, or that waits for no more than a person."""
    waits = {
        obj["metadata"]["uid"]
        for obj in seen.objects["daapschemas"]
        if condition(obj, "Ready").get("reason") in _WITHOUT_PODS
    }
    for job in seen.objects["jobs"]:
        labels = job["metadata"].get("labels") or {}
        conditions = (job.get("status") or {}).get("conditions") or ()
        over = any(each["type"] in ("Complete", "Failed") for each in conditions)
        owners = {each["uid"] for each in job["metadata"].get("ownerReferences") or ()}
        if names.SCHEMA_LABEL in labels and not over and not owners & waits:
            yield f"{told(job)} runs on, of {owners}"


def _schema(obj: Object, seen: Seen, runner: Runner) -> Iterator[str]:
    if condition(obj, "MetadataSynced").get("status") != "True":
        yield f"{told(obj)} is not synced: {condition(obj, 'MetadataSynced')}"
    if is_ready(obj):
        yield from _applied(obj, seen, runner)
    elif not _waits(obj, seen):
        yield f"{told(obj)} does not get on: {says(obj)}"


def _applied(obj: Object, seen: Seen, runner: Runner) -> Iterator[str]:
    """One that is ready has every file in the ledger of its database, as the file is now."""
    database, files = _database(obj, seen), _files(obj, seen)
    if database is None or files is None:
        yield f"{told(obj)} is ready without its database or its files"
        return
    place = obj["metadata"]["namespace"], (database.get("status") or {}).get("clusterName", "")
    cluster = seen.one("clusters", *place)
    uid = cluster["metadata"]["uid"] if cluster else ""
    there = runner.ledgers[uid, "default"].through()
    for name, sql in files.items():
        if there.get(("schema", name)) != hashlib.sha256(sql.encode()).hexdigest():
            yield f"{told(obj)} is ready, and {name} is not applied in Cluster {uid}"


def _waits(obj: Object, seen: Seen) -> bool:
    """Whether it waits for what does not come by itself, and says so."""
    status, spec = obj.get("status") or {}, obj["spec"]
    database = _database(obj, seen)
    due = {
        "WaitingForDatabase": not is_ready(database),
        "FilesMissing": _files(obj, seen) is None,
        "ApprovalRequired": spec.get("approval") == "Required"
        and status.get("plan") not in (None, spec.get("approve")),
        "LedgerTaken": any(_is_older(other, obj) for other in seen.objects["daapschemas"]),
    }
    return due.get(condition(obj, "Ready").get("reason", ""), False)


def _is_older(other: Object, obj: Object) -> bool:
    of, mine = other["metadata"], obj["metadata"]
    same = of["namespace"] == mine["namespace"]
    same = same and other["spec"]["databaseRef"] == obj["spec"]["databaseRef"]
    ages = [(each["creationTimestamp"], each["uid"]) for each in (of, mine)]
    return bool(same and ages[0] < ages[1])


def _database(obj: Object, seen: Seen) -> Object | None:
    place = obj["metadata"]["namespace"], obj["spec"]["databaseRef"]["name"]
    return seen.one("daapdatabases", *place)


def _files(obj: Object, seen: Seen) -> dict[str, str] | None:
    found = seen.one("configmaps", obj["metadata"]["namespace"], obj["metadata"]["name"])
    return found.get("data") or {} if found else None


def _rows(seen: Seen) -> Iterator[str]:
    live = {obj["metadata"]["uid"]: obj for obj in seen.objects["daapschemas"]}
    for row in seen.schema_rows:
        obj = live.pop(str(row["id"]), None)
        if obj is None and (row["status"] != "deleted" or row["deleted_at"] is None):
            yield f"row of schema {row['name']} is {row['status']}, its object is gone"
        if obj is not None and (row["status"], row["deleted_at"]) != (phase(obj).lower(), None):
            yield f"row of {told(obj)} is {row['status']}, should be {phase(obj).lower()}"
    for obj in live.values():
        yield f"{told(obj)} has no row"
