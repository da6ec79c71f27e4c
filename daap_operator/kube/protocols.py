"""What is asked of the API server, as those who ask see it; `Kube` says what each request does.

Each part names the least that it needs. A test's stand-in for the API server implements that.
"""

from collections.abc import AsyncIterator, Iterator
from typing import Any, Literal, Protocol

from daap_operator.api.kind import Kind

Object = dict[str, Any]

Propagation = Literal["Foreground", "Background", "Orphan"]
"""What becomes of the objects that a deleted one owns: they go before it, after it, or stay."""


LOG_LINES = 60
"""How many lines of a pod's log are read unless more are asked for: the last ones."""


class Plain(Protocol):
    """Requests that know no field manager: read, and create."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        """The object as it is now; None when it is not there."""

    async def create_plain(self, kind: Kind, manifest: Object) -> Object:
        """Create an object. Raises ApiError 409 when it is there."""


class Replacing(Plain, Protocol):
    """An object written whole, again and again: a Lease, a Secret."""

    async def replace(self, kind: Kind, manifest: Object, *, version: str) -> Object:
        """Replace an object at that resource version. Raises ApiError 409 when it has moved on."""


class Deleting(Plain, Protocol):
    """Objects made and deleted."""

    async def delete(
        self,
        kind: Kind,
        namespace: str,
        name: str,
        *,
        uid: str,
        version: str = "",
        propagation: Propagation | None = None,
    ) -> Object | None:
        """Delete the object with that uid; what is left of it, None when it is gone."""


class Listed(Protocol):
    """A page of a LIST: its objects, each there only when it is asked for."""

    def __iter__(self) -> Iterator[Object]:
        """The objects, once."""

    @property
    def version(self) -> int:
        """The resource version the page speaks of, known when its objects were read."""


class Requests(Replacing, Deleting, Protocol):
    """All that passes ask for."""

    def pages(
        self,
        kind: Kind,
        namespace: str = "",
        *,
        selector: str = "",
        metadata_only: bool = False,
    ) -> AsyncIterator[Listed]:
        """A LIST page by page, each to be read once, before the next one.

        With `metadata_only` nothing else of the objects is asked for.
        """

    async def warnings(self, namespace: str) -> list[Object]:
        """The Warning Events of a namespace, one page of them."""

    async def log(self, namespace: str, pod: str, container: str, *, lines: int = LOG_LINES) -> str:
        """The last lines that a container of a pod has written; empty when it is gone."""

    async def create(self, kind: Kind, manifest: Object) -> Object:
        """Apply an object that is not there yet. Raises ApiError 409 when it is."""

    async def apply(self, kind: Kind, manifest: Object, *, uid: str, version: str = "") -> Object:
        """Apply to the object with that uid. Raises ApiError 409 when it is gone."""

    async def disown(
        self, kind: Kind, found: Object, *, owners: list[Any], annotations: dict[str, str]
    ) -> Object:
        """Leave an object just fetched only these owner references."""

    async def set_finalizers(
        self, kind: Kind, namespace: str, name: str, finalizers: list[str], *, version: str
    ) -> Object:
        """Set the finalizers of an object that is still at that resource version."""

    async def write_status(
        self, kind: Kind, namespace: str, name: str, status: Object, *, version: str
    ) -> Object:
        """Patch the status of an object that is still at that resource version."""
