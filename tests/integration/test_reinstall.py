"""The chart installed again under another name: the CRD that was kept is of the release before."""

from collections.abc import Iterator

import pytest

from dev.cluster import ControlPlane
from dev.installation import CHART
from tests.fix_cluster import own_name
from tests.support import prerequisites
from tests.support.helm import HelmError, helm

REFUSED = "cannot be imported into the current release: invalid ownership metadata"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    """A control plane with CloudNativePG's CRDs and without ours."""
    with ControlPlane.create(own_name("reinstall")) as made:
        prerequisites.install(made)
        for namespace in ("first", "second", "shop"):
            made.kubectl("create", "namespace", namespace)
        yield made


def install(plane: ControlPlane, release: str, namespace: str, *options: str) -> str:
    """`helm install` without the Job, which has nobody to run it here."""
    where = (f"--kubeconfig={plane.kubeconfig}", f"--namespace={namespace}")
    return helm("install", release, str(CHART), *where, "--set=migrations.mode=none", *options)


def uninstall(plane: ControlPlane, release: str, namespace: str) -> None:
    helm("uninstall", release, f"--kubeconfig={plane.kubeconfig}", f"--namespace={namespace}")


def owner(plane: ControlPlane) -> str:
    """The release that the CRD belongs to, as namespace/name."""
    fields = "meta\\.helm\\.sh/release-name", "meta\\.helm\\.sh/release-namespace"
    name, namespace = (
        plane.kubectl("get", "crd", "daapdatabases.daap.io", f"--output=jsonpath={{{path}}}")
        for path in (f".metadata.annotations.{field}" for field in fields)
    )
    return f"{namespace}/{name}"


@pytest.mark.parametrize(
    ("release", "namespace", "option", "owned"),
    [
        ("platform", "first", "--take-ownership", "first/platform"),
        ("daap-operator", "second", "--take-ownership", "second/daap-operator"),
        ("platform", "second", "--set=crds.install=false", "first/daap-operator"),
    ],
    ids=["another name", "another namespace", "a CRD of one's own"],
)
def test_again_under_another_name_as_the_docs_say(
    plane: ControlPlane, release: str, namespace: str, option: str, owned: str
) -> None:
    said = install(plane, "daap-operator", "first", "--take-ownership")
    assert "add --take-ownership" in said
    plane.kubectl("apply", "-f", "-", input=DATABASE)
    uninstall(plane, "daap-operator", "first")
    with pytest.raises(HelmError, match=REFUSED):
        install(plane, release, namespace)
    install(plane, release, namespace, option)
    assert owner(plane) == owned
    assert plane.kubectl("get", "daapdatabase", "orders", "--namespace=shop", "--output=name")
    uninstall(plane, release, namespace)


@pytest.mark.parametrize(("release", "namespace"), [("daap-operator", "second"), ("two", "second")])
def test_a_second_release_beside_the_first_is_refused(
    plane: ControlPlane, release: str, namespace: str
) -> None:
    install(plane, "daap-operator", "first", "--take-ownership")
    with pytest.raises(HelmError, match=REFUSED):
        install(plane, release, namespace)
    uninstall(plane, "daap-operator", "first")


DATABASE = """
apiVersion: daap.io/v1alpha1
kind: DaapDatabase
metadata: {name: orders, namespace: shop}
spec: {ownerTeam: checkout}
"""
