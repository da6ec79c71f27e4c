"""DaapSchemas whose files lie in images, on a real API server with a stand-in for their Jobs."""

import uuid
from collections.abc import AsyncIterator, Iterator

import pytest

from daap_operator import names
from daap_operator.api.v1alpha1 import DaapSchemaSpec
from daap_operator.kinds import known
from daap_operator.kinds.schema import mounting, trim
from dev.cluster import ControlPlane
from tests.support import schema_jobs
from tests.support.api import Api
from tests.support.databases import Databases, condition
from tests.support.operator import Operators
from tests.support.schema_runner import Runner
from tests.support.schemas import FIVE, PLANS, Schemas, ready
from tests.wrong_schemas import image

pytestmark = pytest.mark.timeout(240)

FIRST, SECOND = (f"registry.example.com/orders/schema@sha256:{digit * 64}" for digit in ("1", "2"))
FILES = {"001_users.sql": FIVE["001_users.sql"], "002_orders.sql": FIVE["002_orders.sql"]}
ROWS = {"rows.sql": PLANS["001_users.sql"]}
THIRD = {"003_note.sql": "ALTER TABLE orders ADD COLUMN note text;\n"}


async def test_files_of_an_image_and_of_the_next_one(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    runner.images = {FIRST: FILES, SECOND: FILES | THIRD}
    await operators.start()
    await ready(databases)
    await schemas.files("rows", ROWS)
    fixtures = [{"configMap": {"name": "rows"}}]
    await schemas.create("tables", schema=[image(FIRST)], fixtures=fixtures)
    done = await schemas.applied("tables", "002_orders.sql")
    assert done["status"]["applied"] == 3
    assert done["status"]["files"]["count"] == 1  # of those that the operator has read
    assert len(done["status"]["filesChecksum"]) == 64
    runner.applied_once(schemas.namespace, *FILES, *ROWS)

    await schemas.edit("tables", schema=[image(SECOND)])
    await schemas.applied("tables", "003_note.sql")
    assert [each["file"] for each in runner.runs[-2].report["applied"]] == ["003_note.sql"]

    # What the operator has read must be what a run has, whatever an image holds besides
    await schemas.files("rows", {"rows.sql": "INSERT INTO users VALUES (2, 'second');\n"})
    again = runner.runs[-1].report["filesChecksum"]
    await schemas.waits("tables", lambda obj: obj["status"].get("filesChecksum") != again)
    await schemas.applied("tables", "003_note.sql")
    assert not any(run.report["result"] == "Refused" for run in runner.runs)


async def test_an_image_that_comes_later(
    databases: Databases, schemas: Schemas, operators: Operators, runner: Runner
) -> None:
    await operators.start()
    await ready(databases)
    await schemas.create("tables", schema=[image(FIRST)])
    told = await schemas.says("tables", "ImageUnavailable", seconds=90)
    assert condition(told, "Stalled")["status"] == "True"
    said = condition(told, "Ready")["message"]
    assert f"spec.schema[0].image.reference '{FIRST}' cannot be pulled (ErrImagePull" in said
    runner.images[FIRST] = FILES
    await schemas.applied("tables", "002_orders.sql")
    runner.applied_once(schemas.namespace, *FILES)


# --- where pods mount no images -------------------------------------------------------------------


@pytest.fixture
def older_plane() -> Iterator[ControlPlane]:
    """A control plane whose pods mount no images, as Kubernetes before 1.35 has it."""
    off = {"kube-apiserver": ["--feature-gates=ImageVolume=false"]}
    with ControlPlane.create(f"older-{uuid.uuid4().hex[:8]}", flags=off) as plane:
        yield plane


@pytest.fixture
async def older(older_plane: ControlPlane) -> AsyncIterator[Api]:
    async with Api(older_plane.kubeconfig) as client:
        yield client


async def test_an_api_server_that_drops_images_is_noticed_by_its_answer(older: Api) -> None:
    made = schema_jobs.images("default")
    del made["metadata"]["ownerReferences"]
    stored = await older.apply(known.JOB, made, names.FIELD_MANAGER)
    volumes = stored["spec"]["template"]["spec"]["volumes"]
    assert "schema-3" not in {each["name"] for each in volumes}
    spec = DaapSchemaSpec.model_validate(
        {"databaseRef": {"name": "orders"}, "schema": [image()], "fixtures": [image()]}
    )
    said = mounting.dropped(spec, trim.job(stored))
    assert said is not None
    assert said.reason == "ImageNotMounted"
