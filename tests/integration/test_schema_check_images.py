"""`schema check` and `schema apply` with files of an image, as the Jobs of a DaapSchema call it."""

from pathlib import Path
from types import ModuleType

import pytest

from daap_operator.schema import apply_command, check_command
from daap_operator.schema.command import UsageError
from tests.integration.schema_stage import FIVE, FIXTURES, ledger
from tests.integration.test_schema_check import of
from tests.integration.test_schema_commands import Ended, call


@pytest.fixture
def mounts(tmp_path: Path) -> list[str]:
    """The schema in an image, the fixtures in a ConfigMap."""
    (tmp_path / "words").touch()
    for path, files in (("image/db/schema", FIVE), ("map", FIXTURES)):
        (tmp_path / path).mkdir(parents=True)
        for name, text in files.items():
            (tmp_path / path / name).write_text(text)
    image = f"--schema-image={tmp_path}/image:db/schema:*.sql"
    return [image, f"--fixtures={tmp_path}/map", "--level=never"]


def check(url: str, place: Path, *given: str) -> Ended:
    return call(check_command, {"DATABASE_URL": url}, place / "words", *given)


def apply(url: str, place: Path, *given: str) -> Ended:
    return call(apply_command, {"DATABASE_URL": url}, place / "words", *given)


def test_what_a_look_has_seen_is_applied_and_nothing_else(
    empty_database: str, tmp_path: Path, mounts: list[str]
) -> None:
    besides = f"--files-but-images={of({}, FIXTURES)}"
    seen = check(empty_database, tmp_path, besides, *mounts)
    assert (seen.code, seen.err, seen.words["pendingCount"]) == (0, "", len(FIVE) + len(FIXTURES))
    assert seen.words["filesChecksum"] == of(FIVE, FIXTURES)
    ordered = [f"--files={seen.words['filesChecksum']}", f"--plan={seen.words['plan']}"]

    more = tmp_path / "image/db/schema/900_more.sql"
    more.write_text("SELECT 1;\n")
    for given in (ordered, ordered[1:]):
        refused = apply(empty_database, tmp_path, *given, *mounts)
        assert (refused.code, refused.words["result"]) == (2, "Refused")
        assert refused.words["reason"] in ("FilesChanged", "PlanChanged")
    assert check(empty_database, tmp_path, besides, *mounts).code == 0  # its digest says it
    more.unlink()
    assert apply(empty_database, tmp_path, *ordered, *mounts).code == 0
    assert ledger(empty_database) == [*FIVE, *FIXTURES]


def test_other_files_than_an_images_are_those_that_were_ordered(
    empty_database: str, tmp_path: Path, mounts: list[str]
) -> None:
    ended = check(empty_database, tmp_path, f"--files-but-images={of(FIVE, FIXTURES)}", *mounts)
    assert (ended.code, ended.words["reason"]) == (2, "FilesChanged")


def test_an_image_that_is_not_mounted_changes_nothing(
    empty_database: str, tmp_path: Path, mounts: list[str]
) -> None:
    gone = [f"--schema-image={tmp_path}/nowhere::*.sql", *mounts[1:]]
    for ended in (check(empty_database, tmp_path, *gone), apply(empty_database, tmp_path, *gone)):
        assert (ended.code, ended.words["result"]) == (2, "Refused")
        assert ended.words["reason"] == "ImageNotMounted"
        assert ended.words["filesChecksum"] == ""


@pytest.mark.parametrize("command", [check_command, apply_command])
def test_without_any_path_nothing_is_done(command: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no PATH: name files or directories"):
        call(command, {"DATABASE_URL": "postgresql://nowhere"}, tmp_path / "words")
