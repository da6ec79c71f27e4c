"""`python -m dev.generate [--check] [crds|golden|manifests|lock|recorded]`."""

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from daap_operator import crd
from daap_operator.api.v1alpha1 import DEFINITIONS
from dev.cluster import versions
from dev.generate import chart, manifests, reference

ROOT = Path(__file__).resolve().parents[2]
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
}
"""What is installed in an image alone, for its Python: the libraries of docs/clients.md."""


CHOICES = ("crds", "golden", "manifests", "lock", "recorded", "all")
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
    if what in ("golden", "all"):
        from tests.unit import gitops, golden  # noqa: PLC0415 - not there when installed

        yield from golden.generated()
        yield from gitops.generated()


def main() -> int:
    """Write the files, or with `--check` name those that are not up to date."""
    parser = argparse.ArgumentParser(prog="python -m dev.generate", description=__doc__)
    parser.add_argument("what", nargs="?", choices=CHOICES, default="all")
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    args = parser.parse_args()
    if args.what == "lock":
        return _lock()
    if args.what == "recorded":
        return _recorded()
    if args.check:
        return _check(args.what)
    _write(args.what)
    return _schema() if args.what == "golden" else 0


def _write(what: str) -> None:
    for path, text in generated(what):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")


def _check(what: str) -> int:
    found = generated(what)
    stale = [path for path, text in found if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not up to date: run make crds golden", file=sys.stderr)
    if behind := what == "all" and manifests.of_another_chart():
        print("manifests/ is not of this chart: run make manifests", file=sys.stderr)
    return 1 if stale or behind else 0


def _schema() -> int:
    """The metadata database's schema after all migrations; needs PostgreSQL, so it runs apart."""
    snapshot = [sys.executable, "-m", "tests.integration.schema_snapshot"]
    return subprocess.run(snapshot, cwd=ROOT, check=False).returncode


def _recorded() -> int:
    """DaapDatabases in every situation, as a real API server has them; minutes, so apart, too."""
    record = [sys.executable, "-m", "pytest", "-q", "tests/integration/test_recorded.py"]
    environment = os.environ | {"DAAP_TESTS_RECORD": "yes"}
    return subprocess.run(record, cwd=ROOT, check=False, env=environment).returncode


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
