"""The cluster's Go programs: cache keys, programs found elsewhere, and every fault of a build."""

import re
import shutil
import threading
from pathlib import Path

import pytest

from dev.cluster import paths, programs, versions
from dev.cluster.errors import ClusterError
from dev.cluster.programs import Program

ETCD = Program("etcd", "etcd", "go.etcd.io/etcd/server/v3")
BUILDS = """
case $1 in
env) [ "$2" = GOVERSION ] && echo go1.99.0 || echo /tmp ;;
list) echo true; echo false; echo true ;;
build)
  echo "go: downloading example.test/module v1.0.0" >&2
  echo example.test/first >&2; echo example.test/second >&2
  while [ "$1" != -o ]; do shift; done
  echo built >> "$LOG"; echo '#!/bin/sh' > "$2" ;;
esac
"""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DAAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)
    return tmp_path / "cache"


def fake_go(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> Path:
    go = tmp_path / "bin/go"
    go.parent.mkdir()
    go.write_text(f"#!/bin/sh\n{script}")
    go.chmod(0o755)
    monkeypatch.setenv("PATH", f"{go.parent}:/usr/bin:/bin")
    monkeypatch.setenv("LOG", str(tmp_path / "log"))
    return tmp_path / "log"


@pytest.mark.parametrize(
    ("program", "go_mod", "go_sum"),
    [
        (ETCD, b"mod 2", b"sum"),
        (ETCD, b"mod", b"sum 2"),
        (ETCD, b"mods", b"um"),
        (Program("etcd", "etcd", "other/package"), b"mod", b"sum"),
        (Program("etcd", "etcd", ETCD.package, "-s"), b"mod", b"sum"),
        (Program("etcd", "etcd", ETCD.package, tags="small"), b"mod", b"sum"),
    ],
    ids=["go.mod", "go.sum", "border", "package", "linker flags", "build tags"],
)
def test_the_key_changes_with_every_input(program: Program, go_mod: bytes, go_sum: bytes) -> None:
    assert programs.key(program, go_mod, go_sum) != programs.key(ETCD, b"mod", b"sum")


def test_the_key_changes_with_the_flags_of_every_build(monkeypatch: pytest.MonkeyPatch) -> None:
    before = programs.key(ETCD, b"mod", b"sum")
    monkeypatch.setattr(programs, "GO_FLAGS", ("-race",))
    assert programs.key(ETCD, b"mod", b"sum") != before


def test_the_key_is_the_same_for_the_same_inputs() -> None:
    assert programs.key(ETCD, b"mod", b"sum") == programs.key(ETCD, b"mod", b"sum")


def test_every_program_has_a_module_that_pins_it() -> None:
    for program in programs.PROGRAMS.values():
        module = versions.MODULES / program.module
        assert program.package in (module / "go.mod").read_text()
        assert (module / "go.sum").exists()


def test_an_unknown_program_names_the_known(cache: Path) -> None:
    with pytest.raises(ClusterError, match="unknown program kubeadm; known are: etcd, kube-api"):
        programs.cached("kubeadm")


@pytest.mark.parametrize(
    ("line", "package"),
    [
        ("net/http", True),
        ("github.com/a-b/c.d/v2", True),
        ("go: downloading a/b v1.2.3", False),
        ("# k8s.io/kubernetes", False),
        ("file.go:3:2: undefined: x", False),
    ],
)
def test_packages_are_told_from_what_else_go_prints(line: str, package: bool) -> None:
    assert programs.is_package(line) is package


def test_a_program_is_built_once_with_its_progress(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = fake_go(tmp_path, monkeypatch, BUILDS)
    first, second = programs.build(["etcd"]), programs.build(["etcd"])
    assert first == second == {"etcd": programs.cached("etcd")}
    assert log.read_text() == "built\n"
    said = capfd.readouterr().err
    assert f"building etcd into {cache}/programs; this happens once" in said
    assert "building etcd (1 of 1): done in" in said
    assert [path.name for path in first["etcd"].parent.iterdir()] == ["etcd"]


def test_progress_counts_only_packages_that_are_not_built_yet(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    fake_go(tmp_path, monkeypatch, BUILDS)
    monkeypatch.setattr("dev.cluster.progress.INTERVAL_SECONDS", 0)
    programs.build(["etcd"])
    said = capfd.readouterr().err
    assert re.search(r"building etcd \(1 of 1\) 2/2, [^:]*: example\.test/second", said)
    assert "/3" not in said


def test_two_builds_at_once_build_once(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = fake_go(tmp_path, monkeypatch, BUILDS)
    builders = [threading.Thread(target=programs.build, args=(["etcd"],)) for _ in range(3)]
    for builder in builders:
        builder.start()
    for builder in builders:
        builder.join()
    assert log.read_text() == "built\n"


def test_a_failing_build_shows_its_end_and_leaves_nothing_in_the_cache(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = BUILDS.replace("echo built", "echo no space left on device; exit 1; echo built")
    fake_go(tmp_path, monkeypatch, failing)
    with pytest.raises(ClusterError, match=r"go build (.|\n)*no space left on device"):
        programs.build(["etcd"])
    assert not programs.cached("etcd").exists()


def test_a_missing_go_is_named_with_the_remedy(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match=r"^go is not installed: install Go .*go\.dev"):
        programs.build(["etcd"])


def test_a_go_that_is_too_old_is_named_with_the_needed_version(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path, monkeypatch, "echo go1.19.8")
    with pytest.raises(ClusterError, match=r"Go 1\.26\.0 or newer is needed, this is go1\.19\.8"):
        programs.build(["etcd"])


def test_a_go_that_cannot_get_its_toolchain_is_a_fault_too(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_go(tmp_path, monkeypatch, "echo toolchain not available >&2; exit 1")
    with pytest.raises(ClusterError, match=r"Go 1\.26\.0 or newer is needed(.|\n)*not available"):
        programs.build(["etcd"])


def test_a_full_disk_is_a_fault_before_the_build(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = fake_go(tmp_path, monkeypatch, BUILDS)
    usage = shutil.disk_usage("/")._replace(free=paths.GIB // 10)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    with pytest.raises(ClusterError, match=r"no disk space .*0\.1 GiB free .*0\.2 GiB needed"):
        programs.build(["etcd"])
    assert not log.exists()


def assets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *names: str) -> Path:
    directory = tmp_path / "assets"
    directory.mkdir()
    for name in names:
        (directory / name).write_text("#!/bin/sh\n")
        (directory / name).chmod(0o755)
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(directory))
    return directory


def test_programs_in_kubebuilder_assets_are_used_and_only_the_others_built(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    log = fake_go(tmp_path, monkeypatch, BUILDS)
    directory = assets(tmp_path, monkeypatch, "etcd", "kube-apiserver", "kubectl")
    found = programs.control_plane()
    assert found["etcd"] == directory / "etcd"
    assert found["kube-controller-manager"] == programs.cached("kube-controller-manager")
    assert log.read_text() == "built\n"
    said = capfd.readouterr().err
    assert f"using etcd, kube-apiserver, kubectl from KUBEBUILDER_ASSETS={directory}" in said


def test_a_file_in_the_assets_that_is_no_program_is_passed_over(
    cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    directory = assets(tmp_path, monkeypatch)
    (directory / "etcd").write_text("")
    assert programs.asset("etcd") is None


def test_assets_that_are_no_directory_are_a_fault(
    cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KUBEBUILDER_ASSETS", "/nowhere")
    with pytest.raises(ClusterError, match="KUBEBUILDER_ASSETS=/nowhere is not a directory"):
        programs.asset("etcd")
