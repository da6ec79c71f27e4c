"""Which kind-compatible program the demo and the e2e tests use: real kind where it can work.

`python -m dev.cluster.provider` prints its path on stdout and the reason on stderr.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.cluster.errors import ClusterError

OURS = Path(__file__).resolve().parent.parent / "kind"
ENGINE_SECONDS = 20.0
"""How long a container engine may take to answer before it counts as not running."""


@dataclass(frozen=True)
class Provider:
    """A chosen program and why; `real` when it is kind itself, with images that can be pulled."""

    path: Path
    reason: str
    real: bool


def choose(environment: Mapping[str, str], answers: Callable[[str], bool]) -> Provider:
    """The program to use: `DAAP_KIND`, else kind if an engine answers, else `dev/kind`.

    `answers` tells whether a container engine of that name does. Raises ClusterError when
    `DAAP_KIND` names no program.
    """
    if chosen := environment.get("DAAP_KIND"):
        found = shutil.which(chosen, path=environment.get("PATH"))
        if found is None:
            raise ClusterError(f"DAAP_KIND={chosen} is not a program; correct it or unset it")
        path = Path(found).resolve()
        return Provider(path, f"DAAP_KIND={chosen}", real=path != OURS)
    kind = shutil.which("kind", path=environment.get("PATH"))
    if kind is None:
        return Provider(OURS, "kind is not on PATH", real=False)
    engine = environment.get("KIND_EXPERIMENTAL_PROVIDER") or "docker"
    if not answers(engine):
        return Provider(OURS, f"kind is on PATH, but `{engine} info` does not answer", real=False)
    return Provider(Path(kind).resolve(), f"kind is on PATH and {engine} answers", real=True)


def engine_answers(engine: str) -> bool:
    """Whether a container engine is installed and its daemon, if it has one, answers."""
    try:
        done = subprocess.run(
            (engine, "info"),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=ENGINE_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def current() -> Provider:
    """The program to use here and now."""
    return choose(os.environ, engine_answers)


def main() -> None:
    """Print the choice."""
    try:
        provider = current()
    except ClusterError as error:
        sys.exit(f"ERROR: {error}")
    print(f"using {provider.path}: {provider.reason}", file=sys.stderr)
    print(provider.path)


if __name__ == "__main__":
    main()
