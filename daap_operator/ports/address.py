"""The socket of a port."""

import errno
import socket
from dataclasses import dataclass

from daap_operator.errors import StartError

EVERYWHERE = "::"
"""All addresses of the machine, of both families."""

NO_IPV6 = {errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL, errno.ENOPROTOOPT}
"""What a kernel without IPv6 says."""

BACKLOG = 1024
"""Connections that the kernel holds until they are accepted; it may have a lower limit."""


@dataclass(frozen=True)
class Address:
    """Where a port is, and which settings say so."""

    host: str
    port: int
    """0 for any that is free."""
    what: str
    """What is answered there, for the message of an error."""
    settings: str
    """What the names of the two settings begin with: `DAAP_HEALTH`."""


def listen(address: Address) -> socket.socket:
    """Take a port. The host `::` is every address, IPv4 and IPv6 alike, at the same port.

    Raises StartError when address or port cannot be had.
    """
    try:
        return _listen(address.host, address.port)
    except OSError as error:
        shown = f"[{address.host}]" if ":" in address.host else address.host
        raise StartError(
            f"{address.what} cannot be answered at {shown}:{address.port}: {error}; set "
            f"{address.settings}_PORT to a free port, or to 0 for any, and {address.settings}_HOST "
            "to an address of this machine"
        ) from error


def _listen(host: str, port: int) -> socket.socket:
    if host == EVERYWHERE:
        return _everywhere(port)
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, place = found[0]
    return socket.create_server(place, family=family, backlog=BACKLOG)


def _everywhere(port: int) -> socket.socket:
    """One socket for both families: two would each take another port where any will do."""
    try:
        return socket.create_server(
            (EVERYWHERE, port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=BACKLOG
        )
    except (OSError, ValueError) as error:  # ValueError: this Python knows of no dual stack here
        if isinstance(error, OSError) and error.errno not in NO_IPV6:
            raise
    return socket.create_server(("0.0.0.0", port), backlog=BACKLOG)  # noqa: S104 - as asked
