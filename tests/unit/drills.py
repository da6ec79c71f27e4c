"""DaapDrills of the database `orders`, as the API server gives them."""

from datetime import UTC, datetime
from typing import Any

from daap_operator import names
from daap_operator.engine.child import Owner
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.drill import drill as child

Object = dict[str, Any]

UID = "5e1ec7ab-0000-4000-8000-000000000001"
ARCHIVE = "daap-orders-5e1ec7ab"


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def drill(
    ended: str = "",
    *,
    name: str = "orders-202603010312",
    created: str = "2026-03-01T03:12:07Z",
    scheduled: bool = True,
    spec: Object | None = None,
    **status: Any,
) -> Object:
    """A drill that passed when it `ended`, unless the status says otherwise."""
    owner = Owner(known.DATABASE, "shop", "orders", UID)
    made = child(owner, name, ()).manifest
    assert made is not None
    if not scheduled:
        made["metadata"] = {"name": name, "namespace": "shop"}
    made["metadata"] |= {"uid": f"uid of {name}", "resourceVersion": "1"}
    made["metadata"]["creationTimestamp"] = created
    made["spec"] |= spec or {}
    told: Object = {"phase": "Passed", "archive": ARCHIVE, "database": {"uid": UID}}
    told |= {"completedAt": ended, "backupId": "20260301T031200"} if ended else {"phase": "Pending"}
    made["status"] = told | status
    return made


def failed(ended: str, error: str = "2 of 40 relations are corrupt", **more: Any) -> Object:
    """A drill that failed when it ended."""
    return drill(ended, phase="Failed", error=error, **more)


def scheduled_at(when: str, ended: str = "", **more: Any) -> Object:
    """A drill of the schedule for a time of it, made when it was due."""
    slot = moment(when)
    created = slot.isoformat().replace("+00:00", "Z")
    return drill(ended, name=names.drill_name("orders", slot), created=created, **more)
