"""TCP ports for servers of our own."""

import secrets
import socket
from collections.abc import Iterator

PORTS = range(15000, 30000)
"""Below the ports of outgoing connections and of NodePorts: nobody takes ours in an outage test,
and a client that knocks at a stopped server cannot happen to connect to itself."""


def free_ports(attempts: int = 20) -> Iterator[int]:
    """Ports that were free a moment ago."""
    for _ in range(attempts):
        port = PORTS.start + secrets.randbelow(len(PORTS))
        if free(port):
            yield port


def free(port: int) -> bool:
    """Whether nobody listens to it on 127.0.0.1."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
