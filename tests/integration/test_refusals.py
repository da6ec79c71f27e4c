"""What CloudNativePG, quotas or the cluster refuse: told, not hammered, and mended by itself."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from daap_operator import crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.cluster import ControlPlane
from dev.cluster.established import wait_established
from tests.standin.cnpg import StandIn
from tests.standin.webhook import refusing, unanswered
from tests.support import rights
from tests.support.api import Api, Object
from tests.support.audit import Audit
from tests.support.databases import Databases, condition, phase
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows
from tests.support.tried import new_cluster

WORDS = 'Cluster.postgresql.cnpg.io "daap-orders" is invalid: spec.storage.size: Invalid value'


async def test_a_refused_cluster_is_stalled_with_the_words_of_cloudnativepg(
    databases: Databases, operators: Operators, rows: Rows, tmp_path: Path, audit: Audit
) -> None:
    await operators.start()
    async with refusing(databases.api, databases.namespace, tmp_path, status=422, message=WORDS):
        audit.forget()
        await databases.create("orders")
        found = await databases.stalled("orders", "Rejected")
        assert WORDS in condition(found, "Stalled")["message"]
        assert condition(found, "Ready")["reason"] == "Rejected"
        await rows.becomes("orders", status="deleted")  # it has given its name back

        async def tries() -> int:
            return sum(r.write and r.resource == "clusters" for r in audit.requests())

        assert await eventually(tries) <= 3  # the log may be a moment behind
        assert await databases.child("poolers", "daap-orders-pooler") is None
    await databases.edit("orders", purpose="mended")
    await databases.ready("orders")


async def test_a_refused_change_leaves_what_serves(
    databases: Databases, operators: Operators, rows: Rows, tmp_path: Path
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    async with refusing(databases.api, databases.namespace, tmp_path, status=422, message=WORDS):
        await databases.edit("orders", instances=2)
        found = await databases.stalled("orders", "Rejected")
        assert condition(found, "Ready")["status"] == "True"
        assert phase(found) == "Ready"
        assert found["status"]["host"]
        assert found["status"]["instances"] == 1
        refusal = condition(found, "Stalled")["message"]
        assert WORDS in refusal
        await rows.becomes("orders", status="ready", error_message=refusal)
        await eventually(lambda: databases.events("orders"), lambda seen: "Rejected" in seen)
        await databases.edit("orders", instances=1)
        await databases.ready("orders")
    await rows.becomes("orders", status="ready", error_message=None)


async def ready_is(databases: Databases, value: str) -> Object:
    """The database, once its condition Ready has this status."""
    found = await eventually(
        lambda: databases.get("orders"), lambda obj: condition(obj, "Ready").get("status") == value
    )
    assert found
    return found


async def test_ready_follows_the_primary_while_an_edit_is_refused(
    databases: Databases, operators: Operators, standin: StandIn, rows: Rows
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    secret = {"metadata": {"name": "mine", "namespace": databases.namespace}}
    await databases.api.create("secrets", secret)
    await databases.edit("orders", connectionSecretName="mine")
    found = await databases.stalled("orders", "SecretNameTaken")
    assert condition(found, "Ready")["status"] == "True"
    refusal = condition(found, "Stalled")["message"]
    await rows.becomes("orders", status="ready", error_message=refusal)
    standin.take_over(databases.namespace, "daap-orders")
    for status, healthy, serves in (("error", [], "False"), ("ready", ["daap-orders-1"], "True")):
        says = {"status": {"instancesStatus": {"healthy": healthy}}}
        await databases.api.patch("clusters", databases.namespace, "daap-orders", says, "status")
        found = await ready_is(databases, serves)
        assert condition(found, "Stalled")["reason"] == "SecretNameTaken"
        row = await rows.becomes("orders", status=status)
        assert refusal in row["error_message"]
    await databases.edit("orders", connectionSecretName=None)
    await databases.ready("orders")
    await rows.becomes("orders", status="ready", error_message=None)


async def test_a_webhook_nobody_answers_is_tried_again_and_told(
    databases: Databases, operators: Operators, tmp_path: Path
) -> None:
    await operators.start()
    async with unanswered(databases.api, databases.namespace, tmp_path):
        await databases.create("orders")
        found = await eventually(
            lambda: databases.get("orders"),
            lambda obj: condition(obj, "Reconciling").get("reason") == "Retrying",
        )
        told = condition(found, "Reconciling")["message"]
        assert "does not answer; trying again. The platform team must make sure" in told
        assert phase(found) == "Provisioning"
        assert not condition(found, "Stalled")
    await databases.ready("orders")


async def test_an_exceeded_quota_is_told(databases: Databases, operators: Operators) -> None:
    quota = {
        "metadata": {"name": "none", "namespace": databases.namespace},
        "spec": {"hard": {"count/clusters.postgresql.cnpg.io": "0"}},
    }
    await databases.api.create("resourcequotas", quota)
    await eventually(
        lambda: new_cluster(databases.api, databases.namespace),
        lambda said: "exceeded quota" in said,
    )
    await operators.start()
    await databases.create("orders")
    found = await databases.stalled("orders", "QuotaExceeded")
    assert "exceeded quota" in condition(found, "Stalled")["message"]
    await databases.api.delete("resourcequotas", databases.namespace, "none")
    await eventually(
        lambda: new_cluster(databases.api, databases.namespace), lambda said: said == ""
    )
    await databases.edit("orders", purpose="look again")
    await databases.ready("orders")


@pytest.fixture
def bare_plane() -> Iterator[ControlPlane]:
    """A control plane without CloudNativePG's kinds."""
    with ControlPlane.create(f"bare-{uuid.uuid4().hex[:8]}") as plane:
        plane.kubectl("apply", "--server-side", "-f", "-", input=crd.render(*DEFINITIONS))
        wait_established(plane.kubectl)
        yield plane


async def test_a_cluster_without_cloudnativepg_is_told_and_databases_can_be_deleted(
    bare_plane: ControlPlane, operators: Operators
) -> None:
    async with Api(bare_plane.kubeconfig) as api:
        databases = Databases(api, "default")
        await operators.start(**rights.environment(bare_plane))
        await databases.create("orders")
        found = await databases.stalled("orders", "CloudNativePGMissing")
        assert "install CloudNativePG" in condition(found, "Stalled")["message"]
        await databases.delete("orders")
        await databases.gone("orders")
