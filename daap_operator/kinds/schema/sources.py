"""Which files there are, by what is known of their sources: names, checksums and sizes. Pure.

The text of a file is in none of this: the store keeps what is said here instead of it.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from daap_operator import raw
from daap_operator.api.v1alpha1 import ConfigMapFiles, DaapSchemaSpec, FileSource, ImageFiles
from daap_operator.api.v1alpha1.schema.sources import FILE_PATTERN, MOST_INLINE, MOST_SOURCES
from daap_operator.errors import Stalled
from daap_operator.kinds.schema.reasons import SchemaReason
from daap_operator.lines import quoted
from daap_operator.schema.files_sum import files_checksum
from daap_operator.schema.selected import matcher

FILE_BYTES = 900 * 1024
SET_BYTES = 3 * 1024 * 1024
MOST_FILES = 2000
"""What the runner takes: of a file, of all files, and how many."""
MOST_KEYS = 2 * MOST_FILES
"""Of a ConfigMap. The API server counts what its values have and not its keys: 100,000 may be in
one, and each takes its time to be looked at."""
INLINE_BYTES = 128 * 1024
"""Of all inline files: they come as annotations of a pod, which may have twice that."""
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


class Held(NamedTuple):
    """What is known of a ConfigMap: none of its text."""

    keys: int
    """How many it has; with more than MOST_KEYS nothing else is known of it."""
    texts: Mapping[str, tuple[str, int]]
    """The keys with text: its SHA-256 in hexadecimal digits, and its bytes."""
    binary: frozenset[str]
    """The keys with what is no text."""


def parts(spec: DaapSchemaSpec) -> list[tuple[str, FileSource]]:
    """The sources in their order, each with a name of its own, as `schema-0`."""
    both = ((PARTS[0], spec.schema_files), (PARTS[1], spec.fixtures))
    return [
        (f"{part}-{number}", source)
        for part, sources in both
        for number, source in enumerate(sources)
    ]


def images(spec: DaapSchemaSpec) -> dict[str, ImageFiles]:
    """The sources that are images, by their names. Which files they have only a Job sees."""
    return {name: source.image for name, source in parts(spec) if source.image is not None}


def pull_secrets(spec: DaapSchemaSpec) -> list[str]:
    """The Secrets by which images are pulled, each once."""
    named = (image.pull_secret for image in images(spec).values())
    return list(dict.fromkeys(name for name in named if name))


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


def held(obj: raw.Object) -> Held:
    """What is to be known of a ConfigMap as the API server has it."""
    data, binary = raw.mapping(obj, "data"), raw.mapping(obj, "binaryData")
    keys = len(data) + len(binary)
    if keys > MOST_KEYS:
        return Held(keys, {}, frozenset())
    return Held(keys, {key: _summed(raw.text(data, key)) for key in data}, frozenset(binary))


def config_map_files(part: str, source: ConfigMapFiles, its: Held) -> list[Entry]:
    """Those of a ConfigMap. Raises Stalled when a key cannot be one, or there are too many."""
    if its.keys > MOST_KEYS:
        raise Stalled(
            SchemaReason.FILES_INVALID,
            f"ConfigMap {source.name} has {its.keys} keys, and one may have {MOST_KEYS}: spread "
            "them over several",
        )
    named = selected(source, its.texts)
    if len(named) > MOST_FILES:
        raise _too_many(len(named))
    for key in [*named, *selected(source, its.binary)]:
        _check(source, key, its.binary)
    if not named:
        raise Stalled(
            SchemaReason.FILES_INVALID,
            f"ConfigMap {source.name} has no key that matches '{source.files}': add the files to "
            f"it, or correct configMap.files",
        )
    return [Entry(part, key, *its.texts[key]) for key in named]


def selected(source: ConfigMapFiles, keys: Iterable[str]) -> list[str]:
    """The keys that are meant to be files."""
    return list(filter(matcher(source.files), keys))


def _summed(text: str) -> tuple[str, int]:
    content = text.encode(errors="surrogatepass")
    return hashlib.sha256(content).hexdigest(), len(content)


def _check(source: ConfigMapFiles, key: str, binary: Collection[str]) -> None:
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


class Tally:
    """The files of one source after another: what is too much is not gone through to its end."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        self._seen: set[tuple[str, str]] = set()
        self._size = self._inline = 0

    def add(self, entries: Iterable[Entry]) -> None:
        """Raises Stalled when the files cannot be a schema's, for what the runner refuses, too."""
        for each in entries:
            self._size += each.size
            self._inline += each.size if each.inline else 0
            _bounded(each, self._size, self._inline)
            if (place := (each.part, each.name)) in self._seen:
                told = (
                    f"The file '{each.name}' is there twice in spec.{each.part}: rename one of them"
                )
                raise Stalled(SchemaReason.FILES_INVALID, told)
            self._seen.add(place)
            self.entries.append(each)
        if len(self._seen) > MOST_FILES:
            raise _too_many(len(self._seen))


def _too_many(count: int) -> Stalled:
    told = f"There are {count} files, and there may be {MOST_FILES}: join some"
    return Stalled(SchemaReason.FILES_INVALID, told)


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
