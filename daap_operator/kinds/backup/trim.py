"""What the store keeps of a DaapBackup. Pure."""

from collections.abc import Mapping
from typing import Any

from daap_operator import raw
from daap_operator.api.kind import is_uid_label
from daap_operator.engine import child
from daap_operator.engine.kinds import SUBJECT_METADATA


def backup(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A DaapBackup: without others' annotations, labels and field managers.

    One that the operator has created for another object of ours is a child, and kept as one, too.
    """
    metadata = raw.picked(raw.mapping(obj, "metadata"), SUBJECT_METADATA)
    kept: dict[str, Any] = {"metadata": metadata}
    if any(map(is_uid_label, raw.mapping(obj, "metadata", "labels"))):
        as_child = child.keep(obj)
        kept = as_child | {"metadata": as_child["metadata"] | metadata}
    return kept | {
        "spec": dict(raw.mapping(obj, "spec")),
        "status": dict(raw.mapping(obj, "status")),
    }
