"""A page of a LIST, read object by object. Pure.

Parsed as a whole, a page of megabytes would take twenty times its size.
"""

import json
import re
from collections.abc import Generator, Iterator
from typing import Any

from daap_operator import raw
from daap_operator.kube.sizes import marked

Object = dict[str, Any]

_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


class Page:
    """A page: its objects, once, and then what it says of itself."""

    def __init__(self, text: str) -> None:
        self._text = text
        self.length = len(text)
        """Characters."""
        self.count = 0
        """Objects read so far."""
        self.rest: Object = {}
        """All of it but the objects, once those were read."""

    def __iter__(self) -> Iterator[Object]:
        """The objects, each parsed when it is asked for. Raises ValueError for what is no page."""
        try:
            yield from self._read()
        except (IndexError, RecursionError) as error:
            raise ValueError("no JSON") from error

    @property
    def version(self) -> int:
        """The resource version the page speaks of, once it was read; 0 when it says none."""
        return int(raw.text(self.rest, "metadata", "resourceVersion") or 0)

    @property
    def next(self) -> str:
        """What to continue with, once it was read; empty at the end."""
        return raw.text(self.rest, "metadata", "continue")

    def _read(self) -> Iterator[Object]:
        at = self._past("{", 0)
        while self._text[at] != "}":
            key, at = _decode(self._text, at)
            at = self._past(":", at)
            if key == "items" and self._text[at] == "[":
                at = yield from self._objects(at)
            else:
                self.rest[key], at = _decode(self._text, at)
            at = self._after(at)
        self._text = ""

    def _objects(self, at: int) -> Generator[Object, None, int]:
        at = self._past("[", at)
        while self._text[at] != "]":
            obj, end = _decode(self._text, at)
            self.count += 1
            yield marked(obj, self._size(at, end)) if isinstance(obj, dict) else {}
            del obj  # not two of them at a time
            at = self._after(end)
        return at + 1

    def _size(self, start: int, end: int) -> int:
        if self._text.isascii():
            return end - start
        return len(self._text[start:end].encode(errors="surrogatepass"))

    def _past(self, sign: str, at: int) -> int:
        """Where what follows a sign begins."""
        at = self._skip(at)
        if self._text[at] != sign:
            raise ValueError(f"no '{sign}' at {at}")
        return self._skip(at + 1)

    def _after(self, at: int) -> int:
        """Where what follows a value begins, behind a comma if there is one."""
        at = self._skip(at)
        return self._skip(at + 1) if self._text[at] == "," else at

    def _skip(self, at: int) -> int:
        found = _SPACE.match(self._text, at)
        return at if found is None else found.end()
