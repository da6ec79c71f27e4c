"""What a test's server leaves open is closed, whenever it ends."""

import asyncio

from tests.support.connections import Connections


async def test_a_connection_is_closed_that_nobody_has_begun_to_serve() -> None:
    """Accepted, and its task cancelled before its first step."""
    served: list[int] = []
    accepted: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.append(1)

    connections = Connections(serve)

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        connections.accept(reader, writer)
        connections.cancel()

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
    assert not served
    assert accepted[0].transport.is_closing()


async def test_a_connection_is_closed_that_was_opened_for_another() -> None:
    """Its server goes before what it opened has been handed to anybody."""
    opened: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        _, back = await connections.open(*there.sockets[0].getsockname())
        opened.append(back)
        connections.cancel()
        await asyncio.sleep(3600)

    async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    connections = Connections(serve)
    async with (
        await asyncio.start_server(hold, "127.0.0.1", 0) as there,
        await asyncio.start_server(connections.accept, "127.0.0.1", 0) as server,
    ):
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        assert await reader.read() == b""
        writer.close()
        await connections.close()
    assert opened[0].transport.is_closing()
