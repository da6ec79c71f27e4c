"""What the store keeps of a DaapSchema, and of the objects it has to do with. Pure."""

from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.engine import child
from daap_operator.engine.kinds import IDENTITY, SUBJECT_METADATA
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds.schema.sources import without_text
from daap_operator.lines import all_quoted

Object = dict[str, Any]

IMAGES = "images"
"""What the store has of a Job: how many images it mounts."""


def schema(obj: Mapping[str, Any]) -> Object:
    """A DaapSchema: without others' annotations, and of inline files no text."""
    return {
        "metadata": raw.picked(raw.mapping(obj, "metadata"), SUBJECT_METADATA),
        "spec": without_text(raw.mapping(obj, "spec")),
        "status": dict(raw.mapping(obj, "status")),
    }


def config_map(obj: Mapping[str, Any]) -> Object:
    """A ConfigMap: which version of it there is. Its files are read when that has changed."""
    return {"metadata": raw.picked(raw.mapping(obj, "metadata"), IDENTITY)}


def job(obj: Mapping[str, Any]) -> Object:
    """A Job: whether it is over, and how many images it mounts.

    What was applied of it is not kept: it has inline files' text.
    """
    kept, metadata = child.keep(obj), raw.mapping(obj, "metadata")
    kept[OWNED] = {}
    kept["metadata"] |= raw.picked(metadata, ("creationTimestamp",))
    kept["metadata"]["labels"] |= raw.picked(raw.mapping(metadata, "labels"), (names.SCHEMA_LABEL,))
    over = [
        raw.picked(each, ("type", "status", "reason", "message"))
        for each in raw.items(obj, "status", "conditions")
        if raw.text(each, "type") in ("Failed", "Complete")
    ]
    images = sum(
        bool(raw.mapping(each, "image"))
        for each in raw.items(obj, "spec", "template", "spec", "volumes")
    )
    return kept | {IMAGES: images, "status": all_quoted({"conditions": over})}
