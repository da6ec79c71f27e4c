"""kstatus: what Flux, Helm and kubectl plugins make of a status; the rules word by word.

https://github.com/kubernetes-sigs/cli-utils/blob/master/pkg/kstatus/status/generic.go
"""

from typing import Any

Object = dict[str, Any]


def kstatus(obj: Object) -> str:
    """`Current`, `InProgress`, `Failed` or `Terminating`."""
    metadata, status = obj["metadata"], obj.get("status", {})
    conditions = status.get("conditions", [])
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if "observedGeneration" in status and status["observedGeneration"] != metadata["generation"]:
        return "InProgress"
    for condition in conditions:
        if condition["type"] == "Reconciling" and condition["status"] == "True":
            return "InProgress"
        if condition["type"] == "Stalled" and condition["status"] == "True":
            return "Failed"
    for condition in conditions:
        if condition["type"] == "Ready":
            return "Current" if condition["status"] == "True" else "InProgress"
    return "Current"
