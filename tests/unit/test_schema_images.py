"""Files of images that are mounted: what is read of them, whoever has built them."""

import os
from pathlib import Path

import pytest

from daap_operator.schema import files, images
from daap_operator.schema.files import FilesError, Found
from daap_operator.schema.files_sum import files_checksum
from daap_operator.schema.images import Image, NotMountedError
from daap_operator.schema.model import Part
from daap_operator.schema.selected import matcher

SQL = "SELECT 1;\n"


@pytest.fixture
def mount(tmp_path: Path) -> Path:
    """An image with two files in db/schema, and what is none of them."""
    found = tmp_path / "image"
    (found / "db/schema/deeper").mkdir(parents=True)
    for name in ("002_b.sql", "001_a.sql", "README.md", ".hidden.sql", "deeper/000_no.sql"):
        (found / "db/schema" / name).write_text(SQL)
    return found


def look(mount: Path, path: str = "db/schema", pattern: str = "*.sql") -> Found:
    return images.look(Found(()), [Image(Part.SCHEMA, str(mount), path, pattern)])


def refused(mount: Path, path: str = "db/schema", pattern: str = "*.sql") -> str:
    with pytest.raises(FilesError) as error:
        look(mount, path, pattern).files()
    return str(error.value)


def test_the_files_of_a_directory_by_name(mount: Path) -> None:
    found = look(mount)
    assert [(file.part, file.name) for file in found.files()] == [
        ("schema", "001_a.sql"),
        ("schema", "002_b.sql"),
    ]
    assert [file.name for file in look(mount, pattern="002*").files()] == ["002_b.sql"]
    assert [file.name for file in look(mount / "db/schema", "").files()] == [
        "001_a.sql",
        "002_b.sql",
    ]


def test_they_are_one_list_with_the_others(mount: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "0015_x.sql").write_text("SELECT 2;\n")
    before = files.look([other])
    found = images.look(before, [Image(Part.SCHEMA, str(mount), "db/schema", "*.sql")])
    assert [file.name for file in found.files()] == ["0015_x.sql", "001_a.sql", "002_b.sql"]
    assert found.checksum == files_checksum(
        (file.part, file.name, file.checksum) for file in found.files()
    )
    assert found.checksum_but_images == before.checksum != found.checksum


def test_a_name_is_there_once_whatever_the_source(mount: Path) -> None:
    image = Image(Part.SCHEMA, str(mount), "db/schema", "*.sql")
    found = images.look(files.look([mount / "db/schema/001_a.sql"]), [image])
    with pytest.raises(FilesError, match=r"'001_a\.sql' is there twice"):
        found.files()


def test_an_image_that_is_not_mounted_is_no_empty_one(tmp_path: Path) -> None:
    found = look(tmp_path / "schema-0")
    assert isinstance(found.error, NotMountedError)
    assert found.checksum == found.checksum_but_images == ""
    assert "have the cluster mount images" in refused(tmp_path / "schema-0")


def test_an_empty_directory_is_refused(mount: Path) -> None:
    (mount / "empty").mkdir()
    said = refused(mount, "empty")
    assert "directory 'empty' of the image has no file that matches '*.sql'" in said
    assert "no file that matches '9*'" in refused(mount, pattern="9*")


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("db/other", "'other' is not there"),
        ("db/schema/001_a.sql", "'001_a.sql' is a symbolic link, or no directory"),
        ("db/link", "'link' is a symbolic link, or no directory"),
        ("up/schema", "'up' is a symbolic link, or no directory"),
    ],
)
def test_a_path_is_walked_without_links(path: str, told: str, mount: Path, tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema/001_a.sql").write_text(SQL)
    (mount / "db/link").symlink_to("schema")
    (mount / "up").symlink_to("..")
    assert told in refused(mount, path)


@pytest.mark.parametrize("target", ["001_a.sql", "/etc/passwd", "../../../secret", "nowhere"])
def test_a_file_that_is_a_link_is_refused(target: str, mount: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SQL)
    (mount / "db/schema/003_c.sql").symlink_to(target)
    said = refused(mount)
    assert "'003_c.sql' is a symbolic link: copy the file itself into the image" in said


@pytest.mark.timeout(20)
def test_what_is_no_regular_file_is_refused_without_waiting(mount: Path) -> None:
    os.mkfifo(mount / "db/schema/003_c.sql")
    assert "'003_c.sql' is no file" in refused(mount)
    (mount / "db/schema/003_c.sql").unlink()
    (mount / "db/schema/003_c.sql").mkdir()
    assert "'003_c.sql' is no file" in refused(mount)


@pytest.mark.parametrize("name", ["003 c.sql", "003_C.SQL", "003_\udcff.sql", "003_\n.sql"])
def test_a_strange_name_is_refused_and_not_overlooked(name: str, mount: Path) -> None:
    (mount / "db/schema" / name).write_text(SQL)
    assert "rename it" in refused(mount)


def test_a_file_that_cannot_be_read_names_the_remedy(
    mount: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = os.open

    def guarded(path: str, flags: int, **of: int) -> int:
        if path == "002_b.sql":
            raise PermissionError(13, "Permission denied")
        return opened(path, flags, **of)

    monkeypatch.setattr(os, "open", guarded)
    assert "cannot be read (Permission denied)" in refused(mount)
    assert "COPY --chmod=644" in refused(mount)


def test_bounds_are_those_of_all_files(mount: Path) -> None:
    (mount / "db/schema/002_b.sql").write_bytes(b"-" * (files.FILE_LIMIT + 1))
    assert "has more than the 921600 bytes" in refused(mount)
    for number in range(4):
        (mount / f"db/schema/{number}.sql").write_bytes(b"-" * files.FILE_LIMIT)
    (mount / "db/schema/002_b.sql").unlink()
    assert "more than the 3145728 bytes" in refused(mount)


def test_no_more_is_read_than_is_needed_to_refuse_it(mount: Path) -> None:
    with (mount / "db/schema/000_large.sql").open("wb") as large:
        large.truncate(1 << 40)  # with nothing in it
    assert "has more than the 921600 bytes" in refused(mount)


def test_more_names_than_are_looked_at(mount: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(images, "ENTRY_LIMIT", 4)
    assert "has more than 4 entries: put the files into a directory" in refused(mount)
    monkeypatch.setattr(images, "ENTRY_LIMIT", 10)
    monkeypatch.setattr(files, "COUNT_LIMIT", 1)
    assert "2 files, and at most 1 are read" in refused(mount)


def test_no_descriptor_is_left_open(mount: Path) -> None:
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - what is open, not a path
    (mount / "db/schema/003_c.sql").symlink_to("001_a.sql")
    for path in ("db/schema", "db/nowhere", "", "db/schema/001_a.sql"):
        look(mount, path)
    assert len(os.listdir("/proc/self/fd")) == len(before)  # noqa: PTH208


@pytest.mark.parametrize(
    "text",
    ["", "/files", "/files::", "::*.sql", "/f:/etc:*", "/f:../x:*", "/f:a/../..:*", "a:b:c:d"],
)
def test_an_argument_that_leads_out_is_none(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - argparse says the rest
        Image.told(Part.SCHEMA, text)


def test_an_argument_as_the_operator_writes_it() -> None:
    told = Image.told(Part.FIXTURES, "/files/fixtures-1:db/fixtures:0*.sql")
    assert told == Image(Part.FIXTURES, "/files/fixtures-1", "db/fixtures", "0*.sql")
    assert Image.told(Part.SCHEMA, "/files/schema-0::*.sql").path == ""


@pytest.mark.parametrize(
    ("pattern", "name", "counts"),
    [
        ("*.sql", "a.sql", True),
        ("*.sql", "A.SQL", True),
        ("*.sql", ".a.sql", False),
        ("*.sql", "a.sql.orig", False),
        ("0?_*.sql", "01_a.sql", True),
        ("0?_*.sql", "1_a.sql", False),
    ],
)
def test_which_names_count(pattern: str, name: str, counts: bool) -> None:
    assert matcher(pattern)(name) is counts
