"""The stand-in for CloudNativePG as a process of its own: `python -m benchmarks.standin FILE`.

FILE is its kubeconfig. It ends with its standard input, from which it takes lines `sleep NAMESPACE`
and `wake NAMESPACE`, and answers each with a line.
"""

import sys
from pathlib import Path

from tests.standin.cnpg import StandIn

CONNECTIONS = 100
"""To the API server, its watches among them; thousands of Clusters take turns."""


def main() -> int:
    """Play CloudNativePG until the end of the input."""
    standin = StandIn(Path(sys.argv[1]), connections=CONNECTIONS)
    standin.start()
    orders = {"sleep": standin.sleep, "wake": standin.wake}
    for line in sys.stdin:
        verb, namespace = line.split()
        orders[verb](namespace)
        print("done", flush=True)
    standin.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
