"""A kind is declared once, and all that names it is made from that."""

import pytest

from daap_operator.api.kind import is_uid_label
from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.database.naming import ref
from daap_operator.kube import Kind
from tests.support.kinds import ALL, kind, kind_of

TOY = Kind("toys.example", "v1", "Toy", "toys")
SHELF = Kind("toys.example", "v1", "Shelf", "shelves", namespaced=False)

PATHS = {
    "a kind of a group": (TOY.path(), "/apis/toys.example/v1/toys"),
    "a kind of the core": (known.POD.path(), "/api/v1/pods"),
    "in a namespace": (TOY.path("shop"), "/apis/toys.example/v1/namespaces/shop/toys"),
    "an object": (known.POD.path("shop", "a"), "/api/v1/namespaces/shop/pods/a"),
    "a subresource": (
        TOY.path("shop", "a", "status"),
        "/apis/toys.example/v1/namespaces/shop/toys/a/status",
    ),
    "a name that is none": (TOY.path("shop", "a/b"), TOY.path("shop") + "/a%2Fb"),
    "a namespace that is none": (
        TOY.path("a/b", "c"),
        "/apis/toys.example/v1/namespaces/a%2Fb/toys/c",
    ),
    "an object of a cluster-scoped kind": (
        SHELF.path("", "a"),
        "/apis/toys.example/v1/shelves/a",
    ),
    "a cluster-scoped kind is in no namespace": (
        SHELF.path("shop", "a", "status"),
        "/apis/toys.example/v1/shelves/a/status",
    ),
}


@pytest.mark.parametrize(("path", "expected"), PATHS.values(), ids=PATHS)
def test_where_the_api_server_has_it(path: str, expected: str) -> None:
    assert path == expected


def test_the_api_version_is_that_of_manifests() -> None:
    assert TOY.api_version == "toys.example/v1"
    assert known.SECRET.api_version == "v1"


def test_the_label_with_an_owners_uid_is_of_its_kind() -> None:
    """On objects of others there are those of all versions: it never changes."""
    assert known.DATABASE.uid_label == "daap.io/database-uid"
    assert TOY.uid_label == "daap.io/toy-uid"
    assert is_uid_label(TOY.uid_label)
    assert not is_uid_label("daap.io/database")
    assert not is_uid_label("example.org/toy-uid")


def test_a_reference_is_read_from_an_object() -> None:
    metadata = {"namespace": "shop", "name": "a", "uid": "u"}
    assert Ref.of(TOY, {"metadata": metadata}) == Ref(TOY, "shop", "a")
    assert Ref.of(SHELF, {"metadata": {"name": "a"}}) == Ref(SHELF, "", "a")


def test_two_kinds_with_one_name_are_two_references() -> None:
    assert len({ref("shop", "orders"), Ref(TOY, "shop", "orders")}) == 2


def test_each_kind_is_declared_once() -> None:
    assert len({(kind.group, kind.plural) for kind in ALL}) == len(ALL)
    assert len({(kind.group, kind.name) for kind in ALL}) == len(ALL)


def test_a_plural_means_one_kind() -> None:
    assert [kind(one.plural) for one in ALL] == list(ALL)


def test_a_manifest_says_its_kind() -> None:
    for one in ALL:
        assert kind_of({"apiVersion": one.api_version, "kind": one.name}) == one
