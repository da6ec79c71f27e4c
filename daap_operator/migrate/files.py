"""The migrations this version ships, and what speaks against applying them.

Neither database nor yoyo here: files are looked at, and values compared. The order is that of the
ids.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

_FILE_NAME = re.compile(r"\d{3}_[a-z0-9_]+")
_ROLLBACK = ".rollback.sql"
BEGINNING = frozenset({"none", "000"})
"""How people name the state before the first migration."""


class MigrationError(Exception):
    """Migrating failed. The message says where and what to do, and never holds a password."""


class RefusedError(MigrationError):
    """Nothing was tried: what is asked for, or what the database holds, does not fit the files."""


@dataclass(frozen=True)
class Migration:
    """One file of `migrations/`."""

    id: str
    """The file's name without its ending, as yoyo records it."""
    path: Path
    sha256: str
    """Of the file's bytes, in hexadecimal."""

    @property
    def rollback(self) -> Path:
        """The file that takes it back."""
        return self.path.with_name(self.id + _ROLLBACK)


@dataclass(frozen=True)
class Applied:
    """What the database records of a migration."""

    at: datetime
    """In UTC, without a zone, as yoyo records it."""
    sha256: str | None
    """Of the file as it was applied; None when something else than this command applied it."""


def shipped(directory: Path | None = None) -> list[Migration]:
    """The migrations of this version, or of `directory`, oldest first.

    Raises MigrationError when there are none or a name does not tell its place.
    """
    directory = directory or _directory()
    paths = sorted(path for path in directory.glob("*.sql") if not path.name.endswith(_ROLLBACK))
    if not paths:
        raise MigrationError(f"no migrations in {directory}: the installation is incomplete")
    numbers: dict[str, str] = {}
    for path in paths:
        if not _FILE_NAME.fullmatch(path.stem):
            raise MigrationError(f"{path}: the name is not NNN_description.sql")
        other = numbers.setdefault(_number(path.stem), path.name)
        if other != path.name:
            raise MigrationError(f"{path}: {other} has the same number")
    return [
        Migration(path.stem, path, hashlib.sha256(path.read_bytes()).hexdigest()) for path in paths
    ]


def missing(shipped: Iterable[Migration], applied_ids: Collection[str]) -> list[str]:
    """The ids that are shipped but not applied, oldest first; empty when the schema will do."""
    return [file.id for file in shipped if file.id not in applied_ids]


def full_id(wanted: str, files: Sequence[Migration]) -> str:
    """The id meant by `003` or by a full id; empty for the state before all of them.

    Raises RefusedError, naming the known ones.
    """
    if wanted in BEGINNING:
        return ""
    for file in files:
        if wanted in {file.id, _number(file.id)}:
            return file.id
    known = ", ".join(file.id for file in files)
    raise RefusedError(
        f"there is no migration {wanted!r}; there are {known}, and none for the state before"
    )


def newer(files: Sequence[Migration], applied: Iterable[str]) -> list[str]:
    """Ids that a newer version applied: unknown here, and after all that is known."""
    return [id_ for id_ in _unknown(files, applied) if id_ > files[-1].id]


def states(files: Sequence[Migration], applied: Mapping[str, Applied]) -> dict[str, str]:
    """Every id, shipped or applied, with its state: applied, pending, edited or unknown."""
    found = dict.fromkeys(applied, "unknown")
    for file in files:
        record = applied.get(file.id)
        if record is None:
            found[file.id] = "pending"
        else:
            found[file.id] = "edited" if _edited(file, record) else "applied"
    return dict(sorted(found.items()))


def objections(files: Sequence[Migration], applied: Mapping[str, Applied]) -> list[str]:
    """Why nothing may be applied: history was edited, reordered or lost. Empty when all is well."""
    newest, last = files[-1].id, max(applied, default="")
    reordered = [
        f"{id_} is not applied, but {last}, which comes after it, is: give the file a number "
        f"after {max(newest, last)[:3]}, or roll back to the migration before it"
        for id_ in missing(files, applied)
        if id_ < last
    ]
    lost = [
        f"{id_} is applied, but there is no such file, only newer ones: restore the file"
        for id_ in _unknown(files, applied)
        if id_ < newest
    ]
    return [*_edits(files, applied), *reordered, *lost]


def rollback_objections(
    files: Sequence[Migration], applied: Mapping[str, Applied], to: str
) -> list[str]:
    """Why what comes after `to` cannot be rolled back; empty when it can."""
    back = [file for file in files if file.id in applied and file.id > to]
    unknown = [
        f"{id_} is applied, and only the version that shipped it knows how to roll it back: "
        "use that version"
        for id_ in _unknown(files, applied)
        if id_ > to
    ]
    irreversible = [f"{file.rollback} is missing" for file in back if not file.rollback.exists()]
    return [*_edits(back, applied), *unknown, *irreversible]


def _edits(files: Sequence[Migration], applied: Mapping[str, Applied]) -> list[str]:
    return [
        f"{file.path} was edited after it was applied: its SHA-256 was {applied[file.id].sha256}, "
        f"now it is {file.sha256}: restore the file, and make the change in a new migration"
        for file in files
        if file.id in applied and _edited(file, applied[file.id])
    ]


def _unknown(files: Sequence[Migration], applied: Iterable[str]) -> list[str]:
    return sorted(set(applied) - {file.id for file in files})


def _edited(file: Migration, record: Applied) -> bool:
    return record.sha256 not in {None, file.sha256}


def _number(id_: str) -> str:
    return id_.partition("_")[0]


def _directory() -> Path:
    """In a wheel they are the package's data, in a checkout they lie beside the package."""
    package = Path(__file__).parents[1]
    installed = package / "migrations"
    return installed if installed.is_dir() else package.parent / "migrations"
