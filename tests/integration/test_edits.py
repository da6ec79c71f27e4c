"""What an edit of the spec does to the children, the Secret and the row."""

from typing import Any

import pytest

from tests.standin.cnpg import StandIn
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.operator import Operators
from tests.support.rows import Rows


async def test_owner_and_purpose_reach_the_row(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    before = await rows.becomes("orders", status="ready")
    await databases.edit("orders", ownerTeam="payments", purpose="Ümläute; '); DROP TABLE x --")
    after = await rows.becomes(
        "orders",
        owner_team="payments",
        purpose="Ümläute; '); DROP TABLE x --",
        generation=2,
    )
    assert after["updated_at"] > before["updated_at"]
    assert after["created_at"] == before["created_at"]


IMAGE_18 = "ghcr.io/cloudnative-pg/postgresql:18-standard-trixie"
MEMORY = {
    "requests": {"cpu": "100m", "memory": "2Gi"},
    "limits": {"cpu": "2", "memory": "2Gi"},
}
SHARED_BUFFERS = "postgresql.parameters.shared_buffers"
MOST_CLIENTS = "pgbouncer.parameters.max_client_conn"


@pytest.mark.parametrize(
    ("edit", "plural", "path", "value"),
    [
        ({"instances": 3}, "clusters", "instances", 3),
        ({"instances": 3}, "clusters", "enablePDB", True),
        ({"storage": {"size": "20Gi"}}, "clusters", "storage.size", "20Gi"),
        ({"postgresVersion": 18}, "clusters", "imageName", IMAGE_18),
        ({"resources": {"limits": {"memory": "2Gi"}}}, "clusters", "resources", MEMORY),
        ({"resources": {"limits": {"memory": "2Gi"}}}, "clusters", SHARED_BUFFERS, "512MB"),
        ({"pooler": {"instances": 3}}, "poolers", "instances", 3),
        ({"pooler": {"mode": "Session"}}, "poolers", "pgbouncer.poolMode", "session"),
        ({"pooler": {"maxClientConnections": 77}}, "poolers", MOST_CLIENTS, "77"),
    ],
    ids=lambda value: str(value)[:40],
)
async def test_an_edit_reaches_the_child(
    edit: dict[str, Any],
    plural: str,
    path: str,
    value: object,
    databases: Databases,
    operators: Operators,
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await databases.edit("orders", **edit)
    name = {"clusters": "daap-orders", "poolers": "daap-orders-pooler"}[plural]

    async def seen() -> Any:
        found: Any = (await databases.child(plural, name) or {}).get("spec")
        for key in path.split("."):
            found = (found or {}).get(key)
        return found

    await eventually(seen, lambda found: found == value)
    await databases.ready("orders")


BACKUP = {"store": "backups", "schedule": "30 2 * * *"}
PARAMETERS = ("clusters", "plugins", 0, "parameters")


@pytest.mark.parametrize(
    ("edit", "path", "value"),
    [
        ({"store": "others"}, (*PARAMETERS, "barmanObjectName"), "others"),
        ({"schedule": "*/20 * * * *"}, ("scheduledbackups", "schedule"), " 0-59/20 * * * *"),
        ({"enabled": False}, ("clusters", "plugins"), None),
        ({"enabled": False}, ("scheduledbackups",), None),
    ],
    ids=str,
)
async def test_an_edit_of_the_backups_reaches_the_child(
    edit: dict[str, Any],
    path: tuple[Any, ...],
    value: str | None,
    databases: Databases,
    operators: Operators,
) -> None:
    for store in ("backups", "others"):
        await databases.object_store(store)
    await operators.start()
    created = await databases.create("orders", backup=BACKUP)
    ready = await databases.ready("orders")
    archive = f"daap-orders-{created['metadata']['uid'][:8]}"
    assert ready["status"]["backup"]["archive"] == archive
    assert await _at(databases, (*PARAMETERS, "serverName")) == archive
    await eventually(lambda: databases.child("scheduledbackups", "daap-orders"), bool)
    await databases.edit("orders", backup=edit)
    await eventually(
        lambda: _at(databases, path),
        lambda found: found is None if value is None else str(found).endswith(value),
    )
    after = await databases.ready("orders")
    assert after["status"]["backup"]["archive"] == archive


async def test_backups_are_attached_when_their_store_appears(
    databases: Databases, operators: Operators, rows: Rows
) -> None:
    await operators.start()
    await databases.create("orders", backup=BACKUP)
    await databases.ready("orders")
    assert await _at(databases, ("clusters", "plugins")) is None
    await databases.object_store()
    schedule = await eventually(
        lambda: databases.child("scheduledbackups", "daap-orders"),
        lambda found: found and found.get("status", {}).get("lastScheduleTime"),
    )
    assert schedule
    ready = await databases.ready("orders")
    archive = ready["status"]["backup"]["archive"]
    await rows.becomes("orders", archive=archive, store="backups")
    store = await databases.child("objectstores", "backups")
    assert store
    assert archive in store["status"]["serverRecoveryWindow"]


async def _at(databases: Databases, path: tuple[Any, ...]) -> Any:
    """A part of the spec of a child that has the Cluster's name; None where there is none."""
    plural, *keys = path
    found: Any = await databases.child(plural, "daap-orders")
    for key in ("spec", *keys):
        if found is None:
            return None
        found = found[key] if isinstance(key, int) else found.get(key)
    return found


async def test_labels_reach_the_secret_and_follow_it_to_another_name(
    databases: Databases, operators: Operators
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    theirs = {"metadata": {"annotations": {"replicated-by": "somebody"}}}
    await databases.api.patch("secrets", databases.namespace, "daap-orders-connection", theirs)
    asked = {"labels": {"team": "checkout"}, "annotations": {"example.com/replicate-to": "web"}}
    await databases.edit("orders", connectionSecretMetadata=asked)

    def has(found: Any, *, others: bool) -> bool:
        metadata = (found or {}).get("metadata", {})
        annotations = metadata.get("annotations", {})
        return bool(
            metadata.get("labels", {}).get("team") == "checkout"
            and annotations.get("example.com/replicate-to") == "web"
            and ("replicated-by" in annotations) == others
        )

    secret = "daap-orders-connection"
    await eventually(lambda: databases.child("secrets", secret), lambda f: has(f, others=True))
    await databases.edit("orders", connectionSecretName="mine")
    await eventually(lambda: databases.child("secrets", "mine"), lambda f: has(f, others=False))


async def test_more_annotations_than_a_secret_takes_are_told_with_the_remedy(
    databases: Databases, operators: Operators
) -> None:
    """The rules count characters; the bytes of all of them together are too many for an object."""
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    asked = {"annotations": {f"example.com/{number}": "\u00fc" * 4096 for number in range(32)}}
    await databases.edit("orders", connectionSecretMetadata=asked)
    found = await databases.stalled("orders", "ObjectTooLarge")
    assert "spec.connectionSecretMetadata" in condition(found, "Stalled")["message"]
    assert condition(found, "Ready")["status"] == "True"
    await databases.edit("orders", connectionSecretMetadata=None)
    await databases.ready("orders")


async def test_ready_stays_true_while_an_instance_is_added(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    standin.pace(0.3)
    await databases.edit("orders", instances=2)
    seen = set()

    async def look() -> bool:
        found = await databases.get("orders")
        ready = condition(found, "Ready")
        seen.add((ready["status"], condition(found, "Reconciling").get("status")))
        return bool(found and found["status"].get("readyInstances") == 2) and not condition(
            found, "Reconciling"
        )

    await eventually(look)
    assert {ready for ready, _ in seen} == {"True"}
    assert ("True", "True") in seen


async def test_the_default_version_is_resolved_once_and_kept(
    databases: Databases, operators: Operators
) -> None:
    first = await operators.start(DAAP_DEFAULT_POSTGRES_VERSION="16")
    await databases.create("orders")
    assert (await databases.ready("orders"))["status"]["postgresVersion"] == 16
    await first.stop()
    await operators.start(DAAP_DEFAULT_POSTGRES_VERSION="17")
    await databases.create("later")
    assert (await databases.ready("later"))["status"]["postgresVersion"] == 17
    assert (await databases.ready("orders"))["status"]["postgresVersion"] == 16
    cluster = await databases.child("clusters", "daap-orders")
    assert cluster
    assert ":16-" in cluster["spec"]["imageName"]


async def test_the_secret_can_be_renamed(databases: Databases, operators: Operators) -> None:
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await databases.edit("orders", connectionSecretName="shop-postgres")
    found = await eventually(
        lambda: databases.get("orders"),
        lambda obj: obj and obj["status"]["secretName"] == "shop-postgres",
    )
    assert found
    assert found["status"]["binding"] == {"name": "shop-postgres"}
    assert await databases.child("secrets", "shop-postgres")
    assert await databases.child("secrets", "daap-orders-connection") is None


async def test_one_instance_less_has_no_read_only_host(
    databases: Databases, operators: Operators, standin: StandIn
) -> None:
    await operators.start()
    await databases.create("orders", instances=2)
    await databases.ready("orders")
    secret = await databases.child("secrets", "daap-orders-connection")
    assert secret
    assert {"ro-host", "ro-uri"} <= set(secret["data"])
    await databases.edit("orders", instances=1)
    await eventually(
        lambda: databases.child("secrets", "daap-orders-connection"),
        lambda obj: obj and not {"ro-host", "ro-uri"} & set(obj["data"]),
    )


async def test_a_policy_of_retention_frees_the_children_at_once(
    databases: Databases, operators: Operators
) -> None:
    """Then a deletion in the foreground, or a finalizer removed by force, cannot take them."""
    await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await databases.edit("orders", deletionPolicy="Retain")
    for plural, name in (
        ("clusters", "daap-orders"),
        ("poolers", "daap-orders-pooler"),
        ("secrets", "daap-orders-connection"),
    ):
        await eventually(
            lambda plural=plural, name=name: databases.child(plural, name),  # type: ignore[misc]
            lambda obj: obj and not obj["metadata"].get("ownerReferences"),
        )
    await databases.edit("orders", deletionPolicy="Delete")
    await eventually(
        lambda: databases.child("clusters", "daap-orders"),
        lambda obj: obj and obj["metadata"].get("ownerReferences"),
    )
