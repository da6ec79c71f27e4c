"""Why a restore fails, in PostgreSQL's own words where it has any: for every kind that asks. Pure.

CloudNativePG restores in a Job. Why one of its pods has failed stands nowhere but in that pod's
log: neither the pod's status, nor the Job's conditions, nor an Event carries it.
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from daap_operator import names, raw
from daap_operator.kube.words import quotable
from daap_operator.lines import LONGEST, quoted

Object = dict[str, Any]

ROLE = CONTAINER = "full-recovery"
"""What CloudNativePG calls the Job that restores, and the container of its pods."""


def failed_pods(pods: Iterable[Object]) -> list[Object]:
    """The pods of the tries that have failed, the latest last."""
    failed = [
        pod
        for pod in pods
        if raw.text(pod, "metadata", "labels", names.CNPG_JOB_ROLE_LABEL) == ROLE
        and raw.text(pod, "status", "phase") == "Failed"
    ]
    return sorted(failed, key=_born)


def _born(pod: Object) -> tuple[str, str]:
    metadata = raw.mapping(pod, "metadata")
    return raw.text(metadata, "creationTimestamp"), raw.text(metadata, "name")


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
