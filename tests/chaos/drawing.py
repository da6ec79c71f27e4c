"""Plans drawn in a process of its own.

hypothesis also tries constants of all modules of the project that happen to be loaded, so that in
this process the plans of a seed would depend on which tests run beside.
"""

import pickle
import subprocess
import sys
from pathlib import Path

from tests.chaos.machine import plans
from tests.chaos.plan import Plan

ROOT = Path(__file__).parents[2]


def drawn(count: int, seed: int) -> list[Plan]:
    """So many plans, the same ones for a seed wherever they are drawn."""
    command = [sys.executable, "-m", "tests.chaos.drawing", str(count), str(seed)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    made: list[Plan] = pickle.loads(done.stdout)
    return made


if __name__ == "__main__":
    sys.stdout.buffer.write(pickle.dumps(plans(int(sys.argv[1]), int(sys.argv[2]))))
