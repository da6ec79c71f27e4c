"""`make repeat`: the tests that depend on timing, many times in a row, and how long each took."""

import os
import subprocess
import sys
import time
from pathlib import Path

from dev.cluster.progress import duration, say

TESTS = (
    "tests/integration/test_faults.py",
    "tests/integration/test_chaos.py",
    "tests/integration/test_watches.py",
)
"""The fault matrix, the random interleavings and the watches that die."""


def main() -> int:
    """Run TIMES rounds; a failed one is printed whole and ends it."""
    rounds = int(os.environ.get("TIMES", "20"))
    tests = tuple(sys.argv[1:]) or TESTS
    for number in range(1, rounds + 1):
        for test in tests:
            if not _passes(number, rounds, test):
                return 1
    say(f"{rounds} rounds of {len(tests)} files, 0 failures")
    return 0


def _passes(number: int, rounds: int, test: str) -> bool:
    started = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", test],
        capture_output=True,
        text=True,
        check=False,
    )
    took = duration(time.monotonic() - started)
    last = done.stdout.strip().splitlines()[-1:] or ["nothing said"]
    load = os.getloadavg()[0]
    say(f"round {number} of {rounds}: {Path(test).stem}: {last[0]} (load {load:.1f}, {took})")
    if done.returncode:
        say(done.stdout + done.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
