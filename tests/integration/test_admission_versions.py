"""Which major versions of PostgreSQL the API server lets people ask for."""

from collections.abc import AsyncIterator

import pytest

from tests.fix_admission import As, guarded_namespace
from tests.support import admission
from tests.support.admission import VERSIONS, refusal, refused
from tests.support.api import Api
from tests.support.databases import Databases

OFFER = "set it to one of 15, 16, 17, 18, or leave it out for 17"


@pytest.fixture
async def api(as_person: As) -> Api:
    return await as_person(admission.ADMIN)


@pytest.fixture
async def anywhere(api: Api) -> AsyncIterator[Databases]:
    """A namespace that belongs to no team, while the policy is in force."""
    async with guarded_namespace(api, "versions") as name:
        databases = Databases(api, name)
        await refused(lambda: databases.create("probe", postgresVersion=14), VERSIONS)
        await api.delete("daapdatabases", name, "probe")
        yield databases


async def test_a_new_database_of_a_version_not_on_offer_is_refused(anywhere: Databases) -> None:
    said = await refusal(anywhere.create("orders", postgresVersion=14))
    assert f"DaapDatabase {anywhere.namespace}/orders: spec.postgresVersion is 14" in said
    assert OFFER in said
    assert await refusal(anywhere.create("orders", postgresVersion=15)) == ""
    assert await refusal(anywhere.create("others")) == ""


async def test_what_a_database_has_stays_and_may_come_back(anywhere: Databases) -> None:
    """Databases that were made while 14 was on offer."""
    await anywhere.create("orders")
    status = {"status": {"observedGeneration": 1, "postgresVersion": 14}}
    await anywhere.api.patch("daapdatabases", anywhere.namespace, "orders", status, "status")
    assert await refusal(anywhere.edit("orders", postgresVersion=14)) == ""
    assert await refusal(anywhere.edit("orders", instances=2, purpose="more")) == ""
    assert await refusal(anywhere.edit("orders", postgresVersion=None)) == ""
    assert await refusal(anywhere.edit("orders", postgresVersion=16)) == ""


async def test_a_change_to_a_version_not_on_offer_is_refused(anywhere: Databases) -> None:
    await anywhere.create("orders")
    said = await refusal(anywhere.edit("orders", postgresVersion=14))
    assert "spec.postgresVersion is 14" in said
    assert OFFER in said
