"""What the checking Job says of a restored database: its container's last words. Pure.

Whoever may create pods in the namespace could write such words: only those of a pod of the drill's
own Job are read, and of these no more than the status has room for.
"""

import json
from collections.abc import Iterable
from typing import Any, NamedTuple

from daap_operator import raw
from daap_operator.api.v1alpha1 import DrillChecks, QueryResult
from daap_operator.api.v1alpha1.queries import MOST_QUERIES, NAME_LENGTH, VALUE_LENGTH
from daap_operator.engine.kinds import Object
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.kinds.drill.checking import CHECK
from daap_operator.kinds.drill.reasons import DrillReason
from daap_operator.kube import words
from daap_operator.lines import quoted


class Found(NamedTuple):
    """What the checks have found."""

    checks: DrillChecks
    backup_id: str
    """Of the backup that was restored; empty where the data does not say."""
    failure: Finding | None
    """Why the drill has failed; None when it has passed."""


def of_job(pods: Iterable[Object], job_uid: str) -> Found | None:
    """What a pod of that Job has left behind; None while none has."""
    for pod in pods:
        owners = raw.items(pod, "metadata", "ownerReferences")
        ours = any(
            raw.text(each, "kind") == known.JOB.name and raw.text(each, "uid") == job_uid
            for each in owners
        )
        if ours and (said := _last_words(pod)):
            return _read(said)
    return None


def _last_words(pod: Object) -> raw.Object:
    for each in raw.items(pod, "status", "containers"):
        if raw.text(each, "name") == CHECK:
            try:
                said = json.loads(raw.text(each, "ended", "message"))
            except (ValueError, RecursionError):
                return {}
            return said if isinstance(said, dict) else {}
    return {}


def _read(said: raw.Object) -> Found:
    queries = [_query(each) for each in raw.items(said, "queries")[:MOST_QUERIES]]
    numbers = {field: _count(said, field) for field in ("relations", "corrupt", "tables", "rows")}
    checks = DrillChecks(queries=queries, **numbers)
    backup_id = quoted(raw.text(said, "backup"))[:253]
    return Found(checks, backup_id, _failure(said, checks))


def _failure(said: raw.Object, checks: DrillChecks) -> Finding | None:
    if checks.corrupt:  # before what it may be the cause of: what is damaged cannot be counted
        first = quoted(raw.text(said, "corruption"))
        why = f"pg_amcheck found {checks.corrupt} damaged tables or indexes: {first}"
        return Finding(DrillReason.CORRUPTION_FOUND, why)
    if error := quoted(words.said(raw.text(said, "error"))):
        why = f"The restored database could not be checked: {error}"
        return Finding(DrillReason.CHECKS_FAILED, why)
    if checks.relations is None or checks.rows is None:
        why = "The checks ended without saying what they have found"
        return Finding(DrillReason.CHECKS_FAILED, why)
    failed = [each for each in checks.queries if not each.ok]
    if failed:
        first_failed = failed[0]
        told = first_failed.error or f"its value is '{first_failed.value}'"
        more = f" ({len(failed)} queries failed)" if len(failed) > 1 else ""
        why = f"The query '{first_failed.name}' failed: {told}{more}"
        return Finding(DrillReason.QUERY_FAILED, why)
    return None


def _query(said: object) -> QueryResult:
    fields: dict[str, Any] = {
        name: quoted(raw.text(said, name))[:VALUE_LENGTH]
        for name in ("value", "error")
        if isinstance(raw.value(said, name), str)
    }
    name = quoted(raw.text(said, "name"))[:NAME_LENGTH]
    return QueryResult(name=name, ok=raw.truth(said, "ok"), **fields)


def _count(said: raw.Object, field: str) -> int | None:
    found = raw.value(said, field)
    return max(0, raw.number(said, field)) if isinstance(found, int) else None
