"""Why pods do not start is told to those who may not look at pods."""

from typing import Any

import pytest

from daap_operator.kinds.database.stuck import PATIENCE_SECONDS
from tests.standin.cnpg import StandIn
from tests.support.api import Object
from tests.support.audit import Audit
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.warnings import failed_create

CLUSTER = "daap-orders"
QUOTA = 'pods "x" is forbidden: exceeded quota: small, requested: limits.memory=1Gi'


@pytest.fixture
async def starting(databases: Databases, operators: Operators, standin: StandIn) -> Databases:
    """A database whose first instance is being set up, and is not getting on."""
    await operators.start()
    standin.stop_at(databases.namespace, CLUSTER, 3)
    await databases.create("orders")
    await told(databases, "ClusterStarting")
    return databases


async def told(databases: Databases, reason: str, *words: str) -> None:
    """Wait until Ready has that reason, and a message with these words."""

    def is_told(obj: Any) -> bool:
        ready = condition(obj, "Ready")
        assert (ready.get("status"), ready.get("reason")) == ("False", reason)
        assert condition(obj, "Reconciling").get("reason") == reason
        return all(word in ready["message"] for word in words)

    await eventually(lambda: databases.get("orders"), is_told)


async def pod(databases: Databases, status: Object) -> None:
    """A pod of the Cluster's Job, in that state."""
    name = f"{CLUSTER}-1-initdb-x2x4z"
    if await databases.api.get("pods", databases.namespace, name) is None:
        metadata: Object = {"name": name, "namespace": databases.namespace}
        metadata |= {"labels": {"cnpg.io/cluster": CLUSTER, "cnpg.io/jobRole": "initdb"}}
        container = {"name": "initdb", "image": "postgresql:nope"}
        spec: Object = {"containers": [container], "serviceAccountName": CLUSTER}
        spec |= {"automountServiceAccountToken": False}
        await databases.api.create("pods", {"metadata": metadata, "spec": spec})
    body = {"status": status}
    await databases.api.patch("pods", databases.namespace, name, body, "status")


async def test_what_a_pod_waits_for_is_told(starting: Databases, standin: StandIn) -> None:
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    await pod(starting, {"conditions": [unscheduled | {"message": "0/1 nodes are available"}]})
    await told(starting, "Unschedulable", "0/1 nodes are available")
    scheduled = {"type": "PodScheduled", "status": "True", "reason": None, "message": None}
    container = {"name": "initdb", "image": "postgresql:nope", "imageID": "", "ready": False}
    waiting = {"reason": "ErrImagePull", "message": "not found"}
    status = container | {"restartCount": 0, "state": {"waiting": waiting}}
    await pod(starting, {"conditions": [scheduled], "containerStatuses": [status]})
    await told(starting, "ImagePullFailed", "postgresql:nope: not found")
    standin.go_on(starting.namespace, CLUSTER)
    await starting.ready("orders")


async def test_what_events_alone_tell_is_told_and_asked_for_seldom(
    starting: Databases, standin: StandIn, audit: Audit
) -> None:
    body = failed_create(starting.namespace, f"{CLUSTER}-1-initdb", QUOTA)
    audit.forget()
    await starting.api.create("events", body)
    await told(starting, "QuotaExceeded", QUOTA)
    asked = [r for r in audit.requests() if (r.verb, r.resource) == ("list", "events")]
    assert len(asked) <= 2, f"in little more than {PATIENCE_SECONDS} s"
    standin.go_on(starting.namespace, CLUSTER)
    await starting.ready("orders")


async def test_a_deployment_that_gets_no_pods_says_why(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    standin.sleep(databases.namespace)
    failure = {"type": "ReplicaFailure", "status": "True", "reason": "FailedCreate"}
    counts = ("availableReplicas", "readyReplicas", "replicas", "updatedReplicas")
    status: Object = dict.fromkeys(counts, 0)
    status |= {"unavailableReplicas": 1, "conditions": [failure | {"message": QUOTA}]}
    place = ("deployments", databases.namespace, f"{CLUSTER}-pooler")
    await databases.api.patch(*place, {"status": status}, "status")

    def is_told(obj: Any) -> bool:
        assert condition(obj, "Ready").get("reason") == "NotServing"
        assert condition(obj, "Reconciling").get("reason") == "QuotaExceeded"
        return QUOTA in condition(obj, "Ready")["message"]

    await eventually(lambda: databases.get("orders"), is_told)
    clear: Object = {"conditions": [], "unavailableReplicas": 0}
    await databases.api.patch(*place, {"status": clear}, "status")
    standin.wake(databases.namespace)
    await databases.ready("orders")
