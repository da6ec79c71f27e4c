"""CloudNativePG from its Go module, and the versions that are pinned."""

from pathlib import Path

import pytest

from dev.cluster import cnpg, versions
from dev.cluster.errors import ClusterError


def fake(path: Path, script: str) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A downloaded module, found by a fake go."""
    module = tmp_path / "module"
    (module / "config/crd/bases").mkdir(parents=True)
    (module / "releases").mkdir()
    manifest = module / f"releases/cnpg-{versions.CNPG}.yaml"
    manifest.write_text("imagePullPolicy: Always\n")
    fake(tmp_path / "bin/go", f"echo {module}")
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return module


def test_crds_and_manifest_are_those_of_the_pinned_version(module: Path) -> None:
    assert cnpg.crds() == module / "config/crd/bases"
    assert cnpg.manifest() == "imagePullPolicy: Always\n"


def test_a_module_that_is_not_there_yet_is_downloaded(module: Path, tmp_path: Path) -> None:
    there = tmp_path / "there"
    fake(
        tmp_path / "bin/go",
        f"case $1 in mod) touch {there} ;; list) [ -e {there} ] && echo {module} ;; esac; exit 0",
    )
    assert cnpg.source() == module


def test_an_incomplete_module_names_what_mends_it(module: Path) -> None:
    (module / "config/crd/bases").rmdir()
    with pytest.raises(ClusterError, match=r"incomplete; run: go clean -modcache"):
        cnpg.crds()


@pytest.mark.parametrize(
    ("pull", "policy"), [(True, "Always"), (False, "IfNotPresent")], ids=["real kind", "ours"]
)
def test_installing_applies_the_manifest_and_waits(
    module: Path, tmp_path: Path, pull: bool, policy: str
) -> None:
    log = tmp_path / "log"
    kubectl = fake(tmp_path / "kubectl", f'echo "$@" >> {log}; cat >> {log}')
    cnpg.install(kubectl, Path("/kubeconfig"), pull=pull)
    applied, manifest, waited = log.read_text().splitlines()
    assert applied.startswith("--kubeconfig=/kubeconfig apply --server-side")
    assert manifest == f"imagePullPolicy: {policy}"
    assert "rollout status deployment/cnpg-controller-manager" in waited


def test_a_failed_installation_shows_what_kubectl_said(module: Path, tmp_path: Path) -> None:
    kubectl = fake(tmp_path / "kubectl", "echo connection refused >&2; exit 1")
    with pytest.raises(ClusterError, match="connection refused"):
        cnpg.install(kubectl, Path("/kubeconfig"), pull=False)


def test_versions_are_read_from_the_modules() -> None:
    go_mod = (
        "require (\n\ta.test/b/c v9.9.9\n\ta.test/b v1.2.3 // indirect\n)\nrequire a.test/d v4\n"
    )
    assert versions.pinned(go_mod, "a.test/b") == "v1.2.3"
    assert versions.pinned(go_mod, "a.test/d") == "v4"
    with pytest.raises(ValueError, match="does not require"):
        versions.pinned(go_mod, "a.test/e")


def test_the_pinned_versions_are_whole() -> None:
    assert versions.KUBERNETES.startswith("v1.")
    assert versions.CNPG[0].isdigit()
