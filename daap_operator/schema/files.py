"""A schema's files as they are read: which there are, in which order, and within which bounds.

What is given is files and directories. Of a directory every `*.sql` in it counts, none of its
directories, and nothing hidden, as with a shell's `DIR/*.sql`; a directory with a `schema` or
`fixtures` directory and no file of its own stands for those two.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from daap_operator.schema.files_sum import files_checksum
from daap_operator.schema.model import Part, SqlFile
from daap_operator.schema.selected import ALL, matcher

FILE_LIMIT = 900 * 1024
"""Bytes of a file: with its name it fits into a ConfigMap."""
SET_LIMIT = 3 * 1024 * 1024
"""Bytes of all files of both parts."""
COUNT_LIMIT = 2000
"""Files of both parts."""

READ_LIMIT = 16 * 1024 * 1024
"""Bytes that are read at most, all files together: enough to count what will be refused."""

_NAME = re.compile(r"[A-Za-z0-9._-]{1,249}\.sql")
_NAME_LIMIT = 253
"""Characters, as of a key of a ConfigMap."""
_BYTE_ORDER_MARK = "\ufeff"


Content = tuple[Part, str, bytes]
"""Part, name and bytes of a file that is read, before it is judged."""


class FilesError(Exception):
    """The files cannot be what a schema is made of; the message names the file and the remedy."""


@dataclass(frozen=True)
class Found:
    """What there is to read, before it is judged."""

    given: Sequence[Path]
    contents: Sequence[Content] = ()
    of_images: Sequence[Content] = ()
    """Those besides that lie in images, of which only the image's digest is known before."""
    error: FilesError | None = None
    """Why not all of it was read."""
    passing: bool = False
    """It is a file that cannot be read, as when its volume is renewed at this moment."""

    @property
    def checksum(self) -> str:
        """`files_checksum` of all of them, good or bad; empty when not all was read."""
        return "" if self.error else _checksum((*self.contents, *self.of_images))

    @property
    def checksum_but_images(self) -> str:
        """The same without those of images."""
        return "" if self.error else _checksum(self.contents)

    def files(self) -> tuple[SqlFile, ...]:
        """The schema's files, then the fixtures, each part by name. Raises FilesError."""
        if self.error:
            raise self.error
        contents = (*self.contents, *self.of_images)
        if not contents:
            given = ", ".join(f"'{path}'" for path in self.given) or "nothing given"
            raise FilesError(f"{given}: no file whose name ends with .sql")
        return collected(contents)


def _checksum(contents: Iterable[Content]) -> str:
    return files_checksum(
        (part, name, hashlib.sha256(content).hexdigest()) for part, name, content in contents
    )


def read(schema: Sequence[Path], fixtures: Sequence[Path] = ()) -> tuple[SqlFile, ...]:
    """The files of both parts from files and directories: the schema's first, each part by name.

    Raises FilesError when one is missing, cannot be read or is out of bounds, when two of a part
    have one name, or when there is none at all.
    """
    return look(schema, fixtures).files()


def look(schema: Sequence[Path], fixtures: Sequence[Path] = ()) -> Found:
    """What `read` reads, whether it can be a schema's files or not."""
    given = (*schema, *fixtures)
    try:
        paths = _all(schema, fixtures)
    except FilesError as error:
        return Found(given, error=error)
    contents: list[Content] = []
    left = READ_LIMIT
    for part, path in paths:
        try:
            content = _content(path, left)
        except FilesError as error:
            return Found(given, error=error, passing=True)
        contents.append((part, path.name, content))
        left -= len(content)
        if left < 0:
            return Found(given, error=refusal(contents))
    return Found(given, contents)


def _all(schema: Sequence[Path], fixtures: Sequence[Path]) -> list[tuple[Part, Path]]:
    for path in (*schema, *fixtures):
        _refuse_overlooked(path)
    found = [
        *((Part.SCHEMA, path) for path in _paths(schema, Part.SCHEMA)),
        *((Part.FIXTURES, path) for path in _paths(schema, Part.FIXTURES)),
        *((Part.FIXTURES, path) for given in fixtures for path in _listed(given)),
    ]
    refuse_many(len(found))
    return found


def refuse_many(count: int) -> None:
    """Raise FilesError for more files than both parts may have together."""
    if count > COUNT_LIMIT:
        raise FilesError(f"{count} files, and at most {COUNT_LIMIT} are read: join some")


def refusal(contents: Sequence[Content]) -> FilesError:
    """Why files are refused that are more than is read."""
    try:
        collected(contents)
    except FilesError as error:
        return error
    raise AssertionError("more than is read is more than may be")


def collected(contents: Iterable[Content]) -> tuple[SqlFile, ...]:
    """Files from their part, name and bytes, in the order in which they are applied.

    Raises FilesError as `read` does.
    """
    files: dict[tuple[Part, str], SqlFile] = {}
    size = 0
    for part, name, content in contents:
        _refuse_large(name, content)
        size += len(content)
        if size > SET_LIMIT:
            raise FilesError(
                f"{part} file '{name}': with it the files have more than the {SET_LIMIT} bytes "
                "that all of them may have: leave out data that does not belong into a schema"
            )
        if (part, name) in files:
            raise FilesError(f"{part} file '{name}' is there twice: rename one of them")
        files[part, name] = SqlFile(part, _named(name), _text(name, content))
    return tuple(sorted(files.values(), key=lambda file: (file.part is Part.FIXTURES, file.name)))


def _paths(given: Sequence[Path], part: Part) -> Iterator[Path]:
    for path in given:
        if _stands_for_two(path):
            inner = path / part
            yield from _listed(inner) if inner.is_dir() else ()
        elif part is Part.SCHEMA:
            yield from _listed(path)


def _stands_for_two(path: Path) -> bool:
    return any((path / part).is_dir() for part in Part) and not any(_in(path))


def _refuse_overlooked(path: Path) -> None:
    """Raise FilesError where directories below hold files that their names keep from being read."""
    if not path.is_dir() or any(_in(path)):
        return
    for below in _directories(path):
        if below.name not in list(Part) and any(_in(below)):
            raise FilesError(
                f"'{below}' has SQL files, which are not read: of a directory without files of its "
                "own, 'schema' and 'fixtures' are; rename it, or name it as a path itself"
            )


def _directories(path: Path) -> list[Path]:
    try:
        return sorted(each for each in path.iterdir() if each.is_dir() and each.name[0] != ".")
    except OSError as error:
        raise FilesError(f"'{path}' cannot be read: {error.strerror}") from error


def _listed(path: Path) -> list[Path]:
    if path.is_dir():
        return sorted(_in(path))
    if not path.exists():
        raise FilesError(f"'{path}': there is no such file or directory")
    return [path]


def _in(directory: Path) -> Iterator[Path]:
    counts = matcher(ALL)
    try:
        for path in directory.iterdir():
            if counts(path.name):
                yield path
    except OSError as error:
        raise FilesError(f"'{directory}' cannot be read: {error.strerror}") from error


def _content(path: Path, most: int) -> bytes:
    """Its bytes, or one more than `most` of them."""
    if not path.is_file():
        raise FilesError(f"'{path}' is no file")
    try:
        with path.open("rb") as opened:
            return opened.read(most + 1)
    except OSError as error:
        raise FilesError(f"'{path}' cannot be read: {error.strerror}") from error


def _named(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise FilesError(
            f"file {name!r}: a name has letters, digits, '.', '_' and '-' only, ends with .sql "
            f"and has at most {_NAME_LIMIT} characters: rename it"
        )
    return name


def _refuse_large(name: str, content: bytes) -> None:
    if len(content) > FILE_LIMIT:
        raise FilesError(
            f"file '{name}' has more than the {FILE_LIMIT} bytes that one may have: split it"
        )


def _text(name: str, content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise FilesError(
            f"file '{name}', line {line}: byte 0x{content[error.start]:02x} is not UTF-8: "
            "save the file as UTF-8"
        ) from error
    if text.startswith(_BYTE_ORDER_MARK):
        raise FilesError(
            f"file '{name}' begins with a byte order mark, which is no SQL: save it as UTF-8 "
            "without one"
        )
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise FilesError(
            f"file '{name}', line {line}: byte 0x00, which no text in PostgreSQL can have"
        )
    return text
