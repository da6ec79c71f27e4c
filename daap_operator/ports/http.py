"""A request and an answer of HTTP/1.1, as bytes. Pure.

One request for each connection, without a body, answered and closed: so there is no idle connection
to limit, and nothing after a request to mistake for another.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException, parse_headers

END = b"\r\n\r\n"
"""Of a head."""


@dataclass(frozen=True)
class Request:
    """The head of a request."""

    method: str
    path: str
    """Without the query."""
    headers: Message
    """By name, in whatever case."""
    peer: str = ""
    """Who sent it, by its address."""

    def header(self, name: str) -> str:
        """The header's value, the first one where there are several; empty when there is none."""
        return str(self.headers.get(name, ""))


@dataclass(frozen=True)
class Answer:
    """What is answered."""

    status: HTTPStatus
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


def parsed(head: bytes, peer: str = "") -> Request | None:
    """The request that a head is of, with its END; None when it is not one of HTTP/1."""
    lines = io.BytesIO(head)
    words = lines.readline().decode("latin-1").split()
    if len(words) != 3 or not words[2].startswith("HTTP/1."):
        return None
    try:
        headers = parse_headers(lines)
    except HTTPException:  # too many, or too long a line
        return None
    return Request(words[0], words[1].partition("?")[0], headers, peer)


def rendered(answer: Answer) -> bytes:
    """The answer; the connection is to be closed behind it."""
    headers = {
        **answer.headers,
        "Content-Length": str(len(answer.body)),
        "Connection": "close",
    }
    lines = [f"HTTP/1.1 {answer.status.value} {answer.status.phrase}"]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode("latin-1") + END + answer.body
