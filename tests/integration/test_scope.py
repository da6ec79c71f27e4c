"""Which namespaces are served, with DAAP_WATCH_NAMESPACES and without."""

from tests.support.api import Api
from tests.support.databases import Databases
from tests.support.operator import Operators
from tests.support.rows import Rows


async def test_only_the_named_namespaces_are_served(
    api: Api,
    databases: Databases,
    other_namespace: str,
    operators: Operators,
    rows: Rows,
) -> None:
    other = Databases(api, other_namespace)
    await rows.execute(
        "INSERT INTO databases (name, owner_team, cluster_name, pooler_name, namespace) "
        "VALUES ('theirs', 'somebody', 'daap-theirs', 'daap-theirs-pooler', %s)",
        other_namespace,
    )
    await other.create("orders")
    await operators.start(DAAP_WATCH_NAMESPACES=databases.namespace, DAAP_RESYNC_INTERVAL="1s")
    await databases.create("orders")
    await databases.ready("orders")
    await databases.delete("orders")
    await databases.gone("orders")
    untouched = await other.get("orders")
    assert untouched
    assert untouched["status"] == {"observedGeneration": -1}
    assert await rows.live("theirs")  # the sweep leaves rows of other namespaces alone


async def test_several_namespaces_share_one_space_of_names(
    api: Api, databases: Databases, other_namespace: str, operators: Operators
) -> None:
    other = Databases(api, other_namespace)
    await operators.start(DAAP_WATCH_NAMESPACES=f"{databases.namespace}, {other_namespace}")
    await databases.create("orders")
    await databases.ready("orders")
    await other.create("orders")
    await other.stalled("orders", "NameTaken")
    await other.create("ledger")
    await other.ready("ledger")
