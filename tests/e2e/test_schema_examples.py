"""The examples of whole schemas, applied to the real CloudNativePG as their first lines say, and
compared with tables read from the documents that they are made from."""

import asyncio
import base64

import psycopg
import pytest
from pytest_kind import KindCluster

from daap_operator.kinds import known
from tests.fix_examples import EXAMPLES, SCHEMAS, files_of
from tests.integration.schema_built import built, described, differences
from tests.integration.test_examples_schema import whole
from tests.support.databases import Databases
from tests.support.forwarding import forwarded
from tests.support.nightly import nightly
from tests.support.schemas import Schemas

pytestmark = pytest.mark.timeout(900)

SECONDS = 400.0
"""For two databases and their schemas, all at once."""


@nightly("e2e-nightly")
@pytest.mark.usefixtures("jobs_run")
async def test_the_examples_are_what_their_documents_say(
    shop: Databases,
    real_cluster: KindCluster,
) -> None:
    namespace = f"--namespace={shop.namespace}"
    for example in SCHEMAS:
        place = f"--kustomize={EXAMPLES / example}"
        await asyncio.to_thread(real_cluster.kubectl, "apply", place, namespace)
    schemas = Schemas(shop.api, shop.namespace)
    for example in SCHEMAS:
        files = files_of(example)
        last = max(file.name for file in files if file.parent.name == "schema")
        done = await schemas.applied(example, last, seconds=SECONDS)
        assert done["status"]["applied"] == len(files)
        url = await _url(shop, example)
        assert await asyncio.to_thread(_differences, shop, real_cluster, example, url) == []


async def _url(shop: Databases, example: str) -> str:
    secret = await shop.api.get(known.SECRET, shop.namespace, f"daap-{example}-app")
    assert secret
    data = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    return (
        f"host=127.0.0.1 sslmode=require user={data['username']} dbname={data['dbname']} "
        f"password={data['password']}"
    )


def _differences(shop: Databases, cluster: KindCluster, example: str, url: str) -> list[str]:
    with (
        forwarded(cluster, shop.namespace, f"daap-{example}-rw", 5432) as port,
        psycopg.connect(f"{url} port={port}") as connection,
    ):
        expected = built(connection, whole(example), "expected")
        found = differences(expected, described(connection, "public"))
        connection.rollback()  # what was built to compare with is no drift
        return found
