"""The parts of a report as a status has them: of the right types, visible, and cut. Pure."""

from typing import Any

from daap_operator import raw
from daap_operator.api.v1alpha1 import Drift, FileFinding, LastError, PendingFile
from daap_operator.api.v1alpha1.schema.plan import (
    DETAIL_LENGTH,
    ERROR_LENGTH,
    MESSAGE_LENGTH,
    MOST_FINDINGS,
    MOST_LOCKS,
)
from daap_operator.kinds.schema.wording import in_the_spec
from daap_operator.kube import words
from daap_operator.lines import quoted

Fields = dict[str, object]

_HASH, _HEX = 64, set("0123456789abcdef")


def ledger(said: raw.Object) -> Fields:
    """How far the ledger is."""
    return {
        "current": quoted(raw.text(said, "current"))[:253] or None,
        "applied": count(said, "count"),
        "ledger_checksum": hashed(said, "ledgerChecksum"),
    }


def pending(said: object) -> PendingFile:
    """A file that is to be applied."""
    return PendingFile(
        part=quoted(raw.text(said, "part"))[:16],
        file=quoted(raw.text(said, "file"))[:253],
        checksum=hashed(said, "checksum") or "",
        statements=count(said, "statements"),
        transactional=raw.truth(said, "transactional"),
        locks=locks(said),
        findings=[finding(each) for each in _first(raw.items(said, "findings"))],
    )


def locks(said: object) -> list[str]:
    """The locks of a file."""
    found = (
        f"{raw.text(each, 'mode')} on {raw.text(each, 'relation')}"
        for each in raw.items(said, "locks")[:MOST_LOCKS]
    )
    return [quoted(each)[:256] for each in found]


def _first(found: list[object]) -> list[object]:
    """What deletes data first: whoever approves a plan is to see that before all else."""
    return sorted(found, key=lambda each: not raw.truth(each, "destructive"))[:MOST_FINDINGS]


def finding(said: object) -> FileFinding:
    """What was found in one."""
    remedy = raw.text(said, "remedy")
    text = raw.text(said, "message")
    told = in_the_spec(f"{text}; {remedy}" if remedy else text)
    return FileFinding(
        rule=quoted(raw.text(said, "rule"))[:63],
        level=quoted(raw.text(said, "level"))[:16],
        line=count(said, "line"),
        message=quoted(told)[:MESSAGE_LENGTH],
        destructive=raw.truth(said, "destructive"),
    )


def drift(said: object) -> Drift:
    """A difference."""
    texts: dict[str, Any] = {
        field: quoted(raw.text(said, field))[:most]
        for field, most in (
            ("change", 32),
            ("kind", 32),
            ("name", 256),
            ("file", 253),
            ("message", MESSAGE_LENGTH),
        )
    }
    return Drift(**texts)


def error(document: raw.Object) -> LastError | None:
    """Why a run failed; None when its report does not say."""
    found = raw.mapping(document, "lastError")
    if not found:
        return None
    return LastError(
        part=quoted(raw.text(found, "part"))[:16],
        file=quoted(raw.text(found, "file"))[:253],
        line=count(found, "line"),
        sqlstate=quoted(raw.text(found, "sqlstate"))[:5],
        message=_words(found, "message")[:ERROR_LENGTH],
        detail=_words(found, "detail")[:DETAIL_LENGTH] or None,
        hint=_words(found, "hint")[:DETAIL_LENGTH] or None,
    )


def _words(said: raw.Object, field: str) -> str:
    return quoted(words.said(raw.text(said, field)))


def hashed(said: object, field: str) -> str | None:
    """A SHA-256 in hexadecimal digits; None for anything else."""
    found = raw.text(said, field)
    return found if len(found) == _HASH and set(found) <= _HEX else None


def count(said: object, field: str) -> int:
    """A number of things; 0 for anything else."""
    return max(0, raw.number(said, field))
