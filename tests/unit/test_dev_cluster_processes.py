"""The record of a cluster's programs: found again, and never confused with another program."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from dev.cluster.errors import ClusterError
from dev.cluster.processes import Processes, Record, family, stop

SLEEP = Path(shutil.which("sleep") or "sleep").resolve()


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Processes]:
    programs = Processes(tmp_path)
    yield programs
    programs.stop(how=signal.SIGKILL)


def write(programs: Processes, *records: Record) -> None:
    text = "".join(f"{record.line()}\n" for record in records)
    (programs.directory / "pids").write_text(text)


def test_a_started_program_is_recorded_logged_and_live(programs: Processes) -> None:
    programs.start("sleeper", SLEEP, ["600"])
    (record,) = programs.live()
    assert (record.name, record.program) == ("sleeper", SLEEP)
    assert Path(f"/proc/{record.pid}/cwd").resolve() == programs.directory
    assert os.getsid(record.pid) == record.pid
    assert programs.log("sleeper").exists()


def test_a_stopped_program_is_gone_and_reaped(programs: Processes) -> None:
    programs.start("sleeper", SLEEP, ["600"])
    (record,) = programs.live()
    programs.stop(["sleeper"])
    assert programs.live() == []
    assert not Path(f"/proc/{record.pid}").exists()


def test_only_the_named_program_is_stopped(programs: Processes) -> None:
    programs.start("one", SLEEP, ["600"])
    programs.start("two", SLEEP, ["600"])
    programs.stop(["one"])
    assert [record.name for record in programs.live()] == ["two"]


def test_a_program_that_ignores_the_signal_is_killed(programs: Processes) -> None:
    shell = Path(shutil.which("sh") or "sh").resolve()
    script = "trap '' TERM; echo ready; while :; do sleep 600; done"
    programs.start("deaf", shell, ["-c", script])
    programs.wait(
        "trap", lambda: "ready" in programs.log("deaf").read_text(), seconds=60, needs=["deaf"]
    )
    children = family(programs.live()[0].pid)
    programs.stop(["deaf"], seconds=0)
    stop(children, how=signal.SIGKILL, seconds=0)
    assert programs.live() == []


def test_a_restarted_program_has_the_flags_it_had(programs: Processes) -> None:
    programs.start("sleeper", SLEEP, ["600.25"])
    programs.stop()
    programs.restart("sleeper")
    (record,) = programs.live()
    flags = Path(f"/proc/{record.pid}/cmdline")  # empty until the kernel is through with exec
    programs.wait("its flags", lambda: flags.read_bytes() != b"", seconds=60, needs=["sleeper"])
    assert b"600.25" in flags.read_bytes()


def test_a_restart_of_an_unknown_program_names_the_known(programs: Processes) -> None:
    programs.start("sleeper", SLEEP, ["600"])
    with pytest.raises(ClusterError, match="no program etcd in this cluster; it has sleeper"):
        programs.restart("etcd")


def test_a_stale_record_is_not_live(programs: Processes) -> None:
    programs.start("sleeper", SLEEP, ["600"])
    (record,) = programs.live()
    programs.stop()
    write(programs, record)
    assert programs.recorded() == [record]
    assert programs.live() == []


@pytest.mark.parametrize("reused", ["executable", "start time"])
def test_another_program_with_a_reused_id_is_neither_live_nor_signalled(
    programs: Processes, reused: str
) -> None:
    programs.start("sleeper", SLEEP, ["600"])
    (record,) = programs.live()
    wrong = {
        "executable": Record(record.pid, record.started, "etcd", Path("/usr/bin/etcd")),
        "start time": Record(record.pid, record.started - 1, "sleeper", SLEEP),
    }[reused]
    write(programs, wrong)
    assert programs.live() == []
    programs.stop(how=signal.SIGKILL)
    assert record.alive()
    write(programs, record)


def test_a_program_whose_file_was_replaced_meanwhile_is_still_known(
    programs: Processes, tmp_path: Path
) -> None:
    copy = tmp_path / "copy"
    shutil.copy(SLEEP, copy)
    programs.start("sleeper", copy, ["600"])
    copy.unlink()
    assert [record.name for record in programs.live()] == ["sleeper"]


@pytest.mark.parametrize("line", ["", "12", "12 34 etc", "12 34 etcd relative", "x 34 etcd /etcd"])
def test_a_line_that_is_no_record_is_passed_over(programs: Processes, line: str) -> None:
    (programs.directory / "pids").write_text(f"{line}\n1 2 etcd /bin/etcd with blank\n")
    assert programs.recorded() == [Record(1, 2, "etcd", Path("/bin/etcd with blank"))]


def test_waiting_for_a_program_that_ended_shows_its_log(programs: Processes) -> None:
    shell = Path(shutil.which("sh") or "sh").resolve()
    programs.start("etcd", shell, ["-c", "echo address already in use; exit 1"])
    with pytest.raises(ClusterError, match=r"etcd ended while waiting for its start(.|\n)*in use"):
        programs.wait("its start", lambda: False, seconds=60, needs=["etcd"])


def test_waiting_too_long_shows_the_log(programs: Processes) -> None:
    programs.start("sleeper", SLEEP, ["600"])
    programs.log("sleeper").write_text("still dreaming\n")
    with pytest.raises(
        ClusterError,
        match=r"rest did not come within 0 s; sleeper.log ends with:\n  still dreaming",
    ):
        programs.wait("rest", lambda: False, seconds=0, needs=["sleeper"])


def test_a_program_that_cannot_be_executed_says_why_in_its_log(programs: Processes) -> None:
    for _ in range(100):  # for a moment, now and then, what ends counts as alive
        programs.start("ghost", Path("/nowhere/ghost"), [])
        assert programs.live() == []
    assert "ghost" in programs.log("ghost").read_text()


def test_a_family_is_a_program_and_its_descendants(programs: Processes) -> None:
    shell = Path(shutil.which("sh") or "sh").resolve()
    programs.start("parent", shell, ["-c", "sleep 600 & echo ready; wait"])
    programs.wait(
        "child", lambda: "ready" in programs.log("parent").read_text(), seconds=60, needs=["parent"]
    )
    (parent,) = programs.live()
    members = family(parent.pid)
    assert members[0].pid == parent.pid
    assert len(members) == 2
    stop(members, how=signal.SIGKILL, seconds=0)
