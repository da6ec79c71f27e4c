"""A child: what an object of ours asks for besides itself, and what may be in its way. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any, NamedTuple

from daap_operator import names, raw
from daap_operator.api.kind import is_uid_label
from daap_operator.engine.kinds import IDENTITY, Object, Ref
from daap_operator.engine.ownership import (
    OWNED,
    belongs_to,
    first_difference,
    owned_part,
    owners,
)
from daap_operator.errors import Outage, Problem, Stalled, Waiting
from daap_operator.findings import Reason
from daap_operator.kube import ApiError, Kind, Propagation, refusal
from daap_operator.lines import quoted

Manifest = dict[str, Any]

FOREGROUND = "foregroundDeletion"
"""The finalizer with which Kubernetes holds an object until what it owns is gone."""


class Owner(NamedTuple):
    """The object of ours that a child is for."""

    kind: Kind
    namespace: str
    name: str
    uid: str

    @property
    def ref(self) -> Ref:
        """The reference to it."""
        return Ref(self.kind, self.namespace, self.name)

    @property
    def reference(self) -> Manifest:
        """For the metadata of what it owns: an entry of `ownerReferences`."""
        return {
            "apiVersion": self.kind.api_version,
            "kind": self.kind.name,
            "name": self.name,
            "uid": self.uid,
            "controller": True,
        }


@dataclass(frozen=True)
class Reasons:
    """The words for machines of what is in the way of a child; each kind of ours has its own."""

    pending: Reason
    """It has just changed."""
    deleted: Reason
    """It is being deleted and will be created again."""
    leftover: Reason
    """One of an earlier owner of that name is being removed."""
    conflict: Reason
    """Somebody else's object has its name."""
    rejected: Reason
    """The API server refuses it as it is asked for."""


def _as_it_is(manifest: Manifest, actual: Object) -> Manifest:
    del actual
    return manifest


def made_once(manifest: Manifest, actual: Object) -> Manifest:
    """For `Child.compared`: nothing, so that what is there is never repaired or replaced."""
    del manifest
    return {"metadata": {}, **raw.mapping(actual, OWNED)}


def _no_words(error: ApiError, manifest: Manifest) -> Problem | ApiError:
    del manifest
    return error


@dataclass(frozen=True)
class Child:
    """An object that is to be there, or not to be there.

    Its kind is watched, and of what is there is kept what `keep` keeps, at least.
    """

    kind: Kind
    namespace: str
    """Empty for an object that is in none."""
    name: str
    reasons: Reasons
    manifest: Manifest | None = None
    """What to apply; None for what must not be there."""
    immutable: bool = False
    """Whether it is never changed, as a Job: deleted, with all that it owns, and created again."""
    beside: Callable[[Manifest, Object], Manifest] = _as_it_is
    """What to apply of a manifest to what is there: some of it may be left to others."""
    compared: Callable[[Manifest, Object], Manifest] = _as_it_is
    """What of that must differ to be worth a write."""
    refused: Callable[[ApiError, Manifest], Problem | ApiError] = _no_words
    """What a refused write means to this kind; the error where it means the same to any."""

    @property
    def ref(self) -> Ref:
        """The reference to it."""
        return Ref(self.kind, self.namespace, self.name)

    @property
    def title(self) -> str:
        """Its kind and name."""
        return f"{self.kind.name} {self.name}"

    @property
    def propagation(self) -> Propagation | None:
        """What becomes of what it owns when it is deleted; None for what is usual with its kind.

        The pods of a Job are to be gone before the next Job starts, or nobody knows of them.
        """
        return "Foreground" if self.immutable else None

    def wanted(self, actual: Object) -> Manifest:
        """What to apply to what is there."""
        if self.manifest is None:
            raise ValueError(f"{self.title} must not be there: nothing can be applied to it")
        return self.beside(self.manifest, actual)

    def difference(self, actual: Object) -> str:
        """The path of the first field that is not as it should be; empty: none."""
        return first_difference(self.compared(self.wanted(actual), actual), actual[OWNED])


_METADATA = (*IDENTITY, "generation", "deletionTimestamp", "finalizers", "ownerReferences")


def keep(obj: raw.Object) -> Object:
    """What the store must keep of a child: whose it is, and what we applied.

    For a Watch; a kind that reads more of it adds that.
    """
    metadata = raw.mapping(obj, "metadata")
    kept = {field: metadata[field] for field in _METADATA if field in metadata}
    labels = raw.mapping(metadata, "labels")
    kept["labels"] = {
        label: value
        for label, value in labels.items()
        if label == names.MANAGED_BY_LABEL or is_uid_label(label)
    }
    return {"metadata": kept, OWNED: owned_part(obj)}


# --- what was done --------------------------------------------------------------------------------


class Did(Enum):
    """What was done to a child."""

    CREATED = auto()
    CHANGED = auto()
    DELETED = auto()


@dataclass(frozen=True)
class Fact:
    """A write that the API server has answered."""

    did: Did
    before: int = 0
    """The generation before; 0 when it was not there."""
    after: int = 0
    """The generation after; 0 when it is gone, or going."""

    @property
    def respecified(self) -> bool:
        """Whether a child that was there and stays was given another spec."""
        return self.did is Did.CHANGED and self.before != self.after


@dataclass(frozen=True)
class Ensured:
    """What has come of ensuring a child: without facts and trouble it was as it should be."""

    facts: tuple[Fact, ...] = ()
    """What was done, in order."""
    trouble: Problem | Outage | None = None
    """What ended it early."""
    foreign: Object | None = None
    """Somebody else's object that is in its place, as the store keeps it."""

    def problem(self) -> Problem | None:
        """What is in the way; raises the Outage that ended it, once the facts are looked at."""
        if isinstance(self.trouble, Outage):
            raise self.trouble
        return self.trouble


# --- what is in the way ---------------------------------------------------------------------------


def just_changed(child: Child) -> Waiting:
    """It is not as it was seen any more: look again soon."""
    return Waiting(child.reasons.pending, f"{child.title} has just changed", seconds=1.0)


def being_deleted(child: Child) -> Waiting:
    """It is there but going."""
    told = f"{child.title} is being deleted and will be created again"
    return Waiting(child.reasons.deleted, told)


def in_the_way(child: Child, owner: Owner, actual: Object) -> Problem | None:
    """Why what is there cannot be the child; None when it belongs to the owner."""
    if belongs_to(actual, owner.kind, owner.uid):
        return None
    us = owner.kind.name
    place = f"{child.title} in namespace {child.namespace}" if child.namespace else child.title
    if owners(actual, owner.kind):
        return Waiting(
            child.reasons.leftover,
            f"{place} belongs to an earlier {us} of this name and is being removed",
        )
    return Stalled(
        child.reasons.conflict,
        f"{place} exists and was not created for this {us}, so it is not touched: "
        f"remove or rename it, or give this {us} another name",
    )


def refused(error: ApiError, child: Child, manifest: Manifest) -> Problem | ApiError:
    """What a refused write of a child means; the error itself when it is to be tried again."""
    if error.conflict or "metadata.uid" in error.fields:
        return just_changed(child)
    answer = child.refused(error, manifest)
    if not isinstance(answer, ApiError):
        return answer
    if answer.invalid:
        return Stalled(
            child.reasons.rejected,
            f"The API server refuses the {child.title}: {answer.words}. "
            "Change the spec accordingly, or ask the platform team if the value is not yours",
        )
    return refusal(answer, f"the {child.kind.name}")


@dataclass(frozen=True)
class Blocker:
    """Something that has to be gone before a deletion can go on."""

    what: str
    remedy: str
    """Who has to do what when it does not go by itself."""


def blocker(child: Child, actual: Mapping[str, Any]) -> Blocker:
    """A child that is being deleted and is still there."""
    what = child.title
    finalizers = raw.texts(actual, "metadata", "finalizers")
    if child.immutable and finalizers == {FOREGROUND}:
        what = f"{what} and what it owns"
        return Blocker(what, f"the platform team must find out why {what} are not being deleted")
    if not finalizers:
        return Blocker(what, f"the platform team must find out why {what} is not being deleted")
    holders = quoted(", ".join(sorted(finalizers)))
    return Blocker(
        f"{what} (held by the finalizers {holders})",
        f"whoever put {holders} on {what} must finish, or the platform team must remove them",
    )
