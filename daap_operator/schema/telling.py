"""What the commands that need a database have in common: where they write to, how they end."""

import argparse
import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

from daap_operator.schema.errors import RefusedError, SchemaError

DONE, DIFFERS, REFUSED, FAILED = 0, 1, 2, 3
"""Exit codes, as those of `migrate`. DIFFERS: `verify` found drift, or files that are not applied.
REFUSED: nothing was tried, somebody has to act first. FAILED: trying again may help."""

LAST_WORDS = Path("/dev/termination-log")


@dataclass(frozen=True)
class World:
    """Where the commands write to, and what they read besides their arguments."""

    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)
    out: TextIO = field(default_factory=lambda: sys.stdout)
    err: TextIO = field(default_factory=lambda: sys.stderr)
    last_words: Path = LAST_WORDS


def database_url(args: argparse.Namespace, world: World) -> str:
    """Where the database is: the option, DATABASE_URL, or what libpq finds in PG… variables."""
    return str(args.database_url or world.environment.get("DATABASE_URL", ""))


def code(error: SchemaError | None) -> int:
    """The exit code of how it ended."""
    if error is None:
        return DONE
    return REFUSED if isinstance(error, RefusedError) else FAILED


def fail(world: World, error: SchemaError) -> None:
    """Write it where errors go."""
    world.err.write(f"error: {error}\n")
    world.err.flush()
