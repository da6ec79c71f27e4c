"""Jobs of a DaapSchema as the operator makes them, with as much in them as there may be."""

import copy
from typing import Any

from daap_operator import __version__, names
from daap_operator.api.v1alpha1 import DaapSchemaSpec
from daap_operator.api.v1alpha1.schema.sources import MOST_INLINE, MOST_SOURCES
from daap_operator.engine.child import Owner
from daap_operator.kinds import known
from daap_operator.kinds.schema import job, orders
from daap_operator.kinds.schema.orders import Mode
from daap_operator.kinds.schema.sources import INLINE_BYTES, MOST_FILES

Object = dict[str, Any]

CLUSTER = "daap-orders"
COPY = "drill-orders-5e1ec7ab"
"""The scratch Cluster that a plan is rehearsed on."""
IMAGE = f"ghcr.io/daap-io/daap-operator:{__version__}"
UID = "5c4e3a00-0000-4000-8000-000000000000"
HASH = "0123456789abcdef" * 4
DIGEST = "sha256:" + "9f86d081" * 8
REFERENCE = f"registry.example.com:5000/orders/schema:1.0@{DIGEST}"
NAME = orders.job_name("orders", UID, Mode.CHECK)

_SPEC: Object = {
    "databaseRef": {"name": "orders"},
    "schema": [
        {"configMap": {"name": "orders-schema"}},
        {"configMap": {"name": "orders-more", "files": "0*.sql"}},
        {"inline": [{"name": "900_last.sql", "sql": "SELECT '$(PGPASSWORD)';"}]},
    ],
    "fixtures": [{"inline": [{"name": "rows.sql", "sql": "SELECT 1;"}]}],
}
_KEYS = {"schema-1": ["001_a.sql", "002_b.sql"]}
_OPTIONS: Object = {
    "lint": {"level": "Warning", "ignore": ["rename"]},
    "ledger": "mine",
    "baseline": "001_a.sql",
    "role": "writer",
    "searchPath": ["app", "public"],
    "onDestructive": "Allow",
    "lockTimeoutSeconds": 600,
    "statementTimeoutSeconds": 604_800,
}


def check(place: str) -> Object:
    """The Job that looks."""
    spec = DaapSchemaSpec.model_validate(_SPEC)
    return _made(place, NAME, orders.arguments(Mode.CHECK, spec, HASH, NAME, HASH), spec, _KEYS)


def apply(place: str) -> Object:
    """The Job that applies, with every choice made."""
    spec = DaapSchemaSpec.model_validate(_SPEC | _OPTIONS)
    name = orders.job_name("orders.v2", UID, Mode.APPLY)
    return _made(place, name, orders.arguments(Mode.APPLY, spec, HASH, name, HASH), spec, _KEYS)


def rehearse(place: str) -> Object:
    """The Job that applies to a copy."""
    spec = DaapSchemaSpec.model_validate(_SPEC | _OPTIONS)
    name = orders.job_name("orders.v2", UID, Mode.REHEARSE)
    arguments = orders.arguments(Mode.REHEARSE, spec, HASH, name, HASH)
    labels = {names.DRILL_LABEL: COPY}
    order = job.Order(name, COPY, "orders", IMAGE, arguments, _KEYS, labels)
    owner = Owner(known.DAAP_SCHEMA, place, "orders", UID)
    return copy.deepcopy(job.manifest(owner, order, spec))


def most_mounted(place: str) -> Object:
    """With as many files of ConfigMaps as there may be, their names as long as they may be."""
    source = {"configMap": {"name": "c" * 253, "files": "*"}}
    sources = [source] * MOST_SOURCES
    each = MOST_FILES // (2 * MOST_SOURCES)
    keys = {
        f"{part}-{at}": [
            f"{part[0]}{at:02}_{file:02}_".ljust(249, "x") + ".sql" for file in range(each)
        ]
        for part in ("schema", "fixtures")
        for at in range(MOST_SOURCES)
    }
    return _most(place, {"schema": sources, "fixtures": sources}, keys)


def most_inline(place: str) -> Object:
    """With as many inline files as there may be, and as much in them."""
    each = INLINE_BYTES // (2 * MOST_SOURCES * MOST_INLINE)
    files = [
        [
            {"name": f"{at:02}_{file:02}_".ljust(249, "x") + ".sql", "sql": "-" * each}
            for file in range(MOST_INLINE)
        ]
        for at in range(2 * MOST_SOURCES)
    ]
    sources = [{"inline": each} for each in files]
    return _most(place, {"schema": sources[:MOST_SOURCES], "fixtures": sources[MOST_SOURCES:]}, {})


def images(place: str) -> Object:
    """With files of images, and of a ConfigMap beside them."""
    one = {"image": {"reference": REFERENCE, "path": "/db/schema", "pullSecret": "registry"}}
    two = {"image": {"reference": REFERENCE, "files": "0?_*.sql"}}
    sources = {"schema": [*_SPEC["schema"], one], "fixtures": [two]}
    spec = DaapSchemaSpec.model_validate(_SPEC | sources)
    return _made(place, NAME, orders.arguments(Mode.CHECK, spec, HASH, NAME, HASH), spec, _KEYS)


def images_dropped(place: str) -> Object:
    """The same as an API server leaves it whose pods mount no images: the operator notices it."""
    made = images(place)
    pod = made["spec"]["template"]["spec"]
    lost = {each["name"] for each in pod["volumes"] if "image" in each}
    pod["volumes"] = [each for each in pod["volumes"] if each["name"] not in lost]
    mounts = pod["containers"][0]["volumeMounts"]
    pod["containers"][0]["volumeMounts"] = [each for each in mounts if each["name"] not in lost]
    return made


def most_images(place: str) -> Object:
    """With as many images as there may be, and all names as long as they may be."""

    def image(part: str, at: int) -> Object:
        found = {"reference": f"{'a' * 440}@{DIGEST}", "path": "/" + "p" * 254, "files": "*" * 253}
        return {"image": found | {"pullSecret": f"{part[0]}{at:02}".ljust(253, "x")}}

    sources = {
        part: [image(part, at) for at in range(MOST_SOURCES)] for part in ("schema", "fixtures")
    }
    return _most(place, sources, {})


def _most(place: str, sources: Object, keys: dict[str, list[str]]) -> Object:
    word = "w" * 63
    options = {
        "lint": {"level": "Never", "ignore": ["ban-alter-domain-with-add-constraint"] * 64},
        "ledger": word,
        "baseline": "b" * 249 + ".sql",
        "role": word,
        "searchPath": [word] * 8,
        "onDestructive": "Approve",
    }
    spec = DaapSchemaSpec.model_validate(_SPEC | _OPTIONS | options | sources)
    name = orders.job_name("s" * 253, UID, Mode.APPLY)
    return _made(place, name, orders.arguments(Mode.APPLY, spec, HASH, name, HASH), spec, keys)


def _made(
    place: str, name: str, arguments: list[str], spec: DaapSchemaSpec, keys: dict[str, list[str]]
) -> Object:
    owner = Owner(known.DAAP_SCHEMA, place, "orders", UID)
    return copy.deepcopy(
        job.manifest(owner, job.Order(name, CLUSTER, "orders", IMAGE, arguments, keys), spec)
    )
