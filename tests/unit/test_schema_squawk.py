"""Another program's findings, and what comes of one that is missing, slow, talkative or broken."""

import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from daap_operator.schema import squawk
from daap_operator.schema.depth import DEPTH
from daap_operator.schema.model import Finding, Part, SqlFile
from daap_operator.schema.squawk import Squawk


def _asked(text: str, of: Squawk | None = None) -> Sequence[Finding]:
    return (of or Squawk())(SqlFile(Part.SCHEMA, "1.sql", text))


def _program(tmp_path: Path, script: str) -> Squawk:
    path = tmp_path / "squawk"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return Squawk(path)


def _failed(found: Sequence[Finding], words: str) -> None:
    (finding,) = found
    assert (finding.rule, finding.line) == ("linter-unavailable", 1)
    assert words in finding.message
    assert "squawk-cli" in finding.remedy


def test_lines_count_from_one_whatever_the_characters() -> None:
    found = _asked("-- é\nSELECT 'é';\nCREATE TABLE é (a int,\n b char(3));")
    assert [(each.rule, each.line) for each in found] == [
        ("prefer-bigint-over-int", 3),
        ("ban-char-field", 4),
    ]


def test_a_comment_in_the_file_leaves_a_rule_out() -> None:
    assert not _asked("-- squawk-ignore prefer-bigint-over-int\nCREATE TABLE t (a int);")


def test_no_configuration_has_a_say(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".squawk.toml").write_text('excluded_rules = ["ban-char-field"]')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SQUAWK_EXCLUDED_RULES", "ban-char-field")
    assert [each.rule for each in _asked("CREATE TABLE t (a char(3));")] == ["ban-char-field"]


def test_the_program_is_told_to_look_for_none(tmp_path: Path) -> None:
    script = """[ "$1" = --config=/dev/null ] && [ "$PWD" = / ] && [ -z "$HOME" ] && echo '[]'"""
    assert _asked("SELECT 1", _program(tmp_path, script)) == []


def test_without_the_program_that_is_told(tmp_path: Path) -> None:
    _failed(_asked("SELECT 1", Squawk(tmp_path / "squawk")), "there is no program '")


def test_a_program_that_cannot_run(tmp_path: Path) -> None:
    path = tmp_path / "squawk"
    path.write_text("")
    _failed(_asked("SELECT 1", Squawk(path)), "Permission denied")


def test_one_that_does_not_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(squawk, "FILE_SECONDS", 0.2)
    began = time.monotonic()
    _failed(_asked("SELECT 1", _program(tmp_path, "exec tail -f /dev/null")), "ended by signal 9")
    assert time.monotonic() - began < 60


def test_all_files_share_the_time(tmp_path: Path) -> None:
    slow = Squawk(_program(tmp_path, "exec tail -f /dev/null")._program, seconds=0.2)
    for _ in range(3):
        _failed(_asked("SELECT 1", slow), "ended by signal 9")
    assert slow._left == 0.0


def test_one_that_prints_without_end(tmp_path: Path) -> None:
    _failed(_asked("SELECT 1", _program(tmp_path, "exec yes")), "more than 4194304 bytes")


@pytest.mark.parametrize(
    ("script", "words"),
    [
        ("exit 3", "exit code 3"),
        ("kill -SEGV $$", "signal 11"),
        ("echo nonsense", "squawk failed (Expecting value"),
        ("echo '{}'", "it printed no list"),
        ("printf '\\377'", "squawk failed ("),
    ],
)
def test_one_that_is_broken(tmp_path: Path, script: str, words: str) -> None:
    _failed(_asked("SELECT 1", _program(tmp_path, script)), words)


def test_what_is_not_understood_is_left_out() -> None:
    printed = (
        '[1, {}, {"rule_name": 1, "line": 0}, {"rule_name": "ban-char-field", "line": -1},'
        '{"rule_name": "ban-char-field"}, {"rule_name": "of-tomorrow", "line": 0},'
        '{"rule_name": "syntax-error", "line": 0}, {"rule_name": "ban-char-field", "line": 6}]'
    )
    assert [(each.rule, each.line) for each in squawk.found(printed)] == [("ban-char-field", 7)]


@pytest.mark.parametrize(
    "text",
    [
        "SELECT 1" + " - 1" * (DEPTH // 2 - 1),
        "SELECT " + "(" * (DEPTH - 2) + "1" + ")" * (DEPTH - 2),
        "CREATE TABLE t (a int);\n" * 38_000,
    ],
)
def test_what_takes_long_ends_all_the_same(text: str) -> None:
    found = _asked(text)
    assert {each.rule for each in found} <= {"linter-unavailable", "prefer-bigint-over-int"}
