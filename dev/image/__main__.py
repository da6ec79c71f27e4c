"""`python -m dev.image [--tag TAG] [--load CLUSTER]`: `make image`."""

import argparse
import sys

from dev import image
from dev.cluster import provider
from dev.cluster.errors import ClusterError
from dev.cluster.progress import say


def main() -> int:
    """Build the image, and load it into a cluster if one is named; prints tag, size and place."""
    parser = argparse.ArgumentParser(prog="python -m dev.image", description=image.__doc__)
    parser.add_argument("--tag", default=image.TAG, help="its name (default: %(default)s)")
    parser.add_argument("--load", metavar="CLUSTER", help="put it on the nodes of that cluster")
    args = parser.parse_args()
    try:
        if args.load:
            chosen = provider.current()
            built = image.build(args.tag, docker=chosen.real)
            image.load(built, args.load, chosen.path)
        else:
            built = image.build(args.tag)
    except ClusterError as error:
        say(f"ERROR: {error}")
        return 1
    where = built.archive or "in Docker"
    print(f"{built.tag}  {built.bytes / 1e6:.0f} MB uncompressed  {where}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
