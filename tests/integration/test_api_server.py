"""The CRD as the real API server takes it: what it refuses, what it prints, what is selected."""

from collections.abc import Awaitable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from daap_operator.kinds import known
from dev.cluster import ControlPlane
from tests.support.api import APPLY, Api, ApiError, Object, path
from tests.support.databases import Databases
from tests.support.eventually import eventually
from tests.support.loose_schema import loose_schema
from tests.wrong_objects import (
    OLDER_THAN_A_RULE,
    TRANSITIONS,
    WRONG,
    Fragments,
    Transition,
    Wrong,
)

EXAMPLES = {
    example.stem: list(yaml.safe_load_all(example.read_text()))
    for example in sorted((Path(__file__).parents[2] / "examples").glob("*.yaml"))
}
KINDS = {kind.name: kind for kind in (known.DATABASE, known.DAAP_SCHEMA, known.CONFIG_MAP)}
"""The kinds of the examples, by name."""
GITOPS = "fieldManager=gitops&force=true&fieldValidation=Strict"


async def refusal(asked: Awaitable[Object]) -> str:
    """What the API server says to a request that it refuses; empty when it takes it."""
    try:
        await asked
    except ApiError as error:
        return f"{error.status}: {error.message}"
    return ""


def apply(api: Api, namespace: str, body: Object, *, dry_run: bool = False) -> Awaitable[Object]:
    """A server-side apply, as GitOps tools make it."""
    url = path(KINDS[body["kind"]], namespace, body["metadata"]["name"])
    query = f"{GITOPS}&dryRun=All" if dry_run else GITOPS
    return api.call("PATCH", f"{url}?{query}", body, APPLY)


def assert_told(said: str, fragments: Fragments | None) -> None:
    if fragments is None:
        assert said == ""
        return
    missing = [fragment for fragment in fragments if fragment not in said]
    assert said
    assert not missing, f"{missing} not in: {said}"


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.id)
async def test_a_wrong_object_is_refused(wrong: Wrong, api: Api, namespace: str) -> None:
    url = f"{path('daapdatabases', namespace)}?dryRun=All&fieldValidation=Strict"
    said = await refusal(api.call("POST", url, wrong.body()))
    assert_told(said, wrong.api_server and ("422", *wrong.api_server))


@pytest.mark.parametrize("change", TRANSITIONS, ids=lambda change: change.id)
async def test_a_change_is_taken_or_refused(change: Transition, api: Api, namespace: str) -> None:
    old, new = change.bodies()
    await apply(api, namespace, old)
    if change.status:
        name = old["metadata"]["name"]
        await api.patch("daapdatabases", namespace, name, {"status": change.status}, "status")
    said = await refusal(apply(api, namespace, new, dry_run=True))
    assert_told(said, ("422", *change.refused) if change.refused else None)


async def test_what_is_older_than_a_rule_can_still_be_edited(api: Api, namespace: str) -> None:
    bodies = {
        f"older-{number}": (change, *change.bodies())
        for number, change in enumerate(OLDER_THAN_A_RULE)
    }
    async with loose_schema(api, namespace):
        for name, (_, old, _) in bodies.items():
            await apply(api, namespace, old | {"metadata": {"name": name}})
    for name, (change, _, new) in bodies.items():
        named = new | {"metadata": {"name": name}}
        said = await refusal(apply(api, namespace, named, dry_run=True))
        assert_told(said, ("422", *change.refused) if change.refused else None)


@pytest.mark.parametrize("example", EXAMPLES)
async def test_an_example_is_taken_and_applied_again_changes_nothing(
    example: str, api: Api, namespace: str
) -> None:
    for obj in EXAMPLES[example]:
        await apply(api, namespace, obj)
        second = await apply(api, namespace, obj)  # stores the status' default
        assert await apply(api, namespace, obj) == second


async def test_an_unknown_field_is_refused_by_a_strict_client(api: Api, namespace: str) -> None:
    body = {
        "apiVersion": "daap.io/v1alpha1",
        "kind": "DaapDatabase",
        "metadata": {"name": "orders"},
        "spec": {"ownerTeam": "checkout", "instance": 3},
    }
    assert "spec.instance" in await refusal(apply(api, namespace, body, dry_run=True))


async def test_a_new_object_is_not_yet_observed(api: Api, namespace: str) -> None:
    created = await Databases(api, namespace).create("orders")
    assert created["status"] == {"observedGeneration": -1}
    assert created["spec"] == {
        "ownerTeam": "checkout",
        "purpose": "",
        "instances": 1,
        "storage": {"size": "10Gi"},
        "pooler": {"instances": 1, "mode": "Transaction", "maxClientConnections": 1000},
        "deletionPolicy": "Delete",
        "deletionProtection": False,
    }


STATUS = {
    "phase": "Ready",
    "host": "daap-orders-pooler.shop.svc.cluster.local",
    "secretName": "daap-orders-connection",
    "postgresVersion": 17,
    "conditions": [
        {
            "type": "Ready",
            "status": "True",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "reason": "Ready",
            "message": "Clients can connect",
        }
    ],
}


async def test_what_kubectl_prints(control_plane: ControlPlane, api: Api, namespace: str) -> None:
    await Databases(api, namespace).create("orders")
    await api.patch("daapdatabases", namespace, "orders", {"status": STATUS}, "status")

    def printed(*arguments: str) -> list[list[str]]:
        out = control_plane.kubectl("get", *arguments, "-n", namespace)
        return [line.split() for line in out.strip().splitlines()]

    header, row = printed("daapdatabases")
    assert header == ["NAME", "READY", "STATUS", "STALLED", "OWNER", "VERSION", "HOST", "AGE"]
    assert row[:6] == ["orders", "True", "Ready", "checkout", "17", STATUS["host"]]
    header, row = printed("daapdb", "-o", "wide")
    assert header[7:11] == ["SECRET", "LAST-BACKUP", "LAST-VERIFIED", "MESSAGE"]
    assert row[6:10] == ["daap-orders-connection", "Clients", "can", "connect"]
    assert printed("daap")[1][0] == "daapdatabase.daap.io/orders"  # of several kinds


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("spec.ownerTeam=checkout", ["orders"]),
        ("spec.ownerTeam=payments", ["ledger"]),
        ("status.phase=Ready", ["orders"]),
        ("status.phase=Error", []),
    ],
)
async def test_selectable_fields(selector: str, found: list[str], api: Api, namespace: str) -> None:
    databases = Databases(api, namespace)
    await databases.create("orders")
    await databases.create("ledger", ownerTeam="payments")
    await api.patch("daapdatabases", namespace, "orders", {"status": STATUS}, "status")
    listed = await api.list("daapdatabases", namespace, f"fieldSelector={selector}")
    assert [obj["metadata"]["name"] for obj in listed] == found


async def test_the_status_cannot_be_written_with_the_spec(api: Api, namespace: str) -> None:
    databases = Databases(api, namespace)
    await databases.create("orders")
    changed = await api.patch("daapdatabases", namespace, "orders", {"status": STATUS})
    assert changed["status"] == {"observedGeneration": -1}


async def test_every_field_is_explained(control_plane: ControlPlane, api: Api) -> None:
    kind = await eventually(lambda: published(api), lambda schema: "spec" in fields(schema))
    explained = control_plane.kubectl("explain", "daapdatabase", "--recursive")
    assert "DESCRIPTION" in explained
    assert list(undocumented(kind["properties"]["spec"], "spec")) == []


async def published(api: Api, name: str = "DaapDatabase") -> Object:
    """The kind as OpenAPI has it, a moment after it has been established; until then nothing."""
    try:
        document = await api.call("GET", "/openapi/v3/apis/daap.io/v1alpha1")
    except ApiError as error:
        if error.status == 404:
            return {}
        raise
    kind: Object = document["components"]["schemas"].get(f"io.daap.v1alpha1.{name}", {})
    return kind


def fields(schema: Object) -> Object:
    """The fields of a schema."""
    found: Object = schema.get("properties", {})
    return found


def undocumented(schema: Any, where: str) -> Iterator[str]:
    """The fields of a schema that are not explained, those of lists' items too."""
    for name, below in fields(schema).items():
        if not below.get("description"):
            yield f"{where}.{name}"
        yield from undocumented(below, f"{where}.{name}")
        yield from undocumented(below.get("items", {}), f"{where}.{name}[]")
