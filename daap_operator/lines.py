"""What others have written, made fit to be passed on: lines of text that show all they hold. Pure.

An owner's purpose, CloudNativePG's reasons, Events, webhooks' words: all of it may be a tenant's,
and goes into conditions, Events, logs, metrics and the inventory, for other people's terminals.
https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

LONGEST = 512
"""Characters that are passed on of what others have written."""

_MOST = 4096
"""Characters of an owner's text, all of which a CRD bounds: to order combining characters takes
time that grows with the square of how many follow each other."""

_HIDING = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Categories of characters that command a terminal, show nothing, or change the direction."""

_BREAKS = re.compile("[\t-\r\x1c-\x1f\x85\u2028\u2029]+")

_HIDDEN = "\N{REPLACEMENT CHARACTER}"
"""In place of what hides: a text that had something to hide equals none that had not."""


def visible(text: str) -> str:
    """The text in one line, with all that it holds to be seen; most texts are so already."""
    if text.isprintable():
        return text
    line = _BREAKS.sub(" ", text)
    hides = unicodedata.category
    return "".join(_HIDDEN if hides(each) in _HIDING else each for each in line)


def line(text: str) -> str:
    """An owner's text as it counts: visible, and equal to all that look the same (NFC)."""
    seen = visible(text[:_MOST])
    composed = unicodedata.normalize("NFC", seen)
    return composed if len(composed) <= len(seen) else seen


def quoted(text: str) -> str:
    """What is passed on of others' words: visible, without runs of spaces, LONGEST at most."""
    # Half as much again for the spaces: a text is not gone through that is not passed on
    words = " ".join(visible(text[: 2 * LONGEST]).split())
    cut = len(words) > LONGEST or len(text) > 2 * LONGEST
    return f"{words[:LONGEST]}…" if cut else words


def all_quoted(value: Any) -> Any:
    """The same of each text in lists and objects, their keys too; they must not be deep."""
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, Mapping):
        return {quoted(key): all_quoted(below) for key, below in value.items()}
    if isinstance(value, list):
        return [all_quoted(below) for below in value]
    return value
