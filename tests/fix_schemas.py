"""Fixtures: DaapSchemas in a namespace of their own, and who runs their Jobs."""

from collections.abc import AsyncIterator

import pytest

from tests.support.api import Api
from tests.support.schema_runner import Runner, running
from tests.support.schemas import Schemas


@pytest.fixture
def schemas(api: Api, namespace: str) -> Schemas:
    """DaapSchemas, beside the databases of the same test."""
    return Schemas(api, namespace)


@pytest.fixture
async def runner(api: Api, namespace: str) -> AsyncIterator[Runner]:
    """Their Jobs run meanwhile."""
    async with running(api, namespace) as found:
        yield found
