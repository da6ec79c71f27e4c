"""Whom an object wakes, each by its reference."""

from collections.abc import Iterable, Iterator

from daap_operator.engine.kinds import All, Reader, Ref


def each(found: Iterable[Ref | All], store: Reader) -> Iterator[Ref]:
    """All of them, also those that are woken as all under a key."""
    for one in found:
        if isinstance(one, All):
            yield from store.refs_by(one.kind, one.by, one.key)
        else:
            yield one
