"""Objects that are made to be slow to read: they keep nobody waiting, least of all the Lease."""

import json

from daap_operator.names import CNPG_POOLER_LABEL, FIELD_MANAGER, MANAGED_BY_LABEL
from dev.cluster import ControlPlane
from tests.support.api import Object
from tests.support.databases import Databases
from tests.support.operator import Operators

ITEMS = 6000
LEASE = "15s"
"""The default. Reading the object kept the event loop from renewing it for half a minute."""


def freezer(namespace: str) -> Object:
    """A Cluster of 74 KB that says it is ours, with thousands of items of a set."""
    return {
        "apiVersion": "postgresql.cnpg.io/v1",
        "kind": "Cluster",
        "metadata": {
            "namespace": namespace,
            "name": "freezer",
            "labels": {MANAGED_BY_LABEL: FIELD_MANAGER},
            "finalizers": [f"x.y/{number:05}" for number in range(ITEMS)],
        },
        "spec": {"instances": 1, "storage": {"size": "1Gi"}},
    }


async def test_an_object_of_thousands_of_items_in_our_name_keeps_no_database_waiting(
    databases: Databases, operators: Operators
) -> None:
    api, namespace = databases.api, databases.namespace
    running = await operators.start(DAAP_LEASE_DURATION=LEASE)
    await api.apply("clusters", freezer(namespace), FIELD_MANAGER)
    try:
        await databases.create("orders")
        await databases.ready("orders")
        await running.stop()
        running = await operators.start(DAAP_LEASE_DURATION=LEASE)  # the next leader lists it
        await databases.edit("orders", connectionSecretName="another")
        await databases.ready("orders")
        assert running.alive
    finally:
        await api.patch("clusters", namespace, "freezer", {"metadata": {"finalizers": None}})


DEEP = 9000
"""Fields within fields: the API server takes ten thousand."""


def deep(name: str) -> str:
    """A Deployment that anybody may create, and that is watched for its label."""
    labels = {"app": name}
    obj = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "labels": {CNPG_POOLER_LABEL: "x"}, "managedFields": "DEEP"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "c", "image": "i"}]},
            },
        },
    }
    entry = '{"manager":"m","operation":"Update","apiVersion":"apps/v1","fieldsType":"FieldsV1",'
    fields = '{"f:a":' * DEEP + "{}" + "}" * DEEP
    return json.dumps(obj).replace('"DEEP"', f'[{entry}"fieldsV1":{fields}}}]')


async def test_fields_nested_thousands_deep_keep_no_database_waiting(
    databases: Databases, operators: Operators, control_plane: ControlPlane
) -> None:
    path = f"/apis/apps/v1/namespaces/{databases.namespace}/deployments"
    control_plane.kubectl("create", "--raw", path, "-f", "-", input=deep("listed"))
    running = await operators.start()
    control_plane.kubectl("create", "--raw", path, "-f", "-", input=deep("watched"))
    await databases.create("orders")
    await databases.ready("orders")
    assert running.alive
    work = running.operator._work
    assert work is not None
    assert work.seen(leads=True).watch_restarts == 0
