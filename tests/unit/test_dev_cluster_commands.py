"""How the cluster runs other programs and tells of their failures."""

import os
import select
import signal
from contextlib import suppress

import pytest

from dev.cluster import commands
from dev.cluster.errors import ClusterError


def nothing() -> None: ...


def test_output_and_input_pass_through() -> None:
    assert commands.run("cat", text="hello") == "hello"


def test_the_environment_is_added_to_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OURS", "1")
    assert commands.run("sh", "-c", "echo $OURS$ADDED", env={"ADDED": "2"}) == "12\n"


def test_a_failure_shows_command_status_and_the_end_of_both_outputs() -> None:
    script = "for i in $(seq 100); do echo line $i; done; printf 'bro%s' ken >&2; exit 3"
    with pytest.raises(ClusterError) as failed:
        commands.run("sh", "-c", script)
    text = str(failed.value)
    assert "sh -c" in text
    assert "exit status 3" in text
    assert "line 100" in text
    assert "broken" in text
    assert "line 80\n" not in text


def test_a_silent_failure_is_called_so() -> None:
    with pytest.raises(ClusterError, match="it printed nothing"):
        commands.run("false")


def test_a_missing_program_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(ClusterError, match=r"openssl is not installed: .*apt-get install openssl"):
        commands.run("openssl", "version")


def test_asking_a_failing_or_missing_program_gives_nothing() -> None:
    assert commands.ask("sh", "-c", "echo partly; exit 1") == ""
    assert commands.ask("/nowhere/program") == ""


def test_whether_a_program_ran() -> None:
    assert commands.ran("true")
    assert not commands.ran("false")


def test_watching_gives_every_line_of_both_outputs() -> None:
    lines: list[str] = []
    command = ("sh", "-c", "echo one; echo two >&2; echo three")
    commands.watch(command, line=lines.append, tick=nothing)
    assert lines == ["one", "two", "three"]


def test_watching_a_failing_program_shows_its_end() -> None:
    with pytest.raises(ClusterError, match=r"exit status 2:\n  disk on fire"):
        commands.watch(("sh", "-c", "echo disk on fire; exit 2"), line=lambda _: None, tick=nothing)


def test_watching_ends_with_the_program_though_a_service_keeps_its_output_open(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(commands, "TICK_SECONDS", 0.01)
    services: list[str] = []
    command = ("sh", "-c", "setsid sleep 600 & echo $!")
    commands.watch(command, line=services.append, tick=nothing)
    os.kill(int(services[0]), signal.SIGKILL)


def test_watching_a_missing_program_is_a_fault() -> None:
    with pytest.raises(ClusterError, match="program is not installed"):
        commands.watch(("/nowhere/program",), line=lambda _: None, tick=nothing)


def test_an_interrupted_watch_ends_the_program_and_its_children() -> None:
    grandchildren: list[int] = []

    def interrupt(line: str) -> None:
        grandchildren.append(os.pidfd_open(int(line)))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        commands.watch(("sh", "-c", "sleep 600 & echo $!; wait"), line=interrupt, tick=nothing)
    (grandchild,) = grandchildren
    ended, _, _ = select.select([grandchild], [], [], 60)
    with suppress(ProcessLookupError):
        signal.pidfd_send_signal(grandchild, signal.SIGKILL)
    os.close(grandchild)
    assert ended
