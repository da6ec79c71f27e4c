"""The command line of `dev/kind`: what it takes, and its one line for every fault."""

import errno
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.cluster import arguments, cli, homes, paths
from dev.cluster.errors import ClusterError
from dev.cluster.layout import Layout
from dev.cluster.processes import Processes, Record
from dev.cluster.provider import OURS

SLEEP = Path(shutil.which("sleep") or "sleep").resolve()


@pytest.fixture(autouse=True)
def own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAAP_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("DAAP_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config"))
    monkeypatch.delenv("KUBEBUILDER_ASSETS", raising=False)


@pytest.fixture
def running() -> Iterator[Layout]:
    """A cluster whose API server is a program that does nothing."""
    directory = paths.cluster_directory("mine")
    directory.mkdir()
    cluster = Layout(
        name="mine",
        directory=directory,
        api_port=1,
        etcd_port=2,
        peer_port=3,
        kubectl=Path("/bin/true"),
    )
    cluster.write()
    cluster.kubeconfig().write_text("the kubeconfig")
    programs = Processes(directory)
    programs.start("kube-apiserver", SLEEP, ["600"])
    yield cluster
    programs.stop(how=signal.SIGKILL)


def run(monkeypatch: pytest.MonkeyPatch, *words: str) -> str | None:
    """The error that the command line ends with, None when it ends well."""
    monkeypatch.setattr(sys, "argv", ["dev/kind", *words])
    try:
        cli.main()
    except SystemExit as ended:
        return str(ended.code)
    return None


@pytest.mark.parametrize(
    "words",
    [
        "create cluster --name=e2e --kubeconfig=/f",
        "create cluster --name=e2e --kubeconfig=/f --image=kindest/node:v1 --config /c",
        "delete cluster --name=e2e --kubeconfig=/f",
        "load docker-image --name e2e an/image:1",
        "get clusters",
    ],
)
def test_pytest_kinds_own_command_lines_are_taken(words: str) -> None:
    parsed = arguments.parse(words.split())
    assert parsed.command == " ".join(words.split()[:2])


@pytest.mark.parametrize("command", cli.COMMANDS)
def test_every_command_can_be_parsed(command: str) -> None:
    more = {
        "build image": ["dir", "--tag", "t"],
        "get binary": ["etcd"],
        "load image-archive": ["a.tar"],
        "load docker-image": ["a:1"],
    }
    assert arguments.parse([*command.split(), *more.get(command, [])]).command == command


def test_building_an_image_hands_what_it_does_not_know_to_buildah() -> None:
    parsed = arguments.parse(["build", "image", ".", "-t", "a:1", "--build-arg", "X=1"])
    assert (parsed.directory, parsed.tag, parsed.rest) == (".", "a:1", ["--build-arg", "X=1"])


def test_flags_of_programs_are_collected() -> None:
    words = ["kubelet=--v=4", "etcd=--debug", "kubelet=--max-pods=5"]
    assert arguments.extra_flags(words) == {
        "kubelet": ["--v=4", "--max-pods=5"],
        "etcd": ["--debug"],
    }


@pytest.mark.parametrize("word", ["kubelet", "kubelet=v=4", "kubeadm=--v=4", "=--v=4"])
def test_a_wrong_flag_of_a_program_says_how(word: str) -> None:
    with pytest.raises(ClusterError, match=r"is not PROGRAM=--flag=value .*: etcd, kube-apiserver"):
        arguments.extra_flags([word])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("create cluster --wat", "unknown flag: --wat; see dev/kind create cluster --help"),
        ("create cluster --nam x", "unknown flag: --nam"),
        ("create cluster --control-plane-only --backup", "not allowed with argument --control-"),
        ("create cluster --no-cnpg --backup", "--backup needs CloudNativePG"),
        ("get clusters more", "unknown argument: more"),
        ("create", "the following arguments are required: WHAT; see dev/kind create --help"),
        ("", "the following arguments are required: COMMAND"),
        ("dance", "invalid choice: 'dance'"),
        ("build image .", "the following arguments are required: -t/--tag"),
        ("build image /nowhere --tag a", "no directory /nowhere to build an image from"),
        ("get binary kubeadm", "unknown program kubeadm; known are: etcd"),
        ("get kubeconfig", "could not locate any control plane nodes for cluster named 'kind'"),
        ("load image-archive a.tar --name x", 'no nodes found for cluster "x"'),
        ("load docker-image a:1", 'no nodes found for cluster "kind"; running clusters: none'),
        ("export logs", 'unknown cluster "kind"; there are: none'),
        ("create cluster --name A", "'A' is not a valid cluster name"),
        ("create cluster --extra nope", "--extra nope is not PROGRAM=--flag=value"),
    ],
)
def test_each_fault_is_one_message_with_kinds_prefix(
    words: str, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = run(monkeypatch, *words.split())
    assert error is not None
    assert error.startswith("ERROR: ")
    assert message in error


def test_no_cluster_is_said_on_stderr_and_nothing_on_stdout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "get", "clusters") is None
    assert capsys.readouterr() == ("", "No kind clusters found.\n")


def test_a_running_cluster_is_listed_and_its_kubeconfig_printed(
    running: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, "get", "clusters") is None
    assert run(monkeypatch, "get", "kubeconfig", "--name", "mine") is None
    assert capsys.readouterr().out == "mine\nthe kubeconfig\n"


def test_a_cluster_whose_programs_are_gone_is_not_listed(
    running: Layout, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    Processes(running.directory).stop(how=signal.SIGKILL)
    assert run(monkeypatch, "get", "clusters") is None
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("mode", [[], ["--control-plane-only"]])
def test_a_second_cluster_of_a_name_is_refused_in_kinds_words_before_anything_is_built(
    running: Layout, mode: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    error = run(monkeypatch, "create", "cluster", "--name", "mine", *mode)
    assert error is not None
    assert 'node(s) already exist for a cluster with the name "mine"' in error
    assert "dev/kind delete cluster --name mine" in error


def test_images_need_a_node(running: Layout, monkeypatch: pytest.MonkeyPatch) -> None:
    error = run(monkeypatch, "load", "docker-image", "a:1", "--name", "mine")
    assert error == 'ERROR: no nodes found for cluster "mine"; running clusters: mine'


def test_deleting_ends_programs_and_files_and_is_safe_to_repeat(
    running: Layout, monkeypatch: pytest.MonkeyPatch
) -> None:
    (record,) = Processes(running.directory).live()
    assert run(monkeypatch, "delete", "cluster", "--name", "mine") is None
    assert not record.alive()
    assert not running.directory.exists()
    assert run(monkeypatch, "delete", "cluster", "--name", "mine") is None


def test_a_cluster_of_a_living_owner_runs_even_while_its_api_server_is_stopped(
    running: Layout,
) -> None:
    programs = Processes(running.directory)
    programs.start("etcd", SLEEP, ["600"])
    programs.stop(["kube-apiserver"])
    assert not homes.running(running.directory)
    owner = running.directory / homes.OWNER
    owner.write_text(Record.of(os.getpid(), "owner").line())
    assert homes.running(running.directory)


def test_a_cluster_of_a_dead_owner_is_cleared_by_the_next(
    running: Layout, capsys: pytest.CaptureFixture[str]
) -> None:
    (record,) = Processes(running.directory).live()
    (running.directory / homes.OWNER).write_text(f"{os.getpid()} 1 owner {sys.executable}")
    with homes.claim("mine") as directory:
        assert list(directory.iterdir()) == []
    assert not record.alive()
    assert "clearing what a dead cluster mine left" in capsys.readouterr().err


def test_files_that_are_not_a_clusters_are_never_cleared(monkeypatch: pytest.MonkeyPatch) -> None:
    foreign = paths.cluster_directory("foreign") / "kubeconfig"
    foreign.parent.mkdir()
    foreign.write_text("precious")
    with pytest.raises(ClusterError, match="holds files that are not a cluster's"):
        homes.claim("foreign").__enter__()
    error = run(monkeypatch, "delete", "cluster", "--name", "foreign")
    assert "holds files that are not a cluster's" in str(error)
    assert foreign.read_text() == "precious"


def test_an_empty_directory_of_a_creation_that_was_killed_is_taken_over() -> None:
    paths.cluster_directory("new").mkdir()
    with homes.claim("new") as directory:
        assert directory.is_dir()


def test_a_creation_that_fails_before_anything_ran_leaves_nothing() -> None:
    with pytest.raises(ClusterError), homes.claim("new") as directory:
        raise ClusterError("no")
    assert not directory.exists()


def test_a_creation_that_fails_later_leaves_the_logs() -> None:
    def start_and_fail() -> None:
        with homes.claim("new") as directory:
            (directory / "etcd.log").write_text("why")
            raise ClusterError("no")

    with pytest.raises(ClusterError):
        start_and_fail()
    assert (paths.cluster_directory("new") / "etcd.log").read_text() == "why"


def test_two_layouts_never_share_a_port() -> None:
    ports: list[int] = []
    for name in ("one", "two", "three"):
        with homes.claim(name):
            made = homes.plan(name, kubectl=Path("/k"), flags={})
        ports += [made.api_port, made.etcd_port, made.peer_port]
    assert len(set(ports)) == 9


@pytest.mark.parametrize(
    ("number", "message"),
    [
        (errno.ENOSPC, "ERROR: no disk space left writing /a/file"),
        (errno.EACCES, "ERROR: no permission for /a/file"),
    ],
)
def test_foreseeable_faults_of_the_system_have_no_traceback(
    number: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_: object) -> None:
        raise OSError(number, os.strerror(number), "/a/file")

    monkeypatch.setitem(cli.COMMANDS, "version", fail)
    assert str(run(monkeypatch, "version")).startswith(message)


def test_a_bug_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: object) -> None:
        raise IsADirectoryError(errno.EISDIR, "a bug")

    monkeypatch.setitem(cli.COMMANDS, "version", fail)
    with pytest.raises(IsADirectoryError):
        run(monkeypatch, "version")


def test_the_program_ends_with_1_and_a_message_on_stderr_only() -> None:
    done = subprocess.run([OURS, "dance"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("ERROR: ")
    assert done.stderr.count("\n") == 1
