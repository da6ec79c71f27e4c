"""The connection Secret: written when it differs, looked at seldom, never anybody else's."""

import base64
from datetime import timedelta
from typing import Any

import pytest

from daap_operator import names
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds import known
from daap_operator.kinds.database import ownership
from daap_operator.kinds.database.desired.resolved import Resolved, resolve
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.publish import merged, publish, remove_secret
from daap_operator.kinds.database.seen import Observed
from daap_operator.kinds.database.status import Published
from daap_operator.kinds.database.subject import database, subject
from daap_operator.kinds.database.watched import children_of
from daap_operator.kube import Unreachable
from tests.unit.fakes import refused
from tests.unit.stage import (
    CLUSTER,
    KEY,
    PLATFORM,
    SECRET,
    Stage,
    encoded,
    play,
    play_cluster,
    play_pooler,
    ready,
)

Object = dict[str, Any]

CREDENTIALS = [f"get Secret {CLUSTER}-app", f"get Secret {CLUSTER}-ca"]
CREATE, GET, REPLACE = (f"{verb} Secret {SECRET}" for verb in ("create", "get", "replace"))


def seen(stage: Stage, resolved: Resolved) -> Observed:
    return observe(
        children_of(stage.store, "shop", resolved.cluster),
        instances=resolved.spec.instances,
        poolers=resolved.spec.pooler.instances,
        image=resolved.image,
    )


async def published(stage: Stage) -> Published | None:
    """What a pass would do about the Secret now."""
    stage.watch()
    resolved = resolve(database(stage.database()), PLATFORM)
    before = subject(stage.database()).status
    return await publish(stage.world, resolved, seen(stage, resolved), before)


async def unpublished() -> Stage:
    """A database that is about to serve for the first time."""
    stage = Stage()
    stage.order()
    await stage.look()
    play(stage.kube)
    stage.kube.requests.clear()
    return stage


def entries(stage: Stage, name: str = SECRET) -> dict[str, str]:
    data = stage.kube.one(known.SECRET, name)["data"]
    return {key: base64.b64decode(text).decode() for key, text in data.items()}


# --- the first time -------------------------------------------------------------------------------


async def test_the_secret_appears_when_the_database_first_serves() -> None:
    stage = await unpublished()
    play_pooler(stage.kube, "shop", f"{CLUSTER}-pooler", available=0)
    assert await published(stage) is None
    assert stage.kube.requests == []
    play(stage.kube)
    made = await published(stage)
    assert stage.kube.requests == [*CREDENTIALS, CREATE]
    assert made is not None
    assert (made.secret, made.username) == (SECRET, "orders")
    assert entries(stage)["password"] == "s3cret"
    assert entries(stage)["ca.crt"] == "PEM"


async def test_there_is_no_secret_before_cloudnativepg_tells_of_credentials() -> None:
    stage = await unpublished()
    play_cluster(stage.kube, "shop", CLUSTER, secretsResourceVersion={})
    assert await published(stage) is None
    assert stage.kube.requests == []


@pytest.mark.parametrize("which", ["app", "ca"])
async def test_credentials_that_are_missing_are_waited_for(which: str) -> None:
    stage = await unpublished()
    del stage.kube.objects[known.SECRET, "shop", f"{CLUSTER}-{which}"]
    with pytest.raises(Waiting, match=f"Secret {CLUSTER}-{which} is missing") as waiting:
        await published(stage)
    assert waiting.value.finding.reason == "CredentialsPending"
    assert stage.kube.writes == []


@pytest.mark.parametrize(
    ("which", "data"),
    [
        ("app", {"username": encoded("orders")}),
        ("app", {"password": encoded("s3cret")}),
        ("app", {"username": encoded("orders"), "password": ""}),
        ("app", {"username": encoded("orders"), "password": "no base64"}),
        ("app", {"username": encoded("orders"), "password": "/w=="}),
        ("app", None),
        ("ca", {"tls.crt": encoded("PEM")}),
    ],
    ids=["no password", "no user", "empty", "no base64", "no text", "no data", "no certificate"],
)
async def test_credentials_that_lack_something_are_waited_for(
    which: str, data: Object | None
) -> None:
    stage = await unpublished()
    stage.kube.one(known.SECRET, f"{CLUSTER}-{which}")["data"] = data
    with pytest.raises(Waiting, match="lack the username, the password or the certificate"):
        await published(stage)
    assert stage.kube.writes == []


# --- the same again -------------------------------------------------------------------------------


async def test_a_secret_as_it_should_be_costs_no_request() -> None:
    stage = await ready()
    made = await published(stage)
    host = "daap-orders-pooler.shop.svc.cluster.local"
    assert made == Published(host, SECRET, stage.status()["secretRevision"], "orders")
    assert stage.kube.requests == []


async def test_a_secret_is_kept_up_while_the_database_does_not_serve() -> None:
    stage = await ready()
    play_cluster(stage.kube, "shop", CLUSTER, instancesStatus={"healthy": []})
    stage.edit(instances=2)
    assert await published(stage) is not None
    assert stage.kube.writes == [REPLACE]


def rotate(obj: Object) -> None:
    obj["data"]["password"] = encoded("n3w")


async def test_a_new_password_is_published() -> None:
    stage = await ready()
    before = stage.status()["secretRevision"]
    stage.kube.change(known.SECRET, f"{CLUSTER}-app", rotate)
    play(stage.kube)
    made = await published(stage)
    assert stage.kube.requests == [*CREDENTIALS, GET, REPLACE]
    assert entries(stage)["password"] == "n3w"
    assert "n3w" in entries(stage)["uri"]
    assert made is not None
    assert made.revision != before


async def test_hosts_to_read_from_come_and_go_with_the_second_instance() -> None:
    stage = await ready()
    assert "ro-host" not in entries(stage)
    for instances, there in ((2, True), (1, False)):
        stage.edit(instances=instances)
        await stage.settle()
        assert ("ro-host" in entries(stage)) is there
        assert ("ro-uri" in entries(stage)) is there


# --- the slow check -------------------------------------------------------------------------------


def forge(obj: Object) -> None:
    obj["data"]["password"] = encoded("forged")


async def test_a_secret_is_looked_at_now_and_then() -> None:
    stage = await ready()
    stage.world.notes_of(KEY).secret_due = stage.clock.monotonic() + 100
    stage.clock.advance(99)
    await published(stage)
    assert stage.kube.requests == []
    stage.clock.advance(2)
    await published(stage)
    assert stage.kube.requests == [*CREDENTIALS, GET]
    assert stage.world.notes_of(KEY).secret_due == stage.clock.monotonic() + 600


async def test_a_forged_secret_is_mended_when_it_is_looked_at() -> None:
    stage = await ready()
    stage.kube.change(known.SECRET, SECRET, forge)
    await published(stage)
    assert stage.kube.requests == []
    stage.clock.advance(901)
    await published(stage)
    assert stage.kube.writes == [REPLACE]
    assert entries(stage)["password"] == "s3cret"


async def test_a_deleted_secret_is_made_again_when_it_is_looked_at() -> None:
    stage = await ready()
    stage.kube.delete_object(known.SECRET, SECRET)
    stage.clock.advance(901)
    await published(stage)
    assert stage.kube.requests == [*CREDENTIALS, GET, CREATE]
    assert entries(stage)["password"] == "s3cret"


async def test_a_new_process_spreads_its_first_looks() -> None:
    stage = await ready()
    due = []
    for _ in range(5):
        stage.world.notes.clear()
        await published(stage)
        due.append(stage.world.notes_of(KEY).secret_due)
    assert stage.kube.requests == []
    now = stage.clock.monotonic()
    assert len(set(due)) == 5
    assert all(time is not None and now + 300 <= time <= now + 900 for time in due)


async def test_the_check_can_be_turned_off() -> None:
    stage = await ready()
    stage.world.secret_check = timedelta(0)
    stage.world.notes.clear()
    for _ in range(3):
        stage.clock.advance(100_000)
        await published(stage)
    assert stage.kube.requests == []
    assert stage.world.notes_of(KEY).secret_due is None


# --- another name ---------------------------------------------------------------------------------


async def test_a_new_name_is_written_before_the_old_one_goes() -> None:
    stage = await ready()
    stage.edit(connectionSecretName="mine")
    made = await published(stage)
    assert stage.kube.requests == [
        *CREDENTIALS,
        "create Secret mine",
        GET,
        f"delete Secret {SECRET}",
    ]
    assert made is not None
    assert made.secret == "mine"
    assert "mine" in stage.kube.there(known.SECRET)
    assert SECRET not in stage.kube.there(known.SECRET)


async def test_a_new_name_that_is_taken_leaves_the_old_one() -> None:
    stage = await ready()
    before = stage.kube.add(known.SECRET, {"metadata": {"name": "mine"}, "data": {"a": "b"}})
    stage.edit(connectionSecretName="mine")
    with pytest.raises(Stalled, match="Secret mine exists and was not created") as stalled:
        await published(stage)
    assert stalled.value.finding.reason == "SecretNameTaken"
    assert "set spec.connectionSecretName to another name" in stalled.value.finding.message
    assert stage.kube.one(known.SECRET, "mine") == before
    assert SECRET in stage.kube.there(known.SECRET)
    assert f"delete Secret {SECRET}" not in stage.kube.requests


async def test_an_old_secret_that_became_somebody_elses_stays() -> None:
    stage = await ready()
    stage.kube.delete_object(known.SECRET, SECRET)
    foreign = {"metadata": {"name": SECRET, "labels": {"a": "b"}}, "data": {}}
    stage.kube.add(known.SECRET, foreign)
    stage.edit(connectionSecretName="mine")
    await published(stage)
    assert SECRET in stage.kube.there(known.SECRET)


# --- whose it is ----------------------------------------------------------------------------------

FOREIGN: dict[str, Object] = {
    "a plain Secret": {},
    "a Secret with our label of another database": {
        "labels": ownership.labels("orders", "other-uid")
    },
    "a Secret of another owner": {
        "ownerReferences": [{"kind": "Other", "uid": "x", "apiVersion": "v1", "name": "x"}]
    },
}


@pytest.mark.parametrize("metadata", FOREIGN.values(), ids=FOREIGN)
async def test_a_secret_that_is_not_ours_is_never_touched(metadata: Object) -> None:
    stage = await unpublished()
    obj = {"metadata": {"name": SECRET} | metadata, "data": {"mine": "eA=="}, "type": "Opaque"}
    before = stage.kube.add(known.SECRET, obj)
    for _ in range(2):
        with pytest.raises(Stalled) as stalled:
            await published(stage)
        assert stalled.value.finding.reason == "SecretNameTaken"
    assert stage.kube.one(known.SECRET, SECRET) == before


async def test_what_others_put_into_the_metadata_stays() -> None:
    stage = await ready()
    other = {"kind": "App", "apiVersion": "v1", "name": "app", "uid": "app"}

    def adorn(obj: Object) -> None:
        obj["metadata"]["annotations"] = {"reloader": "yes"}
        obj["metadata"]["labels"]["team"] = "checkout"
        obj["metadata"]["ownerReferences"].append(other)
        obj["data"]["extra"] = "eA=="

    stage.kube.change(known.SECRET, SECRET, adorn)
    stage.clock.advance(901)
    await published(stage)
    made = stage.kube.one(known.SECRET, SECRET)
    assert made["metadata"]["annotations"] == {"reloader": "yes"}
    assert made["metadata"]["labels"]["team"] == "checkout"
    assert other in made["metadata"]["ownerReferences"]
    assert len(made["metadata"]["ownerReferences"]) == 2
    assert "extra" not in made["data"]


async def test_labels_and_annotations_follow_the_spec_and_nothing_else_goes() -> None:
    stage = await ready()

    def adorn(obj: Object) -> None:
        obj["metadata"]["labels"]["theirs"] = "x"
        obj["metadata"].setdefault("annotations", {})["replicated-by"] = "somebody"

    stage.kube.change(known.SECRET, SECRET, adorn)
    before = stage.kube.one(known.SECRET, SECRET)["metadata"]
    asked = {"labels": {"team": "a"}, "annotations": {"replicate-to": "b"}}
    stage.edit(connectionSecretMetadata=asked)
    await stage.settle()
    made = stage.kube.one(known.SECRET, SECRET)["metadata"]
    assert made["labels"] == before["labels"] | {"team": "a"}
    assert made["annotations"]["replicate-to"] == "b"
    stage.edit(connectionSecretMetadata={"labels": {"squad": "c"}})
    await stage.settle()
    made = stage.kube.one(known.SECRET, SECRET)["metadata"]
    assert made["labels"] == before["labels"] | {"squad": "c"}
    assert "replicate-to" not in made["annotations"]
    stage.edit(connectionSecretMetadata=None)
    await stage.settle()
    made = stage.kube.one(known.SECRET, SECRET)["metadata"]
    assert (made["labels"], made["annotations"]) == (before["labels"], before["annotations"])


@pytest.mark.parametrize("text", ["", "{", "[]", '{"labels": 1}', '{"labels": [1, ["a"]]}'])
def test_a_note_that_somebody_broke_takes_nothing_away(text: str) -> None:
    annotations = {names.SECRET_METADATA: text, "theirs": "x"}
    found = {"metadata": {"labels": {"a": "b"}, "annotations": annotations}, "data": {}}
    made = merged({"metadata": {"labels": {"l": "1"}}, "data": {}}, found)["metadata"]
    assert made == {"labels": {"a": "b", "l": "1"}, "annotations": {"theirs": "x"}}


async def test_a_new_name_has_the_labels_of_the_spec() -> None:
    stage = await ready()
    stage.edit(connectionSecretName="mine", connectionSecretMetadata={"labels": {"team": "a"}})
    await stage.settle()
    assert stage.kube.one(known.SECRET, "mine")["metadata"]["labels"]["team"] == "a"


async def test_a_retained_secret_loses_its_owner() -> None:
    stage = await ready()
    stage.edit(deletionPolicy="Retain")
    await stage.settle()
    metadata = stage.kube.one(known.SECRET, SECRET)["metadata"]
    assert "ownerReferences" not in metadata
    assert metadata["labels"][known.DATABASE.uid_label] == stage.database()["metadata"]["uid"]
    stage.edit(deletionPolicy="Delete")
    await stage.settle()
    assert len(stage.kube.one(known.SECRET, SECRET)["metadata"]["ownerReferences"]) == 1


@pytest.mark.parametrize("policy", ["Delete", "Retain"])
async def test_the_reference_of_another_controller_stays(policy: str) -> None:
    """Its kind is called as ours is, and its group is another."""
    stage = await ready()
    uid = stage.kube.add(known.SECRET, {"metadata": {"name": "a"}})["metadata"]["uid"]
    stranger = {
        "apiVersion": "example.org/v1",
        "kind": known.DATABASE.name,
        "name": "orders",
        "uid": uid,
    }

    def add(secret: Object) -> None:
        secret["metadata"]["ownerReferences"].insert(0, stranger)
        secret["data"]["host"] = ""

    stage.kube.change(known.SECRET, SECRET, add)
    stage.edit(deletionPolicy=policy)
    await stage.settle()
    stage.clock.advance(901)
    await stage.settle()
    secret = stage.kube.one(known.SECRET, SECRET)
    assert secret["data"]["host"] != ""
    assert stranger in secret["metadata"]["ownerReferences"]
    assert len(secret["metadata"]["ownerReferences"]) == (2 if policy == "Delete" else 1)


def test_merging_twice_is_merging_once() -> None:
    found = {"metadata": {"name": "a"}, "data": {"old": ""}, "type": "t"}
    manifest = {"metadata": {"name": "a", "labels": {"l": "1"}}, "data": {"new": ""}, "type": "t"}
    once = merged(manifest, found)
    assert once == {
        "metadata": {"name": "a", "labels": {"l": "1"}},
        "data": {"new": ""},
        "type": "t",
    }
    assert merged(manifest, once) == once


# --- races and refusals ---------------------------------------------------------------------------


async def test_a_secret_of_ours_that_is_there_already_is_mended() -> None:
    stage = await ready()
    stage.kube.change(known.SECRET, SECRET, forge)

    def forget(obj: Object) -> None:
        for field in ("secretName", "secretRevision"):
            del obj["status"][field]

    stage.kube.change(known.DATABASE, "orders", forget)
    await published(stage)
    assert stage.kube.requests == [*CREDENTIALS, CREATE, GET, REPLACE]
    assert entries(stage)["password"] == "s3cret"


async def test_a_secret_of_another_type_is_made_again() -> None:
    stage = await ready()
    live = stage.kube.one(known.SECRET, SECRET)
    live["type"] = "Opaque"
    stage.edit(instances=2)
    with pytest.raises(Waiting, match="is being created again"):
        await published(stage)
    assert stage.kube.writes == [f"delete Secret {SECRET}"]
    await published(stage)
    assert stage.kube.one(known.SECRET, SECRET)["type"] == names.SECRET_TYPE


async def test_a_secret_that_vanishes_between_two_requests_is_waited_for() -> None:
    stage = await unpublished()
    stage.kube.refusals[CREATE] = refused(409)
    with pytest.raises(Waiting, match="has just changed"):
        await published(stage)


@pytest.mark.parametrize("status", [409, 404])
async def test_a_secret_that_has_just_changed_is_looked_at_again(status: int) -> None:
    stage = await ready()
    stage.edit(instances=2)
    stage.kube.refusals[REPLACE] = refused(status)
    with pytest.raises(Waiting) as waiting:
        await published(stage)
    assert waiting.value.finding.reason == "CredentialsPending"
    assert waiting.value.seconds == 1.0


TERMINATING = refused(403, "no", "Forbidden", causes=[{"reason": "NamespaceTerminating"}])


@pytest.mark.parametrize(
    ("error", "raised", "reason"),
    [
        (TERMINATING, Waiting, "NamespaceTerminating"),
        (refused(403, "exceeded quota"), Stalled, "QuotaExceeded"),
        (refused(403, "cannot create secrets"), Stalled, "Forbidden"),
        (refused(500), None, None),
        (Unreachable("no answer"), None, None),
    ],
    ids=["namespace terminating", "quota", "forbidden", "server error", "unreachable"],
)
@pytest.mark.parametrize("request_", [CREATE, REPLACE])
async def test_a_refused_secret_is_told_or_tried_again(
    request_: str, error: Exception, raised: type[Exception] | None, reason: str | None
) -> None:
    stage = await unpublished() if request_ == CREATE else await ready()
    if request_ == REPLACE:
        stage.edit(instances=2)
    stage.kube.refusals[request_] = error
    with pytest.raises(raised or type(error)) as trouble:
        await published(stage)
    if raised is None:
        assert trouble.value is error
    else:
        assert isinstance(trouble.value, Stalled | Waiting)
        assert trouble.value.finding.reason == reason
        assert "s3cret" not in str(trouble.value)


TOO_LONG = {"field": "metadata.annotations", "reason": "FieldValueTooLong"}
REMEDIES = {
    "annotations": ([TOO_LONG], "Ask for less in spec.connectionSecretMetadata"),
    "a label": ([{"field": "metadata.labels"}], "Ask for less in spec.connectionSecretMetadata"),
    "its name": ([{"field": "metadata.name"}], "Set spec.connectionSecretName to another name"),
    "nobody knows what": ([], "Set spec.connectionSecretName to another name"),
}


@pytest.mark.parametrize(("causes", "remedy"), REMEDIES.values(), ids=REMEDIES)
@pytest.mark.parametrize("request_", [CREATE, REPLACE])
async def test_what_the_api_server_refuses_of_a_secret_has_its_remedy(
    request_: str, causes: list[Object], remedy: str
) -> None:
    stage = await unpublished() if request_ == CREATE else await ready()
    if request_ == REPLACE:
        stage.edit(instances=2)
    stage.kube.refusals[request_] = refused(422, "metadata: no", "Invalid", causes=causes)
    with pytest.raises(Stalled, match=remedy) as trouble:
        await published(stage)
    assert trouble.value.finding.reason == "Rejected"


async def test_only_a_secret_of_the_database_is_removed() -> None:
    stage = await ready()
    uid = stage.database()["metadata"]["uid"]
    await remove_secret(stage.world, "shop", f"{CLUSTER}-app", uid)
    await remove_secret(stage.world, "shop", SECRET, "another-uid")
    await remove_secret(stage.world, "shop", "nothing", uid)
    assert stage.kube.writes == []
    await remove_secret(stage.world, "shop", SECRET, uid)
    assert stage.kube.writes == [f"delete Secret {SECRET}"]
    assert SECRET not in stage.kube.there(known.SECRET)
