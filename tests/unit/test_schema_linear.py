"""No work for a DaapSchema grows faster than what somebody writes: see `test_linear`."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from daap_operator.api.v1alpha1 import DaapSchemaStatus
from daap_operator.api.v1alpha1.schema.sources import ConfigMapFiles
from daap_operator.engine.store import Store
from daap_operator.errors import Stalled
from daap_operator.kinds import known
from daap_operator.kinds.schema import pods, report, sources
from daap_operator.kinds.schema.sources import Entry
from daap_operator.kinds.schema.watched import MOST, OF_LEDGER, WATCHES, files_of
from daap_operator.kinds.served import KINDS
from tests.support.schemas import schema
from tests.support.steps import countable, steps
from tests.unit.schema_stage import CHECKED, finding, pending, planned
from tests.unit.test_linear import GROWTH, SIZE, owned

Object = dict[str, Any]
NOW = datetime(2026, 3, 1, tzinfo=UTC)

METADATA: Object = {"namespace": "shop", "name": "tables", "uid": "u", "labels": {}}
INLINE = [{"inline": [{"name": "001_users.sql", "sql": "SELECT 1;"}]}]
OBJECTS: dict[str, Object] = {
    known.DAAP_SCHEMA.word: schema("shop", "tables", "orders", fixtures=INLINE),
    known.CONFIG_MAP.word: {"metadata": METADATA, "data": {"001_users.sql": "SELECT 1;"}},
    known.JOB.word: {
        "metadata": METADATA,
        "spec": {"template": {"spec": {"containers": [{"name": "schema", "args": ["schema"]}]}}},
        "status": {"conditions": [{"type": "Failed", "status": "True", "message": "x"}]},
    },
}
KEEPS = {watch.kind.word: watch.keep for watch in WATCHES if watch.keep is not None}


def files(size: int) -> Object:
    data = {f"{number:04}_x.sql": "SELECT 1;" for number in range(size)}
    return {"metadata": METADATA, "data": data | {f"x{number}": "x" for number in range(size)}}


def entries(size: int) -> list[tuple[object, ...]]:
    return [("schema", f"{number:04}_x.sql", "a" * 64, 1) for number in range(size)]


def of_entries(found: list[tuple[Any, ...]], do: Callable[[list[Entry]], object]) -> object:
    return do([Entry(*each) for each in found])


def tallied(found: list[Entry]) -> object:
    tally = sources.Tally()
    with suppress(Stalled):  # after all of them: there are too many
        tally.add(found)
    return tally


def gone_through(found: Object) -> object:
    return sources.config_map_files("schema", ConfigMapFiles(name="x"), sources.held(found))


def said(size: int) -> str:
    """A report with long lists, and with long lists in them."""
    listed = [
        pending(f"{number}_x.sql", findings=[finding() for _ in range(size)])
        for number in range(size // 20)
    ]
    drift = [{"change": "x", "kind": "table", "name": f"t{number}"} for number in range(size)]
    return json.dumps(planned(*listed, drift=drift, driftCount=size))


def noted(text: str) -> object:
    found = report.parsed(text)
    assert found
    status = DaapSchemaStatus(conditions=[], pending=[], drift=[])
    return report.of_check(found, status, "a" * 64, NOW)


def rivals(size: int) -> Store:
    """Many schemas of one database."""
    store = Store([watch for kind in KINDS for watch in kind.watches])
    for number in range(size):
        made = schema("shop", f"x{number}", "orders")
        made["metadata"] |= {"uid": f"u{number}", "resourceVersion": str(number + 1)}
        store.put(known.DAAP_SCHEMA, made)
    return store


WORK: dict[str, tuple[Callable[[int], Any], Callable[[Any], object]]] = {
    **{
        f"keeping a {kind}": (partial(owned, OBJECTS[kind]), KEEPS[kind]) for kind in OBJECTS
    },
    "the ConfigMaps that a schema names": (
        partial(owned, OBJECTS[known.DAAP_SCHEMA.word]), files_of,
    ),
    "the files of a ConfigMap": (
        files, gone_through,
    ),
    "whether files can be a schema's": (entries, partial(of_entries, do=tallied)),
    "the checksum of all files": (entries, partial(of_entries, do=sources.checksum)),
    "what a report says": (said, noted),
    "what a report says that is no report": (lambda size: "[" * size, report.parsed),
    "why a pod waits": (
        lambda size: [owned({"metadata": {}, "status": {}}, size)] * 20, pods.waits,
    ),
}  # fmt: skip


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_twice_the_object_is_no_more_than_twice_the_work(
    work: tuple[Callable[[int], Any], Callable[[Any], object]],
) -> None:
    make, do = work
    once, twice = (steps(partial(do, countable(make(size)))) for size in (SIZE, 2 * SIZE))
    assert twice <= GROWTH * once, f"{once} steps became {twice}"


def test_what_is_watched_for_schemas_is_kept_without_growing() -> None:
    assert set(OBJECTS) == set(KEEPS)


def test_of_many_schemas_of_a_ledger_few_are_looked_at() -> None:
    few, many = rivals(MOST), rivals(4 * MOST)

    def looked(store: Store) -> int:
        found = store.by(known.DAAP_SCHEMA, OF_LEDGER, ("shop", "orders", "default"), MOST)
        return len(list(found))

    assert (looked(few), looked(many)) == (MOST, MOST)


def test_a_report_that_is_no_json_is_none() -> None:
    assert report.parsed("{" * 100_000) is None
    assert report.parsed(json.dumps(CHECKED | {"result": ""})) is None
