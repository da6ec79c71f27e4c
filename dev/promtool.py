"""`python -m dev.promtool`: promtool, Prometheus' own check of its rules, found or fetched once.

Taken out of Debian's package without installing it: its server is of no use here.
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from dev.cluster import paths
from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step

PACKAGE = "prometheus"


def promtool() -> Path:
    """The program: on PATH, else in the cache, else out of the package.

    Raises ClusterError, saying what to do, where it cannot be had.
    """
    if found := shutil.which("promtool"):
        return Path(found)
    program = paths.cache() / "promtool" / "promtool"
    with paths.lock(program.with_name("lock"), "waiting for promtool to be fetched"):
        if not program.exists():
            _fetch(program)
    return program


def _fetch(program: Path) -> None:
    if not (shutil.which("apt-get") and shutil.which("dpkg-deb")):
        raise ClusterError(
            "promtool is missing, and no apt-get to fetch it with: install Prometheus "
            "(https://prometheus.io/download), so that promtool is on PATH"
        )
    with (
        Step("fetching promtool") as step,
        tempfile.TemporaryDirectory(dir=program.parent) as scratch,
    ):
        if not _known():
            step.run("apt-get", "update", "-qq")
        # Downloaded as the user who asks: apt's own could not write here
        step.run(
            "apt-get", "-o", "APT::Sandbox::User=", "download", "-qq", PACKAGE, cwd=Path(scratch)
        )
        (package,) = Path(scratch).glob("*.deb")
        step.run("dpkg-deb", "--extract", package, scratch)
        Path(scratch, "usr/bin/promtool").replace(program)


def _known() -> bool:
    """Whether apt has heard of the package: on a fresh machine it has not."""
    found = subprocess.run(
        ["apt-cache", "show", PACKAGE], capture_output=True, check=False, text=True
    )
    return found.returncode == 0 and "Filename:" in found.stdout


def main() -> int:
    """Print where it is."""
    try:
        print(promtool())
    except ClusterError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
