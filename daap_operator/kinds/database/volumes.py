"""The volumes of a database: how large they are, and what size a Cluster may be told. Pure.

CloudNativePG hands a larger size on to every claim, again and again, and takes no smaller one
afterwards. Where a claim cannot take it (its StorageClass does not expand, or it is not bound yet)
CloudNativePG does nothing else any more: a pod that dies then never comes back. So a Cluster is
told a size only when every claim can take it, and the status says what the volumes really have.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from daap_operator import names, quantity, raw
from daap_operator.api.reasons import CommonReason
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds.database.reasons import DatabaseReason

Object = Mapping[str, Any]

DATA_ROLE = "PG_DATA"

FAILURES = ("ControllerResizeError", "NodeResizeError")
"""Conditions of a claim whose expansion has failed."""
CONDITIONS = ("Resizing", "FileSystemResizePending", *FAILURES)
"""Conditions of a claim that report its expansion.
https://kubernetes.io/docs/concepts/storage/persistent-volumes/#expanding-persistent-volumes-claims
"""
_INFEASIBLE = "ResizeInfeasible"
"""How the states of an expansion end that will not be tried again."""

RESIZING_SECONDS = 60.0
"""When to look again at volumes that grow; their claims' events come first."""


class Expansion(Enum):
    """Whether a StorageClass lets volumes grow."""

    ALLOWED = auto()
    REFUSED = auto()
    ABSENT = auto()
    """There is no such class: the API server refuses the growth then, too."""
    UNKNOWN = auto()
    """The operator may not read the class."""


@dataclass(frozen=True)
class Claim:
    """A claim for the data of one instance."""

    name: str
    requested: str
    capacity: str
    """What the volume has; empty while the claim is not bound."""
    storage_class: str
    told: str
    """What the claim says of its expansion, for people; empty when it says nothing."""
    failed: bool
    """Whether it says that the expansion has failed."""


@dataclass(frozen=True)
class Sizing:
    """What a Cluster is told of its volumes, and what the user is told."""

    size: str
    resize: bool = True
    """False has CloudNativePG leave the volumes that are there as they are."""
    problem: Stalled | Waiting | None = None
    first: bool = False
    """Whether no volume is there yet, so that the problem comes before all others."""


def data_claims(cluster: Object | None, claims: Iterable[Object]) -> tuple[Claim, ...]:
    """The claims for a Cluster's data, as the store keeps them; none that are on their way out."""
    uid = raw.text(cluster, "metadata", "uid")
    return tuple(
        _claim(found)
        for found in claims
        if raw.text(found, "metadata", "labels", names.CNPG_PVC_ROLE_LABEL) in ("", DATA_ROLE)
        and not raw.value(found, "metadata", "deletionTimestamp")
        and any(
            raw.text(owner, "uid") == uid
            for owner in raw.items(found, "metadata", "ownerReferences")
        )
    )


def _claim(found: Object) -> Claim:
    conditions = [
        (raw.text(each, "type"), raw.text(each, "message"))
        for each in raw.items(found, "status", "conditions")
        if raw.text(each, "status") == "True" and raw.text(each, "type") in CONDITIONS
    ]
    state = raw.text(found, "status", "allocatedResourceStatuses", "storage")
    told = [f"{kind}: {text}" if text else kind for kind, text in conditions]
    infeasible = state.endswith(_INFEASIBLE)
    return Claim(
        name=raw.text(found, "metadata", "name"),
        requested=_size(found, "spec", "resources", "requests", "storage"),
        capacity=_size(found, "status", "capacity", "storage"),
        storage_class=raw.text(found, "spec", "storageClassName"),
        told=", ".join([state, *told] if infeasible else told),
        failed=infeasible or any(kind in FAILURES for kind, _ in conditions),
    )


def _size(found: Object, *path: str) -> str:
    text = raw.text(found, *path)
    try:
        quantity.parse(text)
    except ValueError:
        return ""
    return text


def real_size(claims: Iterable[Claim]) -> str | None:
    """What each volume has, the smallest where they differ; None while there is none."""
    sizes = [claim.capacity for claim in claims if claim.capacity]
    return min(sizes, key=quantity.parse, default=None)


def classes_to_ask(asked: str, claims: Iterable[Claim]) -> set[str]:
    """The StorageClasses of which it matters whether they let volumes grow; mostly none."""
    return {
        claim.storage_class for claim in claims if claim.capacity and _less(claim.capacity, asked)
    }


def sizing(
    asked: str, had: str, claims: tuple[Claim, ...], classes: Mapping[str, Expansion]
) -> Sizing:
    """What a Cluster may be told.

    `asked` is the spec's size, `had` the Cluster's (empty without a Cluster), and `classes` has at
    least those of `classes_to_ask`.
    """
    if not had:
        return Sizing(asked)
    size, problem = _decided(asked, had, claims, classes)
    resize = all(_can_take(claim, size, classes) for claim in claims)
    first = problem is not None and real_size(claims) is None
    return Sizing(size, resize=resize, problem=problem, first=first)


def _can_take(claim: Claim, size: str, classes: Mapping[str, Expansion]) -> bool:
    """Whether CloudNativePG may hand a size on to a claim, or has."""
    allowed = classes.get(claim.storage_class) is Expansion.ALLOWED
    return not _less(claim.requested, size) or (bool(claim.capacity) and allowed)


def _decided(
    asked: str, had: str, claims: tuple[Claim, ...], classes: Mapping[str, Expansion]
) -> tuple[str, Stalled | Waiting | None]:
    target, real = max(asked, had, key=quantity.parse), real_size(claims)
    held = [claim for claim in claims if not _can_take(claim, target, classes)]
    if real is None:
        return (had, _fixed(asked, had)) if _less(asked, had) else (had if held else asked, None)
    if not _less(real, asked):  # what was asked for in vain before is called off
        return (had if held else target), None
    if refused := next((claim for claim in held if claim.capacity), None):
        kind = classes.get(refused.storage_class, Expansion.UNKNOWN)
        return had, _cannot(asked, real, refused, kind)
    if held:
        return had, _unbound(asked, real, held[0])
    return target, _growing(asked, target, real, claims)


def _fixed(asked: str, had: str) -> Stalled:
    told = (
        f"spec.storage.size '{asked}' is less than the '{had}' that the Cluster was created with, "
        f"and CloudNativePG accepts no less: set '{had}' again or, as there is no volume yet, "
        "delete this DaapDatabase and create it again"
    )
    return Stalled(DatabaseReason.VOLUME_SIZE_FIXED, told)


def _cannot(asked: str, real: str, claim: Claim, kind: Expansion) -> Stalled:
    name = claim.storage_class
    held = f"spec.storage.size '{asked}' is not handed to CloudNativePG"
    if kind is Expansion.UNKNOWN:
        return Stalled(
            CommonReason.FORBIDDEN,
            f"{held}: the operator may not read StorageClass {name}, which says whether volumes "
            "can grow. The platform team must correct the operator's permissions",
        )
    why = (
        {
            Expansion.REFUSED: f"their StorageClass {name} does not let them grow",
            Expansion.ABSENT: f"their StorageClass {name} is gone, so they cannot grow",
        }[kind]
        if name
        else "they have no StorageClass, so they cannot grow"
    )
    return Stalled(
        DatabaseReason.VOLUMES_CANNOT_GROW,
        f"{held}: the volumes have {real}, and {why}. Set it back to '{real}'; for more have the "
        "platform team allow it (allowVolumeExpansion), or create a new DaapDatabase of that size "
        "and copy the data",
    )


def _unbound(asked: str, real: str, claim: Claim) -> Waiting:
    told = (
        f"The volumes have {real} and should have {asked}; they can grow once "
        f"PersistentVolumeClaim {claim.name} is bound"
    )
    return Waiting(DatabaseReason.VOLUME_RESIZING, told, seconds=RESIZING_SECONDS)


def _growing(asked: str, target: str, real: str, claims: tuple[Claim, ...]) -> Stalled | Waiting:
    short = [claim for claim in claims if claim.capacity and _less(claim.capacity, asked)]
    failed = next((claim for claim in short if claim.failed), None)
    if failed is not None:
        return Stalled(
            DatabaseReason.VOLUME_RESIZE_FAILED,
            f"spec.storage.size '{asked}' is not reached: the volumes have {real}, and "
            f"PersistentVolumeClaim {failed.name} says {failed.told}. Set it back to '{real}', or "
            "have the platform team find out why the storage does not expand",
        )
    told = f"The volumes grow from {real} to {target}"
    if _less(asked, target):
        told += ", which was asked for before: Kubernetes has been told, and cannot take it back"
    says = [
        f"PersistentVolumeClaim {claim.name} says {claim.told}" for claim in short if claim.told
    ]
    return Waiting(
        DatabaseReason.VOLUME_RESIZING, "; ".join([told, *says]), seconds=RESIZING_SECONDS
    )


def _less(one: str, other: str) -> bool:
    """Whether a size is less than another; what is not told counts as nothing."""
    return (quantity.parse(one) if one else 0) < quantity.parse(other)
