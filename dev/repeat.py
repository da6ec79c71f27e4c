"""`make repeat`: the tests that depend on timing, many times, and how long each round took.

TIMES rounds of each file, AT_ONCE of them at the same time, which also loads the machine.
"""

import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from dev.cluster.progress import duration, say

TESTS = (
    "tests/integration/test_faults.py",
    "tests/integration/test_chaos.py",
    "tests/integration/test_watches.py",
)
"""The fault matrix, the random interleavings and the watches that die."""

OPTIONS = ("-q", "--nightly", "--no-second-try")
"""What fails once is what this is to find, in all there is."""


def main() -> int:
    """Run the rounds; what failed is printed whole, and fails the command."""
    rounds = int(os.environ.get("TIMES") or 20)
    failures = 0
    with ThreadPoolExecutor(int(os.environ.get("AT_ONCE") or 1)) as pool:
        for test in sys.argv[1:] or TESTS:
            passed = list(pool.map(partial(_passes, test, rounds), range(1, rounds + 1)))
            say(f"{test}: {rounds} rounds, {passed.count(False)} failures")
            failures += passed.count(False)
    return int(failures > 0)


def _passes(test: str, rounds: int, number: int) -> bool:
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="daap-repeat-", ignore_cleanup_errors=True) as own:
        # pytest tidies up the directory it shares by default, also under a round beside this one
        command = [sys.executable, "-m", "pytest", *OPTIONS, f"--basetemp={own}/tests", test]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    took = duration(time.monotonic() - started)
    last = done.stdout.strip().splitlines()[-1:] or ["nothing said"]
    load = os.getloadavg()[0]
    say(f"round {number} of {rounds}: {Path(test).stem}: {last[0]} (load {load:.1f}, {took})")
    if done.returncode:
        say(done.stdout + done.stderr)
    return done.returncode == 0


if __name__ == "__main__":
    sys.exit(main())
