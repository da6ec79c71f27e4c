"""The Debian packages a node and its images need, installed when absent."""

import os
import shutil
from collections.abc import Collection
from pathlib import Path

from dev.cluster.errors import ClusterError
from dev.cluster.progress import Step

PACKAGES = {
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "ip": "iproute2",
    "/usr/lib/cni/bridge": "containernetworking-plugins",
    "openssl": "openssl",
    "debootstrap": "debootstrap",
    "unshare": "util-linux",
    "buildah": "buildah",
    "mvn": "maven",
}
"""The package of each program or file."""
NODE = frozenset(PACKAGES) - {"debootstrap", "unshare", "buildah", "mvn"}
IMAGES = frozenset({"debootstrap", "unshare"})
BUILDAH = frozenset({"buildah"})
MAVEN = frozenset({"mvn"})


def absent(programs: Collection[str]) -> list[str]:
    """The packages of the programs that are not on this machine, sorted."""
    missing = [p for p in programs if not (Path(p).exists() if "/" in p else shutil.which(p))]
    return sorted({PACKAGES[program] for program in missing})


def require(programs: Collection[str]) -> None:
    """Install the packages of absent programs. Raises ClusterError where that cannot be done."""
    if not (missing := absent(programs)):
        return
    install = f"apt-get install --no-install-recommends {' '.join(missing)}"
    if not shutil.which("apt-get"):
        raise ClusterError(
            f"{', '.join(missing)} missing, and no apt-get to install them: install them by hand, "
            "or use a Debian-like machine (a control plane alone needs none of them)"
        )
    if os.geteuid() != 0:
        raise ClusterError(f"{', '.join(missing)} missing; run: sudo {install}")
    with Step(f"installing {', '.join(missing)}") as step:
        step.run("apt-get", "update", "-qq")
        step.run(*install.split(), "-y", "-qq", DEBIAN_FRONTEND="noninteractive")
