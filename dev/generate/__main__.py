"""`python -m dev.generate [--check] [crds|manifests|lock]`."""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from daap_operator import crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.cluster import versions
from dev.generate import chart, files, manifests, reference
from dev.generate.files import ROOT

CRDS = ROOT / "crds"
REFERENCE = ROOT / "docs" / "reference"

LOCKS = {
    "requirements/run.txt": ["pyproject.toml"],
    "requirements/build.txt": ["--group", "build"],
    "requirements/dev.txt": ["pyproject.toml", "--group", "dev"],
    "tests/e2e/client/requirements.txt": ["tests/e2e/client/requirements.in"],
}
"""What is pinned where: the operator, its wheel, its development, the client in the e2e tests."""

IMAGE_LOCKS = {
    "tests/e2e/clients/requirements.txt": [
        "tests/e2e/clients/requirements.in",
        "--constraint=tests/e2e/client/requirements.txt",
    ],
    "dev/cluster/sidecar/requirements.txt": [
        "dev/cluster/sidecar/requirements.in",
        "--no-emit-package=psycopg2",  # Debian's
    ],
}
"""What is installed in an image alone, for its Python: the libraries of docs/clients.md, Barman."""


CHOICES = ("crds", "manifests", "lock", "all")
"""`all` does not make the manifests, which needs helm; its check sees whether they are due."""


def generated(what: str) -> Iterator[tuple[Path, str]]:
    """Path and content of each generated file of a kind, or of all."""
    if what in ("crds", "all"):
        for definition in DEFINITIONS:
            yield CRDS / definition.file, crd.render(definition)
        yield REFERENCE / "api.md", reference.api(DEFINITIONS)
        yield REFERENCE / "settings.md", reference.settings()
        yield REFERENCE / "metrics.md", reference.metrics()
        yield from chart.generated()
    if what == "manifests":
        yield from manifests.generated()


def main() -> int:
    """Write the files, or with `--check` name those that are not up to date."""
    parser = argparse.ArgumentParser(prog="python -m dev.generate", description=__doc__)
    parser.add_argument("what", nargs="?", choices=CHOICES, default="all")
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    args = parser.parse_args()
    if args.what == "lock":
        return _lock()
    if args.check:
        return _check(args.what)
    files.write(generated(args.what))
    return 0


def _check(what: str) -> int:
    remedy = "make manifests" if what == "manifests" else "make crds"
    fresh = files.check(generated(what), remedy)
    if behind := what == "all" and manifests.of_another_chart():
        print("manifests/ was not made from this chart: run make manifests", file=sys.stderr)
    return 0 if fresh and not behind else 1


def _lock() -> int:
    """Pin all dependencies with hashes for every platform, without the registry's address."""
    for output, source in (LOCKS | IMAGE_LOCKS).items():
        python = versions.PYTHON if output in IMAGE_LOCKS else "3.11"
        command = ["uv", "pip", "compile", "--quiet", "--universal", f"--python-version={python}"]
        options = ["--generate-hashes", "--no-emit-index-url", "--no-header"]
        uv = [sys.executable, "-m", *command, *options, *source, f"--output-file={output}"]
        subprocess.run(uv, cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
