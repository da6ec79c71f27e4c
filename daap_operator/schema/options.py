"""Arguments that several commands of `schema` have, and what they mean."""

import argparse
import re
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path

from daap_operator.schema import files, images, linting
from daap_operator.schema.command import UsageError
from daap_operator.schema.errors import RefusedError
from daap_operator.schema.files import Found
from daap_operator.schema.images import Image
from daap_operator.schema.model import Applied, Part, SqlFile
from daap_operator.schema.planning import Planner
from daap_operator.schema.squawk import Squawk

LEDGER = "default"
"""The ledger's name where there is one set of files in a database."""

BAD, CHANGED, NOT_MOUNTED = "BadFiles", "FilesChanged", "ImageNotMounted"
"""Why files or arguments are refused: they cannot be, are not those that were ordered, or lie in an
image that is not there."""
_SHOWN = 12
"""Digits of a checksum that tell it from another one."""

_CHECKSUM = re.compile("[0-9a-f]{64}")
_VARIABLES = ("PGHOST", "PGHOSTADDR", "PGSERVICE", "PGDATABASE")


def add_files(parser: argparse.ArgumentParser, *, least: str = "+") -> None:
    """The files; `least` is `+` where there must be some, and `*` else."""
    parser.add_argument(
        "path",
        nargs=least,
        type=Path,
        metavar="PATH",
        help="a file, a directory of *.sql, or one with the directories schema and fixtures",
    )
    parser.add_argument(
        "--fixtures",
        action="append",
        default=[],
        type=Path,
        metavar="PATH",
        help="files that are applied again when they change, after the schema's; repeatable",
    )


def add_ordered(parser: argparse.ArgumentParser) -> None:
    """Which files whoever has ordered the run expects, and those in images."""
    parser.add_argument(
        "--files",
        type=_checksum,
        metavar="HEX",
        help="refuse files whose checksum, as the report has it in filesChecksum, is another one",
    )
    _add_images(parser)


def _checksum(text: str) -> str:
    if not _CHECKSUM.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{text!r}: must be 64 hexadecimal digits, in lower case")
    return text


def _add_images(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--files-but-images",
        type=_checksum,
        metavar="HEX",
        help="as --files, of the files that do not lie in images",
    )
    for part in Part:
        parser.add_argument(
            f"--{part}-image",
            action="append",
            default=[],
            type=partial(_image, part),
            metavar="MOUNT:PATH:PATTERN",
            help=f"files of the {part} in an image that is mounted; repeatable",
        )


def _image(part: Part, text: str) -> Image:
    try:
        return Image.told(part, text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r}: must be MOUNT:PATH:PATTERN") from None


def add_rules(parser: argparse.ArgumentParser) -> None:
    """What stops a file."""
    parser.add_argument(
        "--level",
        choices=[each.value for each in linting.Strictness],
        default=linting.Strictness.ERROR.value,
        help="findings that stop a file: errors, warnings too, or none (default: error)",
    )
    parser.add_argument(
        "--ignore",
        action="append",
        default=[],
        metavar="RULE",
        help="leave a rule out; repeatable, or several with commas",
    )


def add_applied(parser: argparse.ArgumentParser) -> None:
    """What counts as applied where no database is asked."""
    parser.add_argument(
        "--applied",
        default="",
        metavar="FILE",
        help="the schema's files up to this one are applied already: only later ones are looked at",
    )


def add_database(parser: argparse.ArgumentParser) -> None:
    """The database, and the ledger in it."""
    parser.add_argument(
        "--database-url",
        default="",
        metavar="URL",
        help="the database; DATABASE_URL or libpq's PG… variables else, where a password belongs",
    )
    parser.add_argument(
        "--ledger",
        default=LEDGER,
        metavar="NAME",
        help="which of several sets of files in the database (default: default)",
    )


def add_json(parser: argparse.ArgumentParser) -> None:
    """For programs."""
    parser.add_argument("--json", action="store_true", help="print JSON; what it has stays")


def database(args: argparse.Namespace, environment: Mapping[str, str]) -> str | None:
    """The URL, empty when libpq finds it in PG… variables; None when there is no database."""
    url = str(args.database_url or environment.get("DATABASE_URL", ""))
    return url if url or any(environment.get(name) for name in _VARIABLES) else None


def given(args: argparse.Namespace) -> tuple[SqlFile, ...]:
    """The files. Raises RefusedError."""
    return _files(found(args))


def found(args: argparse.Namespace) -> Found:
    """What there is, before it is judged."""
    return files.look(args.path, args.fixtures)


def with_images(args: argparse.Namespace) -> Found:
    """What there is, in images too. Raises UsageError when nothing was named."""
    mounted = (*args.schema_image, *args.fixtures_image)
    if not (args.path or args.fixtures or mounted):
        raise UsageError("there is no PATH: name files or directories")
    return images.look(found(args), mounted)


def ordered(args: argparse.Namespace, found: Found) -> tuple[SqlFile, ...]:
    """The files, if they are those that were ordered. Raises RefusedError.

    That they are others comes first: of files that are not there any more nothing else matters.
    """
    if found.error and not found.passing:
        return _files(found)
    for wanted, seen in (
        (args.files, found.checksum),
        (args.files_but_images, found.checksum_but_images),
    ):
        if wanted and wanted != seen:
            raise _changed(wanted, seen, found)
    return _files(found)


def _changed(wanted: str, seen: str, found: Found) -> RefusedError:
    what = f"are {seen[:_SHOWN]}" if seen else f"cannot all be read ({found.error})"
    return RefusedError(
        f"refused, nothing was changed: the files have changed since this run was ordered: it was "
        f"ordered for {wanted[:_SHOWN]}, and they {what}; they are looked at again by itself",
        CHANGED,
    )


def _files(found: Found) -> tuple[SqlFile, ...]:
    try:
        return found.files()
    except files.FilesError as error:
        reason = NOT_MOUNTED if isinstance(error, images.NotMountedError) else BAD
        raise RefusedError(str(error), reason) from error


def rules(args: argparse.Namespace) -> linting.Rules:
    """What stops a file. Raises RefusedError."""
    names = [name.strip() for each in args.ignore for name in each.split(",")]
    try:
        return linting.chosen(args.level, [name for name in names if name])
    except linting.RulesError as error:
        raise RefusedError(f"--ignore: {error}", BAD) from error


def planner(given: Sequence[SqlFile], rules: linting.Rules) -> Planner:
    """Plans the files by what a ledger holds."""
    return Planner(given, rules, Squawk())


def assumed(args: argparse.Namespace, given: Sequence[SqlFile]) -> list[Applied]:
    """What `--applied` says is in the ledger. Raises UsageError."""
    names = [file.name for file in given if file.part is Part.SCHEMA]
    if not args.applied:
        return []
    if args.applied not in names:
        raise UsageError(
            f"--applied {args.applied!r} is none of the schema's files: {', '.join(names)}"
        )
    return [
        Applied(file.part, file.name, file.checksum)
        for file in given
        if file.part is Part.SCHEMA and file.name <= args.applied
    ]
