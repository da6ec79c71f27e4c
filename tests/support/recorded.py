"""Objects of ours as `kubectl get -o yaml` prints them, one in each situation; committed.

They are what tools that judge health are held against: kstatus, Argo CD's Lua, Flux's CEL.
`tests/integration/test_recorded.py` makes each situation anew and compares; `make recorded` writes.
"""

import re
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]

DIRECTORY = Path(__file__).parents[2] / "gitops/argocd/resource_customizations/daap.io"
"""Where Argo CD's own repository has them, so that they can be handed in as they are."""

DATABASE, BACKUP, RESTORE, DRILL, SCHEMA = KINDS = (
    "DaapDatabase",
    "DaapBackup",
    "DaapRestore",
    "DaapDrill",
    "DaapSchema",
)

TIME = "2026-03-01T12:00:00Z"
UID = "00000000-0000-4000-8000-000000000000"
VERSION = "1"
RUN = "0123456789"

_UID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TIMES = (
    *("creationTimestamp", "deletionTimestamp", "lastTransitionTime"),
    *("lastSuccessful", "firstRecoverable", "lastFailed", "startedAt", "stoppedAt"),
    *("completedAt", "lastAppliedAt", "lastFailedAt", "verifiedAt"),
)
_TOLD = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
"""A moment in a message."""
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
"""A moment to which a database is restored."""
_ARCHIVE = re.compile(r"(?<=-)[0-9a-f]{8}$")
"""The part of an archive's name that comes from a uid."""
_RUN = re.compile(r"(?<=orders-)[0-9a-f]{10}(?:(-)[0-9a-f]{8})?\b")
"""The part of the name of a Job, a DaapBackup or its Backup that comes from uids."""
_DIGESTS = ("attempted", "checked", "of")
"""What is made of uids, and of nothing else that a reader could recognize."""
_SCHEDULE = re.compile(r"[0-9]+ [0-9]+ [0-9]+ \* \* \*")
"""One that is spread by a uid."""


def names(kind: str = DATABASE) -> list[str]:
    """The situations that are recorded."""
    return sorted(each.stem for each in (DIRECTORY / kind / "testdata").glob("*.yaml"))


def read(name: str, kind: str = DATABASE) -> Object:
    """The object in that situation."""
    obj: Object = yaml.safe_load(path(name, kind).read_text())
    return obj


def path(name: str, kind: str = DATABASE) -> Path:
    """Where that situation is recorded."""
    return DIRECTORY / kind / "testdata" / f"{name}.yaml"


def text(printed: str, namespaces: dict[str, str]) -> str:
    """What kubectl printed without what is another on every run: times, uids, namespaces.

    And what is made of uids: names of archives, and minutes of schedules.
    """
    for namespace, meant in namespaces.items():
        printed = printed.replace(namespace, meant)
    # Names that are allotted once have the beginning of the uid in them
    loaded = yaml.safe_load(printed)
    start = loaded["metadata"]["uid"][:8]
    printed = printed.replace(f"-{start}", f"-{UID[:8]}")
    status = loaded.get("status") or {}
    if archive := status.get("archive") or (status.get("source") or {}).get("archive"):
        printed = printed.replace(archive, _ARCHIVE.sub(UID[:8], archive))
    obj = _settled(yaml.safe_load(_UID.sub(UID, printed)))
    return yaml.safe_dump(obj, sort_keys=True, width=1000)


def _settled(value: Any, key: str = "") -> Any:
    if isinstance(value, dict):
        return {k: _settled(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [_settled(item) for item in value]
    if key in _TIMES:
        return TIME
    if key in _DIGESTS:
        return "0" * 64
    if key == "restoreSeconds":  # of a rehearsal
        return 1
    if isinstance(value, str):
        value = _settled_text(_RUN.sub(_run, value), key)
    return VERSION if key in ("resourceVersion", "secretRevision") else value


def _run(found: re.Match[str]) -> str:
    return f"{RUN}-{UID[:8]}" if found[1] else RUN


def _settled_text(value: str, key: str) -> str:
    if key == "archive":
        return _ARCHIVE.sub(UID[:8], value)
    if key == "schedule":
        return _SCHEDULE.sub("0 0 0 * * *", value)
    if key not in ("message", "at"):
        return value
    return _MOMENT.sub(TIME, _TOLD.sub("2026-03-01 12:00 UTC", value))
