"""Two kinds of nobody's: toys in namespaces, and shelves, which are in none, with toys on them."""

from collections.abc import Iterator
from typing import Any

from daap_operator import raw
from daap_operator.engine.kinds import Object, Reader, Ref, Watch
from daap_operator.engine.store import Store
from daap_operator.kube import Kind

TOY = Kind("toys.example", "v1", "Toy", "toys")
SHELF = Kind("toys.example", "v1", "Shelf", "shelves", namespaced=False)

BY_SHELF = "shelf"


def keep(obj: raw.Object) -> Object:
    """Labels and spec."""
    metadata = raw.mapping(obj, "metadata")
    fields = ("name", "namespace", "uid", "resourceVersion", "labels")
    kept = {field: metadata[field] for field in fields if field in metadata}
    return {"metadata": kept, "spec": dict(raw.mapping(obj, "spec"))}


def shelf_of(toy: raw.Object) -> list[str]:
    """The keys of the index BY_SHELF."""
    return [raw.text(toy, "spec", "shelf")]


def itself(toy: Object, store: Reader) -> Iterator[Ref]:
    """A toy wakes itself."""
    del store
    yield Ref.of(TOY, toy)


def its_shelf(toy: Object, store: Reader) -> Iterator[Ref]:
    """A toy wakes the shelf that it is on."""
    del store
    for shelf in shelf_of(toy):
        yield Ref(SHELF, "", shelf)


def all_on_it(shelf: Object, store: Reader) -> Iterator[Ref]:
    """A shelf wakes itself and all toys on it."""
    yield Ref.of(SHELF, shelf)
    yield from store.refs_by(TOY, BY_SHELF, raw.text(shelf, "metadata", "name"))


SHELVES = Watch(SHELF, keep, all_on_it)
TOYS = Watch(TOY, keep, itself, indexes={BY_SHELF: shelf_of})
TOYS_OF_SHELVES = Watch(TOY, None, its_shelf)


def toy(name: str, shelf: str, version: int = 1, namespace: str = "shop", **labels: str) -> Object:
    """A toy on a shelf."""
    metadata = {"name": name, "namespace": namespace, "uid": f"{namespace}/{name}"}
    return _versioned(metadata, version, labels) | {"spec": {"shelf": shelf}}


def shelf(name: str, version: int = 1, **spec: Any) -> Object:
    """A shelf."""
    return _versioned({"name": name, "uid": name}, version, {}) | {"spec": spec}


def _versioned(metadata: Object, version: int, labels: dict[str, str]) -> Object:
    return {"metadata": metadata | {"resourceVersion": str(version), "labels": labels}}


def toy_ref(name: str, namespace: str = "shop") -> Ref:
    """The reference to a toy."""
    return Ref(TOY, namespace, name)


def shelf_ref(name: str) -> Ref:
    """The reference to a shelf."""
    return Ref(SHELF, "", name)


def stored(*watches: Watch) -> Store:
    """A store for the watches."""
    return Store(watches)
