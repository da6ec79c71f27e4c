"""What the store keeps of a pod: what it was made from, and why it is not ready. Pure."""

import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from daap_operator import names, raw
from daap_operator.kinds.database.trim import METADATA, resources
from daap_operator.lines import all_quoted
from daap_operator.raw import picked

Object = dict[str, Any]

_LABELS = (names.CNPG_CLUSTER_LABEL, names.CNPG_POD_ROLE_LABEL, names.CNPG_JOB_ROLE_LABEL)

LONG = timedelta(minutes=10)
"""After so long the kubelet, too, forgets how often a container has ended before."""


def pod(obj: Mapping[str, Any]) -> Object:
    """A pod of a Cluster or a Pooler: what it was made from, and what keeps it from being ready."""
    metadata, status = raw.mapping(obj, "metadata"), raw.mapping(obj, "status")
    kept = picked(metadata, (*METADATA, "deletionGracePeriodSeconds"))
    kept["labels"] = picked(raw.mapping(metadata, "labels"), _LABELS)
    containers = [
        *raw.items(status, "initContainerStatuses"),
        *raw.items(status, "containerStatuses"),
    ]
    return {
        "metadata": kept,
        "asked": _asked_of_pod(obj),
        "status": all_quoted(
            {
                "phase": raw.text(status, "phase"),
                "conditions": _pod_conditions(status),
                "containers": [held for each in containers if (held := _held_container(each))],
            }
        ),
    }


def _asked_of_pod(obj: Mapping[str, Any]) -> Object:
    """What CloudNativePG made the pod from: others may have added to it since (a LimitRange, say).

    It keeps that in an annotation, and replaces the pod when it is not what the Cluster says.
    """
    try:
        asked = json.loads(raw.text(obj, "metadata", "annotations", "cnpg.io/podSpec"))
    except (ValueError, RecursionError):
        asked = None
    spec = asked if isinstance(asked, dict) else raw.mapping(obj, "spec")
    postgres: Mapping[str, Any] = next(
        (each for each in raw.items(spec, "containers") if raw.text(each, "name") == "postgres"), {}
    )
    startup = raw.mapping(postgres, "startupProbe")
    return {
        "image": raw.text(postgres, "image"),
        "startup": {
            field: raw.number(startup, field) for field in ("periodSeconds", "failureThreshold")
        },
        "resources": resources(spec, "postgres"),
        "grace": raw.number(spec, "terminationGracePeriodSeconds"),
        "archives": any(
            raw.text(each, "name") == names.BACKUP_CONTAINER
            for each in raw.items(spec, "initContainers")
        ),
    }


def _pod_conditions(status: Mapping[str, Any]) -> list[Object]:
    """Whether the pod is ready, and why it is not scheduled while it is not."""
    return [
        picked(condition, ("type", "status"))
        if raw.text(condition, "type") == "Ready"
        else picked(condition, ("type", "status", "reason", "message"))
        for condition in raw.items(status, "conditions")
        if raw.text(condition, "type") == "Ready"
        or (
            raw.text(condition, "type") == "PodScheduled"
            and raw.text(condition, "status") != "True"
        )
    ]


def _held_container(status: Mapping[str, Any]) -> Object | None:
    """Why a container does not run; None for one that does.

    Without the words that it left behind when it ended: they may come from its log. And without
    the exact count of its restarts, which would wake a pass each time.
    """
    waiting = raw.mapping(status, "state", "waiting")
    last = raw.mapping(status, "lastState", "terminated")
    again = raw.number(status, "restartCount") > 1 and not raw.truth(status, "ready")
    again = again and not _ran_well(last)
    if not waiting and not again:
        return None
    return picked(status, ("name", "image")) | {
        "waiting": picked(waiting, ("reason", "message")),
        "again": again,
        "last": picked(last, ("reason", "exitCode")),
    }


def _ran_well(last: Mapping[str, Any]) -> bool:
    """Whether a container had been up for long when it ended, as with its node."""
    started, ended = (raw.moment(last, field) for field in ("startedAt", "finishedAt"))
    long = started is not None and ended is not None and ended - started >= LONG
    return long and raw.text(last, "reason") != "OOMKilled"
