"""`make e2e`: pytest-kind on the cluster this machine can run, said out loud."""

import shutil
import subprocess
import sys
from pathlib import Path

from dev import image
from dev.cluster import programs, provider
from dev.cluster.errors import ClusterError
from dev.cluster.progress import say

CLUSTER = "daap-e2e"


def main() -> int:
    """Run the tests in tests/e2e; further arguments go to pytest."""
    try:
        chosen = provider.current()
        # Before the tests: minutes the first time, and no test may take so long
        if not chosen.real:
            subprocess.run([sys.executable, chosen.path, "build", "--backup"], check=True)
        image.build(docker=chosen.real)
        found = shutil.which("kubectl")
        kubectl = Path(found) if found else programs.build(["kubectl"])["kubectl"]
    except ClusterError as error:
        say(f"ERROR: {error}")
        return 1
    except subprocess.CalledProcessError as error:  # it has said why
        return error.returncode
    say(f"e2e: {chosen.path} ({chosen.reason})")
    options = [
        f"--kind-bin={chosen.path}",
        f"--kind-kubectl-bin={kubectl}",
        f"--cluster-name={CLUSTER}",
        "--second-try",
        "--durations=30",
    ]
    pytest = [sys.executable, "-m", "pytest", "tests/e2e", *options, *sys.argv[1:]]
    return subprocess.run(pytest, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
