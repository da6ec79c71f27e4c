"""Waiting for CRDs: `kubectl wait` fails on one so new that its conditions are still null."""

import subprocess
import time
from collections.abc import Callable

from dev.cluster.errors import ClusterError

SECONDS = 30.0
PAUSE_SECONDS = 0.2


def wait_established(kubectl: Callable[..., object], *names: str) -> None:
    """Wait until the API server serves the CRDs of these names, or all there are.

    `kubectl` runs it with the given words. Raises what it raised last when it takes too long.
    """
    which = names or ("--all",)
    words = ("wait", "--for=condition=Established", "crd", *which, f"--timeout={SECONDS:.0f}s")
    deadline = time.monotonic() + SECONDS
    while True:
        try:
            kubectl(*words)
        except (ClusterError, subprocess.CalledProcessError):
            if time.monotonic() > deadline:
                raise
            time.sleep(PAUSE_SECONDS)
        else:
            return
