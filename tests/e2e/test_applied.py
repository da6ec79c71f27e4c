"""Applied is what pods, Deployment and Service show, on the real CloudNativePG."""

from typing import Any

import pytest

from tests.scenarios.lifecycle import SLOW
from tests.support.api import Object
from tests.support.databases import Databases, condition, is_ready
from tests.support.eventually import eventually

pytestmark = pytest.mark.timeout(600)

MEMORY = {"limits": {"memory": "640Mi"}}


async def pods(shop: Databases, role: str) -> dict[str, Object]:
    """The pods of the database's instances, or of its pooler, by uid."""
    found = await shop.api.list("pods", shop.namespace)
    return {
        pod["metadata"]["uid"]: pod
        for pod in found
        if pod["metadata"]["labels"].get("cnpg.io/podRole") == role
    }


async def test_current_means_that_the_pods_are_as_the_spec_says(shop: Databases) -> None:
    await shop.create("orders")
    await shop.ready("orders", seconds=SLOW)
    before = await pods(shop, "instance")
    edited = await shop.edit("orders", resources=MEMORY)

    async def look() -> bool:
        obj = await shop.get("orders")
        done = is_ready(obj)
        if obj and obj["status"]["observedGeneration"] >= edited["metadata"]["generation"]:
            assert done or condition(obj, "Reconciling").get("status") == "True"
        if done:
            now = await pods(shop, "instance")
            assert len(now) == 1
            assert not now.keys() & before.keys()
            for pod in now.values():
                assert pod["spec"]["containers"][0]["resources"]["limits"]["memory"] == "640Mi"
        return done

    await eventually(look, seconds=SLOW)
    await settings_of_the_pooler_restart_nothing(shop)
    await a_quota_is_told(shop)


async def settings_of_the_pooler_restart_nothing(shop: Databases) -> None:
    """What shows that CloudNativePG has taken them up is its mark on the Service."""
    before = await pods(shop, "pooler") | await pods(shop, "instance")
    await shop.edit("orders", pooler={"mode": "Session"})
    await shop.ready("orders", seconds=SLOW)
    pooler = await shop.child("poolers", "daap-orders-pooler")
    service = await shop.child("services", "daap-orders-pooler")
    assert pooler
    assert service
    wanted = pooler["spec"]["serviceTemplate"]["metadata"]["labels"]["daap.io/spec"]
    assert service["metadata"]["labels"]["daap.io/spec"] == wanted
    assert (await pods(shop, "pooler") | await pods(shop, "instance")).keys() == before.keys()


async def a_quota_is_told(shop: Databases) -> None:
    """In the words of Kubernetes, by Events: there is no pod whose conditions could say it."""
    metadata = {"name": "small", "namespace": shop.namespace}
    quota: Object = {"metadata": metadata, "spec": {"hard": {"pods": "0"}}}
    await shop.api.create("resourcequotas", quota)
    await eventually(
        lambda: shop.api.get("resourcequotas", shop.namespace, "small"),
        lambda found: found and (found.get("status") or {}).get("hard"),
    )
    await shop.create("second")

    def is_told(obj: Any) -> bool:
        ready = condition(obj, "Ready")
        assert (ready.get("status"), ready.get("reason")) == ("False", "QuotaExceeded")
        return "exceeded quota: small" in ready["message"]

    await eventually(lambda: shop.get("second"), is_told, seconds=SLOW)
    first = await shop.get("orders")
    assert is_ready(first)
