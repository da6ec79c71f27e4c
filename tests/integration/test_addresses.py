"""Where the API server and the inventory are reached: by IPv6 alone, and past all proxies."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from tests.integration.migrating import run
from tests.support import proxy
from tests.support.databases import Databases
from tests.support.operator import Operators


async def test_api_server_and_inventory_by_an_ipv6_address(
    databases: Databases,
    operators: Operators,
    operator_kubeconfig: Path,
    migrated_database: str,
    tmp_path: Path,
) -> None:
    kubeconfig = tmp_path / "kubeconfig"
    api = proxy.proxy_to(proxy.api_server(operator_kubeconfig), 443, address="::1")
    inventory = proxy.proxy_to(migrated_database, 5432, address="::1")
    await api.mend()
    await inventory.mend()
    proxy.write_detour(operator_kubeconfig, api, kubeconfig)
    running = await operators.start(
        KUBECONFIG=str(kubeconfig), DATABASE_URL=at(migrated_database, inventory)
    )
    await databases.create("orders")
    ready = await databases.ready("orders")
    conditions = {found["type"]: found["status"] for found in ready["status"]["conditions"]}
    assert conditions["MetadataSynced"] == "True"
    await databases.delete("orders")
    await databases.gone("orders")
    await running.stop()
    api.cut()
    inventory.cut()


async def test_the_api_server_is_reached_directly_whatever_proxies_the_environment_names(
    databases: Databases, operators: Operators, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As its watches are: half of the operator behind a proxy would be no use."""
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    running = await operators.start()
    await databases.create("orders")
    await databases.ready("orders")
    await running.stop()


@pytest.mark.parametrize("action", [[], ["status"], ["wait"], ["rollback", "--to", "none"]])
async def test_the_schema_by_an_ipv6_address(migrated_database: str, action: list[str]) -> None:
    inventory = proxy.proxy_to(migrated_database, 5432, address="::1")
    await inventory.mend()
    code, output = await asyncio.to_thread(run, at(migrated_database, inventory), *action)
    assert code == 0, output
    inventory.cut()


def at(url: str, detour: proxy.Proxy) -> str:
    """The same database through an open proxy."""
    parts = urlsplit(url)
    user = parts.netloc.rpartition("@")[0]
    return urlunsplit(parts._replace(netloc=f"{user}@{detour.place}"))
