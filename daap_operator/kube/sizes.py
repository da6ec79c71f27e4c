"""How large an object may be that is taken in. Pure.

What tenants store must not decide how much memory the operator takes: the API server takes objects
of 1.5 MB and more, parsed they need up to twenty times that, and there may be any number of them.
"""

import json
from collections.abc import Iterator
from typing import Any

from daap_operator import raw

OBJECT_BYTES = 256 * 1024
"""JSON of an object that is taken in. CloudNativePG's largest have 30 KB, ours 10 KB."""

PAGE_BYTES = 8 * 1024 * 1024
"""What is read of one page of a LIST: 500 ordinary objects of any kind have less."""

ANSWER_BYTES = 32 * 1024 * 1024
"""What is read of any other answer, and of a page of one object. The API server takes requests of
3 MB, and writes some characters of them as six."""

TOO_LARGE = "tooLarge"
"""Key under which an object says that it is over OBJECT_BYTES: `bytes`, and the `field` that has
the most of them, `fieldBytes`. No kind has a field of that name."""

_METADATA = ("annotations", "labels", "finalizers", "ownerReferences", "name")
"""What people put into the metadata; `managedFields` only repeats the names of it all."""


def marked(obj: dict[str, Any], size: int) -> dict[str, Any]:
    """The same object, with a mark when it is too large; `size` is that of its JSON, in bytes."""
    if size > OBJECT_BYTES:
        field_bytes, field = max(_parts(obj), default=(0, ""))
        obj[TOO_LARGE] = {"bytes": size, "field": field, "fieldBytes": field_bytes}
    return obj


def only_metadata(obj: raw.Object) -> dict[str, Any]:
    """An object's metadata and nothing else; marked when that alone is too large."""
    metadata = raw.mapping(obj, "metadata")
    made = {"metadata": metadata}
    if TOO_LARGE not in obj:
        return made
    written = {field: value for field, value in metadata.items() if field != "managedFields"}
    return marked(made, len(json.dumps(written, ensure_ascii=False).encode(errors="surrogatepass")))


def _parts(obj: dict[str, Any]) -> Iterator[tuple[int, str]]:
    """The fields worth naming: those of the metadata, and of the other parts."""
    for part, value in obj.items():
        fields = raw.mapping(value)
        for field in _METADATA if part == "metadata" else fields:
            if field in fields:
                yield len(json.dumps(fields[field])), f"{part}.{field}"
        if not fields:
            yield len(json.dumps(value)), part


def mark_cut(cut: dict[str, Any], whole: dict[str, Any]) -> dict[str, Any]:
    """What is left of an object, with a mark that says what of the whole was most."""
    if TOO_LARGE not in cut:
        field_bytes, field = max(_parts(whole), default=(0, ""))
        cut[TOO_LARGE] = {"field": field, "fieldBytes": field_bytes}
    return cut


def told(what: str, obj: raw.Object) -> str:
    """Size, field and remedy of an object that is too large; empty when it is not."""
    if not (mark := raw.mapping(obj, TOO_LARGE)):
        return ""
    size, field, part = mark.get("bytes"), mark.get("field"), mark.get("fieldBytes")
    if size is None:
        return (
            f"{what} has {part} bytes in {field}, more than the operator keeps of an object: make "
            f"{field} smaller"
        )
    return (
        f"{what} has {size} bytes, {part} of them in {field}, and the operator takes in objects of "
        f"at most {OBJECT_BYTES} bytes: make {field} smaller"
    )
