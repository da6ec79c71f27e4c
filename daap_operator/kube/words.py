"""What others said, as a tenant may read it: without addresses and without users. Pure.

The API server and its webhooks quote URLs, hosts, addresses and the operator's own user. Whoever
may read a DaapDatabase reads its conditions; such things are for the log.
"""

import re
from ipaddress import ip_address

HIDDEN = "(in the operator's log)"

_WORD = re.compile(r"""[^\s"'<>(),;=]+""")
_CHUNK = re.compile(r"""[^\s"'<>]+""")
_ENDS = "(),;="
"""What ends a word, but not a URL: a signature stands behind it."""
_AFTER = ".:-]"
"""What may follow an address and is not part of it."""
_LONGEST = 260
"""Of an address with its port; a host name has 253 characters."""
_MOST = 4096
"""Characters of a text that are gone through: nothing that is passed on has more."""
_WITH_PORT = re.compile(r"\A(?=[0-9_.-]*+[a-z])[a-z0-9_.-]++:\d{2,5}", re.IGNORECASE)


def quotable(text: str) -> str:
    """The text with every URL, host with a port, address and system user taken out.

    Of a long one the beginning, up to a space: to go through 120 KiB of `1.1 ` takes two seconds.
    """
    if len(text) > _MOST:
        text = text[: max(text.rfind(" ", 0, _MOST), 0) or _MOST]
    return _CHUNK.sub(lambda found: _chunk(found[0]), text)


def said(text: str) -> str:
    """The same of what stands in others' objects, and so in no log of ours."""
    return quotable(text).replace(HIDDEN, "(an address)")


def _chunk(chunk: str) -> str:
    """What stands between two spaces: of a URL nothing is left but the punctuation behind it."""
    if (at := chunk.find("://")) < 0:
        return _words(chunk)
    start = max(chunk.rfind(end, 0, at) for end in _ENDS) + 1
    behind = chunk[len(chunk.rstrip(")].,:;")) :]
    return f"{_words(chunk[:start])}{HIDDEN}{behind}"


def _words(text: str) -> str:
    return _WORD.sub(lambda found: _told(found[0]), text)


def _told(word: str) -> str:
    if word.startswith("system:"):
        return HIDDEN
    if len(word) > _LONGEST:
        return word
    plain = word.rstrip(_AFTER)
    if ".svc" in plain or _WITH_PORT.fullmatch(plain) or _is_address(plain, word):
        return HIDDEN
    return word


def _is_address(plain: str, word: str) -> bool:
    """Whether it is one, as it stands or with brackets, a port, a mask or a zone."""
    start = word.lstrip("[").partition("/")[0]
    return any(
        _parses(maybe)
        for maybe in (
            plain,
            start,
            start.rstrip(_AFTER),
            start.removesuffix(":").removesuffix("."),
            start.partition("]")[0],
            start.rstrip(_AFTER).rpartition(":")[0],
        )
    )


def _parses(text: str) -> bool:
    if "." not in text and text.count(":") < 2:
        return False
    try:
        ip_address(text)
    except ValueError:
        return False
    return text != "::"
