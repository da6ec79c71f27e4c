"""Choosing TCP ports that stay ours while their program is stopped and started again."""

import errno
import random
import re
import socket
from collections.abc import Collection, Mapping
from pathlib import Path

from dev.cluster.errors import ClusterError

LOWEST, HIGHEST = 10400, 29999
"""Below the ports the kernel gives to outgoing connections (it could give away the port of an API
server that is stopped for a moment) and below NodePorts; above the node's own fixed ports."""


def free(address: str, port: int) -> bool:
    """Whether a server could listen there now."""
    with socket.socket() as probe:
        # As servers do: connections of an earlier server in TIME_WAIT do not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def choose(count: int, taken: Collection[int]) -> list[int]:
    """Distinct ports, free on every address, none of them `taken`."""
    chosen: list[int] = []
    candidates = random.sample(range(LOWEST, HIGHEST), k=HIGHEST - LOWEST)
    while len(chosen) < count:
        if not candidates:
            raise ClusterError(f"no free TCP port between {LOWEST} and {HIGHEST}")
        port = candidates.pop()
        if port not in taken and free("0.0.0.0", port):  # noqa: S104 - only probed, never served
            chosen.append(port)
    return chosen


def require(wanted: Mapping[int, str]) -> None:
    """Raise ClusterError when a port is in use; `wanted` maps ports to who needs them."""
    for port, program in wanted.items():
        if not free("0.0.0.0", port):  # noqa: S104 - only probed, never served
            raise ClusterError(
                f"port {port}, which {program} needs, is in use by {_holder(port)}; "
                "end that program, or delete the cluster it belongs to (dev/kind get clusters)"
            )


def _holder(port: int) -> str:
    lines = [
        line
        for table in ("/proc/net/tcp", "/proc/net/tcp6")
        for line in (Path(table).read_text().splitlines()[1:] if Path(table).exists() else ())
    ]
    listening = {
        row[9] for row in map(str.split, lines) if row[3] == "0A" and _port(row[1]) == port
    }
    for link in Path("/proc").glob("[0-9]*/fd/*"):
        try:
            socket_inode = re.fullmatch(r"socket:\[(\d+)\]", str(link.readlink()))
            if socket_inode and socket_inode[1] in listening:
                pid = link.parts[2]
                return f"{Path(f'/proc/{pid}/comm').read_text().strip()} (pid {pid})"
        except OSError:
            continue
    return "another program"


def _port(address: str) -> int:
    return int(address.rsplit(":", 1)[1], 16)
