"""What the cluster has for backups: the Barman Cloud plugin and an S3 server."""

import base64
import json
import subprocess
from pathlib import Path

import pytest

from dev.cluster import (
    backup,
    backup_images,
    barman,
    buildah,
    full,
    object_store,
    pki,
    programs,
    versions,
)
from dev.cluster.errors import ClusterError

MANIFEST = """\
apiVersion: v1
data:
  SIDECAR_IMAGE: |
    Z2hjci5pby9jbG91ZG5hdGl2ZS1wZy9wbHVnaW4tYmFybWFuLWNsb3VkLXNpZGVjYXItdG
    VzdGluZzptYWlu
kind: Secret
---
apiVersion: apps/v1
image: ghcr.io/cloudnative-pg/plugin-barman-cloud-testing:main
        readinessProbe:
          initialDelaySeconds: 10
          periodSeconds: 10
          tcpSocket: {}
---
apiVersion: cert-manager.io/v1
kind: Certificate
---
apiVersion: cert-manager.io/v1
kind: Issuer
"""


def fake(path: Path, script: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAAP_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The plugin's module as it was downloaded, found by a fake go."""
    module = tmp_path / "module"
    (module / "config/crd/bases").mkdir(parents=True)
    (module / "manifest.yaml").write_text(MANIFEST)
    fake(tmp_path / "bin/go", f"echo {module}")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return module


class Kubectl:
    """Remembers what it was called with, and has the Secrets of these names."""

    def __init__(self, *secrets: str) -> None:
        self.secrets = secrets
        self.calls: list[tuple[str, ...]] = []
        self.applied: list[str] = []

    def __call__(self, *words: str, text: str | None = None) -> str:
        self.calls.append(words)
        if text is not None:
            self.applied.append(text)
        return "found" if words[:2] == ("get", "secret") and words[2] in self.secrets else ""

    def created(self) -> list[str]:
        return [words[3] for words in self.calls if words[:3] == ("create", "secret", "tls")]


# --- the plugin -----------------------------------------------------------------------------------


def test_the_manifest_names_the_pinned_images_and_needs_no_cert_manager(module: Path) -> None:
    text = barman.manifest()
    assert f"image: {versions.BARMAN_IMAGE}\n" in text
    sidecar = base64.b64encode(versions.SIDECAR_IMAGE.encode()).decode()
    assert f"data:\n  SIDECAR_IMAGE: {sidecar}\nkind: Secret" in text
    assert "cert-manager" not in text
    assert "testing" not in text


def test_the_plugin_is_ready_as_soon_as_it_serves(module: Path) -> None:
    assert "readinessProbe:\n          periodSeconds: 1\n          tcpSocket" in barman.manifest()


@pytest.mark.parametrize(
    "known",
    ["plugin-barman-cloud-testing:main", "SIDECAR_IMAGE: |", "initialDelaySeconds: 10"],
)
def test_a_manifest_that_changed_is_a_fault_and_not_installed_by_halves(
    module: Path, known: str
) -> None:
    (module / "manifest.yaml").write_text(MANIFEST.replace(known, "changed"))
    with pytest.raises(ClusterError, match=r"another manifest\.yaml than"):
        barman.manifest()


def test_the_crd_is_that_of_the_pinned_version(module: Path) -> None:
    assert barman.crds() == module / "config/crd/bases"


def test_the_plugin_is_not_the_version_whose_restores_fail() -> None:
    assert versions.BARMAN != "v0.15.0"


def test_both_certificates_are_made_before_the_plugin(module: Path) -> None:
    kubectl = Kubectl()
    barman.apply(kubectl)
    assert kubectl.created() == list(barman.CERTIFICATES)
    assert kubectl.calls[-1][0] == "apply"
    assert kubectl.applied == [barman.manifest()]


def test_certificates_stay_when_the_plugin_is_installed_again(module: Path) -> None:
    kubectl = Kubectl("barman-cloud-server-tls")
    barman.apply(kubectl)
    assert kubectl.created() == ["barman-cloud-client-tls"]


def test_a_self_signed_certificate_is_its_own_authority(tmp_path: Path) -> None:
    certificate, key = pki.self_signed(tmp_path, "barman-cloud")
    verify = ["openssl", "verify", "-verify_hostname", "barman-cloud", "-CAfile"]
    subprocess.run([*verify, certificate, certificate], check=True, capture_output=True)
    assert "PRIVATE KEY" in key.read_text()


# --- the S3 server --------------------------------------------------------------------------------


def test_the_s3_server_answers_at_the_address_that_is_told() -> None:
    service = next(one for one in object_store.objects() if one["kind"] == "Service")
    place = service["metadata"]
    (port,) = service["spec"]["ports"]
    address = f"http://{place['name']}.{place['namespace']}.svc:{port['port']}"
    assert address == object_store.ENDPOINT


def test_the_s3_servers_pods_are_those_of_its_service() -> None:
    by_kind = {one["kind"]: one["spec"] for one in object_store.objects() if "spec" in one}
    deployment = by_kind["Deployment"]
    labels = deployment["template"]["metadata"]["labels"]
    assert by_kind["Service"]["selector"] == labels == deployment["selector"]["matchLabels"]


def test_the_bucket_outlives_the_s3_servers_pod() -> None:
    kubectl = Kubectl()
    object_store.apply(kubectl)
    (applied,) = kubectl.applied
    deployment = next(o for o in json.loads(applied)["items"] if o["kind"] == "Deployment")
    spec = deployment["spec"]["template"]["spec"]
    mounts = {m["mountPath"]: m["name"] for m in spec["containers"][0]["volumeMounts"]}
    (volume,) = spec["volumes"]
    assert mounts[f"/objects/{object_store.BUCKET}"] == volume["name"]
    assert volume["persistentVolumeClaim"] == {"claimName": object_store.NAME}


# --- both -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("pull", "patience"), [(True, "600s"), (False, "180s")])
def test_installing_waits_until_both_serve(
    module: Path, tmp_path: Path, pull: bool, patience: str
) -> None:
    log = tmp_path / "log"
    kubectl = fake(tmp_path / "kubectl", f'echo "$@" >> {log}; cat > /dev/null')
    backup.install(kubectl, Path("/kubeconfig"), pull=pull)
    waited = [line for line in log.read_text().splitlines() if "rollout status" in line]
    assert [line.split()[-2] for line in waited] == ["deployment/s3", "deployment/barman-cloud"]
    assert all(line.endswith(f"--timeout={patience}") for line in waited)


def test_backups_without_cloudnativepg_are_a_fault_before_anything_is_built() -> None:
    with pytest.raises(ClusterError, match="--backup needs CloudNativePG: leave out --no-cnpg"):
        full.create("mine", with_cnpg=False, with_backup=True, flags={})


# --- images ---------------------------------------------------------------------------------------


def test_the_images_have_the_names_that_the_manifests_ask_for() -> None:
    tags = [tag for image in backup_images.of_programs() for tag in image.tags]
    assert tags == [versions.BARMAN_IMAGE, versions.VERSITYGW_IMAGE]


@pytest.mark.parametrize("name", backup_images.FILES)
def test_the_sidecar_is_built_anew_when_a_file_of_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    before = backup_images.sidecar()
    for file in backup_images.FILES:
        (tmp_path / file).write_text((backup_images.SIDECAR / file).read_text())
    monkeypatch.setattr(backup_images, "SIDECAR", tmp_path)
    assert backup_images.sidecar() == before
    (tmp_path / name).write_text("changed")
    assert backup_images.sidecar() != before


def test_the_sidecar_is_built_anew_with_its_program_and_its_base(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = {backup_images.sidecar()}
    monkeypatch.setattr(programs, "GO_FLAGS", ("-race",))
    found.add(backup_images.sidecar())
    monkeypatch.setattr(buildah, "PYTHON_DOCKERFILE", "changed")
    found.add(backup_images.sidecar())
    assert len(found) == 3


def test_cached_images_need_neither_root_nor_tools(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    monkeypatch.setenv("PATH", "/nowhere")
    wanted = [*(image.path for image in backup_images.of_programs()), backup_images.sidecar()]
    for path in wanted:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert backup_images.build() == wanted


def test_the_sidecars_barman_is_that_of_the_lock() -> None:
    asked = (backup_images.SIDECAR / "requirements.in").read_text().splitlines()[-1]
    locked = (backup_images.SIDECAR / "requirements.txt").read_text()
    assert f"barman=={asked.rpartition('==')[2]} " in locked
    assert "psycopg2==" not in locked
