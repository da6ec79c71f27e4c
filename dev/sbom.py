"""`make sbom`: what the operator consists of, as CycloneDX, from the lock file.

Versions and hashes are those that the image is built with (`pip install --require-hashes`),
licences come from the packages' own metadata where the same version is installed here.
"""

import argparse
import re
import sys
import uuid
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from cyclonedx.contrib.license.factories import LicenseFactory
from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.model.license import License
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from daap_operator import __version__

ROOT = Path(__file__).resolve().parents[1]
LOCK = ROOT / "requirements" / "run.txt"
PROJECT = "daap-operator"

PINNED = re.compile(r"^(?P<name>[\w.-]+)==(?P<version>[^\s;\\]+)")
HASH = re.compile(r"--hash=sha256:(?P<hash>[0-9a-f]{64})")
NEEDED_BY = re.compile(r"^\s+#\s+(?:via\s+)?(?P<name>[\w.-]+)")


@dataclass(frozen=True)
class Pinned:
    """One package of the lock file."""

    name: str
    version: str
    hashes: tuple[str, ...]
    """SHA-256 of every file of that version that may be installed."""
    needed_by: tuple[str, ...]


class LockError(Exception):
    """The lock file is not one. The message names the line."""


def read(lock: str) -> list[Pinned]:
    """The packages of a lock file written by `make lock`. Raises LockError."""
    found = [_pinned(block) for block in re.split(r"^(?=\S)", lock, flags=re.MULTILINE) if block]
    if not found:
        raise LockError("the lock file names no package: run make lock")
    return found


def _pinned(block: str) -> Pinned:
    head = PINNED.match(block)
    hashes = tuple(HASH.findall(block))
    if head is None or not hashes:
        first = block.splitlines()[0]
        raise LockError(f"{first!r} has no version or no hash: run make lock")
    needed_by = [m["name"] for line in block.splitlines() if (m := NEEDED_BY.match(line))]
    return Pinned(head["name"], head["version"], hashes, tuple(n for n in needed_by if n != "via"))


def bom(packages: list[Pinned]) -> Bom:
    """The bill of materials: the operator, the packages, and what needs what."""
    root = Component(
        name=PROJECT,
        version=__version__,
        type=ComponentType.APPLICATION,
        bom_ref=PROJECT,
        licenses=[LicenseFactory().make_from_string("Apache-2.0")],
        purl=PackageURL("pypi", name=PROJECT, version=__version__),
    )
    components = {package.name: _component(package) for package in packages}
    made = Bom(components=components.values())
    made.metadata.component = root
    content = "".join(f"{p.name}{p.version}{p.hashes}" for p in packages)
    made.serial_number = uuid.uuid5(uuid.NAMESPACE_URL, f"{PROJECT}{__version__}{content}")
    everything = {PROJECT: root} | components
    for name, component in everything.items():
        needed = [components[p.name] for p in packages if name in p.needed_by]
        made.register_dependency(component, needed)
    return made


def _component(package: Pinned) -> Component:
    return Component(
        name=package.name,
        version=package.version,
        type=ComponentType.LIBRARY,
        bom_ref=f"{package.name}=={package.version}",
        purl=PackageURL("pypi", name=package.name, version=package.version),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=value) for value in package.hashes],
        licenses=_licences(package),
    )


def _licences(package: Pinned) -> list[License]:
    """The licence by the installed package's word; none where another version is installed."""
    try:
        told = metadata.metadata(package.name)
    except metadata.PackageNotFoundError:
        return []
    if told["Version"] != package.version:
        return []
    said = [t for key in ("License-Expression", "License") for t in told.get_all(key, [])]
    named = [c.rpartition(" :: ")[2] for c in told.get_all("Classifier", []) if "License ::" in c]
    text = next(filter(None, [*said, *named]), "")
    return [LicenseFactory().make_from_string(text.splitlines()[0])] if text else []


def render(lock: str) -> str:
    """The bill of materials of a lock file as CycloneDX 1.6 in JSON. Raises LockError."""
    return JsonV1Dot6(bom(read(lock))).output_as_string(indent=2) + "\n"


def main() -> int:
    """Write the file and print where it is."""
    parser = argparse.ArgumentParser(prog="python -m dev.sbom", description=__doc__)
    default = ROOT / "dist" / f"{PROJECT}-{__version__}.cdx.json"
    parser.add_argument("--output", type=Path, default=default, metavar="FILE")
    args = parser.parse_args()
    try:
        text = render(LOCK.read_text())
    except LockError as error:
        print(f"ERROR: {LOCK}: {error}", file=sys.stderr)
        return 1
    args.output.parent.mkdir(parents=True, exist_ok=True)
    args.output.write_text(text)
    print(args.output)
    return 0


if __name__ == "__main__":
    sys.exit(main())
