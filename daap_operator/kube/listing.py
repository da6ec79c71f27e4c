"""A page of a LIST, read object by object. Pure.

Parsed as a whole, a page of megabytes would take twenty times its size.
"""

import json
import re
from collections.abc import Generator, Iterator
from typing import Any

from daap_operator import raw
from daap_operator.kube.problems import Unreachable
from daap_operator.kube.sizes import ANSWER_BYTES, PAGE_BYTES, marked
from daap_operator.nesting import shallow

Object = dict[str, Any]

PAGE, FIRST_PAGE = 500, 100
"""Objects asked for at most, and at first: of what size they are is not known then."""

GROWTH = 5
"""By how much a page may be larger than the one before."""

METADATA = "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io,application/json"
"""A LIST in this form has the objects' metadata only."""

NOTE = 1024
"""Characters kept of an Event's note, which has no more in the API of today."""

_HEARD = ("reason", "type", "eventTime", "deprecatedLastTimestamp")
_LONGEST_NAME = 253

_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


class Page:
    """A page: its objects, once, and then what it says of itself."""

    def __init__(self, text: str, *, what: str = "LIST") -> None:
        """`what` was asked for the page, for errors."""
        self._text = text
        self._what = what
        self._read = False
        self.length = len(text)
        """Characters."""
        self.count = 0
        """Objects read so far."""
        self.rest: Object = {}
        """All of it but the objects, once those were read."""

    def __iter__(self) -> Iterator[Object]:
        """The objects, each parsed when it is asked for. Raises Unreachable for what is no page."""
        if self._read:
            return
        self._read = True
        try:
            yield from self._parsed()
        except (ValueError, IndexError) as error:
            said = self._text[:500].strip()
            raise Unreachable(f"{self._what}: an answer, but no list: {said}") from error

    def finish(self) -> None:
        """Read what was not."""
        for _ in self:
            pass

    @property
    def version(self) -> int:
        """The resource version the page speaks of, once it was read; 0 when it says none."""
        return int(raw.text(self.rest, "metadata", "resourceVersion") or 0)

    @property
    def next(self) -> str:
        """What to continue with, once it was read; empty at the end."""
        return raw.text(self.rest, "metadata", "continue")

    def _parsed(self) -> Iterator[Object]:
        at = self._past("{", 0)
        while self._text[at] != "}":
            key, at = self._value(at)
            at = self._past(":", at)
            if key == "items" and self._text[at] == "[":
                at = yield from self._objects(at)
            else:
                self.rest[key], at = self._value(at)
            at = self._after(at)
        if "kind" not in self.rest:  # somebody else answered: a proxy, a load balancer
            raise ValueError("no kind")
        self._text = ""

    def _objects(self, at: int) -> Generator[Object, None, int]:
        at = self._past("[", at)
        while self._text[at] != "]":
            obj, end = self._value(at)
            self.count += 1
            yield marked(obj, self._size(at, end)) if isinstance(obj, dict) else {}
            del obj  # not two of them at a time
            at = self._after(end)
        return at + 1

    def _value(self, at: int) -> tuple[Any, int]:
        """A value, and where it ends; null in the place of what is nested too deep in it."""
        try:
            return _decode(self._text, at)
        except RecursionError:
            self._text = self._text[:at] + shallow(self._text[at:])
            return _decode(self._text, at)

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


class Paging:
    """How much to ask for, by what was seen."""

    def __init__(self, limit: int = FIRST_PAGE) -> None:
        self.limit = limit
        """Objects to ask for."""
        self._ceiling = PAGE

    @property
    def most(self) -> int:
        """Bytes to read of the answer: a single object is read whatever it has."""
        return PAGE_BYTES if self.limit > 1 else ANSWER_BYTES

    def less(self) -> bool:
        """That was too much. False when it cannot be less."""
        possible = self.limit > 1
        self.limit = max(1, self.limit // 4)
        return possible

    def slower(self) -> bool:
        """That took too long: never again as many. False when they cannot be fewer."""
        possible = self.less()
        self._ceiling = self.limit
        return possible

    def learn(self, count: int, length: int) -> None:
        """So many objects had so many characters: ask for as many as fill half of what is read."""
        fit = PAGE_BYTES // 2 * count // max(1, length)
        self.limit = max(1, min(self._ceiling, fit, self.limit * GROWTH))


def heard(event: Object) -> Object:
    """What is read of an Event."""
    regarding = raw.picked(raw.mapping(event, "regarding"), ("kind", "name"))
    series = raw.picked(raw.mapping(event, "series"), ("lastObservedTime",))
    metadata = raw.picked(raw.mapping(event, "metadata"), ("creationTimestamp",))
    parts = {"regarding": regarding, "series": series, "metadata": metadata}
    short = {name: _cut(part) for name, part in parts.items()}
    return _cut(raw.picked(event, _HEARD)) | short | {"note": raw.text(event, "note")[:NOTE]}


def _cut(part: Object) -> Object:
    return {field: value[:_LONGEST_NAME] for field, value in part.items() if isinstance(value, str)}
