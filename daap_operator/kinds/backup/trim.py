"""What the store keeps of a DaapBackup. Pure."""

from collections.abc import Mapping
from typing import Any

from daap_operator import raw
from daap_operator.engine.kinds import SUBJECT_METADATA


def backup(obj: Mapping[str, Any]) -> dict[str, Any]:
    """A DaapBackup: without others' annotations, labels and field managers."""
    return {
        "metadata": raw.picked(raw.mapping(obj, "metadata"), SUBJECT_METADATA),
        "spec": dict(raw.mapping(obj, "spec")),
        "status": dict(raw.mapping(obj, "status")),
    }
