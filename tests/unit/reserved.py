"""A port for a test alone: free for its servers, and given to no connection of anybody else."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port() -> Iterator[int]:
    """A port of 127.0.0.1 that is held, as far as the kernel is concerned, and not listened to."""
    with socket.socket() as holder:
        # As servers do: who does not listen is in no other's way
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
