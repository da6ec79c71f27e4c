"""Whether what was asked for is what there is, field by field. Pure.

CloudNativePG's summary does not tell: its status carries no generation, and stays "healthy" from a
change of the spec until CloudNativePG gets to it. So it is read from what comes of a spec: the mark
that CloudNativePG copies from it, and the pods themselves.
"""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from daap_operator import names, quantity, raw
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds.database.desired.mark import is_marked
from daap_operator.kinds.database.desired.resolved import Manifest
from daap_operator.kinds.database.seen import Children

Object = dict[str, Any]


def lacking(children: Children, cluster: Manifest, pooler: Manifest) -> str:
    """What of the two manifests is not there yet, for people; empty when all is."""
    return (
        _cluster_taken_up(children, cluster)
        or _instances_lacking(children, cluster["spec"])
        or _pooler_taken_up(children, pooler)
        or _pooler_lacking(children, pooler["spec"])
    )


def instances(children: Children) -> list[Object]:
    """The pods of the Cluster's instances that are to stay."""
    return [
        pod
        for pod in children.pods
        if raw.text(pod, "metadata", "labels", names.CNPG_POD_ROLE_LABEL) == "instance"
        and not raw.value(pod, "metadata", "deletionTimestamp")
    ]


# --- taken up -------------------------------------------------------------------------------------


def _cluster_taken_up(children: Children, cluster: Manifest) -> str:
    if not is_marked(raw.mapping(children.cluster, OWNED)):
        return ""
    template = cluster["spec"]["serviceAccountTemplate"]
    wanted = template["metadata"]["annotations"][names.SPEC_MARK]
    if raw.text(children.account, "metadata", "annotations", names.SPEC_MARK) == wanted:
        return ""
    return "CloudNativePG has not picked up the Cluster's latest change yet"


def _pooler_taken_up(children: Children, pooler: Manifest) -> str:
    if not is_marked(raw.mapping(children.pooler, OWNED)):
        return ""
    wanted = pooler["spec"]["serviceTemplate"]["metadata"]["labels"][names.SPEC_MARK]
    marks = {
        raw.text(each, "metadata", "labels", names.SPEC_MARK) for each in children.pooler_endpoints
    }
    if marks == {wanted}:
        return ""
    return "CloudNativePG has not picked up the Pooler's latest change yet"


# --- in the pods ----------------------------------------------------------------------------------


def _instances_lacking(children: Children, spec: Manifest) -> str:
    pods, count = instances(children), spec["instances"]
    asked = _with_others(raw.mapping(children.cluster, "spec"), spec)
    for what, has in (
        ("the image", lambda pod: raw.text(pod, "asked", "image") == spec["imageName"]),
        ("the resources", lambda pod: amounts(pod["asked"]) == asked),
        ("the time to stop", lambda pod: _same_grace(pod, spec)),
        ("the startup probe", lambda pod: _same_startup(pod, spec)),
    ):
        done = sum(map(has, pods))
        if done != len(pods):
            return f"{done} of {count} instances have {what} that the spec asks for"
    ready = sum(map(is_ready, pods))
    if not ready == len(pods) == count:
        return f"{ready} of {count} instances are ready"
    return ""


def _same_grace(pod: Object, spec: Manifest) -> bool:
    return "stopDelay" not in spec or raw.number(pod, "asked", "grace") == spec["stopDelay"]


def _same_startup(pod: Object, spec: Manifest) -> bool:
    wanted = raw.mapping(spec, "probes", "startup")
    return not wanted or raw.mapping(pod, "asked", "startup") == wanted


def _pooler_lacking(children: Children, spec: Manifest) -> str:
    wanted = spec["template"]["spec"]["containers"][0]
    asked = _with_others(raw.mapping(children.pooler, "spec"), wanted)
    if amounts(raw.mapping(children.deployment, "spec")) == asked:
        return ""
    return "The pooler's pods do not have the resources that the spec asks for yet"


def is_ready(pod: Object) -> bool:
    """Whether Kubernetes counts the pod as ready."""
    return any(
        raw.text(condition, "type") == "Ready" and raw.text(condition, "status") == "True"
        for condition in raw.items(pod, "status", "conditions")
    )


Amounts = dict[tuple[str, str], Decimal | str]


def _with_others(live: Mapping[str, Any], wanted: Mapping[str, Any]) -> Amounts:
    """What pods are made from: what we ask for, and what others have added to the live object.

    Databases of the first defaults leave the room: who gave them resources keeps those.
    """
    return amounts(live) | amounts(wanted)


def amounts(spec: Mapping[str, Any]) -> Amounts:
    """The `resources` of a spec by what they mean, however they are written."""
    return {
        (kind, name): _amount(value)
        for kind in ("requests", "limits")
        for name, value in raw.mapping(spec, "resources", kind).items()
    }


def _amount(value: object) -> Decimal | str:
    try:
        return quantity.parse(str(value))
    except ValueError:
        return str(value)
