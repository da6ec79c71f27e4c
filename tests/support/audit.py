"""The API server's audit log: what was asked of it, by whom."""

import json
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from daap_operator.engine.rights import Permission


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


class Rights:
    """What each user may and may not do, as the log tells of requests from now on.

    One reader for all users: many ask at the same time, and the log is long.
    """

    def __init__(self, log: Path) -> None:
        self._log = log
        self._offset = log.stat().st_size if log.exists() else 0
        self._used: defaultdict[str, set[Permission]] = defaultdict(set)
        self._refused: defaultdict[str, Counter[Permission]] = defaultdict(Counter)

    def used(self, user: str) -> set[Permission]:
        """The rights this user has used."""
        self._read()
        return self._used[user]

    def refused(self, user: str) -> set[Permission]:
        """The rights this user lacked."""
        return set(self.refusals(user))

    def refusals(self, user: str) -> Counter[Permission]:
        """The same, and how often this user asked for what each of them gives."""
        self._read()
        return self._refused[user]

    def _read(self) -> None:
        with self._log.open("rb") as log:
            log.seek(self._offset)
            text = log.read()
        whole, newline, _ = text.rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in whole.splitlines():
            self._note(json.loads(line))

    def _note(self, event: dict[str, Any]) -> None:
        user, what = event["user"]["username"], event.get("objectRef") or {}
        said = _FORBIDDEN.search(event["responseStatus"].get("message", ""))
        if said:
            lacked = Permission(said["group"], said["resource"], said["verb"])
            self._refused[user][lacked] += 1
        elif what.get("resource"):
            request = _request(event)
            group = what.get("apiGroup", "")
            self._used[user].add(Permission(group, request.resource, request.verb))
            if (request.verb, request.code) == ("patch", 201):  # server-side apply made it
                self._used[user].add(Permission(group, request.resource, "create"))


_FORBIDDEN = re.compile(
    r'User ".*?" cannot (?P<verb>\w+) resource "(?P<resource>[\w/]+)" in API group "(?P<group>.*?)"'
)


def _request(event: dict[str, Any]) -> Request:
    what = event["objectRef"]
    parts = [what["resource"], what.get("subresource", "")]
    return Request(
        verb=event["verb"],
        resource="/".join(part for part in parts if part),
        name=what.get("name", ""),
        code=event["responseStatus"]["code"],
    )
