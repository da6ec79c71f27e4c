"""A schema's files: which are read, in which order, and what is refused, and how."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.schema import files
from daap_operator.schema.files import FilesError, collected, read
from daap_operator.schema.model import Part, SqlFile


def _made(directory: Path, *names: str, content: str = "SELECT 1;\n") -> Path:
    directory.mkdir(parents=True, exist_ok=True)
    for name in names:
        (directory / name).write_text(content)
    return directory


def _names(found: tuple[SqlFile, ...]) -> list[tuple[str, str]]:
    return [(file.part, file.name) for file in found]


def test_a_directorys_files_by_name(tmp_path: Path) -> None:
    _made(tmp_path, "010_b.sql", "002_a.sql", "README.md", ".hidden.sql", "001_x.sql.orig")
    _made(tmp_path / "deeper", "000_not_this.sql")
    assert _names(read([tmp_path])) == [("schema", "002_a.sql"), ("schema", "010_b.sql")]


def test_a_directory_with_schema_and_fixtures(tmp_path: Path) -> None:
    _made(tmp_path / "schema", "002_b.sql", "001_a.sql")
    _made(tmp_path / "fixtures", "001_z.sql")
    found = [("schema", "001_a.sql"), ("schema", "002_b.sql"), ("fixtures", "001_z.sql")]
    assert _names(read([tmp_path])) == found


@pytest.mark.parametrize(
    ("there", "overlooked"),
    [
        (("shema", "fixtures"), "shema"),
        (("schema", "fixture"), "fixture"),
        (("Schema", "fixtures"), "Schema"),
        (("schema", "fixtures", "later"), "later"),
        (("migrations",), "migrations"),
    ],
)
def test_a_directory_whose_name_is_misspelt_is_not_overlooked(
    there: tuple[str, ...], overlooked: str, tmp_path: Path
) -> None:
    for name in there:
        _made(tmp_path / name, f"001_{name}.sql")
    beside = _made(tmp_path.parent / f"{tmp_path.name}-more", "002_b.sql")
    for paths in ([tmp_path], [beside, tmp_path]):
        with pytest.raises(FilesError) as error:
            read(paths)
        said = str(error.value)
        assert f"'{tmp_path / overlooked}' has SQL files, which are not read" in said
        assert "rename it, or name it as a path itself" in said
    with pytest.raises(FilesError, match="which are not read"):
        read([beside], fixtures=[tmp_path])


def test_directories_without_files_and_hidden_ones_are_nobodys(tmp_path: Path) -> None:
    _made(tmp_path / "schema", "001_a.sql")
    _made(tmp_path / ".git", "002_b.sql")
    _made(tmp_path / "docs", "README.md")
    assert _names(read([tmp_path])) == [("schema", "001_a.sql")]


def test_files_of_its_own_make_it_one_part(tmp_path: Path) -> None:
    _made(tmp_path, "001_a.sql")
    _made(tmp_path / "fixtures", "001_z.sql")
    assert _names(read([tmp_path])) == [("schema", "001_a.sql")]


def test_several_sources_are_one_order(tmp_path: Path) -> None:
    one, other = _made(tmp_path / "one", "002_b.sql"), _made(tmp_path / "other", "001_a.sql")
    more = _made(tmp_path / "more", "003_c.sql") / "003_c.sql"
    found = read([one, more, other], fixtures=[_made(tmp_path / "data", "000_d.sql")])
    assert [file.name for file in found] == ["001_a.sql", "002_b.sql", "003_c.sql", "000_d.sql"]


def test_the_links_of_a_config_map_are_read(tmp_path: Path) -> None:
    _made(tmp_path / "..2026_11", "001_a.sql")
    (tmp_path / "..data").symlink_to("..2026_11")
    (tmp_path / "001_a.sql").symlink_to("..data/001_a.sql")
    assert _names(read([tmp_path])) == [("schema", "001_a.sql")]


def test_bytes_are_kept_as_they_are(tmp_path: Path) -> None:
    (tmp_path / "001_a.sql").write_bytes("SELECT 'é';\r\n".encode())
    assert read([tmp_path])[0].text == "SELECT 'é';\r\n"


REFUSED: dict[str, tuple[str, bytes, str]] = {
    "a space in the name": ("001 a.sql", b"", "file '001 a.sql': a name has letters"),
    "a name that is no ASCII": ("é.sql", b"", "file 'é.sql': a name has letters"),
    "a line in the name": ("a\nb.sql", b"", r"file 'a\\nb.sql': a name has letters"),
    "another ending": ("a.sql.bak", b"", "file 'a.sql.bak': a name has letters"),
    "a line after the ending": ("a.sql\n", b"", r"file 'a.sql\\n': a name has letters"),
    "upper case at the end": ("001_A.SQL", b"", "file '001_A.SQL': a name has letters"),
    "a long name": ("a" * 250 + ".sql", b"", "at most 253 characters: rename it"),
    "not UTF-8": ("a.sql", b"x\n'\xff'", "'a.sql', line 2: byte 0xff is not UTF-8: save the"),
    "NUL": ("a.sql", b"x\n\n\0", "'a.sql', line 3: byte 0x00"),
    "a byte order mark": ("a.sql", b"\xef\xbb\xbfx", "begins with a byte order mark"),
    "large": ("a.sql", b"x" * (files.FILE_LIMIT + 1), "more than the 921600 bytes .* split it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_refused(case: str) -> None:
    name, content, message = REFUSED[case]
    with pytest.raises(FilesError, match=message):
        collected([(Part.SCHEMA, name, content)])


def test_as_large_as_may_be() -> None:
    content = b"-" * files.FILE_LIMIT
    found = collected((Part.SCHEMA, f"{number}.sql", content) for number in range(3))
    assert len(found) == 3
    with pytest.raises(FilesError, match=r"'3.sql': with it the files have more than the 3145728"):
        collected((Part.SCHEMA, f"{number}.sql", content) for number in range(4))


def test_one_name_twice(tmp_path: Path) -> None:
    one, other = _made(tmp_path / "one", "001_a.sql"), _made(tmp_path / "other", "001_a.sql")
    with pytest.raises(FilesError, match=r"schema file '001_a.sql' is there twice: rename one"):
        read([one, other])
    assert len(read([one], fixtures=[other])) == 2


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(FilesError, match=f"'{tmp_path}': no file whose name ends with .sql"):
        read([tmp_path])
    with pytest.raises(FilesError, match="gone': there is no such file or directory"):
        read([tmp_path / "gone"])


def test_what_is_no_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "001_pipe.sql")
    (tmp_path / "002_directory.sql").mkdir()
    with pytest.raises(FilesError, match=r"001_pipe.sql' is no file"):
        read([tmp_path])
    with pytest.raises(FilesError, match="'/dev/zero' is no file"):
        read([Path("/dev/zero")])


def test_no_more_than_are_counted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "COUNT_LIMIT", 2)
    _made(tmp_path, "1.sql", "2.sql", "3.sql")
    with pytest.raises(FilesError, match="3 files, and at most 2 are read"):
        read([tmp_path])


_NAMES = st.from_regex(r"[A-Za-z0-9._-]{1,12}\.sql", fullmatch=True)


@given(
    st.dictionaries(_NAMES, st.text(st.characters(exclude_characters="\0\ufeff", codec="utf-8")))
)
def test_any_text_in_the_order_of_its_names(texts: dict[str, str]) -> None:
    found = collected((Part.SCHEMA, name, text.encode()) for name, text in texts.items())
    assert [file.name for file in found] == sorted(texts)
    assert {file.name: file.text for file in found} == texts
