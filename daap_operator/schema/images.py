"""The files of images that are mounted: found and read without following a link.

Whoever has built an image decides what lies in it. So nothing of it is opened but directories and
regular files, step by step from its mount: no link leads out of it, and no pipe keeps a run
waiting.
"""

import errno
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

from daap_operator.schema.files import READ_LIMIT, Content, FilesError, Found, refusal, refuse_many
from daap_operator.schema.model import Part
from daap_operator.schema.selected import matcher

ENTRY_LIMIT = 10_000
"""Names in a directory that are looked at."""

_DIRECTORY = os.O_RDONLY | os.O_CLOEXEC | os.O_DIRECTORY
_FILE = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


class NotMountedError(FilesError):
    """An image is not where it was to be mounted."""


@dataclass(frozen=True)
class Image:
    """Where an image is mounted, and which of its files count."""

    part: Part
    mount: str
    path: str
    """The directory below the mount, as `db/schema`; empty for the mount itself."""
    pattern: str

    @classmethod
    def told(cls, part: Part, text: str) -> "Image":
        """From `MOUNT:PATH:PATTERN`, as an argument has it. Raises ValueError."""
        mount, path, pattern = text.split(":")
        leads_out = {"/", ".."} & set(PurePosixPath(path).parts)
        if not mount or not pattern or leads_out:
            raise ValueError(text)
        return cls(part, mount, path, pattern)


def look(found: Found, images: Sequence[Image]) -> Found:
    """What was found, with the files of images besides."""
    if found.error:
        return found
    contents: list[Content] = []
    left = READ_LIMIT
    try:
        for image in images:
            for name, content in _contents(image, len(found.contents) + len(contents), left):
                contents.append((image.part, name, content))
                left -= len(content)
    except FilesError as error:
        return replace(found, error=error)
    except OSError as error:
        return replace(found, error=FilesError(f"an image cannot be read: {error.strerror}"))
    if left < 0:
        return replace(found, error=refusal([*found.contents, *contents]))
    return replace(found, of_images=contents)


def _contents(image: Image, before: int, left: int) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each file, until more than `left` bytes are read."""
    with _opened(image) as directory:
        names = _names(image, directory)
        refuse_many(before + len(names))
        for name in names:
            content = _content(image, directory, name, left)
            left -= len(content)
            yield name, content
            if left < 0:
                return


@contextmanager
def _opened(image: Image) -> Iterator[int]:
    """The directory with the files, which no link has led to."""
    try:
        directory = os.open(image.mount, _DIRECTORY)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise NotMountedError(
            f"'{image.mount}' is not there, where an image was to be mounted: have the cluster "
            "mount images, or put the files into a ConfigMap"
        ) from error
    try:
        for step in PurePosixPath(image.path).parts:
            directory = _below(image, directory, step)
        yield directory
    finally:
        os.close(directory)


def _below(image: Image, directory: int, step: str) -> int:
    """The directory in a directory, which is closed. Raises FilesError."""
    try:
        below = os.open(step, _DIRECTORY | os.O_NOFOLLOW, dir_fd=directory)
    except OSError as error:
        why = {
            errno.ENOENT: "is not there",
            errno.ENOTDIR: "is a symbolic link, or no directory",
            errno.ELOOP: "is a symbolic link",
        }.get(error.errno or 0, f"cannot be read ({error.strerror})")
        raise FilesError(
            f"'{image.mount}', directory '{image.path}' of the image: '{step}' {why}: correct the "
            "path, or build the image so that it has the directory"
        ) from error
    os.close(directory)
    return below


def _names(image: Image, directory: int) -> list[str]:
    """The names that count, in order. Raises FilesError when there is none."""
    found, counts = list[str](), matcher(image.pattern)
    with os.scandir(directory) as entries:
        for number, entry in enumerate(entries):
            if number >= ENTRY_LIMIT:
                raise FilesError(
                    f"{_where(image)} has more than {ENTRY_LIMIT} entries: put the files into a "
                    "directory of their own"
                )
            if counts(entry.name):
                found.append(entry.name)
    if not found:
        raise FilesError(
            f"{_where(image)} has no file that matches '{image.pattern}': correct path and "
            "pattern, or build the image with the files there"
        )
    return sorted(found)


def _content(image: Image, directory: int, name: str, most: int) -> bytes:
    """A file's bytes, or one more than `most` of them. Raises FilesError."""
    where = f"{_where(image)}, file {name!r}"
    try:
        opened = os.open(name, _FILE, dir_fd=directory)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise FilesError(
                f"{where} is a symbolic link: copy the file itself into the image"
            ) from error
        raise FilesError(
            f"{where} cannot be read ({error.strerror}): the user 65532 must be able to read it, "
            "as with COPY --chmod=644"
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise FilesError(f"{where} is no file: copy files alone into the image")
        with os.fdopen(opened, "rb", closefd=False) as reading:
            return reading.read(most + 1)
    finally:
        os.close(opened)


def _where(image: Image) -> str:
    return f"'{image.mount}', directory '{image.path or '/'}' of the image"
