"""`make release-notes`: what CHANGELOG.md says of a version, and whether a tag fits the version.
With `--pin`, the chart names the image by its digest.

The version stands in `daap_operator/__init__.py` and nowhere else.
"""

import argparse
import re
import sys
from pathlib import Path

from daap_operator import __version__

ROOT = Path(__file__).resolve().parents[1]
CHANGELOG = ROOT / "CHANGELOG.md"
VALUES = ROOT / "charts" / "daap-operator" / "values.yaml"
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


def pinned(values: str, digest: str) -> str:
    """The chart's values with the digest of the image. Raises ReleaseError."""
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        raise ReleaseError(f"the digest is {digest!r}: the build must tell it as sha256:…")
    made, changed = re.subn(r'(?m)^  digest: ""$', f'  digest: "{digest}"', values)
    if changed != 1:
        raise ReleaseError(f'values.yaml has {changed} lines `  digest: ""`: it must have one')
    return made


def main() -> int:
    """Print the notes of a version, or pin the image that the chart names."""
    parser = argparse.ArgumentParser(prog="python -m dev.release", description=__doc__)
    parser.add_argument("version", nargs="?", default=__version__, help="default: %(default)s")
    parser.add_argument("--tag", help="fail unless this git tag is that of the version")
    parser.add_argument("--pin", help="write this digest of the image into the chart's values")
    args = parser.parse_args()
    try:
        if args.pin is not None:
            VALUES.write_text(pinned(VALUES.read_text(), args.pin))
            return 0
        if args.tag is not None:
            check_tag(args.tag, args.version)
        sys.stdout.write(notes(CHANGELOG.read_text(), args.version))
    except ReleaseError as error:
        print(f"ERROR: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
