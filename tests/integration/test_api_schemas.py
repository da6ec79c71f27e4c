"""The CRD of DaapSchemas as the real API server takes it: what it refuses, prints and selects."""

import json

import pytest

from daap_operator.api.v1alpha1.schema import plan
from daap_operator.kinds import known
from daap_operator.kube.sizes import OBJECT_BYTES
from dev.cluster import ControlPlane
from tests.integration.test_api_server import (
    apply,
    assert_told,
    fields,
    published,
    refusal,
    undocumented,
)
from tests.support.api import Api, Object, path
from tests.support.eventually import eventually
from tests.wrong_objects import Transition, Wrong
from tests.wrong_schemas import SCHEMAS, SPEC, TRANSITIONS, WRONG, config_map, inline, schema

PLURAL = "daapschemas"
KIND = known.DAAP_SCHEMA


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: wrong.id)
async def test_a_wrong_object_is_refused(wrong: Wrong, api: Api, namespace: str) -> None:
    url = f"{path(KIND, namespace)}?dryRun=All&fieldValidation=Strict"
    said = await refusal(api.call("POST", url, wrong.body()))
    assert_told(said, wrong.api_server and ("422", *wrong.api_server))


@pytest.mark.parametrize("change", TRANSITIONS, ids=lambda change: change.id)
async def test_a_change_is_taken_or_refused(change: Transition, api: Api, namespace: str) -> None:
    old, new = change.bodies()
    await apply(api, namespace, old)
    said = await refusal(apply(api, namespace, new, dry_run=True))
    assert_told(said, ("422", *change.refused) if change.refused else None)


@pytest.mark.parametrize("spec", SCHEMAS.values(), ids=SCHEMAS)
async def test_a_right_object_is_taken_and_applied_again_changes_nothing(
    spec: Object, api: Api, namespace: str
) -> None:
    """The largest, too: what the rules may cost is bounded by the API server."""
    body = schema(SPEC | spec)
    await apply(api, namespace, body)
    second = await apply(api, namespace, body)  # stores the status' default
    assert await apply(api, namespace, body) == second


async def test_an_unknown_field_is_refused_by_a_strict_client(api: Api, namespace: str) -> None:
    body = schema(SPEC | {"schema": [config_map(labels={})]})
    said = await refusal(apply(api, namespace, body, dry_run=True))
    assert "spec.schema[0].configMap.labels" in said or ".configMap.labels" in said


async def test_a_new_object_has_its_defaults_and_is_not_yet_observed(
    api: Api, namespace: str
) -> None:
    sources = [inline(), config_map()]
    created = await apply(api, namespace, schema(SPEC | {"schema": sources}))
    assert created["status"] == {"observedGeneration": -1}
    assert created["spec"] == {
        "databaseRef": {"name": "orders"},
        "schema": sources,  # nothing in a list has a default
        "approval": "Automatic",
        "onDestructive": "Approve",
        "backupBefore": False,
        "rehearsal": "Never",
        "lint": {"level": "Error", "ignore": []},
        "ledger": "default",
        "lockTimeoutSeconds": 5,
        "statementTimeoutSeconds": 0,
    }


STATUS: Object = {
    "phase": "AwaitingApproval",
    "current": "001_users.sql",
    "applied": 1,
    "pendingCount": 2,
    "findingsCount": 3,
    "driftCount": 4,
    "rehearsal": {
        "plan": "f" * 64,
        "of": "f" * 64,
        "state": "Passed",
        "startedAt": "2026-01-01T00:00:00Z",
    },
    "plan": "5d1f" * 16,
    "conditions": [
        {
            "type": "Ready",
            "status": "False",
            "observedGeneration": 1,
            "lastTransitionTime": "2026-01-01T00:00:00Z",
            "reason": "ApprovalRequired",
            "message": "Approve it",
        }
    ],
}


async def test_what_kubectl_prints(control_plane: ControlPlane, api: Api, namespace: str) -> None:
    await apply(api, namespace, schema(SPEC))
    await api.patch(KIND, namespace, "orders", {"status": STATUS}, "status")

    def printed(*arguments: str) -> list[list[str]]:
        out = control_plane.kubectl("get", *arguments, "-n", namespace)
        return [line.split() for line in out.strip().splitlines()]

    header, row = printed(PLURAL)
    assert header == [
        "NAME", "DATABASE", "READY", "STATUS", "CURRENT", "APPLIED", "PENDING", "FINDINGS", "AGE",
    ]  # fmt: skip
    assert row[:-1] == [
        "orders", "orders", "False", "AwaitingApproval", "001_users.sql", "1", "2", "3",
    ]  # fmt: skip
    header, row = printed("daapsch", "-o", "wide")
    assert header[8:] == ["DRIFT", "PLAN", "REHEARSAL", "MESSAGE", "AGE"]
    assert row[8:-1] == ["4", STATUS["plan"], "Passed", "Approve", "it"]
    assert printed("daap")[1][0] == "daapschema.daap.io/orders"  # of several kinds


@pytest.mark.parametrize(
    ("selector", "found"),
    [
        ("spec.databaseRef.name=orders", ["orders"]),
        ("spec.databaseRef.name=billing", ["billing"]),
        ("status.phase=AwaitingApproval", ["orders"]),
        ("status.phase=Applied", []),
    ],
)
async def test_selectable_fields(selector: str, found: list[str], api: Api, namespace: str) -> None:
    await apply(api, namespace, schema(SPEC))
    await apply(api, namespace, schema(SPEC | {"databaseRef": {"name": "billing"}}, "billing"))
    await api.patch(KIND, namespace, "orders", {"status": STATUS}, "status")
    listed = await api.list(KIND, namespace, f"fieldSelector={selector}")
    assert [obj["metadata"]["name"] for obj in listed] == found


async def test_the_largest_status_is_taken_by_both(api: Api, namespace: str) -> None:
    """With room for the spec beside it in what the operator takes in."""
    message = "x" * plan.MESSAGE_LENGTH
    finding = {"rule": "r" * 63, "level": "Warning", "message": message, "destructive": True}
    file = {
        "part": "schema",
        "file": "a" * 249 + ".sql",
        "checksum": "0" * 64,
        "locks": ["l" * 256] * plan.MOST_LOCKS,
        "findings": [finding] * plan.MOST_FINDINGS,
    }
    drift = {"change": "Changed", "kind": "column", "name": "x" * 256, "message": message}
    lists: dict[str, list[Object]] = {
        "pending": [file] * plan.MOST_PENDING,
        "drift": [drift] * plan.MOST_DRIFT,
    }
    status = STATUS | lists | {"message": "x" * 2048, "lastError": {"message": "x" * 2048}}
    await apply(api, namespace, schema(SPEC))
    stored = await api.patch(KIND, namespace, "orders", {"status": status}, "status")
    assert stored["status"]["lastError"].pop("line") == 0
    assert stored["status"] | {"lastError": {}} == status | {"lastError": {}} | {
        "observedGeneration": -1
    }
    assert len(json.dumps(stored)) < OBJECT_BYTES / 2
    for field, items in lists.items():
        more = {"status": {field: [*items, items[0]]}}
        said = await refusal(api.patch(KIND, namespace, "orders", more, "status"))
        assert f"status.{field}: Too many" in said


async def test_every_field_is_explained(control_plane: ControlPlane, api: Api) -> None:
    kind = await eventually(
        lambda: published(api, "DaapSchema"), lambda found: "spec" in fields(found)
    )
    for words in ((), ("--recursive",)):
        assert "planned, looked through" in control_plane.kubectl("explain", "daapsch", *words)
    below = control_plane.kubectl("explain", "daapschema.spec.schema.configMap.files")
    assert "When left out, `*.sql`." in below
    assert list(undocumented(kind["properties"]["spec"], "spec")) == []
    assert list(undocumented(kind["properties"]["status"], "status")) == []
