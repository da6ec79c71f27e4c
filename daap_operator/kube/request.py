"""Requests to the API server as those see them who count them. Pure."""

from collections.abc import Callable
from typing import NamedTuple


class Request(NamedTuple):
    """A request that is over."""

    verb: str
    """As in RBAC: get, list, create, update, patch, delete."""
    resource: str
    """Plural, with the subresource behind a slash."""
    status: int
    """HTTP status code; 0 when no answer came."""
    seconds: float


OnRequest = Callable[[Request], None]

_VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def request(method: str, path: str, status: int, seconds: float) -> Request:
    """A request by its method and its URL's path."""
    # /api/v1 or /apis/GROUP/VERSION, then [/namespaces/NAMESPACE]/PLURAL[/NAME[/SUBRESOURCE]]
    parts = path.split("/")[3 if path.startswith("/api/") else 4 :]
    if parts[0] == "namespaces":
        parts = parts[2:]
    plural, name, subresource = [*parts, "", ""][:3]
    verb = "list" if method == "GET" and not name else _VERBS[method]
    return Request(verb, f"{plural}/{subresource}" if subresource else plural, status, seconds)
