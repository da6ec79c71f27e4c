"""What the kind DaapDatabase hands to the parts that serve every kind."""

from collections.abc import Callable, Iterator

from daap_operator.engine.kinds import Ref
from daap_operator.engine.store import Store
from daap_operator.engine.sweep import Swept
from daap_operator.kinds import known
from daap_operator.kinds.database.metrics import measured
from daap_operator.kinds.database.row import DATABASES, Row, row_of
from daap_operator.metrics import Samples


def swept(store: Store, look_at: Callable[[Ref], None]) -> Swept[Row]:
    """The databases and their rows; `look_at` is called for a row that is not as it should be."""

    def row(uid: str) -> Row | None:
        key = store.by_uid(known.DATABASE, uid)
        seen = None if key is None else store.get(key)
        return None if seen is None else row_of(seen)

    def wake(uid: str) -> None:
        if key := store.by_uid(known.DATABASE, uid):
            look_at(key)

    return Swept(DATABASES, lambda: store.uids(known.DATABASE), row, wake)


def samples(store: Store) -> Iterator[Samples]:
    """What there is to report of the databases; nothing is looked up before it is asked for."""
    return measured([store.get(key) or {} for key in store.refs(known.DATABASE)])
