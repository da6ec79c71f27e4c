"""The API server's audit log: what was asked of it, by whom."""

import json
from pathlib import Path
from typing import Any, NamedTuple


class Request(NamedTuple):
    """One answered request."""

    verb: str
    resource: str
    """Plural, with the subresource behind a slash."""
    name: str
    code: int

    @property
    def write(self) -> bool:
        """Whether it was meant to change something."""
        return self.verb not in ("get", "list", "watch")


class Audit:
    """The part of the log that one user wrote since `forget`."""

    def __init__(self, log: Path, user: str) -> None:
        self._log = log
        self._user = user
        self._offset = 0
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self._offset = self._log.stat().st_size if self._log.exists() else 0

    def requests(self, *, watches: bool = False) -> list[Request]:
        """What the user asked since, discovery aside."""
        with self._log.open("rb") as log:
            log.seek(self._offset)
            lines = log.read().splitlines()
        events = [json.loads(line) for line in lines if line.endswith(b"}")]
        own = [e for e in events if e["user"]["username"] == self._user]
        made = [_request(e) for e in own if (e.get("objectRef") or {}).get("resource")]
        return [r for r in made if watches or r.verb != "watch"]


def _request(event: dict[str, Any]) -> Request:
    what = event["objectRef"]
    parts = [what["resource"], what.get("subresource", "")]
    return Request(
        verb=event["verb"],
        resource="/".join(part for part in parts if part),
        name=what.get("name", ""),
        code=event["responseStatus"]["code"],
    )
