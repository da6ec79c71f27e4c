"""What the kind DaapDatabase hands to the parts that serve every kind."""

from collections.abc import Callable, Iterator

from daap_operator.cache import Cache, Key
from daap_operator.database_metrics import measured
from daap_operator.metrics import Samples
from daap_operator.row import DATABASES, Row, row_of
from daap_operator.sweep import Swept


def swept(cache: Cache, look_at: Callable[[Key], None]) -> Swept[Row]:
    """The databases and their rows; `look_at` is called for a row that is not as it should be."""

    def row(uid: str) -> Row | None:
        key = cache.by_uid(uid)
        seen = None if key is None else cache.database(key)
        return None if seen is None else row_of(seen)

    def wake(uid: str) -> None:
        if key := cache.by_uid(uid):
            look_at(key)

    return Swept(DATABASES, cache.uids, row, wake)


def samples(cache: Cache) -> Iterator[Samples]:
    """What there is to report of the databases; nothing is looked up before it is asked for."""
    return measured([cache.database(key) or {} for key in cache.databases()])
