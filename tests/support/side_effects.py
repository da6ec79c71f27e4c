"""Every write by its name: what a request or a statement changes. Pure.

A name says verb, resource and subresource; where one kind of request serves several purposes, its
purpose too, as in `patch daapdatabases/status claim`. The Lease belongs to no pass and has no name.
"""

from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.kinds.backup.row import BACKUPS
from daap_operator.kinds.database.row import DATABASES
from daap_operator.kinds.drill.row import DRILLS
from daap_operator.kinds.restore.row import RESTORES
from daap_operator.kinds.schema.orders import MEASURE
from daap_operator.kinds.schema.row import SCHEMAS
from daap_operator.mirror import statements
from tests.toys.team import TEAMS

Object = Mapping[str, Any]

VERBS = {"POST": "create", "PUT": "replace", "PATCH": "patch", "DELETE": "delete"}
CLAIM = "claim inventory"
"""What a leader's first write to the inventory is answered with; nothing is written before it."""

ROWS = {
    "row": DATABASES,
    "backup row": BACKUPS,
    "restore row": RESTORES,
    "drill row": DRILLS,
    "schema row": SCHEMAS,
    "team row": TEAMS,
}
"""What a row of each table is called."""

STATEMENTS = {
    **{statements.mark_deleted(table): f"mark {row} deleted" for row, table in ROWS.items()},
    **{statements.supersede(table): f"supersede {row}" for row, table in ROWS.items()},
    statements.CLAIM: CLAIM,
}
UPSERTS = {statements.save(table): f"upsert {row}" for row, table in ROWS.items()}
READING = ("SELECT", "SHOW", "SET", "BEGIN", "COMMIT", "ROLLBACK")
"""First words of statements that change nothing by themselves."""

ALLOTTED = {"backupName", "clusterName", "clusterUid", "job"}
"""Fields of a status that are written before anything is created, or taken back."""

COMMIT = "commit"
"""The end of a transaction of several statements; one alone is its own."""


def of_request(method: str, path: str, body: Object | None, kind: str) -> str | None:
    """The name of a request's side effect; None when it has none."""
    if method == "GET":
        return None
    resource, body = _resource(path), body or {}
    if resource == "leases":
        return None
    metadata = body.get("metadata") or {}
    if resource.endswith("/status"):
        status = body.get("status") or {}
        of_run = _of_run(status) if resource.startswith("daapschemas/") else ""
        return f"patch {resource} {of_run or _told(status)}"
    if names.SCHEMA_LABEL in (metadata.get("labels") or {}):
        resource = f"{resource}{_mode(body)}"
    if "apply-patch" in kind:
        return f"{'patch' if 'uid' in metadata else 'create'} {resource}"
    if method == "PATCH" and "ownerReferences" in metadata:
        return f"disown {resource}"
    return f"{VERBS[method]} {resource}"


def _of_run(patch: Object) -> str:
    """What a change of a DaapSchema's status tells of its Jobs; empty when it tells nothing."""
    if "rehearsal" in patch:
        return f"rehearsal {(patch['rehearsal'] or {}).get('state', '')}".rstrip()
    if "runs" in patch:
        return "ran" if patch.get("checked", "") is None else "looked"
    if "job" in patch:
        return f"claim {patch.get('phase', '')}".rstrip()
    return "backup" if isinstance(patch.get("backup"), str) else ""


def _mode(job: Object) -> str:
    """What a schema's Job does."""
    for container in raw.items(job, "spec", "template", "spec", "containers"):
        args = raw.items(container, "args")
        return " rehearse" if MEASURE in args else f" {args[1]}"
    return ""


def _resource(path: str) -> str:
    """Plural and subresource: /apis/{group}/{version}/namespaces/{namespace}/{plural}/{name}."""
    parts = path.strip("/").split("/")
    parts = parts[2:] if parts[0] == "api" else parts[3:]
    if parts[0] == "namespaces" and len(parts) > 2:
        parts = parts[2:]
    return "/".join([parts[0], *parts[2:]])


def _told(patch: Object) -> str:
    """What a change of an object's status tells."""
    conditions = {c["type"]: c["reason"] for c in patch.get("conditions") or ()}
    if any(field in patch and patch[field] is None for field in ALLOTTED):
        return "given back"
    if not ALLOTTED.isdisjoint(patch):
        return "claim"
    if not conditions and "result" in patch:
        return "result"
    if not conditions and "restoreSeconds" in patch:
        return "restored"
    if not conditions and "restore" in patch:
        return "restore"
    if not conditions and "archive" in (patch.get("backup") or {}):
        return "archive"
    if not conditions and "finalBackup" in (patch.get("backup") or {}):
        return "final backup"
    if conditions.get("Reconciling") == "Deleting":
        return "deleting"
    return "under way" if "Reconciling" in conditions else "settled"


def of_statement(sql: str, parameters: object) -> str | None:
    """The name of a statement's side effect; None when it has none."""
    if sql in UPSERTS:
        assert isinstance(parameters, Mapping)
        return f"{UPSERTS[sql]} {parameters['status']}"
    if not sql.strip() or sql.split(maxsplit=1)[0].upper() in READING:
        return None
    return STATEMENTS.get(sql, f"statement {' '.join(sql.split()[:4])}")
