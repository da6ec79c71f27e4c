"""A schema whose files lie in an image, on a real cluster that mounts it."""

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from dev.cluster import layout, node, paths
from tests.e2e.test_schema import APPLIED, LEDGER, SIXTH, SLOW, restrict
from tests.e2e.test_source import Server
from tests.fix_e2e import is_real_kind
from tests.support.clients import load_image
from tests.support.databases import Databases, condition
from tests.support.nightly import nightly
from tests.support.schemas import FIVE, Schemas
from tests.wrong_schemas import image

pytestmark = pytest.mark.timeout(900)

DOCKERFILE = "FROM scratch\nCOPY --chmod=644 *.sql /db/schema/\n"
"""As docs/schema.md has it."""


def loaded(cluster: KindCluster, context: Path, tag: str, files: Mapping[str, str]) -> str:
    """Build an image with the files, put it on the node, and return its name with its digest."""
    shutil.rmtree(context, ignore_errors=True)
    context.mkdir()
    (context / "Dockerfile").write_text(DOCKERFILE)
    for name, text in files.items():
        (context / name).write_text(text)
    real = is_real_kind(cluster)
    load_image(Path(cluster.kind_path), cluster.name, context, tag, real=real)
    ctr = _ctr(cluster, real=real)
    (line,) = [line for line in _run(*ctr, "images", "ls").splitlines() if line.startswith(tag)]
    digest = next(word for word in line.split() if word.startswith("sha256:"))
    reference = f"{tag.rpartition(':')[0]}@{digest}"
    _run(*ctr, "images", "tag", "--force", tag, reference)  # as if it had been pulled by it
    return reference


def _ctr(cluster: KindCluster, *, real: bool) -> tuple[str, ...]:
    if real:
        name = f"{cluster.name}-control-plane"
        return ("docker", "exec", name, "ctr", "--namespace", "k8s.io")
    found = layout.read(paths.cluster_directory(cluster.name))
    assert found is not None
    return node.ctr(found)


def _run(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@nightly("e2e-nightly")
@pytest.mark.usefixtures("jobs_run")
async def test_files_of_an_image_of_the_next_one_and_of_none(
    shop: Databases,
    real_cluster: KindCluster,
    tmp_path: Path,
) -> None:
    schemas = Schemas(shop.api, shop.namespace)
    orders = Server(real_cluster, shop, "orders")
    await restrict(shop)
    tag = "registry.example.com/orders/schema"
    first = loaded(real_cluster, tmp_path / "1", f"{tag}:1", FIVE)
    second = loaded(real_cluster, tmp_path / "2", f"{tag}:2", FIVE | SIXTH)
    await shop.create("orders", storage={"size": "1Gi"})
    await shop.ready("orders", seconds=SLOW)

    await schemas.create("orders", schema=[image(first, path="db/schema")])
    await schemas.applied("orders", "005_orders_status.sql", seconds=APPLIED)
    assert await orders.says(LEDGER) == "5|005_orders_status.sql"
    await schemas.edit("orders", schema=[image(second, path="/db/schema")])
    await schemas.applied("orders", "006_note.sql", seconds=APPLIED)
    assert await orders.says(LEDGER) == "6|006_note.sql"

    # Where there are no files, nothing is taken for none
    await schemas.edit("orders", schema=[image(second, path="db/other")])
    refused = await schemas.says("orders", "RunRefused", seconds=APPLIED)
    assert (
        "spec.schema[0], directory 'db/other' of the image"
        in condition(refused, "Ready")["message"]
    )

    # One that is nowhere is told while its pod waits, and another one goes on at once
    nowhere = f"{tag}@sha256:{'9' * 64}"
    await schemas.edit("orders", schema=[image(nowhere, path="db/schema")])
    told = await schemas.says("orders", "ImageUnavailable", seconds=APPLIED)
    assert condition(told, "Stalled")["status"] == "True"
    assert f"spec.schema[0].image.reference '{nowhere}'" in condition(told, "Ready")["message"]
    await schemas.edit("orders", schema=[image(second, path="db/schema")])
    await schemas.applied("orders", "006_note.sql", seconds=APPLIED)
    assert await orders.says(LEDGER) == "6|006_note.sql"
