"""The project's own control plane, run for real: no root, no Docker.

Its programs are those of KUBEBUILDER_ASSETS, or built once by dev/kind build --control-plane-only.
"""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from dev.cluster import (
    ClusterError,
    ControlPlane,
    barman,
    cnpg,
    homes,
    object_store,
    paths,
    programs,
    versions,
)
from dev.cluster.established import wait_established
from dev.cluster.processes import Processes
from dev.cluster.provider import OURS
from tests.fix_postgres import wait_until

pytestmark = pytest.mark.timeout(1800)  # what is not built yet is built by the first test

PREFIX = f"planes-{os.getpid()}"


@pytest.fixture(scope="module")
def plane() -> Iterator[ControlPlane]:
    with ControlPlane.create(PREFIX, audit=True) as plane:
        yield plane


def audited(plane: ControlPlane, path: str) -> list[str]:
    """The users of the finished requests for a path."""
    lines = plane.audit_log.read_text().splitlines(keepends=True)
    entries = [json.loads(line) for line in lines if line.endswith("\n")]
    return [entry["user"]["username"] for entry in entries if entry["requestURI"] == path]


def wait_for_audit(plane: ControlPlane, path: str, count: int) -> list[str]:
    # The API server writes the entry while the answer is already under way.
    Processes(paths.cluster_directory(plane.name)).wait(
        "the audit log", lambda: len(audited(plane, path)) >= count, seconds=60, needs=()
    )
    return audited(plane, path)


def test_the_plane_is_usable_at_once(plane: ControlPlane) -> None:
    pod = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "needs-the-default-service-account"},
        "spec": {"containers": [{"name": "a", "image": "a"}]},
    }
    plane.kubectl("create", "-f", "-", input=json.dumps(pod))
    assert plane.kubectl("get", "pod", "-o", "jsonpath={.items[*].status.phase}") == "Pending"


def test_the_version_is_the_pinned_one_or_that_of_the_assets(plane: ControlPlane) -> None:
    version = json.loads(plane.kubectl("version", "-o", "json"))["serverVersion"]["gitVersion"]
    assert version == versions.KUBERNETES or programs.asset("kube-apiserver")


def test_controllers_work_as_in_any_cluster(plane: ControlPlane) -> None:
    plane.kubectl("create", "namespace", "short-lived")
    plane.kubectl("-n", "short-lived", "create", "configmap", "a")
    plane.kubectl("delete", "namespace", "short-lived", "--timeout=60s")
    with pytest.raises(ClusterError, match="NotFound"):
        plane.kubectl("get", "namespace", "short-lived")


def test_kubectl_raises_with_what_it_printed(plane: ControlPlane) -> None:
    with pytest.raises(ClusterError, match='configmaps "absent" not found'):
        plane.kubectl("get", "configmap", "absent")


def test_the_server_is_the_kubeconfigs(plane: ControlPlane) -> None:
    shown = plane.kubectl("config", "view", "-o", "jsonpath={.clusters[0].cluster.server}")
    assert shown == plane.server
    anonymous = ssl._create_unverified_context()
    with urllib.request.urlopen(f"{plane.server}/version", context=anonymous) as answer:
        assert answer.status == 200


def test_a_users_kubeconfig_makes_that_user_in_those_groups(plane: ControlPlane) -> None:
    kubeconfig = plane.user_kubeconfig("team/ann", groups=["dev", "ops"])
    shown = plane.kubectl(f"--kubeconfig={kubeconfig}", "auth", "whoami", "-o", "json")
    user = json.loads(shown)["status"]["userInfo"]
    assert user["username"] == "team/ann"
    assert {"dev", "ops"} < set(user["groups"])
    assert plane.user_kubeconfig("team/ann", groups=["dev", "ops"]) == kubeconfig


def test_a_user_has_no_rights_before_a_binding_gives_some(plane: ControlPlane) -> None:
    kubeconfig = f"--kubeconfig={plane.user_kubeconfig('bob')}"
    with pytest.raises(ClusterError, match="forbidden"):
        plane.kubectl(kubeconfig, "get", "secrets")
    plane.kubectl("create", "rolebinding", "bob", "--clusterrole=view", "--user=bob")

    def may() -> bool:
        try:
            plane.kubectl(kubeconfig, "get", "configmaps")
        except ClusterError as error:
            if "forbidden" in str(error):
                return False
            raise
        return True

    wait_until(may, "bob may see ConfigMaps")  # the API server hears of its own bindings by a watch


def test_the_audit_log_counts_each_request_with_its_user(plane: ControlPlane) -> None:
    path = "/api/v1/namespaces/kube-public/configmaps/counted"
    kubeconfig = f"--kubeconfig={plane.user_kubeconfig('carol', groups=['system:masters'])}"
    for _ in range(2):
        with pytest.raises(ClusterError):
            plane.kubectl(kubeconfig, "get", "--raw", path)
    with pytest.raises(ClusterError):
        plane.kubectl("get", "--raw", path)
    users = wait_for_audit(plane, path, 3)
    assert sorted(users) == ["carol", "carol", "kubernetes-admin"]


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM], ids=["killed", "asked"])
def test_a_stopped_api_server_comes_back_with_its_data(
    plane: ControlPlane, how: signal.Signals
) -> None:
    plane.kubectl("create", "configmap", f"kept-{how.name.lower()}")
    before = plane.server
    plane.stop("kube-apiserver", how)
    with pytest.raises(ClusterError, match="refused"):
        plane.kubectl("get", "configmap")
    plane.start("kube-apiserver")
    assert plane.server == before
    plane.kubectl("get", "configmap", f"kept-{how.name.lower()}")


@pytest.mark.parametrize("program", ["etcd", "kube-controller-manager"])
def test_the_other_programs_come_back_too(plane: ControlPlane, program: str) -> None:
    plane.stop(program, signal.SIGKILL)
    plane.start(program)
    plane.start(program)
    plane.kubectl("create", "namespace", f"after-{program}")
    Processes(paths.cluster_directory(plane.name)).wait(
        "the service account of a new namespace",
        lambda: "default" in plane.kubectl("-n", f"after-{program}", "get", "sa", "-o", "name"),
        seconds=60,
        needs=[program],
    )


def test_a_program_the_plane_does_not_have_is_named(plane: ControlPlane) -> None:
    with pytest.raises(ClusterError, match="no program kubelet here; there are etcd"):
        plane.stop("kubelet")


def test_cloudnativepgs_crds_are_established(plane: ControlPlane) -> None:
    plane.kubectl("apply", "--server-side", "-f", str(cnpg.crds()))
    wait_established(plane.kubectl)
    assert "clusters.postgresql.cnpg.io" in plane.kubectl("get", "crd", "-o", "name")


def test_cloudnativepgs_manifest_and_defaults_are_those_of_our_images() -> None:
    assert f"image: {versions.CNPG_IMAGE}\n" in cnpg.manifest()
    defaults = (cnpg.source() / "pkg/versions/versions.go").read_text()
    assert f'DefaultPgbouncerImage = "{versions.POSTGRES_IMAGES[-1]}"' in defaults


def test_the_plugins_crd_is_established(plane: ControlPlane) -> None:
    plane.kubectl("apply", "--server-side", "-f", str(barman.crds()))
    wait_established(plane.kubectl, "objectstores.barmancloud.cnpg.io")


def test_the_plugins_manifest_is_one_that_the_api_server_takes(plane: ControlPlane) -> None:
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": barman.NAMESPACE}}
    plane.kubectl("apply", "-f", "-", input=json.dumps(namespace))
    barman.apply(lambda *words, text=None: plane.kubectl(*words, input=text))
    object_store.apply(lambda *words, text=None: plane.kubectl(*words, input=text))
    made = plane.kubectl("get", "deployments", "-A", "-o", "jsonpath={..image}").split()
    assert sorted(made) == sorted([versions.BARMAN_IMAGE, versions.VERSITYGW_IMAGE])


@pytest.mark.parametrize("module", [cnpg, barman], ids=["cnpg", "barman"])
def test_the_command_line_prints_the_same_crds(module: ModuleType) -> None:
    what = f"{module.__name__.rpartition('.')[2]}-crds"
    done = subprocess.run([OURS, "get", what], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == module.crds()


def test_a_second_plane_of_the_name_is_refused_and_harms_nothing(plane: ControlPlane) -> None:
    with pytest.raises(ClusterError, match="already exist"):
        ControlPlane.create(plane.name)
    plane.kubectl("get", "namespaces")


def test_further_flags_reach_their_program_and_an_unknown_program_is_refused() -> None:
    with pytest.raises(ClusterError, match="flags for kubelet"):
        ControlPlane.create(f"{PREFIX}-flags", flags={"kubelet": ["--v=4"]})
    with pytest.raises(ClusterError, match=r"kube-apiserver ended(.|\n)*unknown flag: --nonsense"):
        ControlPlane.create(f"{PREFIX}-flags", flags={"kube-apiserver": ["--nonsense"]})
    directory = paths.cluster_directory(f"{PREFIX}-flags")
    assert Processes(directory).live() == []
    homes.delete(directory.name)


def test_a_plane_without_audit_has_no_log_and_leaving_it_leaves_nothing() -> None:
    with ControlPlane.create(f"{PREFIX}-gone") as plane:
        directory = paths.cluster_directory(plane.name)
        started = Processes(directory).live()
        assert len(started) == 3
        with pytest.raises(ClusterError, match="audit=True"):
            _ = plane.audit_log
    assert [record for record in started if record.alive()] == []
    assert not directory.exists()
    plane.delete()


OWNER = """
import os, signal, sys
from dev.cluster import ControlPlane
ControlPlane.create(sys.argv[1])
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def orphan() -> Iterator[str]:
    """The name of a plane whose owner was killed."""
    name = f"{PREFIX}-orphan"
    owner = subprocess.run([sys.executable, "-c", OWNER, name], cwd=OURS.parent.parent, check=False)
    assert owner.returncode == -signal.SIGKILL
    yield name
    homes.delete(name)


def test_leftovers_of_a_killed_owner_are_cleared_by_the_next_create(orphan: str) -> None:
    left = Processes(paths.cluster_directory(orphan)).live()
    assert len(left) == 3
    assert orphan not in homes.names()
    with ControlPlane.create(orphan) as plane:
        assert [record for record in left if record.alive()] == []
        plane.kubectl("get", "namespaces")


def test_leftovers_of_a_killed_owner_are_deleted_by_the_command_line(orphan: str) -> None:
    left = Processes(paths.cluster_directory(orphan)).live()
    subprocess.run([OURS, "delete", "cluster", "--name", orphan], check=True)
    assert [record for record in left if record.alive()] == []
    assert not paths.cluster_directory(orphan).exists()


def test_a_plane_of_the_command_line_lives_on_until_it_is_deleted(tmp_path: Path) -> None:
    name, kubeconfig = f"{PREFIX}-cli", tmp_path / "kubeconfig"
    flags = ("--name", name, "--kubeconfig", kubeconfig)
    create = (OURS, "create", "cluster", "--control-plane-only", *flags)
    try:
        subprocess.run(create, check=True)
        again = subprocess.run(create, capture_output=True, text=True, check=False)
        assert again.returncode == 1
        assert "already exist" in again.stderr
        kubectl = programs.control_plane()["kubectl"]
        ask = (kubectl, f"--kubeconfig={kubeconfig}")
        context = subprocess.check_output((*ask, "config", "current-context"), text=True)
        assert context == f"kind-{name}\n"
        subprocess.run((*ask, "get", "namespaces"), check=True)
    finally:
        subprocess.run((OURS, "delete", "cluster", *flags), check=True)
    assert f"kind-{name}" not in kubeconfig.read_text()
    assert not paths.cluster_directory(name).exists()
