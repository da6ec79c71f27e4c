"""One checksum for the files that are to be there, counted alike by who orders a run and in it."""

import argparse
import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from daap_operator.schema import files, options
from daap_operator.schema.errors import RefusedError
from daap_operator.schema.files_sum import files_checksum
from daap_operator.schema.model import Part

ONE, TWO = "a" * 64, "b" * 64


def _args(*given: object) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    options.add_files(parser)
    options.add_ordered(parser)
    return parser.parse_args([str(each) for each in given])


def test_it_is_what_anybody_can_count() -> None:
    told = f"schema 001.sql {ONE}\nschema 002.sql {TWO}\nfixtures 000.sql {ONE}\n"
    expected = hashlib.sha256(told.encode()).hexdigest()
    entries = [
        ("fixtures", "000.sql", ONE),
        ("schema", "002.sql", TWO),
        (Part.SCHEMA, "001.sql", ONE),
    ]
    assert files_checksum(entries) == expected
    assert files_checksum(reversed(entries)) == expected
    assert files_checksum([]) == hashlib.sha256(b"").hexdigest()


@pytest.mark.parametrize(
    "other",
    [
        [("fixtures", "1.sql", ONE)],
        [("schema", "2.sql", ONE)],
        [("schema", "1.sql", TWO)],
        [],
        [("schema", "1.sql", ONE), ("fixtures", "1.sql", ONE)],
    ],
)
def test_it_differs_with_part_name_bytes_and_number(other: list[tuple[str, str, str]]) -> None:
    assert files_checksum(other) != files_checksum([("schema", "1.sql", ONE)])


def test_the_operator_imports_neither_parser_nor_database_for_it() -> None:
    code = (
        "import sys; import daap_operator.schema.files_sum; "
        "sys.exit(any(n.startswith(('postgast', 'google', 'psycopg')) for n in sys.modules))"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_files_are_counted_good_or_bad(tmp_path: Path) -> None:
    (tmp_path / "001.sql").write_bytes(b"\xff")
    (tmp_path / "2 .sql").write_bytes(b"-" * (files.FILE_LIMIT + 100))
    found = files.look([tmp_path])
    digests = [hashlib.sha256(content).hexdigest() for _, _, content in found.contents]
    expected = [("schema", "001.sql", digests[0]), ("schema", "2 .sql", digests[1])]
    assert found.checksum == files_checksum(expected)
    assert digests[1] == hashlib.sha256(b"-" * (files.FILE_LIMIT + 100)).hexdigest()
    with pytest.raises(files.FilesError):
        found.files()


def test_a_name_of_any_bytes_is_counted(tmp_path: Path) -> None:
    (tmp_path / b"\xff.sql".decode(errors="surrogateescape")).touch()
    assert len(files.look([tmp_path]).checksum) == 64


def test_no_more_is_read_than_it_takes_to_refuse(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "READ_LIMIT", files.SET_LIMIT)
    for name in range(5):
        (tmp_path / f"{name}.sql").write_bytes(b"-" * files.FILE_LIMIT)
    found = files.look([tmp_path])
    assert (found.checksum, found.contents) == ("", ())
    with pytest.raises(files.FilesError, match=r"'3\.sql': with it the files have more than"):
        found.files()


def test_the_files_that_were_ordered_are_given(tmp_path: Path) -> None:
    (tmp_path / "001.sql").write_text("SELECT 1")
    checksum = files.look([tmp_path]).checksum
    args = _args(tmp_path, "--files", checksum)
    (file,) = options.ordered(args, options.found(args))
    assert (file.name, file.text) == ("001.sql", "SELECT 1")


def test_of_other_files_it_only_counts_that_they_are_others(tmp_path: Path) -> None:
    """Files that are bad, or gone, at the moment when they are renewed are not what was ordered."""
    args = _args(tmp_path, "--files", ONE)
    seen = []
    path = tmp_path / "001.sql"
    for change in (
        lambda: path.write_bytes(b"SELECT 1"),
        lambda: path.write_bytes(b"\xff"),
        path.unlink,
        lambda: path.symlink_to("..data/001.sql"),
    ):
        change()
        with pytest.raises(RefusedError) as raised:
            options.ordered(args, options.found(args))
        assert raised.value.reason == "FilesChanged"
        seen.append(str(raised.value))
    assert all(ONE[:12] in each for each in seen)
    assert len(set(seen)) == 4


def test_what_cannot_be_counted_at_all_is_bad_whatever_was_ordered(tmp_path: Path) -> None:
    for given in (tmp_path / "gone", _many(tmp_path)):
        args = _args(given, "--files", ONE)
        with pytest.raises(RefusedError) as raised:
            options.ordered(args, options.found(args))
        assert raised.value.reason == "BadFiles"


def _many(directory: Path) -> Path:
    for name in range(files.COUNT_LIMIT + 1):
        (directory / f"{name}.sql").touch()
    return directory


@pytest.mark.parametrize("text", ["", "ab", "A" * 64, "g" * 64, "a" * 65, "a" * 64 + "\n"])
def test_a_checksum_that_is_none_is_refused(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        _args(tmp_path, "--files", text)
    assert "--files: " in capsys.readouterr().err
