"""What people change or delete by hand is put right, and what is theirs is left alone."""

from base64 import b64decode, b64encode

import pytest

from tests.support.api import Object
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually
from tests.support.operator import Operators


async def healthy(databases: Databases, operators: Operators, **environment: str) -> Object:
    await operators.start(**environment)
    await databases.create("orders")
    return await databases.ready("orders")


@pytest.mark.parametrize(
    ("plural", "name", "patch"),
    [
        ("clusters", "daap-orders", {"spec": {"imageName": "postgresql:17-other"}}),
        ("clusters", "daap-orders", {"spec": {"enableSuperuserAccess": True}}),
        ("clusters", "daap-orders", {"spec": {"postgresql": {"pg_hba": None}}}),
        ("clusters", "daap-orders", {"spec": {"certificates": None}}),
        ("clusters", "daap-orders", {"metadata": {"labels": None}}),
        ("clusters", "daap-orders", {"metadata": {"ownerReferences": None}}),
        ("poolers", "daap-orders-pooler", {"spec": {"instances": 0}}),
        ("poolers", "daap-orders-pooler", {"spec": {"pgbouncer": {"poolMode": "session"}}}),
        ("poolers", "daap-orders-pooler", {"metadata": {"labels": {"daap.io/database": None}}}),
    ],
    ids=lambda value: str(value)[:48],
)
async def test_a_changed_field_is_reverted(
    plural: str, name: str, patch: Object, databases: Databases, operators: Operators
) -> None:
    await healthy(databases, operators)
    before = await databases.child(plural, name)
    assert before
    await databases.api.patch(plural, databases.namespace, name, patch)
    wanted = {"spec": before["spec"], **{k: before["metadata"][k] for k in OURS}}
    await eventually(
        lambda: databases.child(plural, name),
        lambda obj: (
            obj and {"spec": obj["spec"], **{k: obj["metadata"].get(k) for k in OURS}} == wanted
        ),
    )
    await databases.ready("orders")


OURS = ("labels", "ownerReferences")


async def test_fields_of_others_are_kept(databases: Databases, operators: Operators) -> None:
    await healthy(databases, operators)
    theirs = {
        "metadata": {"annotations": {"example.com/note": "mine"}, "labels": {"team": "dba"}},
        "spec": {
            "description": "kept",
            "postgresql": {"parameters": {"work_mem": "8MB"}},
            "resources": {"requests": {"ephemeral-storage": "1Gi"}},
        },
    }
    await databases.api.patch("clusters", databases.namespace, "daap-orders", theirs)
    await databases.edit("orders", instances=2)
    await databases.ready("orders")
    cluster = await databases.child("clusters", "daap-orders")
    assert cluster
    assert cluster["spec"]["instances"] == 2
    assert cluster["spec"]["description"] == "kept"
    assert cluster["spec"]["postgresql"]["parameters"]["work_mem"] == "8MB"
    assert cluster["spec"]["resources"]["requests"]["ephemeral-storage"] == "1Gi"
    assert cluster["metadata"]["labels"]["team"] == "dba"
    assert cluster["metadata"]["annotations"]["example.com/note"] == "mine"


DEFAULT = {
    "requests": {"cpu": "100m", "memory": "1Gi"},
    "limits": {"cpu": "2", "memory": "1Gi"},
}


async def test_a_field_no_longer_asked_for_is_taken_back(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    amounts = {"cpu": "500m", "memory": "2Gi"}
    resources = {"requests": amounts, "limits": amounts}
    await databases.create("orders", resources=resources)
    await databases.ready("orders")
    cluster = await databases.child("clusters", "daap-orders")
    assert cluster
    assert cluster["spec"]["resources"] == resources
    await databases.edit("orders", resources=None)
    await eventually(
        lambda: databases.child("clusters", "daap-orders"),
        lambda obj: obj and obj["spec"]["resources"] == DEFAULT,
    )


async def test_a_deleted_secret_comes_back_with_the_slow_check(
    databases: Databases, operators: Operators
) -> None:
    status = (await healthy(databases, operators, DAAP_SECRET_CHECK_INTERVAL="1s"))["status"]
    before = await databases.child("secrets", status["secretName"])
    assert before
    await databases.api.delete("secrets", databases.namespace, status["secretName"])
    after = await eventually(lambda: databases.child("secrets", status["secretName"]))
    assert after
    assert after["data"] == before["data"]


async def test_an_edited_secret_is_put_right_and_keeps_what_is_not_ours(
    databases: Databases, operators: Operators
) -> None:
    status = (await healthy(databases, operators, DAAP_SECRET_CHECK_INTERVAL="1s"))["status"]
    name = status["secretName"]
    before = await databases.child("secrets", name)
    assert before
    vandalism = {
        "metadata": {"labels": {"daap.io/database": None, "team": "x"}},
        "data": {"host": b64encode(b"elsewhere").decode(), "extra": b64encode(b"1").decode()},
    }
    await databases.api.patch("secrets", databases.namespace, name, vandalism)
    after = await eventually(
        lambda: databases.child("secrets", name), lambda obj: obj and obj["data"] == before["data"]
    )
    assert after
    assert after["metadata"]["labels"] == {**before["metadata"]["labels"], "team": "x"}


async def test_a_new_password_reaches_the_secret(
    databases: Databases, operators: Operators
) -> None:
    status = (await healthy(databases, operators))["status"]
    entries = {"password": b64encode(b"p@ss/word").decode()}
    await databases.api.patch("secrets", databases.namespace, "daap-orders-app", {"data": entries})
    # CloudNativePG notices by itself; the stand-in looks when its Cluster changes
    await databases.api.patch(
        "clusters", databases.namespace, "daap-orders", {"spec": {"description": "look"}}
    )
    secret = await eventually(
        lambda: databases.child("secrets", status["secretName"]),
        lambda obj: obj and b64decode(obj["data"]["password"]) == b"p@ss/word",
    )
    assert secret
    assert b"p%40ss%2Fword@" in b64decode(secret["data"]["uri"])
    # the status follows the Secret: that of before is Ready for this generation as well
    await eventually(
        lambda: databases.get("orders"),
        lambda obj: (
            is_ready(obj) and obj and obj["status"]["secretRevision"] != status["secretRevision"]
        ),
    )


async def test_a_cluster_deleted_by_hand_is_told_of(
    databases: Databases, operators: Operators
) -> None:
    await healthy(databases, operators)
    await databases.api.delete("clusters", databases.namespace, "daap-orders")

    async def reasons() -> set[str]:
        events = await databases.api.list("events", databases.namespace)
        return {event["reason"] for event in events}

    await eventually(reasons, lambda seen: {"NotServing", "ClusterRecreated"} <= seen)
    await databases.ready("orders")


async def test_a_paused_pooler_is_not_ready(databases: Databases, operators: Operators) -> None:
    await healthy(databases, operators)

    async def pause(paused: bool) -> None:
        patch = {"spec": {"pgbouncer": {"paused": paused}}}
        await databases.api.patch("poolers", databases.namespace, "daap-orders-pooler", patch)

    await pause(True)
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "Ready").get("status") == "False",
    )
    assert condition(found, "Ready")["reason"] == "NotServing"
    assert "paused" in condition(found, "Ready")["message"]
    await pause(False)
    await databases.ready("orders")
