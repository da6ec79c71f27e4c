"""Generated files: written when they differ, or named. For whoever makes some, the tests too."""

import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

Files = Iterable[tuple[Path, str]]
"""Path and content of each."""


def write(files: Files) -> None:
    """Write those that differ, and print their names."""
    for path, text in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        if _differs(path, text):
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")


def check(files: Files, remedy: str) -> bool:
    """Whether all are up to date; what is not is named on stderr, with the command to run."""
    stale = [path for path, text in files if _differs(path, text)]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not up to date: run {remedy}", file=sys.stderr)
    return not stale


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or path.read_text() != text
