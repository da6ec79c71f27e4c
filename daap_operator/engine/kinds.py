"""What a kind of ours declares of itself, and how an object is named. Pure."""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any, NamedTuple, Protocol

from daap_operator import raw
from daap_operator.api.kind import Kind

Object = dict[str, Any]

UID = "uid"
"""The name of the index of a kind of ours by the objects' uids."""


class Kept(dict[str, Any]):
    """What the store keeps of an object, made from it already."""

    __slots__ = ("changes", "weight")

    weight: int
    """Bytes of memory, about; set when the store takes it."""
    changes: int
    """How many changes ago it was counted whole; set with the weight."""


class Ref(NamedTuple):
    """One object: the store's key, and what the workqueue works on."""

    kind: Kind
    namespace: str
    """Empty for an object that is in none."""
    name: str

    @classmethod
    def of(cls, kind: Kind, obj: raw.Object) -> "Ref":
        """The reference to an object of that kind."""
        namespace = raw.text(obj, "metadata", "namespace")
        return cls(kind, namespace, raw.text(obj, "metadata", "name"))


class All(NamedTuple):
    """All objects under a key of an index: whom an object wakes when they may be thousands."""

    kind: Kind
    by: str
    """The index."""
    key: Hashable
    namespace: str
    """Whose they are: the namespaces take turns."""


class Source(NamedTuple):
    """What one stream of events is about: a kind, or those of it that a label selector covers."""

    kind: Kind
    selector: str
    metadata_only: bool = False
    """Whether nothing but the objects' metadata is asked for."""


class Reader(Protocol):
    """What was seen, to be read. The store."""

    def get(self, ref: Ref) -> Object | None:
        """What is kept of an object; None when it is not there."""

    def refs(self, kind: Kind) -> list[Ref]:
        """All objects of a kind."""

    def by(self, kind: Kind, index: str, key: Hashable, most: int | None = None) -> list[Object]:
        """What is kept of the objects under a key of an index, in the order of their names.

        With `most`, of so many: those that have been there for longest.
        """

    def refs_by(self, kind: Kind, index: str, key: Hashable, most: int | None = None) -> list[Ref]:
        """The objects under a key of an index, in the order of their names; `most` as in `by`."""


IDENTITY = ("name", "namespace", "uid", "resourceVersion")
"""What is kept of any object's metadata."""

SUBJECT_METADATA = (
    *IDENTITY,
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "finalizers",
)
"""What is kept of the metadata of an object of ours, besides annotations."""

Keep = Callable[[raw.Object], Object]
"""From an object as the API server has it to what is kept of it; has its metadata's IDENTITY."""

Wakes = Callable[[Object, Reader], Iterable[Ref | All]]
"""From what is kept of an object that has come, changed or gone to whatever is to be looked at.

Called with what was kept before, too, where there was something: what an object has left is to be
looked at as well.
"""

Concerns = Callable[[Object | None, Object | None, Reader], Iterable[Ref | All]]
"""From what was kept of an object before and what is kept of it now, None where it is new or gone,
to whatever is to be looked at: for an object that many share, of which a change concerns few."""

Index = Callable[[Object], Iterable[Hashable]]
"""The keys under which an object is to be found, from what is kept of it."""


@dataclass(frozen=True)
class Of:
    """Whose an object has to be to be kept: one that is nobody's is not, whoever has made it."""

    kind: Kind
    """Of the objects of ours that it is kept for."""
    index: str
    """The index of that kind that has their keys."""
    by: str
    """The index of the watch itself that has the same keys; the first one of an object counts."""


Parts = Callable[[Object], Iterable[tuple[Source, str]]]
"""From what is kept of an object to where its parts are found: the streams that they come in (each
the `source` of a Watch), and for each the selector of a LIST in the object's namespace."""


@dataclass(frozen=True)
class Watch:
    """What is to be listed and watched.

    Watches of one kind with one selector are one stream: they are asked for once, and all that each
    of them wakes is woken.
    """

    kind: Kind
    keep: Keep | None
    """None for what another watch of that kind and selector keeps."""
    wakes: Wakes
    selector: str = ""
    """Labels, as in `a,b=c`; empty for all objects. No other operators."""
    indexes: Mapping[str, Index] = field(default_factory=dict)
    """By name; the names of all watches of a kind are apart."""
    required: bool = False
    """Whether there is nothing to do without the kind: a LIST that does not find it fails then."""
    why: str = ""
    """For the reference page: what of the kind is looked at, and what for; empty when all of it is
    the kind's own business."""
    of: Of | None = None
    """Of which objects of ours it has to be to be kept; None for all that the selector covers."""
    parts: Parts | None = None
    """Where the parts of an object of ours are found when they may have come before it; needed by
    a kind that others are `of`."""
    concerns: Concerns | None = None
    """Asked besides `wakes`, once for each change."""
    metadata_only: bool = False
    """Whether the API server is asked for the objects' metadata alone, in LISTs and events: for a
    kind whose objects may be large and need not be read to know whom they wake.

    `keep` is given `{"metadata": ...}` and nothing else, not even apiVersion and kind, whatever was
    answered. Every new resource version of an object is a change, because what else has changed in
    it does not show. Watches of one kind with one selector agree on it."""

    def __post_init__(self) -> None:
        if bad := [term for term in _terms(self.selector) if not _is_plain(term)]:
            raise ValueError(
                f"the selector '{self.selector}' of {self.kind.name} has '{bad[0]}': "
                "write each term as `label` or `label=value`"
            )

    @property
    def source(self) -> Source:
        """The stream that it is fed by."""
        return Source(self.kind, self.selector, self.metadata_only)


def sources(watches: Iterable[Watch]) -> list[Source]:
    """The streams that the watches need, each once, in their order.

    Raises ValueError where one watch of a stream asks for the metadata only and another does not.
    """
    found = dict.fromkeys(watch.source for watch in watches)
    for source in found:
        if source.metadata_only and source._replace(metadata_only=False) in found:
            raise ValueError(
                f"watches of {source.kind.name} with the selector '{source.selector}' differ in "
                "`metadata_only`: give all of them the same value, or one another selector"
            )
    return list(found)


def selects(selector: str, obj: raw.Object) -> bool:
    """Whether a watch's selector covers an object."""
    labels = raw.mapping(obj, "metadata", "labels")
    wanted = [term.partition("=") for term in _terms(selector)]
    return all(
        key in labels and (not equals or labels[key] == value) for key, equals, value in wanted
    )


def nobody(obj: Object, store: Reader) -> Iterable[Ref]:
    """Whom an object wakes of which a change concerns few: `concerns` says whom."""
    del obj, store
    return ()


def uid(obj: raw.Object) -> list[str]:
    """The keys of the index UID."""
    return [raw.text(obj, "metadata", "uid")]


def _terms(selector: str) -> list[str]:
    return selector.split(",") if selector else []


def _is_plain(term: str) -> bool:
    return bool(term.strip()) and not set("!() ") & set(term) and "==" not in term


class Where(Enum):
    """Where a right is needed."""

    OBJECTS = auto()
    """Where objects are served; for a kind that is in no namespace, everywhere."""
    OWN = auto()
    """In the operator's own namespace, on the one object that has the operator's name."""
    DEFAULT = auto()
    """In the namespace `default`, which has the Events on what is in none."""
    METRICS = auto()
    """Everywhere, while the API server is asked who may read the metrics."""


@dataclass(frozen=True)
class Right:
    """One verb that the operator needs on one kind."""

    kind: Kind
    verb: str
    """As in RBAC: get, list, watch, create, update, patch, delete."""
    why: str
    """For the reference page: what it is needed for."""
    subresource: str = ""
    where: Where = Where.OBJECTS
