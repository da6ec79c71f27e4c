"""Fixtures: the operator installed in the real cluster, with a metadata database in it."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pytest_kind import KindCluster

from daap_operator import crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.cluster.established import wait_established
from dev.installation import NAMESPACE, RESTRICTED, metadata_database
from tests.fix_cluster import own_namespace
from tests.fix_e2e import cleared
from tests.support.api import Api
from tests.support.databases import Databases
from tests.support.release import Release

CRDS = [definition.name for definition in DEFINITIONS]


@pytest.fixture(scope="module")
def release(real_cluster: KindCluster, operator_image: str) -> Iterator[Release]:
    """Nothing of the operator is in the cluster, and a metadata database waits for it.

    Other tests find their CRD again afterwards.
    """
    made = Release(Path(real_cluster.kubeconfig_path).resolve(), Path(real_cluster.kubectl_path))
    made.kubectl("delete", "crd", *CRDS)
    metadata_database(made.kubectl, seconds=180)
    yield made
    made.uninstall()
    made.kubectl("delete", "namespace", NAMESPACE)
    made.kubectl("delete", "crd", *CRDS, "--ignore-not-found")
    made.kubectl("apply", "--server-side", "--filename=-", text=crd.render(*DEFINITIONS))
    wait_established(made.kubectl)


@pytest.fixture
async def team(release: Release, real_api: Api) -> AsyncIterator[Databases]:
    """A team's namespace with Pod Security restricted; emptied afterwards by the operator."""
    async with own_namespace(real_api, "team") as name:
        await real_api.patch("namespaces", "", name, {"metadata": {"labels": RESTRICTED}})
        team = Databases(real_api, name)
        yield team
        await cleared(team)
