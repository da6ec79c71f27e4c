"""Why a restore fails, in PostgreSQL's own words where it has any: for every kind that asks. Pure.

CloudNativePG restores in a Job. Why one of its pods has failed stands nowhere but in that pod's
log: neither the pod's status, nor the Job's conditions, nor an Event carries it.
"""

import json
import re
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from daap_operator import names, raw
from daap_operator.kube.words import quotable
from daap_operator.lines import LONGEST, quoted

Object = dict[str, Any]

ROLE = CONTAINER = "full-recovery"
"""What CloudNativePG calls the Job that restores, and the container of its pods."""

SIDECAR = "plugin-barman-cloud"
"""The container of the Barman Cloud plugin beside it, which fetches the base backup."""


def failed_pods(pods: Iterable[Object]) -> list[Object]:
    """The pods of the tries that have failed, the latest last."""
    failed = [pod for pod in pods if _role(pod) and _phase(pod) == "Failed"]
    return sorted(failed, key=_born)


def _born(pod: Object) -> tuple[str, str]:
    metadata = raw.mapping(pod, "metadata")
    return raw.text(metadata, "creationTimestamp"), raw.text(metadata, "name")


MEASURED_LINES = 250
"""How many of its last lines have what `measured` reads: about a hundred follow the replay's end,
when CloudNativePG has stopped and started the instance once more."""

# --- the log --------------------------------------------------------------------------------------


def words(log: str) -> str:
    """Why a restore has failed by its log, fit to be passed on; empty when it does not tell.

    The last thing that PostgreSQL called fatal, or else the last error of CloudNativePG, which
    wraps the causes one into another.
    """
    entries = list(_entries(log))
    fatal = [_fatal(entry) for entry in entries]
    errors = [raw.text(entry, "error") for entry in entries if raw.text(entry, "level") == "error"]
    told = [text for text in fatal if text][-1:] or [text for text in errors if text][-1:]
    return quoted(quotable(_begin(told[0]))) if told else ""


_MOST = 8 * LONGEST
"""Characters of a message that are gone through: anybody's pod may write a log of one message."""


def _begin(text: str) -> str:
    """The beginning of a message, which ends with a whole word: half an address would be seen."""
    return text if len(text) <= _MOST else text[:_MOST].rpartition(" ")[0]


def is_hidden(said: str) -> bool:
    """Whether the cause that `words` gives is but the exit code of what the sidecar has called."""
    return "Operation error (exit code" in said


def sidecar_words(log: str) -> str:
    """Why a base backup could not be fetched, by the sidecar's log; empty when it does not tell.

    The last error of Barman's own, which the plugin passes on line by line: `… [29] ERROR: …`.
    """
    entries = [entry for entry in _entries(log) if raw.text(entry, "logger") == _FETCHER]
    told = [found[1] for entry in entries if (found := _ERROR.search(raw.text(entry, "msg")))]
    return quoted(quotable(told[-1])) if told else ""


_FETCHER = "barman-cloud-restore"
_ERROR = re.compile(r"\b(?:ERROR|CRITICAL): (.+)")


class Measured(NamedTuple):
    """What the log of a restore that has succeeded says of its times; None for what it does not."""

    replay_began: datetime | None = None
    replayed: float | None = None
    """Seconds."""
    recovered_to: datetime | None = None
    """When the last transaction was committed that was replayed."""


_REDO_DONE = re.compile(r"^redo done at .* elapsed: ([0-9]{1,8}(?:\.[0-9]{1,6})?) s")
_LAST = "last completed transaction was at log time "


def measured(log: str) -> Measured:
    """The times of a restore by what PostgreSQL has logged at the end of the replay."""
    found = Measured()
    for entry in _entries(log):
        message = raw.text(entry, "record", "message")
        if done := _REDO_DONE.match(message):
            ended, took = raw.moment(entry, "ts"), float(done[1])
            began = ended and _before(ended, took)
            found = found._replace(replay_began=began, replayed=took)
        elif message.startswith(_LAST):
            moment = raw.moment({"at": message.removeprefix(_LAST)}, "at")
            found = found._replace(recovered_to=moment)
    return found


def _before(moment: datetime, seconds: float) -> datetime | None:
    """So long before; None for what no calendar has: anybody's pod may write a log."""
    try:
        return moment - timedelta(seconds=seconds)
    except OverflowError:
        return None


def succeeded_pod(pods: Iterable[Object]) -> Object | None:
    """The pod of the try that has succeeded; None when none is there."""
    return next((pod for pod in pods if _role(pod) and _phase(pod) == "Succeeded"), None)


def _role(pod: Object) -> bool:
    return raw.text(pod, "metadata", "labels", names.CNPG_JOB_ROLE_LABEL) == ROLE


def _phase(pod: Object) -> str:
    return raw.text(pod, "status", "phase")


def _entries(log: str) -> Iterator[Object]:
    for line in log.splitlines():
        try:
            entry = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(entry, dict):
            yield entry


def _fatal(entry: Object) -> str:
    record = raw.mapping(entry, "record")
    fatal = raw.text(record, "error_severity") in ("FATAL", "PANIC")
    return raw.text(record, "message") if fatal else ""
