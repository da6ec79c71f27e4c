"""Files made from other files: `python -m dev.generate [--check] [crds|golden|lock]`.

Generated files are committed, so that a change of the API or of a manifest shows in review.
"""

import argparse
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from daap_operator import crd

ROOT = Path(__file__).resolve().parent.parent
CRD = ROOT / "crds" / "daap.io_daapdatabases.yaml"


def generated(what: str) -> Iterator[tuple[Path, str]]:
    """Path and content of each generated file of a kind, or of all."""
    if what in ("crds", "all"):
        yield CRD, crd.render()


def main() -> int:
    """Write the files, or with `--check` name those that are not up to date."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="?", choices=["crds", "golden", "lock", "all"], default="all")
    parser.add_argument("--check", action="store_true", help="change nothing, fail on a difference")
    args = parser.parse_args()
    if args.what == "lock":
        return _lock()
    return _check() if args.check else _write(args.what)


def _write(what: str) -> int:
    for path, text in generated(what):
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != text:
            path.write_text(text)
            print(f"wrote {path.relative_to(ROOT)}")
    return 0


def _check() -> int:
    stale = [path for path, text in generated("all") if not path.exists() or path.read_text() != text]
    for path in stale:
        print(f"{path.relative_to(ROOT)} is not up to date: run make crds golden", file=sys.stderr)
    return 1 if stale else 0


def _lock() -> int:
    """Pin all dependencies with hashes for every platform, without the registry's address."""
    for name, groups in (("run", []), ("dev", ["--group", "dev"])):
        command = ["uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11"]
        options = ["--generate-hashes", "--no-emit-index-url", "--no-header", "pyproject.toml"]
        output = ["--output-file", f"requirements/{name}.txt"]
        uv = [sys.executable, "-m", *command, *options, *groups, *output]
        subprocess.run(uv, cwd=ROOT, check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
