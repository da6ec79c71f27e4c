"""Which files there are, by what is known of their sources: names, checksums and sizes. Pure.

The text of a file is in none of this: the store keeps what is said here instead of it.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, NamedTuple

from daap_operator import raw
from daap_operator.api.v1alpha1 import ConfigMapFiles, DaapSchemaSpec, FileSource
from daap_operator.api.v1alpha1.schema.sources import FILE_PATTERN, MOST_INLINE, MOST_SOURCES
from daap_operator.errors import Stalled
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.lines import quoted
from daap_operator.schema.files_sum import files_checksum

FILE_BYTES = 900 * 1024
SET_BYTES = 3 * 1024 * 1024
MOST_FILES = 2000
"""What the runner takes: of a file, of all files, and how many."""
INLINE_BYTES = 128 * 1024
"""Of all inline files: they come as annotations of a pod, which may have twice that."""
ALL = "*.sql"
"""The pattern of keys with which a ConfigMap is mounted whole: the runner reads such files only."""
PARTS = ("schema", "fixtures")


class Entry(NamedTuple):
    """One file."""

    part: str
    name: str
    checksum: str
    """SHA-256 of its bytes, in hexadecimal digits."""
    size: int
    """Bytes."""
    inline: bool = False


def parts(spec: DaapSchemaSpec) -> list[tuple[str, FileSource]]:
    """The sources in their order, each with a name of its own, as `schema-0`."""
    both = ((PARTS[0], spec.schema_files), (PARTS[1], spec.fixtures))
    return [
        (f"{part}-{number}", source)
        for part, sources in both
        for number, source in enumerate(sources)
    ]


# --- what the store keeps -------------------------------------------------------------------------


def without_text(spec: raw.Object) -> dict[str, Any]:
    """The spec with what is to be known of inline files in the place of their text."""
    kept = dict(spec)
    for part in PARTS:
        if isinstance(spec.get(part), list):
            kept[part] = [_source(each) for each in raw.items(spec, part)[:MOST_SOURCES]]
    return kept


def _source(source: Any) -> Any:
    if not isinstance(raw.value(source, "inline"), list):
        return source
    files = raw.items(source, "inline")[:MOST_INLINE]
    return {**source, "inline": [_file(each) for each in files]}


def _file(file: Any) -> Any:
    if not isinstance(raw.value(file, "sql"), str):
        return file
    content = raw.text(file, "sql").encode(errors="surrogatepass")
    return {**file, "sql": f"{hashlib.sha256(content).hexdigest()} {len(content)}"}


# --- the files of each source ---------------------------------------------------------------------


def inline_files(part: str, source: FileSource) -> Iterator[Entry]:
    """Those that are written into the object, as the store keeps it."""
    for file in source.inline or ():
        checksum, _, size = file.sql.partition(" ")
        yield Entry(part, file.name, checksum, raw.whole(size), inline=True)


def config_map_files(part: str, source: ConfigMapFiles, obj: raw.Object) -> list[Entry]:
    """Those of a ConfigMap as the API server has it. Raises Stalled when a key cannot be one."""
    data, binary = raw.mapping(obj, "data"), raw.mapping(obj, "binaryData")
    named = [key for key in data if selected(source, key)]
    for key in [*named, *(key for key in binary if selected(source, key))]:
        _check(source, key, binary)
    if not named:
        raise Stalled(
            SchemaReason.FILES_INVALID,
            f"ConfigMap {source.name} has no key that matches '{source.files}': add the files to "
            f"it, or correct configMap.files",
        )
    return [_entry(part, key, raw.text(data, key)) for key in named]


def selected(source: ConfigMapFiles, key: str) -> bool:
    """Whether a key is meant to be a file; with ALL also one that only nearly has such a name."""
    if source.files == ALL:
        return key.lower().endswith(".sql") and not key.startswith(".")
    return fnmatchcase(key, source.files)


def _entry(part: str, key: str, text: str) -> Entry:
    content = text.encode(errors="surrogatepass")
    return Entry(part, key, hashlib.sha256(content).hexdigest(), len(content))


def _check(source: ConfigMapFiles, key: str, binary: Mapping[str, object]) -> None:
    where = f"ConfigMap {source.name}, key '{quoted(key)}'"
    if not re.fullmatch(FILE_PATTERN, key):
        raise Stalled(
            SchemaReason.FILES_INVALID,
            f"{where}: a file's name has letters, digits, '.', '_' and '-' only and ends with "
            ".sql: rename it, or leave it out by configMap.files",
        )
    if key in binary:
        raise Stalled(SchemaReason.FILES_INVALID, f"{where} is not UTF-8: save the file as UTF-8")


# --- all of them ----------------------------------------------------------------------------------


def checksum(entries: Iterable[Entry]) -> str:
    """The checksum of all files, as the runner computes it, too."""
    return files_checksum((each.part, each.name, each.checksum) for each in entries)


def check(entries: Iterable[Entry]) -> None:
    """Raise Stalled when the files cannot be a schema's, for what the runner would refuse, too."""
    seen: set[tuple[str, str]] = set()
    size = inline = 0
    for each in entries:
        size += each.size
        inline += each.size if each.inline else 0
        _bounded(each, size, inline)
        if (place := (each.part, each.name)) in seen:
            told = f"The file '{each.name}' is there twice in spec.{each.part}: rename one of them"
            raise Stalled(SchemaReason.FILES_INVALID, told)
        seen.add(place)
    if len(seen) > MOST_FILES:
        told = f"There are {len(seen)} files, and there may be {MOST_FILES}: join some"
        raise Stalled(SchemaReason.FILES_INVALID, told)


def _bounded(entry: Entry, size: int, inline: int) -> None:
    file = f"spec.{entry.part}: file '{entry.name}'"
    if entry.size > FILE_BYTES:
        told = f"{file} has {entry.size} bytes, and one may have {FILE_BYTES}: split it"
    elif inline > INLINE_BYTES:
        told = (
            f"{file}: with it the inline files have more than the {INLINE_BYTES} bytes that they "
            "may have: put them into a ConfigMap"
        )
    elif size > SET_BYTES:
        told = (
            f"{file}: with it the files have more than the {SET_BYTES} bytes that all of them may "
            "have: leave out data that does not belong into a schema"
        )
    else:
        return
    raise Stalled(SchemaReason.FILES_INVALID, told)
