"""`python -m tests.generate [--check] [golden|recorded]`: the files that only the tests can make.

What is made of the examples and of the recorded objects, the schema after all migrations, and the
recorded objects themselves.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from dev.generate import files
from dev.generate.files import ROOT
from tests.unit import gitops, golden

CHOICES = ("golden", "recorded")


def generated() -> Iterator[tuple[Path, str]]:
    """Path and content of each golden file, and of what is shipped for Argo CD and Flux."""
    yield from golden.generated()
    yield from gitops.generated()


def main() -> int:
    """Write the files, or with `--check` name the golden ones that are not up to date."""
    parser = argparse.ArgumentParser(prog="python -m tests.generate", description=__doc__)
    parser.add_argument("what", nargs="?", choices=CHOICES, default="golden")
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    args = parser.parse_args()
    if args.what == "recorded":
        return _recorded()
    if args.check:
        return 0 if files.check(generated(), "make golden") else 1
    files.write(generated())
    return _schema()


def _schema() -> int:
    """The metadata database's schema after all migrations; needs PostgreSQL, so it runs apart."""
    snapshot = [sys.executable, "-m", "tests.integration.schema_snapshot"]
    return subprocess.run(snapshot, cwd=ROOT, check=False).returncode


def _recorded() -> int:
    """Objects of ours in every situation, as a real API server has them; minutes, so apart, too."""
    record = [sys.executable, "-m", "pytest", "-q", "tests/integration/test_recorded.py"]
    environment = os.environ | {"DAAP_TESTS_RECORD": "yes"}
    return subprocess.run(record, cwd=ROOT, check=False, env=environment).returncode


if __name__ == "__main__":
    sys.exit(main())
