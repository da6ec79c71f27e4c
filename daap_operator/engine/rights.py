"""What serving any kind takes, and the RBAC rules that rights come to. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from daap_operator import names
from daap_operator.api.kind import Kind
from daap_operator.engine.kinds import Right, Watch, Where
from daap_operator.kube.kinds import EVENT, LEASE

Rule = dict[str, Any]
"""As in a Role."""

VERBS = ("get", "list", "watch", "create", "update", "patch", "delete")
"""In the order in which they are written down."""

NAMELESS = ("create",)
"""What cannot be limited to an object's name: it has none yet when that is decided."""

ENGINE = (
    Right(EVENT, "create", "Events on the objects that are served"),
    Right(LEASE, "get", "which replica leads; the one Lease, by name", where=Where.OWN),
    Right(LEASE, "update", "to go on leading; the one Lease, by name", where=Where.OWN),
    Right(
        LEASE,
        "create",
        "the Lease, once (a name cannot be asked for here: what is to be created has none yet when "
        "it is decided)",
        where=Where.OWN,
    ),
)
"""What is needed whatever is served. API discovery is open to every authenticated user."""


class Permission(NamedTuple):
    """One verb on one resource, as RBAC names them."""

    group: str
    resource: str
    """Plural, with the subresource behind a slash."""
    verb: str

    @classmethod
    def of(cls, right: Right) -> "Permission":
        """What has to be granted for a right."""
        parts = (right.kind.plural, right.subresource)
        return cls(right.kind.group, "/".join(part for part in parts if part), right.verb)


class Scopes(NamedTuple):
    """Rights by where they are needed."""

    namespaces: list[Right]
    """Where objects are served: in all namespaces, or in each of some."""
    cluster: list[Right]
    """On kinds that are in no namespace, whichever namespaces are served."""
    own: list[Right]
    """In the operator's own namespace."""
    default: list[Right]
    """In the namespace `default`, whichever namespaces are served."""
    metrics: list[Right]
    """On kinds that are in no namespace, while it is asked who may read the metrics."""


def serving(kind: Kind) -> Iterator[Right]:
    """What serving a kind of ours takes, besides watching it."""
    yield Right(kind, "get", "as it is now, before its finalizer is removed")
    yield Right(kind, "patch", f"the finalizer `{names.FINALIZER}`, nothing else")
    yield Right(kind, "patch", "the status", subresource="status")
    if not kind.namespaced:
        yield Right(EVENT, "create", f"Events on {kind.name} objects", where=Where.DEFAULT)


def watching(watches: Iterable[Watch]) -> Iterator[Right]:
    """What the watches take. A kind's watchdog and the LISTs of a resync need no more."""
    for watch in watches:
        if watch.why:
            yield Right(watch.kind, "list", watch.why)
            yield Right(watch.kind, "watch", "the same, within a second")
        else:
            yield Right(watch.kind, "list", "to see each one once at the start, and at each resync")
            yield Right(watch.kind, "watch", "to act within a second")


def reasons(rights: Iterable[Right]) -> dict[Permission, list[str]]:
    """Why each permission is needed; in the order of the kinds, and each kind's verbs in theirs."""
    found: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    for right in rights:
        group, resource, verb = Permission.of(right)
        verbs = found.setdefault((group, resource), {})
        verbs.setdefault(verb, {})[right.why] = None
    return {
        Permission(*place, verb): list(verbs[verb])
        for place, verbs in found.items()
        for verb in sorted(verbs, key=VERBS.index)
    }


def scoped(rights: Iterable[Right]) -> Scopes:
    """The rights apart, by where they are needed."""
    scopes = Scopes([], [], [], [], [])
    for right in rights:
        objects = scopes.namespaces if right.kind.namespaced else scopes.cluster
        places = {
            Where.OBJECTS: objects,
            Where.OWN: scopes.own,
            Where.DEFAULT: scopes.default,
            Where.METRICS: scopes.metrics,
        }
        places[right.where].append(right)
    return scopes


def rules(rights: Iterable[Right], name: str = "") -> list[Rule]:
    """The rules that grant the rights; resources of a group with the same verbs stand together.

    With a name they hold for the objects of that name alone, as far as RBAC can say that.
    """
    verbs: defaultdict[tuple[str, str, bool], list[str]] = defaultdict(list)
    for group, resource, verb in reasons(rights):
        named = bool(name) and verb not in NAMELESS
        verbs[group, resource, named].append(verb)
    together: defaultdict[tuple[str, bool, tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, named), those in verbs.items():
        together[group, named, tuple(those)].append(resource)
    return [
        {
            "apiGroups": [group],
            "resources": resources,
            **({"resourceNames": [name]} if named else {}),
            "verbs": list(those),
        }
        for (group, named, those), resources in together.items()
    ]
