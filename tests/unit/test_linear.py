"""No work that grows faster than an object does: whoever may write one decides how large it is.

All of this runs in the event loop that renews the Lease. What is done in Python is counted
(`tests/support/steps.py`); what one call into C does is held to seconds of CPU that work growing
with the square of the size exceeds a hundredfold.
"""

import importlib
import json
import pkgutil
import re
from base64 import b64encode
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from functools import partial
from itertools import product
from typing import Any

import pytest

import daap_operator
from daap_operator import names, quantity, raw
from daap_operator.engine import child
from daap_operator.engine.conditions import merge_patch
from daap_operator.engine.kinds import Ref
from daap_operator.engine.ownership import OWNED, first_difference, owned_part
from daap_operator.engine.store import Store
from daap_operator.kinds import known
from daap_operator.kinds.database import adoption, causes, certificates, phases, publish, remedies
from daap_operator.kinds.database.applied import lacking
from daap_operator.kinds.database.children import yielding
from daap_operator.kinds.database.desired import locales
from daap_operator.kinds.database.desired.cluster import cluster as cluster_manifest
from daap_operator.kinds.database.desired.pooler import pooler as pooler_manifest
from daap_operator.kinds.database.desired.resolved import tagged_major
from daap_operator.kinds.database.naming import NAME, Arbiter
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.seen import Children
from daap_operator.kinds.database.subject import is_valid
from daap_operator.kinds.database.volumes import Expansion, data_claims, sizing
from daap_operator.kinds.database.watched import WATCHES, children_of
from daap_operator.kinds.windows import packed
from tests.support.restores import restore
from tests.support.steps import countable, cpu_seconds, steps
from tests.unit import backups, builders
from tests.unit.drills import drill

Object = dict[str, Any]

SIZE, GROWTH = 100, 2.2
"""How much is added to each list and map, and how much more twice of it may take."""


# --- large objects --------------------------------------------------------------------------------


def swollen(value: Any, size: int) -> Any:
    """An object with so many more entries in each of its lists and maps."""
    if isinstance(value, dict):
        made = {name: swollen(below, size) for name, below in value.items()}
        return made | {f"x{number}": "x" for number in range(size)}
    if isinstance(value, list):
        first = value[0] if value else "x"
        return [swollen(item, size) for item in value] + [
            first | {"name": f"x{number}", "uid": f"u{number}"}
            if isinstance(first, dict)
            else f"x{number}"
            for number in range(size)
        ]
    return value


def fields(value: Any) -> Object:
    """The set of fields with which the API server says that somebody owns all of it."""
    if isinstance(value, dict):
        return {f"f:{name}": fields(below) for name, below in value.items()}
    if isinstance(value, list):
        return {_key(item): fields(item) if isinstance(item, dict) else {} for item in value}
    return {}


def _key(item: Any) -> str:
    if isinstance(item, dict):
        key = next((field for field in ("uid", "name", "type") if field in item), None)
        return f"k:{json.dumps({key: item[key]} if key else item)}"
    return f"v:{json.dumps(item)}"


def owned(obj: Object, size: int) -> Object:
    """The object swollen, applied by somebody in our name, with finalizers and owners to match."""
    metadata: Object = {
        "labels": {},
        "annotations": {"cnpg.io/fencedInstances": "[]"},
        "finalizers": [],
        "ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "x", "uid": "x"}],
    }
    large: Object = swollen(obj | {"metadata": metadata | obj["metadata"]}, size)
    applied = {key: below for key, below in large.items() if key != "status"}
    ours = {"manager": names.FIELD_MANAGER, "operation": "Apply", "fieldsV1": fields(applied)}
    others = [{"manager": f"m{number}", "operation": "Update"} for number in range(size)]
    large["metadata"]["managedFields"] = [*others, ours]
    return large


OBJECTS: dict[str, Object] = {
    known.DATABASE.word: builders.database({"resources": {"limits": {"memory": "1Gi"}}}),
    known.CLUSTER.word: builders.cluster(
        {
            "conditions": [{"type": "cnpg.io/hibernation", "status": "False"}],
            "instanceNames": ["daap-orders-1"],
            "instancesReportedState": {"daap-orders-1": {"isPrimary": True}},
        }
    ),
    known.POOLER.word: builders.pooler(),
    known.SCHEDULED_BACKUP.word: builders.scheduled_backup(),
    known.BACKUP.word: backups.backup("failed", error="no such bucket"),
    known.BARMAN_STORE.word: backups.object_store(),
    known.DAAP_DRILL.word: drill("2026-03-01T03:20:00Z"),
    known.DAAP_RESTORE.word: restore("shop", "back", "orders", at="2026-11-28T03:00:00Z"),
    known.DEPLOYMENT.word: builders.deployment(
        {"conditions": [{"type": "ReplicaFailure", "status": "False"}]}
    ),
    known.ENDPOINTS.word: builders.endpoints(True),
    known.POD.word: builders.pod({"containerStatuses": [{"name": "postgres", "state": {}}]}),
    known.ACCOUNT.word: builders.account(),
    known.CLAIM.word: builders.claim("10Gi", "10Gi", ("Resizing", "")),
}
KEEPS = {watch.kind.word: watch.keep for watch in WATCHES if watch.keep is not None}


def kept(kind: str, size: int) -> Object:
    return KEEPS[kind](owned(OBJECTS[kind], size))


def together(size: int) -> Children:
    """All children at once, of which there are many, and each is large."""
    few = 5 if size < 2 * SIZE else 10

    def many(kind: str) -> tuple[Object, ...]:
        small = [
            OBJECTS[kind] | {"metadata": OBJECTS[kind]["metadata"] | {"name": f"x{number}"}}
            for number in range(size)
        ]
        return tuple(KEEPS[kind](each) for each in [*[owned(small[0], SIZE)] * few, *small])

    return Children(
        cluster=kept(known.CLUSTER.word, size),
        pooler=kept(known.POOLER.word, size),
        deployment=kept(known.DEPLOYMENT.word, size),
        endpoints=many(known.ENDPOINTS.word),
        pooler_endpoints=many(known.ENDPOINTS.word),
        account=kept(known.ACCOUNT.word, size),
        pods=many(known.POD.word),
        claims=many(known.CLAIM.word),
    )


def event(number: int, kind: str, reason: str) -> Object:
    return {
        "metadata": {"name": f"e{number}"},
        "regarding": {"kind": kind, "name": f"daap-orders-{number + 1}"},
        "reason": reason,
        "note": "0/1 nodes are available",
        "eventTime": f"2026-03-01T12:00:{number % 60:02}Z",
    }


def events(size: int) -> list[Object]:
    kinds = [("Pod", "FailedScheduling"), ("Job", "FailedCreate")]
    kinds += [("PersistentVolumeClaim", "ProvisioningFailed")]
    return [event(number, *kinds[number % 3]) for number in range(size)]


def namesakes(size: int) -> list[Object]:
    return [
        builders.database(namespace=f"ns{number}", uid=f"u{number}", finalizers=[])
        for number in range(size)
    ]


def stored(objects: Iterable[Object]) -> Store:
    store = Store(WATCHES)
    for each in objects:
        store.put(known.DATABASE, each)
    return store


def _on(function: Callable[[Any], object], value: Any) -> Callable[[], object]:
    return lambda: function(value)


def _keeping(kind: str, size: int) -> Callable[[], object]:
    return _on(KEEPS[kind], owned(OBJECTS[kind], size))


RESOLVED = builders.resolved()
REASONS = child.Reasons(*[phases.MAJOR_UPGRADE] * 5)
ASKED: Any = {"instances": 1, "poolers": 1, "image": builders.IMAGE}
MANIFESTS = (cluster_manifest(RESOLVED), pooler_manifest(RESOLVED))

WORK: dict[str, Callable[[int], Callable[[], object]]] = {
    **{f"keeping a {kind}": partial(_keeping, kind) for kind in KEEPS},
    "keeping the windows of many archives": lambda size: _on(
        packed, {f"archive-{number}": backups.window() for number in range(size)}
    ),
    "keeping any child": lambda size: _on(child.keep, owned(OBJECTS["cluster"], size)),
    "what is owned of keys of many shapes": lambda size: _on(owned_part, shapes(size)),
    "the first difference": lambda size: _on(
        lambda found: first_difference(MANIFESTS[0], found[OWNED]), kept("cluster", size)
    ),
    "the settings of others": lambda size: _on(
        lambda found: yielding(MANIFESTS[0], found), kept("cluster", size)
    ),
    "what holds a deletion": lambda size: _on(
        lambda found: child.blocker(child.Child(known.CLUSTER, "n", "x", REASONS), found),
        kept("cluster", size),
    ),
    "whether a spec is valid": lambda size: _on(is_valid, kept("database", size)),
    "what the children say": lambda size: _on(
        lambda found: observe(found, **ASKED), together(size)
    ),
    "what is lacking": lambda size: _on(lambda found: lacking(found, *MANIFESTS), together(size)),
    "why pods do not start": lambda size: _on(
        lambda found: causes.cause(found[0], found[1], of_pooler=None),
        (together(size), events(size)),
    ),
    "the Events that tell": lambda size: _on(
        lambda found: causes.relevant(found, "daap-orders", datetime(2026, 1, 1, tzinfo=UTC)),
        events(size),
    ),
    "the size of the volumes": lambda size: _on(
        lambda found: sizing(
            "20Gi",
            "10Gi",
            data_claims(found.cluster, found.claims),
            {"standard": Expansion.ALLOWED},
        ),
        together(size),
    ),
    "what a Cluster was made as": lambda size: _on(adoption.left, kept("cluster", size)),
    "why a Cluster is not taken over": lambda size: _on(
        lambda found: adoption.objections(found, RESOLVED), owned(OBJECTS["cluster"], size)
    ),
    "which certificates are served": lambda size: _on(
        lambda found: certificates.mark(found.cluster, found.pooler), together(size)
    ),
    "a Secret with what others put on it": lambda size: _on(
        lambda found: publish.merged({"metadata": {"labels": {}}, "data": {}}, found), secret(size)
    ),
    "what of a status is new": lambda size: _on(
        lambda found: merge_patch(found, swollen(found, 1)), kept("database", size)["status"]
    ),
    "who has a name": lambda size: _on(
        lambda found: Arbiter(found).holder("orders"), stored(namesakes(size))
    ),
    "the store of many of one name": lambda size: _on(stored, namesakes(size)),
    "the children by their names": lambda size: _on(
        lambda found: children_of(found, "shop", "daap-orders"), crowded(size)
    ),
}


def shapes(size: int) -> Object:
    """A list of which somebody claims to own each item by fields of another name."""
    found: Object = {f'k:{{"x{number}":1}}': {} for number in range(size)}
    items = [{f"x{other}": 1 for other in range(3)} for _ in range(size)]
    ours: Object = {"manager": names.FIELD_MANAGER, "operation": "Apply"}
    ours |= {"fieldsV1": {"f:spec": {"f:items": found}}}
    return {"metadata": {"managedFields": [ours]}, "spec": {"items": items}}


def secret(size: int) -> Object:
    earlier = {"labels": [f"x{number}" for number in range(size)]}
    annotations = {names.SECRET_METADATA: json.dumps(earlier)}
    return owned({"metadata": {"name": "x", "annotations": annotations}, "data": {}}, size)


def crowded(size: int) -> Store:
    store = Store(WATCHES)
    for number in range(size):
        for kind, obj in ((known.POD, builders.pod()), (known.CLAIM, builders.claim())):
            obj["metadata"] |= {"name": f"x{number}", "uid": f"u{number}"}
            store.put(kind, obj)
    return store


@pytest.mark.parametrize("work", WORK.values(), ids=WORK)
def test_twice_the_object_is_no_more_than_twice_the_work(
    work: Callable[[int], Callable[[], object]],
) -> None:
    once, twice = (steps(work(size)) for size in (SIZE, 2 * SIZE))
    assert twice <= GROWTH * once, f"{once} steps became {twice}"


def test_strings_are_looked_up_not_compared_one_by_one() -> None:
    """The same with strings whose comparisons count: a list that is searched shows only so."""
    made = {size: countable(owned(OBJECTS["cluster"], size)) for size in (SIZE, 2 * SIZE)}
    once, twice = (steps(_on(KEEPS["cluster"], made[size])) for size in made)
    assert twice <= GROWTH * once, f"{once} steps became {twice}"


def test_what_is_counted_shows_work_that_grows_with_the_square() -> None:
    texts = {size: countable([f"x{number}" for number in range(size)]) for size in (50, 100)}
    for search in (
        lambda found: [one for one in found for other in found if one == other],
        lambda found: [one for one in found if one in found],
    ):
        once, twice = (steps(_on(search, found)) for found in texts.values())
        assert twice > 3 * once


# --- long texts -----------------------------------------------------------------------------------

LONG = 200_000
AT_MOST_SECONDS = 1.0
"""Of CPU. Linear work on so long a text takes some milliseconds, quadratic work a minute."""

LONG_KEY = {f"x{number}": "1" * 1000 for number in range(LONG // 1000)}
BEGIN = "-----BEGIN CERTIFICATE-----"


def repeated(text: str, end: str = "") -> str:
    return text * (LONG // len(text)) + end


def regarding(name: str) -> Object:
    return {"regarding": {"kind": "Pod", "name": name}}


TEXTS: dict[str, Callable[[], object]] = {
    "an image with many colons": lambda: tagged_major(repeated(":1", "/")),
    "an image with many slashes": lambda: tagged_major(repeated("/:1")),
    "an image's tag of digits": lambda: tagged_major(f"a:{repeated('1')}"),
    "a certificate that begins and begins": lambda: certificates.another_authority(
        repeated(BEGIN), repeated(BEGIN)
    ),
    "a certificate's bytes": lambda: certificates.another_authority(
        *(
            f"{BEGIN}{b64encode(tag * (LONG // len(tag))).decode()}-----END CERTIFICATE-----"
            for tag in (b"\x06\x03\x55\x1d\x23\x04", b"\x06\x03\x55\x1d\x0e\x04")
        )
    ),
    "a class that is not found": lambda: remedies.of_volume(repeated("storageclass"), empty=True),
    "classes that are not found": lambda: remedies.of_volume(
        repeated('storageclass "x" '), empty=True
    ),
    "a quantity": lambda: quantity.equal(repeated("1"), repeated("1", "0")),
    "a quantity's fraction": lambda: quantity.equal(f"1.{repeated('1')}", "1"),
    "a quantity's exponent": lambda: quantity.equal(f"1e{repeated('1')}", "1"),
    "a quantity with no end": lambda: quantity.equal(repeated("1", "x"), "1"),
    "a path of a quantity": lambda: quantity.stands_at(repeated(".requests")),
    "a path below limits": lambda: quantity.stands_at(f".limits.{repeated('x', '.')}"),
    "an instance's name": lambda: causes.about(
        regarding(f"daap-orders-{repeated('1', '-')}"), "daap-orders"
    ),
    "a pooler's pod": lambda: causes.about(
        regarding(f"daap-orders-pooler-{repeated('a-')}"), "daap-orders"
    ),
    "a Job's name": lambda: causes.from_events(
        [
            {"regarding": {"kind": "Job", "name": repeated(each)}, "reason": "FailedCreate"}
            for each in ("-1", "1", "-1-initdb")
        ],
        Children(),
    ),
    "a pod that is not scheduled": lambda: causes.from_objects(
        Children(
            pods=(
                {
                    "metadata": {"name": repeated("-pooler-aaaaaa")},
                    "status": {
                        "conditions": [{"reason": "Unschedulable", "message": repeated("a b ")}]
                    },
                },
            )
        ),
        of_pooler=None,
    ),
    "a locale": lambda: locales.of_initdb({"localeProvider": "icu", "icuLocale": repeated("de-")}),
    "a number": lambda: raw.whole(repeated("1")),
    "a time": lambda: raw.moment({"a": repeated("2026-01-01T")}, "a"),
    "numbers in what is owned": lambda: owned_part(shapes(1) | {"spec": {"items": [LONG_KEY]}}),
    "a spec": lambda: is_valid(
        builders.database({name: repeated("a-.") for name in ("ownerTeam", "purpose")})
    ),
    "a label's key": lambda: is_valid(
        builders.database({"connectionSecretMetadata": {"labels": {repeated("a.-"): "x"}}})
    ),
}


@pytest.mark.parametrize("work", TEXTS.values(), ids=TEXTS)
def test_a_long_text_is_read_in_one_go(work: Callable[[], object]) -> None:
    assert cpu_seconds(work, AT_MOST_SECONDS) < AT_MOST_SECONDS


def patterns() -> dict[str, "re.Pattern[Any]"]:
    """All regular expressions that the operator's modules have by name."""
    found: dict[str, re.Pattern[Any]] = {}
    for module in pkgutil.walk_packages(daap_operator.__path__, "daap_operator."):
        if not module.name.startswith((*OWN, "daap_operator.__main__")):
            for name, value in vars(importlib.import_module(module.name)).items():
                if isinstance(value, re.Pattern):
                    found[f"{module.name}.{name}"] = value
                elif isinstance(value, str) and "PATTERN" in name:
                    found[f"{module.name}.{name}"] = re.compile(value)
    return found


PUMPED, PUMPED_SECONDS = 40_000, 0.1
"""So long a text takes a pattern half a millisecond, and half a second or more if that grows with
the square."""

OWN = ("daap_operator.setting_types", "daap_operator.settings", "daap_operator.migrate")
"""What reads only what the platform team has written."""

PUMPS = [*"a1A-._/: \n", *map("".join, product("a1-./:", repeat=2))]


@pytest.mark.parametrize("pattern", patterns().values(), ids=patterns())
def test_no_pattern_reads_a_text_again_and_again(pattern: "re.Pattern[Any]") -> None:
    literals = re.findall(r"[A-Za-z_ -]{3,}", str(pattern.pattern))
    slow = [
        pump
        for pump in (
            *PUMPS,
            *literals,
            *(f"{each}." for each in literals),
            *(f":{p}" for p in "a1"),
        )
        for end in ("", "!", "/", "\n")
        if _seconds(pattern, pump * (PUMPED // len(pump)) + end) > PUMPED_SECONDS
    ]
    assert not slow


def _seconds(pattern: "re.Pattern[Any]", text: str) -> float:
    subject: Any = text.encode() if isinstance(pattern.pattern, bytes) else text
    return cpu_seconds(
        lambda: (pattern.search(subject), pattern.fullmatch(subject)), PUMPED_SECONDS
    )


# --- deep objects ---------------------------------------------------------------------------------

DEEP = 100_000


def deep() -> Any:
    """Fields within fields, deeper than any recursion goes."""
    value: Any = {}
    for _ in range(DEEP):
        value = {"f:a": value, "a": value}
    return value


def test_fields_within_fields_without_end_end_nothing() -> None:
    """What somebody writes into managedFields may be deeper than the object is, or as deep."""
    below = deep()
    ours = {"manager": names.FIELD_MANAGER, "operation": "Apply", "fieldsV1": {"f:spec": below}}
    live = {"metadata": {"managedFields": [ours]}, "spec": below}
    assert owned_part(live)["spec"].keys() == {"a"}
    assert owned_part(live | {"spec": {"a": 1}}) == {"spec": {"a": 1}}


def test_an_annotation_with_lists_within_lists_leaves_nothing_deep_in_the_store() -> None:
    """Deeper than what is kept may be compared, or shown."""
    nested = "[" * 900 + "]" * 900
    asked = (
        '{"containers":[{"name":"postgres","resources":{"requests":{"cpu":' + nested + ","
        '"memory":"1Gi"},"limits":' + nested + "}}]}"
    )
    pod = builders.pod(annotations={"cnpg.io/podSpec": asked})
    assert KEEPS["pod"](pod)["asked"]["resources"] == {"requests": {"memory": "1Gi"}}


def test_the_objects_above_are_found_where_they_are_looked_for() -> None:
    store = crowded(3)
    assert len(children_of(store, "shop", "daap-orders").pods) == 3
    assert store.refs_by(known.POD, "cluster", ("shop", "daap-orders"))[0] == Ref(
        known.POD, "shop", "x0"
    )
    assert len(stored(namesakes(3)).refs_by(known.DATABASE, NAME, "orders")) == 3
