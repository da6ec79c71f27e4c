"""`make release-notes`: what CHANGELOG.md says of a version, and whether a tag fits the version.

The version stands in `daap_operator/__init__.py` and nowhere else.
"""

import argparse
import re
import sys
from pathlib import Path

from daap_operator import __version__

CHANGELOG = Path(__file__).resolve().parents[1] / "CHANGELOG.md"
HEADING = re.compile(
    r"^## \[?(?P<version>[^\]\s]+)\]?(?: - \d{4}-\d{2}-\d{2})?[ \t]*$", re.MULTILINE
)
SEMANTIC = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?(\+[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?"
)
"""A version as semver.org has it."""


class ReleaseError(Exception):
    """A release lacks something. The message says what and where."""


def notes(changelog: str, version: str) -> str:
    """The section of a version, without its heading. Raises ReleaseError."""
    headings = list(HEADING.finditer(changelog))
    ends = [heading.start() for heading in headings[1:]] + [len(changelog)]
    for heading, end in zip(headings, ends, strict=True):
        if heading["version"] == version:
            if text := changelog[heading.end() : end].strip():
                return f"{text}\n"
            raise ReleaseError(f"CHANGELOG.md: the section {version} is empty: write what changed")
    known = ", ".join(heading["version"] for heading in headings) or "none"
    raise ReleaseError(
        f"CHANGELOG.md has no section {version} (there are: {known}): "
        f"rename `## Unreleased` to `## {version} - YYYY-MM-DD` when it is released"
    )


def check_tag(tag: str, version: str) -> None:
    """Raise ReleaseError unless the git tag is that of the version."""
    if tag != f"v{version}":
        raise ReleaseError(
            f"the tag {tag} is not v{version}: daap_operator/__init__.py says {version!r}; "
            "tag the commit that has the version, or change it there"
        )


def main() -> int:
    """Print the notes of a version."""
    parser = argparse.ArgumentParser(prog="python -m dev.release", description=__doc__)
    parser.add_argument("version", nargs="?", default=__version__, help="default: %(default)s")
    parser.add_argument("--tag", help="fail unless this git tag is that of the version")
    args = parser.parse_args()
    try:
        if args.tag is not None:
            check_tag(args.tag, args.version)
        sys.stdout.write(notes(CHANGELOG.read_text(), args.version))
    except ReleaseError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
