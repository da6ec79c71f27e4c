"""The migrations' files, and what may be done with them: no database here."""

import hashlib
import re
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from daap_operator import migrate
from daap_operator.migrate import Migration, MigrationError, RefusedError, files
from daap_operator.migrate.files import Applied

ROOT = Path(__file__).parents[2]
MIGRATIONS = ROOT / "migrations"
AT = datetime(2026, 1, 2, 3, 4, 5)  # noqa: DTZ001 - yoyo records no zone


def migration(id_: str, sha256: str = "as applied") -> Migration:
    return Migration(id_, Path("migrations", f"{id_}.sql"), sha256)


def applied(*ids: str, sha256: str | None = "as applied") -> dict[str, Applied]:
    return {id_: Applied(AT, sha256) for id_ in ids}


FILES = [migration("001_one"), migration("002_two"), migration("003_three")]
ALL = applied("001_one", "002_two", "003_three")


# The files of this repository


def test_shipped_are_the_files_of_the_repository_in_order() -> None:
    found = migrate.shipped()
    assert [file.id for file in found] == [
        "001_create_databases_table",
        "002_remove_credentials_add_secret_ref",
        "003_drop_dbname",
        "004_add_error_message",
        "005_add_generation_and_leader_epoch",
        "006_check_status",
        "007_create_leaders_table",
        "008_check_epochs",
        "009_add_archive",
        "010_create_backups_table",
        "011_add_spec",
        "012_create_restores_table",
        "013_create_drills_table",
        "014_index_deleted_databases",
        "015_create_schemas_table",
    ]
    assert {file.path.parent for file in found} == {MIGRATIONS}


def test_shipped_are_package_data_in_an_installation(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site-packages" / "daap_operator"
    (package / "migrations").mkdir(parents=True)
    (package / "migrations" / "001_one.sql").write_text("SELECT 1;")
    monkeypatch.setattr(files, "__file__", str(package / "migrate" / "files.py"))
    digest = hashlib.sha256(b"SELECT 1;").hexdigest()
    path = package / "migrations" / "001_one.sql"
    assert migrate.shipped() == [Migration("001_one", path, digest)]


def test_released_files_are_as_they_were_released() -> None:
    released = {
        name: digest
        for digest, name in (
            line.split() for line in (MIGRATIONS / "SHA256SUMS").read_text().splitlines()
        )
    }
    present = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in MIGRATIONS.glob("*.sql")
    }
    changed = {name for name in released if present.get(name) != released[name]}
    assert not changed, (
        f"{sorted(changed)} differ from migrations/SHA256SUMS. If released: restore them, and make "
        "the change in a new migration. If not: migrations/README.md says how to add them."
    )
    new = present.keys() - released.keys()
    assert not new, f"{sorted(new)} are not in migrations/SHA256SUMS, see migrations/README.md"


def test_every_migration_can_be_rolled_back() -> None:
    present = {path for path in MIGRATIONS.glob("*.sql") if path.stem.endswith(".rollback")}
    assert present == {file.rollback for file in migrate.shipped()}


def test_every_migration_depends_on_the_one_before() -> None:
    before: list[str] = []
    for file in migrate.shipped():
        text = file.path.read_text()
        assert re.findall(r"^-- depends: *(.*)$", text, re.MULTILINE) == before, file.path
        assert "transactional:" not in text, f"{file.path}: each migration is one transaction"
        before = [file.id]


def test_files_are_plain_ascii() -> None:
    # yoyo reads them in the locale's encoding, whatever that is in a container.
    assert all(path.read_bytes().isascii() for path in MIGRATIONS.glob("*.sql"))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "no migrations in .*: the installation is incomplete"),
        (["README.sql"], r"README\.sql: the name is not NNN_description\.sql"),
        (["001_One.sql"], r"001_One\.sql: the name is not"),
        (["01_one.sql"], r"01_one\.sql: the name is not"),
        (["001_one.sql", "001_two.sql"], r"001_two\.sql: 001_one\.sql has the same number"),
    ],
    ids=["none", "no number", "capital", "two digits", "number twice"],
)
def test_a_directory_that_makes_no_order_is_an_error(
    tmp_path: Path, names: list[str], message: str
) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1;")
    with pytest.raises(MigrationError, match=message):
        migrate.shipped(tmp_path)


# What the operator asks at its start


@pytest.mark.parametrize(
    ("ids", "expected"),
    [
        ([], ["001_one", "002_two", "003_three"]),
        (["001_one", "003_three"], ["002_two"]),
        (["003_three", "002_two", "001_one"], []),
        (["001_one", "002_two", "003_three", "004_newer"], []),
    ],
    ids=["nothing applied", "gap", "all, in any order", "newer"],
)
def test_missing(ids: list[str], expected: list[str]) -> None:
    assert migrate.missing(FILES, ids) == expected


def test_the_operator_needs_no_yoyo_to_check_the_schema() -> None:
    code = (
        "import sys; from daap_operator import migrate; migrate.missing(migrate.shipped(), []);"
        "sys.exit('yoyo' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == 0


# Ids on the command line


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("002", "002_two"), ("002_two", "002_two"), ("none", ""), ("000", "")],
)
def test_an_id_is_given_short_or_in_full(wanted: str, expected: str) -> None:
    assert files.full_id(wanted, FILES) == expected


@pytest.mark.parametrize("wanted", ["004", "2", "two", "", "002_"])
def test_an_unknown_id_names_the_known_ones(wanted: str) -> None:
    with pytest.raises(RefusedError) as refused:
        files.full_id(wanted, FILES)
    assert str(refused.value) == (
        f"there is no migration {wanted!r}; there are 001_one, 002_two, 003_three, "
        "and none for the state before"
    )


# States and refusals


@pytest.mark.parametrize(
    ("records", "expected"),
    [
        ({}, ["pending", "pending", "pending"]),
        (ALL, ["applied", "applied", "applied"]),
        (applied("001_one", sha256=None), ["applied", "pending", "pending"]),
        (ALL | applied("002_two", sha256="other"), ["applied", "edited", "applied"]),
        (ALL | applied("004_newer"), ["applied", "applied", "applied", "unknown"]),
        (ALL | applied("0015_lost"), ["unknown", "applied", "applied", "applied"]),
    ],
    ids=["nothing", "all", "no checksum", "edited", "newer", "lost"],
)
def test_states_come_in_the_order_of_the_ids(
    records: dict[str, Applied], expected: list[str]
) -> None:
    found = files.states(FILES, records)
    assert list(found.values()) == expected
    assert list(found) == sorted({file.id for file in FILES} | set(records))


@pytest.mark.parametrize(
    "records",
    [{}, applied("001_one"), ALL, applied("001_one", sha256=None), ALL | applied("004_newer")],
    ids=["nothing", "some", "all", "no checksum", "newer"],
)
def test_nothing_speaks_against_a_history_that_fits(records: dict[str, Applied]) -> None:
    assert files.objections(FILES, records) == []


def test_an_edited_file_is_refused_with_both_checksums() -> None:
    assert files.objections(FILES, applied("001_one") | applied("002_two", sha256="other")) == [
        (
            "migrations/002_two.sql was edited after it was applied: its SHA-256 was other, "
            "now it is as applied: restore the file, and make the change in a new migration"
        )
    ]


def test_a_migration_slipped_in_before_an_applied_one_is_refused() -> None:
    assert files.objections(FILES, applied("001_one", "003_three")) == [
        (
            "002_two is not applied, but 003_three, which comes after it, is: give the file a "
            "number after 003, or roll back to the migration before it"
        )
    ]


def test_a_migration_slipped_in_before_a_newer_versions_one_is_refused() -> None:
    (found,) = files.objections(FILES, applied("001_one", "002_two", "007_newer"))
    assert found.startswith("003_three is not applied, but 007_newer, which comes after it, is: ")
    assert "a number after 007" in found


def test_an_applied_migration_whose_file_is_lost_is_refused() -> None:
    assert files.objections(FILES, ALL | applied("0015_lost")) == [
        "0015_lost is applied, but there is no such file, only newer ones: restore the file"
    ]


def test_newer_are_the_unknown_ones_after_all_known() -> None:
    assert files.newer(FILES, [*ALL, "005_b", "004_a", "0015_lost"]) == ["004_a", "005_b"]


def test_rollback_is_refused_for_what_was_edited_is_unknown_or_has_no_file(tmp_path: Path) -> None:
    (tmp_path / "003_three.rollback.sql").write_text("SELECT 1;")
    own = [Migration(file.id, tmp_path / file.path.name, file.sha256) for file in FILES]
    records = ALL | applied("003_three", sha256="other") | applied("004_newer")
    found = files.rollback_objections(own, records, "001_one")
    assert [reason.split(" ", 2)[:2] for reason in found] == [
        [f"{tmp_path}/003_three.sql", "was"],
        ["004_newer", "is"],
        [f"{tmp_path}/002_two.rollback.sql", "is"],
    ]


def test_rollback_is_the_way_out_of_a_wrong_order(tmp_path: Path) -> None:
    (tmp_path / "003_three.rollback.sql").write_text("SELECT 1;")
    own = [Migration(file.id, tmp_path / file.path.name, file.sha256) for file in FILES]
    assert files.rollback_objections(own, applied("001_one", "003_three"), "001_one") == []


def test_rollback_does_not_mind_what_it_leaves_alone() -> None:
    records = ALL | applied("001_one", sha256="other")
    assert files.rollback_objections(FILES, records, "003_three") == []
