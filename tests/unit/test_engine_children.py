"""Children of any kind for an owner of any kind: a toy that is painted by a Job, in a box."""

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from daap_operator import raw
from daap_operator.api.reasons import CommonReason
from daap_operator.engine.child import (
    FOREGROUND,
    Blocker,
    Child,
    Did,
    Ensured,
    Fact,
    Owner,
    Reasons,
    keep,
)
from daap_operator.engine.children import delete, ensure, release, take_over
from daap_operator.engine.kinds import Object, Ref, Watch
from daap_operator.engine.ownership import OWNED, belongs_to, owner_labels
from daap_operator.engine.store import Store
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.kube import ApiError, Kind, Unreachable
from tests.unit.fake_kube import FakeKube
from tests.unit.fakes import Clock, refused
from tests.unit.toys import SHELF, TOY

JOB = Kind("batch", "v1", "Job", "jobs")
POD = Kind("", "v1", "Pod", "pods")
BOX = Kind("toys.example", "v1", "Box", "boxes")
ROOM = Kind("toys.example", "v1", "Room", "rooms", namespaced=False)
SECRET = Kind("", "v1", "Secret", "secrets")
"""Not watched."""

BEAR = Owner(TOY, "shop", "bear", "00000000-0000-4000-8000-000000000001")
"""The toy, which is there before anything else."""
REASONS = Reasons(
    pending=CommonReason.RETRYING,
    deleted=CommonReason.DELETING,
    leftover=CommonReason.DELETION_BLOCKED,
    conflict=CommonReason.INVALID_SPEC,
    rejected=CommonReason.FORBIDDEN,
)


class Site:
    """The API server, and a store that knows what its watches have told."""

    def __init__(self, kube: FakeKube | None = None) -> None:
        self.kube = kube or FakeKube(Clock())
        toy = self.kube.add(TOY, {"kind": "Toy", "metadata": {"name": "bear"}})
        assert toy["metadata"]["uid"] == BEAR.uid
        self.store = Store([Watch(kind, keep, lambda *_: ()) for kind in (JOB, BOX, ROOM)])

    def watch(self) -> None:
        """Deliver what the watches have to tell."""
        changes, self.kube.changes = self.kube.changes, []
        for kind, before, after in changes:
            if self.store.watches(kind) and after is not None:
                self.store.put(kind, after)
            elif self.store.watches(kind) and before is not None:
                self.store.remove(kind, before)

    async def ensure(self, child: Child, owner: Owner = BEAR) -> Ensured:
        self.watch()
        return await ensure(self.kube, self.store, owner, child)

    async def delete(self, child: Child) -> Blocker | None:
        self.watch()
        return await delete(self.kube, self.store, BEAR, child)

    async def release(self, child: Ref, **annotations: str) -> None:
        self.watch()
        await release(self.kube, self.store, BEAR, child, annotations)

    async def with_child(self, child: Child) -> "Site":
        """The child is there, and the requests so far are forgotten."""
        assert (await self.ensure(child)).problem() is None
        self.kube.requests.clear()
        return self


def manifest(kind: Kind, name: str, owner: Owner = BEAR, **spec: Any) -> Object:
    """A child's manifest."""
    reference = {"apiVersion": owner.kind.api_version, "kind": owner.kind.name}
    metadata = {
        "name": name,
        "labels": owner_labels(owner.kind, owner.uid),
        "ownerReferences": [reference | {"name": owner.name, "uid": owner.uid}],
    } | ({"namespace": "shop"} if kind.namespaced else {})
    head = {"apiVersion": kind.api_version, "kind": kind.name}
    return head | {"metadata": metadata, "spec": spec}


def job(colour: str = "red") -> Child:
    """The Job that paints the toy."""
    return replace(NO_JOB, manifest=manifest(JOB, "paint", colour=colour))


def box(size: int = 1, **hooks: Any) -> Child:
    """The box that the toy is in."""
    return replace(NO_BOX, manifest=manifest(BOX, "box", size=size), **hooks)


NO_JOB = Child(JOB, "shop", "paint", REASONS, immutable=True)
NO_BOX = Child(BOX, "shop", "box", REASONS)

CHILDREN = pytest.mark.parametrize("child", [job(), box()], ids=["Job", "Box"])


def with_pod(site: Site) -> None:
    """Kubernetes starts the Job's pod."""
    live = site.kube.one(JOB, "paint")["metadata"]
    reference = {"apiVersion": "batch/v1", "kind": "Job", "name": "paint", "uid": live["uid"]}
    metadata = {"name": "paint-abcde", "ownerReferences": [reference]}
    site.kube.add(POD, {"kind": "Pod", "metadata": metadata})


def setting(field: str, value: object) -> Callable[[Object], None]:
    """An edit of a field of the metadata."""

    def edit(obj: Object) -> None:
        obj["metadata"][field] = value

    return edit


def specifying(**spec: Any) -> Callable[[Object], None]:
    """An edit of the spec."""

    def edit(obj: Object) -> None:
        obj["spec"] |= spec

    return edit


def problem(ensured: Ensured) -> Problem:
    found = ensured.problem()
    assert found is not None
    return found


def told(found: Problem) -> tuple[type[Problem], str, str]:
    return type(found), found.finding.reason, found.finding.message


# --- create and repair ----------------------------------------------------------------------------


@CHILDREN
async def test_what_is_missing_is_created(child: Child) -> None:
    site = Site()
    made = await site.ensure(child)
    assert made == Ensured((Fact(Did.CREATED, after=1),))
    assert site.kube.requests == [f"create {child.title}"]
    assert child.manifest is not None
    assert site.kube.one(child.kind, child.name)["spec"] == child.manifest["spec"]


@CHILDREN
async def test_a_child_as_it_should_be_costs_no_request(child: Child) -> None:
    site = Site()
    for _ in range(3):  # the first before any event tells
        ensured = await ensure(site.kube, site.store, BEAR, child)
    site.watch()
    assert await site.ensure(child) == ensured == Ensured()
    assert site.kube.requests == [f"create {child.title}"]


async def test_what_differs_is_repaired_and_its_generations_are_told() -> None:
    site = await Site().with_child(box())
    changed = await site.ensure(box(size=2))
    assert changed == Ensured((Fact(Did.CHANGED, before=1, after=2),))
    assert changed.facts[0].respecified
    assert site.kube.requests == ["apply Box box"]
    assert await site.ensure(box(size=2)) == Ensured()


async def test_a_repair_of_metadata_alone_gives_no_other_spec() -> None:
    site = await Site().with_child(box())
    site.kube.change(BOX, "box", setting("labels", {}))
    (fact,) = (await site.ensure(box())).facts
    assert fact == Fact(Did.CHANGED, before=1, after=1)
    assert not fact.respecified


async def test_a_kind_may_leave_to_others_what_they_have_set() -> None:
    def without_theirs(manifest: Object, actual: Object) -> Object:
        ours = raw.mapping(actual, OWNED, "spec")
        return manifest | {"spec": {k: v for k, v in manifest["spec"].items() if k in ours}}

    site = await Site().with_child(box())
    site.kube.change(BOX, "box", specifying(size=7))
    assert await site.ensure(box(beside=without_theirs)) == Ensured()
    assert site.kube.requests == []
    await site.ensure(box())
    assert site.kube.requests == ["apply Box box"]


async def test_a_kind_may_find_a_difference_not_worth_a_write() -> None:
    site = await Site().with_child(box())
    assert await site.ensure(box(size=2, compared=lambda *_: manifest(BOX, "box", size=1))) == (
        Ensured()
    )
    await site.ensure(box(size=3, compared=lambda *_: manifest(BOX, "box", size=2)))
    assert site.kube.one(BOX, "box")["spec"] == {"size": 3}


async def test_the_log_names_owner_child_and_field(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    site = await Site().with_child(box())
    await site.ensure(box(size=2))
    await site.ensure(NO_BOX)
    lines = [(record.message, vars(record).get("at")) for record in caplog.records]
    expected = [("Child created", None), ("Child changed", "spec.size"), ("Child deleted", None)]
    assert lines == expected
    assert {vars(record)["key"] for record in caplog.records} == {BEAR.ref}
    assert {vars(record)["child"] for record in caplog.records} == {"box"}


# --- what is never changed ------------------------------------------------------------------------


async def test_another_job_comes_when_the_one_before_and_its_pods_are_gone() -> None:
    site = await Site().with_child(job())
    with_pod(site)
    ensured = await site.ensure(job("blue"))
    assert ensured.facts == (Fact(Did.DELETED, before=1),)
    waiting = "Job paint is being deleted and will be created again"
    assert told(problem(ensured)) == (Waiting, "Deleting", waiting)
    again = await ensure(site.kube, site.store, BEAR, job("blue"))  # before any event tells
    assert again.facts == ()
    assert told(problem(again)) == told(problem(ensured))
    assert site.kube.requests == ["delete Job paint"]
    assert site.kube.there(POD) == ["paint-abcde"]
    site.kube.collect_garbage()
    assert site.kube.there(POD) == site.kube.there(JOB) == []
    assert await site.ensure(job("blue")) == Ensured((Fact(Did.CREATED, after=1),))
    assert site.kube.requests == ["delete Job paint", "create Job paint"]
    assert site.kube.one(JOB, "paint")["spec"] == {"colour": "blue"}


async def test_a_job_that_is_gone_already_is_created_again_at_once() -> None:
    site = await Site().with_child(job())
    del site.kube.objects[JOB, "shop", "paint"]  # and no watch has told
    ensured = await site.ensure(job("blue"))
    assert ensured == Ensured((Fact(Did.DELETED, before=1), Fact(Did.CREATED, after=1)))
    assert site.kube.requests == ["delete Job paint", "create Job paint"]
    assert await site.ensure(job("blue")) == Ensured()


async def test_a_job_that_somebody_changed_is_deleted_and_never_patched() -> None:
    site = await Site().with_child(job())
    site.kube.change(JOB, "paint", specifying(colour="green"))
    assert isinstance(problem(await site.ensure(job())), Waiting)
    site.kube.collect_garbage()
    await site.ensure(job())
    assert site.kube.requests == ["delete Job paint", "create Job paint"]


# --- no longer wanted -----------------------------------------------------------------------------


@pytest.mark.parametrize(("child", "none"), [(job(), NO_JOB), (box(), NO_BOX)], ids=["Job", "Box"])
async def test_what_is_no_longer_wanted_is_deleted(child: Child, none: Child) -> None:
    site = await Site().with_child(child)
    if child.immutable:
        with_pod(site)
    assert await site.ensure(none) == Ensured((Fact(Did.DELETED, before=1),))
    for _ in range(2):
        assert await site.ensure(none) == Ensured()
        site.kube.collect_garbage()
    assert site.kube.requests == [f"delete {child.title}"]
    assert site.kube.there(child.kind) == site.kube.there(POD) == []


async def test_what_is_not_wanted_and_not_there_costs_no_request() -> None:
    site = Site()
    assert await site.ensure(NO_JOB) == Ensured()
    assert site.kube.requests == []


@pytest.mark.parametrize("of_another", [False, True])
async def test_what_is_not_wanted_and_not_ours_stays(of_another: bool) -> None:
    site = Site()
    other = BEAR._replace(uid="another")
    theirs = manifest(JOB, "paint", other) if of_another else foreign(JOB, "paint")
    site.kube.add(JOB, theirs)
    assert await site.ensure(NO_JOB) == Ensured()
    assert site.kube.requests == []


# --- what is in the way ---------------------------------------------------------------------------


def test_what_is_kept_of_a_child_without_an_owner_tells_whose_it_is() -> None:
    """Of whatever kind that is: one stream may have the children of several."""
    for kind in (TOY, ROOM):
        labels = owner_labels(kind, "u")
        kept = keep({"metadata": {"name": "paint", "labels": labels | {"colour": "red"}}})
        assert kept["metadata"]["labels"] == labels
        assert belongs_to(kept, kind, "u")
        assert not belongs_to(kept, BOX, "u")


def foreign(kind: Kind, name: str) -> Object:
    """Somebody else's object."""
    return {"kind": kind.name, "metadata": {"name": name}, "spec": {}}


@CHILDREN
@pytest.mark.parametrize("seen", [True, False])
async def test_an_object_that_is_not_ours_is_never_touched(child: Child, seen: bool) -> None:
    site = Site()
    before = site.kube.add(child.kind, foreign(child.kind, child.name))
    if not seen:
        site.kube.changes.clear()
    words = (
        f"{child.title} in namespace shop exists and was not created for this Toy, so it is not "
        "touched: remove or rename it, or give this Toy another name"
    )
    for _ in range(2):
        ensured = await site.ensure(child)
        assert told(problem(ensured)) == (Stalled, "InvalidSpec", words)
        assert ensured.foreign == keep(before)
    unseen = [] if seen else [f"create {child.title}", f"get {child.title}"] * 2
    assert site.kube.requests == unseen
    assert site.kube.one(child.kind, child.name) == before


async def test_a_child_of_an_earlier_owner_is_waited_for() -> None:
    site = Site()
    site.kube.add(BOX, manifest(BOX, "box", BEAR._replace(uid="another")))
    reason = "Box box in namespace shop belongs to an earlier Toy of this name and is being removed"
    assert told(problem(await site.ensure(box()))) == (Waiting, "DeletionBlocked", reason)
    assert site.kube.requests == []


async def test_a_child_that_somebody_deletes_is_waited_for_and_made_again() -> None:
    site = await Site().with_child(box())
    site.kube.change(BOX, "box", setting("finalizers", ["example.org/hold"]))
    site.kube.delete_object(BOX, "box")
    waiting = "Box box is being deleted and will be created again"
    assert told(problem(await site.ensure(box(size=2)))) == (Waiting, "Deleting", waiting)
    assert site.kube.requests == []
    site.kube.change(BOX, "box", setting("finalizers", []))
    await site.ensure(box(size=2))
    assert site.kube.requests == ["create Box box"]


async def test_our_child_that_no_watch_told_of_is_found() -> None:
    site = await Site().with_child(box())
    site.store = Site().store
    site.kube.changes.clear()
    assert await site.ensure(box()) == Ensured()
    assert await site.ensure(box()) == Ensured()
    assert site.kube.requests == ["create Box box", "get Box box"]


async def test_children_and_owners_may_be_in_no_namespace() -> None:
    site, shelf = Site(), Owner(SHELF, "", "top", "uid-of-top")
    room = Child(ROOM, "", "attic", REASONS, manifest(ROOM, "attic", shelf, doors=1))
    assert (await site.ensure(room, shelf)).facts == (Fact(Did.CREATED, after=1),)
    assert await site.ensure(room, shelf) == Ensured()
    stalled = problem(await site.ensure(room, BEAR._replace(namespace="")))
    assert stalled.finding.message.startswith("Room attic exists and was not created for this Toy")


# --- conflicts ------------------------------------------------------------------------------------


async def test_a_job_that_has_changed_since_it_was_seen_is_deleted_later() -> None:
    site = await Site().with_child(job())
    site.watch()
    site.kube.change(JOB, "paint", setting("annotations", {"a": "b"}))
    site.kube.changes.clear()  # the watch is late
    ensured = await site.ensure(job("blue"))
    assert ensured.facts == ()
    found = problem(ensured)
    assert told(found) == (Waiting, "Retrying", "Job paint has just changed")
    assert isinstance(found, Waiting)
    assert found.seconds == 1.0
    assert site.kube.requests == ["delete Job paint", "get Job paint"]
    assert (await site.ensure(job("blue"))).facts == (Fact(Did.DELETED, before=1),)


async def test_a_job_that_was_given_away_since_it_was_seen_is_not_deleted() -> None:
    site = await Site().with_child(job())
    site.watch()
    site.kube.change(JOB, "paint", setting("ownerReferences", []))
    site.kube.change(JOB, "paint", setting("labels", {}))
    site.kube.changes.clear()
    assert isinstance(problem(await site.ensure(NO_JOB)), Waiting)
    assert await site.ensure(NO_JOB) == Ensured()
    assert site.kube.there(JOB) == ["paint"]


OF_ANOTHER = refused(422, "no", "Invalid", causes=[{"field": "metadata.uid"}])


@pytest.mark.parametrize(
    ("verb", "error"),
    [("create", refused(409)), ("apply", refused(409)), ("apply", OF_ANOTHER)],
)
async def test_a_child_that_was_replaced_under_our_hands_is_looked_at_again(
    verb: str, error: ApiError
) -> None:
    site = Site() if verb == "create" else await Site().with_child(box())
    site.kube.refusals[f"{verb} Box box"] = error
    ensured = await site.ensure(box(size=2))
    assert told(problem(ensured)) == (Waiting, "Retrying", "Box box has just changed")
    assert ensured.facts == ()


# --- refusals and outages -------------------------------------------------------------------------

OUTAGES = [refused(500, "no"), refused(429), Unreachable("no answer")]


@pytest.mark.parametrize("error", OUTAGES)
@pytest.mark.parametrize("verb", ["create", "apply", "delete"])
async def test_an_outage_is_to_be_tried_again(verb: str, error: Exception) -> None:
    site = Site() if verb == "create" else await Site().with_child(box())
    site.kube.refusals[f"{verb} Box box"] = error
    child = NO_BOX if verb == "delete" else box(size=2)
    ensured = await site.ensure(child)
    assert ensured.facts == ()
    with pytest.raises(type(error)) as raised:
        ensured.problem()
    assert raised.value is error
    site.kube.refusals.clear()
    assert (await site.ensure(child)).problem() is None
    assert await site.ensure(child) == Ensured()


class Meddling(FakeKube):
    """Somebody makes every new object larger before that is answered."""

    async def create(self, kind: Kind, manifest: Object) -> Object:
        await super().create(kind, manifest)
        self.change(kind, manifest["metadata"]["name"], specifying(size=9))
        return self.one(kind, manifest["metadata"]["name"])


async def test_what_was_done_before_an_outage_is_told() -> None:
    site = Site(Meddling(Clock()))
    error = site.kube.refusals["apply Box box"] = refused(500)
    ensured = await site.ensure(box())
    assert ensured == Ensured((Fact(Did.CREATED, after=2),), error)
    site = Site(Meddling(Clock()))
    made = (Fact(Did.CREATED, after=2), Fact(Did.CHANGED, before=2, after=3))
    assert await site.ensure(box()) == Ensured(made)


@pytest.mark.parametrize(
    ("error", "reason", "words"),
    [
        (
            refused(422, "spec.size: too large", "Invalid"),
            "Forbidden",
            "The API server refuses the Box box: spec.size: too large. Change the spec accordingly",
        ),
        (refused(403, "cannot patch"), "Forbidden", "The operator may not write the Box: cannot"),
        (refused(403, "exceeded quota: x"), "QuotaExceeded", "forbids the Box: exceeded quota"),
    ],
    ids=["invalid", "forbidden", "quota"],
)
async def test_a_refusal_is_told_with_who_must_act(
    error: ApiError, reason: str, words: str
) -> None:
    site = Site()
    site.kube.refusals["create Box box"] = error
    found = problem(await site.ensure(box()))
    assert isinstance(found, Stalled)
    assert found.finding.reason == reason
    assert words in found.finding.message


async def test_a_kind_may_have_its_own_words_for_a_refusal() -> None:
    def words(error: ApiError, manifest: Object) -> Problem | ApiError:
        return Stalled(CommonReason.READY, manifest["kind"]) if error.absent else error

    site = Site()
    site.kube.missing.add(BOX)
    found = problem(await site.ensure(box(refused=words)))
    assert told(found) == (Stalled, "Ready", "Box")
    with pytest.raises(ApiError):
        (await site.ensure(box())).problem()


# --- taken over -----------------------------------------------------------------------------------


async def test_what_is_nobodys_is_taken_over_as_it_was_fetched() -> None:
    site = Site()
    site.kube.add(BOX, foreign(BOX, "box"))
    site.watch()
    found = await site.kube.get(BOX, "shop", "box")
    assert found is not None
    site.kube.change(BOX, "box", setting("annotations", {"a": "b"}))
    with pytest.raises(Waiting, match="Box box has just changed"):
        await take_over(site.kube, site.store, box(), found)
    found = site.kube.one(BOX, "box")
    fact = await take_over(site.kube, site.store, box(), found)
    assert fact == Fact(Did.CHANGED, before=1, after=2)
    assert await ensure(site.kube, site.store, BEAR, box()) == Ensured()


# --- the end --------------------------------------------------------------------------------------


async def test_a_deletion_is_described_until_it_is_over() -> None:
    site = await Site().with_child(box())
    site.kube.change(BOX, "box", setting("finalizers", ["b.org/x", "a.org/y"]))
    held = Blocker(
        "Box box (held by the finalizers a.org/y, b.org/x)",
        "whoever put a.org/y, b.org/x on Box box must finish, or the platform team must remove "
        "them",
    )
    assert await site.delete(NO_BOX) == await site.delete(NO_BOX) == held
    assert site.kube.requests == ["delete Box box"]
    site.kube.change(BOX, "box", setting("finalizers", []))
    assert await site.delete(NO_BOX) is None
    assert site.kube.requests == ["delete Box box", "get Box box"]


async def test_what_goes_at_once_is_forgotten_before_any_event() -> None:
    site = await Site().with_child(box())
    assert await site.delete(NO_BOX) is None
    assert site.store.get(NO_BOX.ref) is None
    assert site.kube.requests == ["delete Box box"]


async def test_the_pods_of_a_deleted_job_go_with_it() -> None:
    site = await Site().with_child(job())
    with_pod(site)
    assert await site.delete(NO_JOB) == Blocker(
        "Job paint and what it owns",
        "the platform team must find out why Job paint and what it owns are not being deleted",
    )
    assert site.kube.one(JOB, "paint")["metadata"]["finalizers"] == [FOREGROUND]
    site.kube.collect_garbage()
    assert await site.delete(NO_JOB) is None
    assert site.kube.there(JOB) == site.kube.there(POD) == []


async def test_what_nobody_holds_is_being_deleted_all_the_same() -> None:
    site = await Site().with_child(box())
    gone = setting("deletionTimestamp", "2026-03-01T12:00:00Z")
    site.kube.change(BOX, "box", setting("finalizers", ["a.org/y"]))
    site.kube.change(BOX, "box", gone)
    site.watch()
    kept = site.store.get(NO_BOX.ref)
    assert kept is not None
    kept["metadata"]["finalizers"] = []
    assert await delete(site.kube, site.store, BEAR, NO_BOX) == Blocker(
        "Box box", "the platform team must find out why Box box is not being deleted"
    )


async def test_a_deletion_leaves_alone_what_is_not_ours() -> None:
    site = Site()
    site.kube.add(BOX, foreign(BOX, "box"))
    assert await site.delete(NO_BOX) is None
    assert site.kube.requests == []
    assert site.kube.there(BOX) == ["box"]


async def test_a_deletion_is_of_what_was_seen() -> None:
    site = await Site().with_child(box())
    site.watch()
    site.kube.change(BOX, "box", setting("annotations", {"a": "b"}))
    site.kube.changes.clear()
    with pytest.raises(Waiting) as raised:
        await site.delete(NO_BOX)
    assert told(raised.value) == (Waiting, "Deleting", "box has just changed")
    assert raised.value.seconds == 1.0
    assert site.kube.there(BOX) == ["box"]
    assert await site.delete(NO_BOX) is None
    assert site.kube.there(BOX) == []


async def test_an_outage_of_a_deletion_is_raised() -> None:
    site = await Site().with_child(box())
    error = site.kube.refusals["delete Box box"] = refused(500)
    with pytest.raises(ApiError) as raised:
        await site.delete(NO_BOX)
    assert raised.value is error


# --- released -------------------------------------------------------------------------------------


async def test_what_is_released_outlives_its_owner_and_is_known_to_at_once() -> None:
    site = await Site().with_child(box())
    other = {"apiVersion": "v1", "kind": "Other", "name": "o", "uid": "o"}
    owners = [*site.kube.one(BOX, "box")["metadata"]["ownerReferences"], other]
    site.kube.change(BOX, "box", setting("ownerReferences", owners))
    await site.release(NO_BOX.ref, kept="from bear")
    live = site.kube.one(BOX, "box")["metadata"]
    assert live["ownerReferences"] == [other]
    assert live["annotations"] == {"kept": "from bear"}
    assert site.kube.requests == ["get Box box", "disown Box box"]
    kept = site.store.get(NO_BOX.ref)
    assert kept is not None
    assert kept["metadata"]["ownerReferences"] == [other]
    await site.release(NO_BOX.ref, kept="from bear")
    assert site.kube.writes == ["disown Box box"]
    await site.release(NO_BOX.ref, kept="from another")
    assert site.kube.writes == ["disown Box box"] * 2


async def test_what_says_already_that_it_is_kept_is_released_all_the_same() -> None:
    site = await Site().with_child(box())
    site.kube.change(BOX, "box", setting("annotations", {"kept": "from bear"}))
    await site.release(NO_BOX.ref, kept="from bear")
    assert "ownerReferences" not in site.kube.one(BOX, "box")["metadata"]


async def test_what_is_not_there_or_not_ours_is_not_released() -> None:
    site = Site()
    await site.release(NO_BOX.ref, kept="from bear")
    site.kube.add(BOX, foreign(BOX, "box"))
    await site.release(NO_BOX.ref, kept="from bear")
    assert site.kube.requests == ["get Box box"] * 2


async def test_what_is_not_watched_can_be_released() -> None:
    site = Site()
    site.kube.add(SECRET, manifest(SECRET, "key"))
    await site.release(Ref(SECRET, "shop", "key"), kept="from bear")
    assert "ownerReferences" not in site.kube.one(SECRET, "key")["metadata"]


async def test_what_changes_while_it_is_released_is_released_later() -> None:
    site = await Site().with_child(box())
    site.kube.refusals["disown Box box"] = refused(409)
    with pytest.raises(Waiting) as raised:
        await site.release(NO_BOX.ref, kept="from bear")
    assert told(raised.value) == (Waiting, "Deleting", "box has just changed")
