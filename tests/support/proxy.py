"""A network that can be cut: what is behind it has gone away for those who come through it."""

import asyncio
import os
import socket
import weakref
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import yaml

from tests.support.connections import Connections


class Proxy:
    """Listens on a free port of a loopback address, the same one until it is closed."""

    def __init__(self, host: str, port: int, *, address: str = "127.0.0.1") -> None:
        """`host` and `port` are the server's, `address` is where to listen."""
        self._target = host, port
        self._address = address
        self._server: asyncio.Server | None = None
        self._connections = Connections(self._serve)
        self._passing = asyncio.Event()
        self._passing.set()
        self._waiting = 0
        self.port = 0

    @property
    def place(self) -> str:
        """Where it listens, as a URL has it."""
        host = f"[{self._address}]" if ":" in self._address else self._address
        return f"{host}:{self.port}"

    async def mend(self) -> None:
        """Let connections through; fine when they are already."""
        if self._server is None:
            self._server = await asyncio.start_server(
                self._connections.accept, self._address, self.port, reuse_port=True
            )
            if not self.port:
                self.port = self._server.sockets[0].getsockname()[1]
                self._keep()

    def _keep(self) -> None:
        """Keep the port while it is cut: nobody who asks for any port is to get this one."""
        family = socket.AF_INET6 if ":" in self._address else socket.AF_INET
        kept = socket.socket(family, socket.SOCK_STREAM)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind((self._address, self.port))  # and never listens: connections are refused
        weakref.finalize(self, os.close, kept.detach())

    def cut(self) -> None:
        """Reset all connections, and refuse new ones."""
        if self._server is not None:
            self._server.close()
            self._server = None
        self._connections.abort()
        self._passing.set()

    def fall_silent(self) -> None:
        """Let nothing pass any more, in either direction, and tell nobody."""
        self._passing.clear()

    def go_on(self) -> None:
        """Let everything pass again, first of all what was said in the silence."""
        self._passing.set()

    async def withheld(self) -> bool:
        """Whether somebody has said something in the silence."""
        return self._waiting > 0

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            there, back = await self._connections.open(*self._target)
            await asyncio.gather(self._pass_on(reader, back), self._pass_on(there, writer))

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Until either side is closed; then the other one is, too."""
        with suppress(OSError):
            while chunk := await reader.read(65536):
                self._waiting += 1
                await self._passing.wait()
                self._waiting -= 1
                writer.write(chunk)
                await writer.drain()
        writer.transport.abort() if reader.exception() else writer.close()


def proxy_to(url: str, port: int, *, address: str = "127.0.0.1") -> Proxy:
    """A proxy before the server of a URL, whose port is that one unless the URL names one."""
    parts = urlsplit(url)
    return Proxy(parts.hostname or "127.0.0.1", parts.port or port, address=address)


def api_server(kubeconfig: Path) -> str:
    """The URL of a kubeconfig's API server."""
    server: str = yaml.safe_load(kubeconfig.read_text())["clusters"][0]["cluster"]["server"]
    return server


def write_detour(kubeconfig: Path, proxy: Proxy, there: Path) -> None:
    """Write the same kubeconfig, leading through an open proxy."""
    config = yaml.safe_load(kubeconfig.read_text())
    config["clusters"][0]["cluster"]["server"] = f"https://{proxy.place}"
    there.write_text(yaml.safe_dump(config))
