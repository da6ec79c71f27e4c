"""kopf writes nothing, whatever stands on the objects that it sees.

It removes its own finalizer from any object: once that was a name that anybody could write. And it
did so unfenced and for ever, where the operator lacks the right.
"""

import logging

import pytest

from daap_operator.engine.kopf_watch import FINALIZER
from daap_operator.names import (
    CNPG_POOLER_LABEL,
    FIELD_MANAGER,
    MANAGED_BY_LABEL,
)
from daap_operator.names import (
    FINALIZER as OURS,
)
from tests.support.api import Api, ApiError, Object
from tests.support.audit import Audit
from tests.support.databases import Databases, database
from tests.support.operator import Operators

EARLIER = ("daap.io/unused-by-kopf", "kopf.zalando.org/KopfFinalizerMarker")
"""What was kopf's finalizer here before, and what is by its own default."""


def deployment(namespace: str, finalizers: list[str]) -> Object:
    """One that is watched for its label, which anybody may write."""
    labels = {"app": "kopfy"}
    container = {"name": "c", "image": "i"}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {
            "namespace": namespace,
            "name": "kopfy",
            "labels": {CNPG_POOLER_LABEL: "x"},
            "finalizers": finalizers,
        },
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": [container]}},
        },
    }


def cluster(namespace: str, finalizers: list[str]) -> Object:
    """One that says it is ours."""
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {
            "namespace": namespace,
            "name": "kopfy",
            "labels": {MANAGED_BY_LABEL: FIELD_MANAGER},
            "finalizers": finalizers,
        },
        "spec": {"instances": 1, "storage": {"size": "1Gi"}},
    }


def marked(namespace: str, finalizers: list[str]) -> dict[str, Object]:
    """Objects of kinds that are watched, by plural."""
    own = database(namespace, "kopfy")
    own["metadata"]["finalizers"] = finalizers
    return {
        "deployments": deployment(namespace, finalizers),
        "clusters": cluster(namespace, finalizers),
        "daapdatabases": own,
    }


async def test_a_finalizer_that_anybody_writes_has_kopf_write_nothing(
    databases: Databases, operators: Operators, audit: Audit, caplog: pytest.LogCaptureFixture
) -> None:
    await operators.start()
    api, namespace = databases.api, databases.namespace
    audit.forget()
    for plural, obj in marked(namespace, [*EARLIER]).items():
        await api.create(plural, obj)
    try:
        await databases.create("orders")
        await databases.ready("orders")
        await databases.ready("kopfy")
        for plural in ("deployments", "clusters", "daapdatabases"):
            found = await api.get(plural, namespace, "kopfy")
            assert found
            left = [one for one in found["metadata"]["finalizers"] if one != OURS]
            assert left == [*EARLIER]
        written = [
            request
            for request in audit.requests()
            if request.write and request.name == "kopfy" and request.resource == "deployments"
        ]
        assert not written
        loud = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert not loud
    finally:
        for plural in ("deployments", "clusters", "daapdatabases"):
            left = [OURS] if plural == "daapdatabases" else []
            await api.patch(plural, namespace, "kopfy", {"metadata": {"finalizers": left}})


@pytest.mark.parametrize("plural", ["deployments", "clusters", "daapdatabases"])
async def test_the_finalizer_of_kopf_can_be_on_no_object(
    api: Api, namespace: str, plural: str
) -> None:
    with pytest.raises(ApiError) as refused:
        await api.create(plural, marked(namespace, [FINALIZER])[plural])
    assert refused.value.status == 422
    assert f'metadata.finalizers: Invalid value: "{FINALIZER}"' in refused.value.message
