"""What nobody should have stored: told of clearly, and nobody else's trouble."""

import os
import re
import time
from base64 import b64decode, b64encode
from typing import Any

import pytest

from tests.support.api import Api, Object, path
from tests.support.databases import Databases, condition, database, is_ready
from tests.support.eventually import eventually
from tests.support.loose_schema import loose_schema
from tests.support.operator import Operators
from tests.support.rows import Rows
from tests.support.slowness import slowness

HEALTHY = 100 if os.environ.get("LARGE") == "all" else 40
"""`make large` has as many as the docs speak of."""
HEALTHY_SECONDS = 240.0
"""For some thousand requests on a busy machine."""
MOST_TIMES = 3
"""How much longer all may take beside poison: "about as soon", by the docs."""

POISON: dict[str, dict[str, Any]] = {
    "types": {"ownerTeam": 5, "instances": "three", "storage": ["big"], "pooler": "none"},
    "empty": {"ownerTeam": None},
    "huge": {"ownerTeam": "checkout", "purpose": "x" * 500_000, "storage": {"size": "9" * 10_000}},
    "nested": {"ownerTeam": {"a": {"b": [{"c": None}]}}, "resources": [[]]},
    "status": {"ownerTeam": 5},
}
TELLABLE = ("empty", "huge")
"""Of the others the API server refuses every write, that of the status too: a rule of the CRD that
finds a type it does not know fails as such, whatever it was that changed."""

REASONS = dict.fromkeys(POISON, "InvalidSpec") | {"huge": "ObjectTooLarge"}
KOPFS_MEMORY = "kopf.zalando.org/last-handled-configuration"

WILD: Object = {
    "conditions": {"Ready": True},
    "clusterName": {"a": 1},
    "instances": "many",
    "observedGeneration": "first",
    "unheardOf": [1],
}


@pytest.fixture
async def poisoned(api: Api, databases: Databases) -> Databases:
    """A namespace with an object of each kind of poison, stored before the rules."""
    async with loose_schema(api, databases.namespace):
        for name, spec in POISON.items():
            body = database(databases.namespace, f"poison-{name}")
            await api.create("daapdatabases", body | {"spec": spec})
        await api.patch(
            "daapdatabases", databases.namespace, "poison-status", {"status": WILD}, "status"
        )
    return databases


def without_size(message: str) -> str:
    """A message without the size of the object, which grows by the status that tells of it."""
    return re.sub(r"has \d+ bytes", "has … bytes", message)


@pytest.mark.timeout(900)
async def test_poison_among_many_delays_none_of_them(
    poisoned: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start(DAAP_WORKERS="3")  # fewer than there is poison
    beside = await seconds_to_ready(poisoned, "beside")
    for name in POISON:
        note = await _announced(poisoned, f"poison-{name}", REASONS[name])
        assert "spec." in note
        if name in TELLABLE:
            found = await poisoned.stalled(f"poison-{name}", REASONS[name])
            told = condition(found, "Stalled")["message"]
            assert without_size(told).startswith(without_size(note))
        assert await rows.named(f"poison-{name}") == []
        await poisoned.delete(f"poison-{name}")
        await poisoned.gone(f"poison-{name}")
    alone = await seconds_to_ready(poisoned, "alone")
    assert beside < alone * MOST_TIMES


async def seconds_to_ready(databases: Databases, prefix: str) -> float:
    """How long it takes from the first one's creation until all are Ready.

    On a machine with time to spare: its slowness is measured before and afterwards.
    """
    before, began = slowness(), time.monotonic()
    for number in range(HEALTHY):
        await databases.create(f"{prefix}-{number}")

    async def all_of_them() -> dict[str, Object]:
        found = await databases.api.list("daapdatabases", databases.namespace)
        return {obj["metadata"]["name"]: obj for obj in found}

    def are_ready(seen: dict[str, Object]) -> bool:
        waiting = [n for n, obj in seen.items() if n.startswith(prefix) and not is_ready(obj)]
        assert not waiting, f"{len(waiting)} wait"
        return True

    await eventually(all_of_them, are_ready, seconds=HEALTHY_SECONDS, every=0.5)
    took = time.monotonic() - began
    return took * 2 / (before + slowness())


async def _announced(databases: Databases, name: str, reason: str) -> str:
    """The one Event on the object that says what is wrong with it."""

    async def notes() -> list[str]:
        found = await databases.api.list("events", databases.namespace)
        return [e["note"] for e in found if (e["regarding"]["name"], e["reason"]) == (name, reason)]

    return (await eventually(notes, lambda seen: len(seen) == 1))[0]


async def test_a_poisoned_object_serves_once_it_is_mended(
    poisoned: Databases, operators: Operators
) -> None:
    await operators.start()
    for name in ("poison-status", "poison-empty"):
        await _announced(poisoned, name, REASONS[name.removeprefix("poison-")])
        found = await poisoned.get(name)
        assert found
        mended = database(poisoned.namespace, name)
        mended["metadata"]["resourceVersion"] = found["metadata"]["resourceVersion"]
        await poisoned.api.call("PUT", path("daapdatabases", poisoned.namespace, name), mended)
        await poisoned.ready(name)


async def test_a_replacement_without_the_finalizer_gets_it_back(
    databases: Databases, operators: Operators
) -> None:
    """`kubectl replace` with the file of the first day: no finalizer, no status."""
    await operators.start()
    await databases.create("orders")
    before = await databases.ready("orders")
    body = database(databases.namespace, "orders", purpose="replaced")
    body["metadata"]["resourceVersion"] = before["metadata"]["resourceVersion"]
    await databases.api.call("PUT", path("daapdatabases", databases.namespace, "orders"), body)
    await eventually(
        lambda: databases.get("orders"),
        lambda obj: is_ready(obj) and obj and obj["metadata"]["finalizers"] == ["daap.io/cleanup"],
    )


async def test_what_others_wrote_for_their_kopf_does_not_hide_an_object(
    databases: Databases, operators: Operators
) -> None:
    """kopf's own memory of an object, in an annotation that anybody can write or copy."""
    await operators.start()
    annotations = ("{", "[]", "5", '{"spec": {"ownerTeam": 1}}')
    names = [f"orders-{number}" for number in range(len(annotations))]
    for name, annotation in zip(names, annotations, strict=True):
        body = database(databases.namespace, name)
        body["metadata"]["annotations"] = {KOPFS_MEMORY: annotation}
        await databases.api.create("daapdatabases", body)
    for name in names:
        await databases.ready(name)
        await databases.edit(name, instances=2)
        await eventually(
            lambda name=name: databases.child("clusters", f"daap-{name}"),  # type: ignore[misc]
            lambda obj: obj and obj["spec"]["instances"] == 2,
        )


@pytest.mark.parametrize(
    "entries",
    [
        {"password": b"\xff\xfe"},
        {"username": b"\xff\xfe"},
        {"username": b"x" * 64},
    ],
    ids=str,
)
async def test_unusable_credentials_are_told_of(
    entries: dict[str, bytes], databases: Databases, operators: Operators
) -> None:
    """CloudNativePG's own Secret, edited by somebody who meant well."""
    await operators.start(DAAP_SECRET_CHECK_INTERVAL="1s")
    await databases.create("orders")
    before = await databases.ready("orders")
    name = before["status"]["secretName"]
    published = await databases.child("secrets", name)
    assert published
    application = await databases.child("secrets", "daap-orders-app")
    assert application
    data = {key: b64encode(value).decode() for key, value in entries.items()}
    await databases.api.patch("secrets", databases.namespace, "daap-orders-app", {"data": data})
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: condition(obj, "Reconciling").get("reason") == "CredentialsPending",
    )
    assert "daap-orders-app" in condition(found, "Reconciling")["message"]
    kept = await databases.child("secrets", name)
    assert kept
    assert kept["data"] == published["data"]
    await databases.api.patch(
        "secrets", databases.namespace, "daap-orders-app", {"data": application["data"]}
    )
    await databases.ready("orders")


async def test_garbage_in_the_connection_secret_is_put_right(
    databases: Databases, operators: Operators
) -> None:
    await operators.start(DAAP_SECRET_CHECK_INTERVAL="1s")
    await databases.create("orders")
    name = (await databases.ready("orders"))["status"]["secretName"]
    before = await databases.child("secrets", name)
    assert before
    garbage = {key: b64encode(b"\xff\xfe\x00").decode() for key in before["data"]}
    await databases.api.patch("secrets", databases.namespace, name, {"data": garbage})
    after = await eventually(
        lambda: databases.child("secrets", name), lambda obj: obj and obj["data"] == before["data"]
    )
    assert after
    assert b64decode(after["data"]["type"]) == b"postgresql"
