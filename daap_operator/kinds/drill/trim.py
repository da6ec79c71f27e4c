"""What the store keeps of a DaapDrill, and of the objects that it makes. Pure."""

from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.engine import child
from daap_operator.engine.kinds import IDENTITY
from daap_operator.lines import all_quoted, quoted

Object = dict[str, Any]

RESULT_BYTES = 4096
"""What Kubernetes keeps of a container's last words."""

_POD_LABELS = (names.DRILL_LABEL, names.CNPG_CLUSTER_LABEL, names.CNPG_JOB_ROLE_LABEL)


def _made(obj: Mapping[str, Any]) -> Object:
    """What is kept of anything that a drill makes."""
    kept = child.keep(obj)
    metadata = raw.mapping(obj, "metadata")
    kept["metadata"] |= raw.picked(metadata, ("creationTimestamp",))
    kept["metadata"]["labels"] |= raw.picked(raw.mapping(metadata, "labels"), (names.DRILL_LABEL,))
    return kept


def policy(obj: Mapping[str, Any]) -> Object:
    """A NetworkPolicy."""
    return _made(obj)


def job(obj: Mapping[str, Any]) -> Object:
    """A checking Job: whether it is over."""
    over = [
        raw.picked(each, ("type", "status", "reason", "message"))
        for each in raw.items(obj, "status", "conditions")
        if raw.text(each, "type") in ("Failed", "Complete")
    ]
    return _made(obj) | {"status": all_quoted({"conditions": over})}


def pod(obj: Mapping[str, Any]) -> Object:
    """A pod of a drill: of the scratch Cluster, of the Job that restores it, or of the checks."""
    metadata, status = raw.mapping(obj, "metadata"), raw.mapping(obj, "status")
    kept = raw.picked(metadata, (*IDENTITY, "creationTimestamp", "ownerReferences"))
    kept["labels"] = raw.picked(raw.mapping(metadata, "labels"), _POD_LABELS)
    each = [*raw.items(status, "initContainerStatuses"), *raw.items(status, "containerStatuses")]
    return {
        "metadata": kept,
        "status": {
            "phase": quoted(raw.text(status, "phase")),
            "containers": [told for one in each if (told := _container(one))],
        },
    }


def _container(status: object) -> Object | None:
    """Why a container waits, or what it has left behind; None for one that runs."""
    waiting = raw.mapping(status, "state", "waiting")
    ended = raw.mapping(status, "state", "terminated")
    if not waiting and not ended:
        return None
    return {
        "name": quoted(raw.text(status, "name")),
        "waiting": all_quoted(raw.picked(waiting, ("reason", "message"))),
        # As it is: it is read as JSON, and each part of it is quoted then
        "ended": raw.picked(ended, ("exitCode", "reason", "startedAt"))
        | {"message": raw.text(ended, "message")[:RESULT_BYTES]},
    }
