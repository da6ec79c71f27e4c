"""What the store keeps of what tells of backups: ObjectStores, ScheduledBackups. Pure.

Never where an object store is, nor which Secret opens it: these are none of the operator's
business.
"""

from collections.abc import Mapping
from typing import Any

from daap_operator import raw
from daap_operator.engine.kinds import IDENTITY
from daap_operator.engine.ownership import OWNED, owned_part
from daap_operator.kinds.database.trim import child_metadata
from daap_operator.kinds.windows import packed
from daap_operator.lines import quoted
from daap_operator.raw import picked

Object = dict[str, Any]

WINDOWS = "serverRecoveryWindow"
"""The field of an ObjectStore's status that is kept as the text that `windows.packed` makes."""


def object_store(obj: Mapping[str, Any]) -> Object:
    """An ObjectStore: how long it keeps backups, and from when to when each archive reaches."""
    found = raw.value(obj, "status", WINDOWS)
    text = found if isinstance(found, str) else packed(raw.mapping(found))
    retention = quoted(raw.text(obj, "spec", "retentionPolicy"))
    return {
        "metadata": picked(raw.mapping(obj, "metadata"), IDENTITY),
        "spec": {"retentionPolicy": retention} if retention else {},
        "status": {WINDOWS: text} if text else {},
    }


def scheduled_backup(obj: Mapping[str, Any]) -> Object:
    """A ScheduledBackup of ours: what we applied of it."""
    return {"metadata": child_metadata(obj), OWNED: owned_part(obj)}
