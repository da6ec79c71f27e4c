"""A kind of objects, and where the API server has it. Pure."""

from dataclasses import dataclass
from urllib.parse import quote

from daap_operator import names


@dataclass(frozen=True)
class Kind:
    """A kind of objects. Each is declared once; whatever else names it is made from that."""

    group: str
    """API group; empty for the core's."""
    version: str
    name: str
    """As in manifests: `Pod`."""
    plural: str
    """As in paths and in RBAC: `pods`."""
    namespaced: bool = True

    @property
    def api_version(self) -> str:
        """As in manifests: `apps/v1`, and `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def word(self) -> str:
        """For the fields of a log line: `database` for a DaapDatabase."""
        return self.name.removeprefix("Daap").lower()

    @property
    def uid_label(self) -> str:
        """The label with the uid of the object that something belongs to: `daap.io/database-uid`.

        With our own prefix, whatever the group: the chart's policies keep all such labels ours.
        """
        return f"{names.GROUP}/{self.word}-uid"

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The URL's path to a collection, an object or a subresource.

        Without a namespace it is the collection of all namespaces; a kind that has none ignores it.
        """
        parts = ["/apis" if self.group else "/api", self.api_version]
        if namespace and self.namespaced:
            parts.append(f"namespaces/{_segment(namespace)}")
        parts.append(self.plural)
        parts += [_segment(part) for part in (name, subresource) if part]
        return "/".join(parts)


def _segment(name: str) -> str:
    """A name as a part of a path, which it never leaves.

    In a path `.` and `..` mean the collection and what is above it, however they are written. No
    object has such a name; with one that none can have either, the API server finds nothing.
    """
    return f"_{name}" if name in (".", "..") else quote(name, safe="")


def is_uid_label(label: str) -> bool:
    """Whether a label is some kind's `uid_label`."""
    return label.startswith(f"{names.GROUP}/") and label.endswith("-uid")
