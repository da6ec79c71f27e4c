"""A program of the node: opens the directories of new volumes to every user.

kube-controller-manager's hostPath provisioner makes them 0750 for root, and hostPath ignores the
fsGroup of a pod; other local provisioners open them too. `volumes.py DIRECTORY` runs until stopped.
"""

import sys
import time
from pathlib import Path

LOOK_SECONDS = 0.2
OPEN = 0o777


def open_new(directory: Path) -> None:
    """Open the volumes that are not open yet."""
    for volume in directory.iterdir():
        try:
            if volume.stat().st_mode & OPEN != OPEN:
                volume.chmod(OPEN)
        except FileNotFoundError:
            continue  # deleted just now


if __name__ == "__main__":
    while True:
        open_new(Path(sys.argv[1]))
        time.sleep(LOOK_SECONDS)
