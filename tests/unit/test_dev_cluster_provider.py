"""Which kind-compatible program is used, with fake programs on PATH."""

from pathlib import Path

import pytest

from dev.cluster import provider
from dev.cluster.errors import ClusterError


def program(directory: Path, name: str, status: int = 0) -> Path:
    path = directory / name
    path.write_text(f"#!/bin/sh\nexit {status}\n")
    path.chmod(0o755)
    return path


def never(engine: str) -> bool:
    raise AssertionError(f"asked {engine}")


def test_kind_and_an_engine_that_answers(tmp_path: Path) -> None:
    kind = program(tmp_path, "kind")
    chosen = provider.choose({"PATH": str(tmp_path)}, lambda engine: engine == "docker")
    assert (chosen.path, chosen.real) == (kind, True)
    assert chosen.reason == "kind is on PATH and docker answers"


def test_kind_without_an_engine(tmp_path: Path) -> None:
    program(tmp_path, "kind")
    chosen = provider.choose({"PATH": str(tmp_path)}, lambda _: False)
    assert (chosen.path, chosen.real) == (provider.OURS, False)
    assert chosen.reason == "kind is on PATH, but `docker info` does not answer"


def test_no_kind_asks_no_engine(tmp_path: Path) -> None:
    chosen = provider.choose({"PATH": str(tmp_path)}, never)
    assert (chosen.path, chosen.real) == (provider.OURS, False)
    assert chosen.reason == "kind is not on PATH"


def test_another_engine_is_asked_when_kind_is_told_to_use_it(tmp_path: Path) -> None:
    program(tmp_path, "kind")
    environment = {"PATH": str(tmp_path), "KIND_EXPERIMENTAL_PROVIDER": "podman"}
    chosen = provider.choose(environment, lambda engine: engine == "podman")
    assert chosen.real


def test_daap_kind_overrides_everything(tmp_path: Path) -> None:
    mine = program(tmp_path, "mine")
    chosen = provider.choose({"PATH": str(tmp_path), "DAAP_KIND": str(mine)}, never)
    assert (chosen.path, chosen.real, chosen.reason) == (mine, True, f"DAAP_KIND={mine}")


def test_daap_kind_may_be_our_own() -> None:
    assert not provider.choose({"DAAP_KIND": str(provider.OURS)}, never).real


def test_daap_kind_that_is_no_program_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(ClusterError, match="DAAP_KIND=/nowhere/kind is not a program"):
        provider.choose({"PATH": str(tmp_path), "DAAP_KIND": "/nowhere/kind"}, never)


@pytest.mark.parametrize(("status", "answers"), [(0, True), (1, False)])
def test_an_engine_answers_when_its_info_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, answers: bool
) -> None:
    program(tmp_path, "docker", status)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert provider.engine_answers("docker") is answers


def test_an_engine_that_is_not_there_or_hangs_does_not_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert not provider.engine_answers("docker")
    (tmp_path / "docker").write_text("#!/bin/sh\nexec sleep 600\n")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setattr(provider, "ENGINE_SECONDS", 0.01)
    assert not provider.engine_answers("docker")


def test_the_path_is_printed_for_scripts_and_the_reason_for_people(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DAAP_KIND", str(provider.OURS))
    provider.main()
    printed = capsys.readouterr()
    assert printed.out == f"{provider.OURS}\n"
    assert "DAAP_KIND" in printed.err


def test_a_wrong_choice_ends_with_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DAAP_KIND", "/nowhere/kind")
    with pytest.raises(SystemExit, match=r"^ERROR: DAAP_KIND=/nowhere/kind is not a program"):
        provider.main()
