"""What the cluster finds on and takes from the machine: places, ports, packages, mounts."""

import os
import shutil
import socket
import threading
from pathlib import Path

import pytest

from dev.cluster import mounts, node, packages, paths, ports, volumes
from dev.cluster.errors import ClusterError
from tests.unit.reserved import reserved_port


def test_the_cache_is_where_it_is_told_or_where_caches_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HOME", "/home/ann")
    monkeypatch.delenv("DAAP_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert paths.cache() == Path("/home/ann/.cache/daap-operator")
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert paths.cache() == Path("/caches/daap-operator")
    monkeypatch.setenv("DAAP_CACHE", "~/mine")
    assert paths.cache() == Path("/home/ann/mine")


def test_the_state_is_private(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAAP_STATE", str(tmp_path / "state"))
    assert paths.state().stat().st_mode & 0o777 == 0o700


def test_the_state_of_somebody_else_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAAP_STATE", str(tmp_path))
    stranger = os.getuid() + 1
    monkeypatch.setattr("os.getuid", lambda: stranger)
    with pytest.raises(ClusterError, match=r"belongs to another user .*set DAAP_STATE"):
        paths.state()


@pytest.mark.parametrize("name", ["", "A", "a b", "../x", ".locks", "a/b", "x" * 51])
def test_a_name_that_is_no_cluster_name_is_refused(name: str) -> None:
    with pytest.raises(ClusterError, match="is not a valid cluster name"):
        paths.cluster_directory(name)


def test_a_lock_that_is_taken_is_waited_for_aloud(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    order: list[str] = []
    waiting = threading.Event()

    def second() -> None:
        with paths.lock(tmp_path / "lock", "waiting for the first"):
            order.append("second")

    with paths.lock(tmp_path / "lock", ""):
        thread = threading.Thread(target=second)
        thread.start()
        while "waiting for the first" not in capsys.readouterr().err:
            waiting.wait(0.001)
        order.append("first")
    thread.join()
    assert order == ["first", "second"]


def test_a_port_in_use_names_who_needs_it_and_who_has_it() -> None:
    holder = Path("/proc/self/comm").read_text().strip()
    with reserved_port() as port:
        with (
            socket.create_server(("127.0.0.1", port)),
            pytest.raises(ClusterError) as refused,
        ):
            ports.require({port: "kubelet"})
        ports.require({port: "kubelet"})
    assert f"port {port}, which kubelet needs, is in use by" in str(refused.value)
    assert f"{holder} (pid {os.getpid()})" in str(refused.value)


def test_chosen_ports_are_distinct_not_taken_and_never_given_to_connections() -> None:
    chosen = ports.choose(20, taken=())
    assert len(set(chosen)) == 20
    assert all(ports.LOWEST <= port <= ports.HIGHEST < 30000 for port in chosen)
    others = set(range(ports.LOWEST, ports.HIGHEST)) - set(chosen)
    assert ports.choose(1, taken=others)[0] in chosen


def test_no_port_left_is_a_fault() -> None:
    with pytest.raises(ClusterError, match="no free TCP port between 10400 and 29999"):
        ports.choose(1, taken=range(ports.LOWEST, ports.HIGHEST))


def test_only_absent_packages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "runc").write_text("#!/bin/sh\n")
    (tmp_path / "runc").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert packages.absent(["runc", "ip", "socat"]) == ["iproute2", "socat"]


def test_absent_packages_without_root_name_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "apt-get").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(ClusterError, match=r"socat missing; run: sudo apt-get install .* socat$"):
        packages.require(["socat"])


def test_absent_packages_without_apt_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match="debootstrap missing, and no apt-get"):
        packages.require(["debootstrap"])


def test_absent_packages_are_installed_by_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = tmp_path / "log"
    (tmp_path / "apt-get").write_text(f'#!/bin/sh\necho "$@" $DEBIAN_FRONTEND >> {log}\n')
    (tmp_path / "apt-get").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}")
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setenv("DEBIAN_FRONTEND", "")
    packages.require(["socat"])
    assert log.read_text().splitlines() == [
        "update -qq",
        "install --no-install-recommends socat -y -qq noninteractive",
    ]


def test_mounts_below_a_directory_come_deepest_first() -> None:
    mountinfo = "\n".join(
        f"1 2 0:3 / {point} rw - ext4 /dev/x rw"
        for point in ("/", "/state", "/state/x", "/state/x/a\\040b", "/state/xy", "/state/x/a/c")
    )
    assert mounts.below(Path("/state/x"), mountinfo) == [
        Path("/state/x/a b"),
        Path("/state/x/a/c"),
        Path("/state/x"),
    ]


def test_a_tree_with_a_mount_that_stays_is_not_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    mountinfo = f"1 2 0:3 / {tree}/proc rw - proc proc rw"
    monkeypatch.setattr(mounts, "_mountinfo", lambda: mountinfo)
    with pytest.raises(ClusterError, match=f"cannot unmount {tree}/proc"):
        mounts.delete_tree(tree)
    assert tree.exists()


def test_a_tree_without_mounts_is_deleted(tmp_path: Path) -> None:
    (tmp_path / "tree/a").mkdir(parents=True)
    (tmp_path / "tree/link").symlink_to(tmp_path)
    mounts.delete_tree(tmp_path / "tree")
    assert list(tmp_path.iterdir()) == []


def test_a_deletion_that_is_cut_short_leaves_what_was_to_go_last(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_: Path) -> None:
        raise KeyboardInterrupt

    (tmp_path / "directory").mkdir()
    for name in ("a-mark", "file", "z-mark"):
        (tmp_path / name).touch()
    monkeypatch.setattr("shutil.rmtree", interrupt)
    with pytest.raises(KeyboardInterrupt):
        mounts.delete_tree(tmp_path, last=("a-mark", "z-mark"))
    assert {"a-mark", "z-mark"} < {path.name for path in tmp_path.iterdir()}


def test_new_volumes_are_opened(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o750)
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o1777)
    volumes.open_new(tmp_path)
    assert (tmp_path / "closed").stat().st_mode & 0o777 == 0o777
    assert (tmp_path / "open").stat().st_mode & 0o7777 == 0o1777


@pytest.mark.parametrize(
    ("nodes", "ready"),
    [
        ([], False),
        ([{}], False),
        ([{"status": {"conditions": [{"type": "Ready", "status": "False"}]}}], False),
        ([{"status": {"conditions": [{"type": "DiskPressure", "status": "True"}]}}], False),
        ([{"status": {"conditions": [{"type": "Ready", "status": "True"}]}}], True),
    ],
    ids=["no node", "new", "not ready", "another condition", "ready"],
)
def test_a_node_is_ready_when_its_kubelet_says_so(
    nodes: list[dict[str, object]], ready: bool
) -> None:
    assert node.ready(nodes) is ready


@pytest.mark.parametrize(
    ("image", "has"),
    [
        ("daap/operator:1", True),
        ("r.test/daap/operator:1", True),
        ("operator:1", True),
        ("latest", True),
        ("daap/operator:2", False),
        ("erator:1", False),
        ("operator", False),
    ],
)
def test_an_image_is_known_by_its_short_name_too(image: str, has: bool) -> None:
    assert node.has(["r.test/daap/operator:1", "r.test/latest:latest"], image) is has


def test_space_is_asked_of_the_nearest_directory_that_exists(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = {tmp_path: shutil.disk_usage(tmp_path)._replace(free=10)}
    monkeypatch.setattr("shutil.disk_usage", free.__getitem__)
    with pytest.raises(ClusterError, match="no disk space for images"):
        paths.require_space(tmp_path / "not/yet", 11, "images")
    paths.require_space(tmp_path, 10, "images")
