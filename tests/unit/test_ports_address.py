"""Where a port is: addresses, families, and what keeps the operator from starting."""

import errno
import socket
from http import HTTPStatus
from typing import Any

import pytest

from daap_operator.errors import StartError
from daap_operator.ports import PROBES, Answer, Port, Request, listen
from tests.unit.ports import address, get


async def ok(request: Request) -> Answer:
    return Answer(HTTPStatus.OK)


async def heard_at(host: str, *asked: str) -> dict[str, int]:
    """The status at each address; 0 where nobody listens."""
    async with Port("tried", listen(address(host)), ok, PROBES) as port:
        return {each: (await get(port.number, "/", host=each))[0] for each in asked}


@pytest.mark.parametrize(
    ("host", "heard"),
    [
        ("::", {"127.0.0.1": 200, "[::1]": 200}),
        ("::1", {"127.0.0.1": 0, "[::1]": 200}),
        ("127.0.0.1", {"127.0.0.1": 200, "[::1]": 0}),
        ("0.0.0.0", {"127.0.0.1": 200, "[::1]": 0}),
    ],
)
async def test_a_port_answers_at_the_addresses_asked_for(host: str, heard: dict[str, int]) -> None:
    assert await heard_at(host, *heard) == heard


async def test_where_the_kernel_has_no_ipv6_every_ipv4_address_answers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    create = socket.create_server

    def without_ipv6(place: Any, **options: Any) -> socket.socket:
        if options.get("family") == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, "Address family not supported by protocol")
        return create(place, **options)

    monkeypatch.setattr(socket, "create_server", without_ipv6)
    assert await heard_at("::", "127.0.0.1") == {"127.0.0.1": 200}


def test_a_port_that_is_taken_on_ipv4_alone_keeps_the_operator_from_starting() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError, match=rf"\[::\]:{port}.*set DAAP_HEALTH_PORT to a free"):
            listen(address("::", port))


def test_an_address_of_another_machine_is_told_of_as_one() -> None:
    with pytest.raises(StartError, match=r"\[2001:db8::1\]:0.*DAAP_HEALTH_HOST to an address of"):
        listen(address("2001:db8::1"))


def test_a_host_that_is_none_is_told_of() -> None:
    with pytest.raises(StartError, match=r"the probes cannot be answered at no\.invalid:0"):
        listen(address("no.invalid"))


def test_a_port_that_is_taken_keeps_the_operator_from_starting() -> None:
    with listen(address()) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(StartError, match=f"127.0.0.1:{port}.*set DAAP_HEALTH_PORT to a free"):
            listen(address("127.0.0.1", port))
