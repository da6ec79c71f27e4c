"""Make the children of an object what they should be, with the fewest requests, and undo that.

Whatever is there is judged by what the watches saw of it. Each write says what it was decided on,
and its answer goes into the store, so that the next look does not write again.
"""

import logging

from daap_operator import raw
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.bounds import fit
from daap_operator.engine.child import (
    Blocker,
    Child,
    Did,
    Ensured,
    Fact,
    Manifest,
    Owner,
    being_deleted,
    blocker,
    in_the_way,
    just_changed,
    refused,
)
from daap_operator.engine.kinds import Object, Ref
from daap_operator.engine.ownership import belongs_to, others
from daap_operator.engine.store import Store
from daap_operator.errors import Outage, Stalled, Waiting
from daap_operator.kube import ApiError, Requests, unchanged
from daap_operator.lines import quoted

log = logging.getLogger(__name__)


async def ensure(kube: Requests, store: Store, owner: Owner, child: Child) -> Ensured:
    """Create a child, repair it or delete it; writes nothing when all is as it should be.

    Raises nothing that the API server may answer: what was done before counts all the same.
    """
    ensuring = _Ensuring(kube, store, owner, child)
    trouble: Stalled | Waiting | Outage | None = None
    try:
        await ensuring.run()
    except (Stalled, Waiting, Outage) as problem:
        trouble = problem
    return Ensured(tuple(ensuring.facts), trouble, ensuring.foreign)


async def take_over(kube: Requests, store: Store, child: Child, found: Object) -> Fact:
    """Make an object the child that was just fetched and is nobody's, if it still is as it was.

    Raises Stalled, Waiting or ApiError when it is refused.
    """
    manifest = child.wanted(store.kept(child.kind, found))
    version = raw.text(found, "metadata", "resourceVersion")
    return await _apply(kube, store, child, manifest, found, version=version)


async def delete(kube: Requests, store: Store, owner: Owner, child: Child) -> Blocker | None:
    """Delete a child; describes it while it is there. Raises Waiting when it has just changed.

    The store is enough to know that a child is there, but only a live read shows that it is gone.
    """
    found = store.get(child.ref)
    if found is None:
        found = await kube.get(*child.ref)
    if found is None or not belongs_to(found, owner.kind, owner.uid):
        return None
    if not raw.value(found, "metadata", "deletionTimestamp"):
        try:
            left = await _delete(kube, store, child, found)
        except _Moved as moved:
            told = f"{child.name} has just changed"
            raise Waiting(CommonReason.DELETING, told, seconds=1.0) from moved
        log.info("Child deleted", extra={"key": owner.ref, "child": child.name})
        if left is None:
            return None
        found = left
    return blocker(child, found)


async def release(
    kube: Requests, store: Store, owner: Owner, ref: Ref, annotations: dict[str, str]
) -> None:
    """Take the owner from what belongs to it, and annotate that: it is to stay when the owner goes.

    Of any kind, watched or not. Judged as it is now, and written only if it still is so: raises
    Waiting when it is not.
    """
    found = await kube.get(*ref)
    if found is None or not belongs_to(found, owner.kind, owner.uid):
        return
    references = others(found, owner.uid)
    there = raw.mapping(found, "metadata", "annotations")
    disowned = references == raw.items(found, "metadata", "ownerReferences")
    if disowned and annotations.items() <= there.items():
        return
    with unchanged(ref.name, reason=CommonReason.DELETING):
        made = await kube.disown(ref.kind, found, owners=references, annotations=annotations)
    if store.watches(ref.kind):  # the next of this name may come before the event about it
        store.put(ref.kind, made)
    log.info("Child retained", extra={"key": owner.ref, "child": ref.name})


class _Moved(Exception):  # noqa: N818 - a situation, not an error
    """What was to be deleted is not as it was seen. The store has it as it is now."""


class _Ensuring:
    """One child being ensured."""

    def __init__(self, kube: Requests, store: Store, owner: Owner, child: Child) -> None:
        self._kube, self._store = kube, store
        self._owner, self._child = owner, child
        self.facts: list[Fact] = []
        self.foreign: Object | None = None

    async def run(self) -> None:
        """Go as far as it goes: raises Stalled, Waiting or Outage where that ends early."""
        actual = self._store.get(self._child.ref)
        if self._child.manifest is None:
            await self._remove(actual)
            return
        if actual is None:
            actual = await self._create(self._child.manifest)
        if problem := in_the_way(self._child, self._owner, actual):
            self.foreign = actual
            raise problem
        if raw.value(actual, "metadata", "deletionTimestamp"):
            raise being_deleted(self._child)
        fit(self._child.title, actual)
        if difference := quoted(self._child.difference(actual)):
            await self._repair(actual, difference)

    async def _create(self, manifest: Manifest) -> Object:
        """Create the child; what is there already comes back as it is."""
        child = self._child
        try:
            made = await self._kube.create(child.kind, manifest)
        except ApiError as error:
            if not error.conflict:
                raise refused(error, child, manifest) from error
            # It is there, but not in the watch: it lacks our labels, or its event is on the way
            found = await self._kube.get(*child.ref)
            if found is None:
                # What was in the way is just being deleted, or nothing was: both are over soon
                raise just_changed(child) from error
            if not belongs_to(found, self._owner.kind, self._owner.uid):
                return self._store.kept(child.kind, found)
            made = found
        else:
            self._log("Child created")
            self.facts.append(Fact(Did.CREATED, after=_generation(made)))
        self._store.put(child.kind, made)
        return self._store.kept(child.kind, made)

    async def _repair(self, actual: Object, difference: str) -> None:
        if self._child.immutable:
            await self._replace(actual, difference)
            return
        manifest = self._child.wanted(actual)
        fact = await _apply(self._kube, self._store, self._child, manifest, actual)
        self.facts.append(fact)
        self._log("Child changed", at=difference)

    async def _replace(self, actual: Object, difference: str) -> None:
        """Delete the child, and create it again once nothing is left of it."""
        left = await self._deleted(actual, at=difference)
        if left is not None or self._child.manifest is None:
            raise being_deleted(self._child)
        await self._create(self._child.manifest)

    async def _remove(self, actual: Object | None) -> None:
        """Delete what is no longer wanted, if it is ours; that it is going is enough."""
        if actual is None or in_the_way(self._child, self._owner, actual):
            return
        if not raw.value(actual, "metadata", "deletionTimestamp"):
            await self._deleted(actual)

    async def _deleted(self, actual: Object, **why: str) -> Object | None:
        """Delete the child as it was seen; what is left of it."""
        try:
            left = await _delete(self._kube, self._store, self._child, actual)
        except _Moved as moved:
            raise just_changed(self._child) from moved
        self.facts.append(Fact(Did.DELETED, before=_generation(actual)))
        self._log("Child deleted", **why)
        return left

    def _log(self, message: str, **more: str) -> None:
        log.info(message, extra={"key": self._owner.ref, "child": self._child.name, **more})


async def _apply(
    kube: Requests,
    store: Store,
    child: Child,
    manifest: Manifest,
    actual: Object,
    *,
    version: str = "",
) -> Fact:
    """Apply a manifest to what is there."""
    uid = actual["metadata"]["uid"]
    try:
        made = await kube.apply(child.kind, manifest, uid=uid, version=version)
    except ApiError as error:
        raise refused(error, child, manifest) from error
    store.put(child.kind, made)
    return Fact(Did.CHANGED, before=_generation(actual), after=_generation(made))


async def _delete(kube: Requests, store: Store, child: Child, found: Object) -> Object | None:
    """Delete a child as it was seen: somebody may have retained, or taken over, it since.

    What is left of it, None when it is gone.
    """
    metadata = found["metadata"]
    uid, version = metadata["uid"], metadata["resourceVersion"]
    try:
        left = await kube.delete(
            *child.ref, uid=uid, version=version, propagation=child.propagation
        )
    except ApiError as error:
        if not error.conflict:
            raise
        # Not to depend on a watch that may be behind
        if live := await kube.get(*child.ref):
            store.put(child.kind, live)
        raise _Moved from error
    if left is None:
        store.remove(child.kind, found)
    else:
        store.put(child.kind, left)
    return left


def _generation(obj: Object) -> int:
    return raw.number(obj, "metadata", "generation")
