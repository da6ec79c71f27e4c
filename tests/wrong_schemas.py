"""DaapSchemas to be refused, and changes to be refused or taken: as tests/wrong_objects.py.

What the API server and the models must say is what a DaapDatabase's tables mean by it.
"""

from dataclasses import dataclass
from typing import Any

from daap_operator.api.v1alpha1.schema.lint_rules import LintRule
from tests.wrong_objects import Fragments, Object, Transition, Wrong

INLINE: Object = {"inline": [{"name": "001_users.sql", "sql": "CREATE TABLE users (id bigint);"}]}
SPEC: Object = {"databaseRef": {"name": "orders"}, "schema": [INLINE]}
"""The smallest spec that is taken."""
PLAN = "5d1f" * 16
"""The hash of a plan."""


def schema(spec: Object, name: str = "orders") -> Object:
    """A DaapSchema as a user would send it."""
    return {
        "apiVersion": "daap.io/v1alpha1",
        "kind": "DaapSchema",
        "metadata": {"name": name},
        "spec": {field: value for field, value in spec.items() if value is not None},
    }


@dataclass(frozen=True)
class WrongSchema(Wrong):
    """A DaapSchema that must be refused."""

    def body(self) -> Object:
        """The object as a user would send it."""
        return schema(SPEC | self.spec, self.name)


@dataclass(frozen=True)
class SchemaTransition(Transition):
    """A change of a DaapSchema; taken when there are no fragments."""

    def bodies(self) -> tuple[Object, Object]:
        """The object before and after."""
        return schema(SPEC | self.old, self.name), schema(SPEC | self.new, self.name)


def _both(id: str, *told: str, **spec: Any) -> Wrong:  # noqa: A002 - a field
    """Refused by both in the same words."""
    return WrongSchema(id, told, told, spec)


def _own(
    id: str,  # noqa: A002 - a field
    api_server: Fragments | None,
    models: Fragments | None,
    **spec: Any,
) -> Wrong:
    """Refused by each in its own words."""
    return WrongSchema(id, api_server, models, spec)


def _choice(path: str, value: str, *choices: str, **spec: Any) -> Wrong:
    quoted = ", ".join(f'"{choice}"' for choice in choices)
    server = f'spec.{path}: Unsupported value: "{value}": supported values: {quoted}'
    return _own(f"{path} {value}", (server,), (f"spec.{path} '{value}'", *choices), **spec)


def _bound(field: str, value: int, low: int, high: int) -> Wrong:
    word, bound = ("greater", low) if value < low else ("less", high)
    said = f"should be {word} than or equal to {bound}"
    server = f"spec.{field}: Invalid value: {value}: spec.{field} in body {said}"
    models = (f"spec.{field} '{value}'", f"{word} than or equal to {bound}")
    return _own(f"{field} {value}", (server,), models, **{field: value})


def _long(id: str, path: str, most: int, **spec: Any) -> Wrong:  # noqa: A002 - a field
    server = f"spec.{path}: Too long: may not be more than {most} bytes"
    return _own(id, (server,), (f"spec.{path}", f"at most {most} characters"), **spec)


def _many(id: str, path: str, most: int, **spec: Any) -> Wrong:  # noqa: A002 - a field
    server = f"spec.{path}: Too many: {most + 1}: must have at most {most} items"
    return _own(id, (server,), (f"spec.{path}", f"at most {most} items"), **spec)


def _required(id: str, path: str, **spec: Any) -> Wrong:  # noqa: A002 - a field
    return _own(
        id, (f"spec.{path}: Required value",), (f"spec.{path} is required: set it",), **spec
    )


def inline(name: Any = "001_users.sql", sql: Any = "SELECT 1;") -> Object:
    """A source with one file."""
    return {"inline": [{"name": name, "sql": sql}]}


def config_map(name: str = "orders-schema", **more: Any) -> Object:
    """A source with the files of a ConfigMap."""
    return {"configMap": {"name": name, **more}}


DIGEST = "sha256:" + "9f86d081" * 8


def image(reference: str = f"registry.example.com/orders/schema@{DIGEST}", **more: Any) -> Object:
    """A source with the files of an image."""
    return {"image": {"reference": reference, **more}}


_DATABASE = "must be the name of a DaapDatabase in this namespace: 3 to 63 characters"
_ONE = "must have one of 'configMap', 'inline' and 'image', and no other: write one entry for each"
_EMPTY = "must not be empty: name a ConfigMap or an image with the files, or write them inline"
_NO_FILE = "must not be empty: write a file, as name and sql, or leave the entry out"
_FILE = "must be the name of a file: at most 253 characters"
_MAP = "must be a ConfigMap's name: at most 253 characters of a-z, 0-9, '-' and '.'"
_GLOB = "must be the name of a key of the ConfigMap, or a pattern of names"
_REFERENCE = "must name an image by its digest, ending with '@sha256:' and 64 hexadecimal digits"
_PATH = "must be a directory of the image, as in 'db/schema'"
_IMAGE_GLOB = "must be the name of a file of the image, or a pattern of names"
_SECRET = "must be a Secret's name: at most 253 characters of a-z, 0-9, '-' and '.'"
_NAME = "must be a name in PostgreSQL: at most 63 characters of A-Z, a-z, 0-9, '_' and '-'"
_HASH = "must be the whole hash of a plan, 64 hexadecimal digits: copy it from status.plan"

NO_FILES = ("", "users", "users.SQL", "a b.sql", ".users.sql", "a/b.sql", "ä.sql", "..sql", ".sql")
NO_NAMES = ("", "1st", "-x", "a b", "a.b", 'a"b', "a,b", "ä")

_REFERENCES = [
    _required("no database", "databaseRef", databaseRef=None),
    _required("no name of a database", "databaseRef.name", databaseRef={}),
    *(
        _both(
            f"database {name!r}",
            "spec.databaseRef.name",
            f"'{name}' {_DATABASE}",
            databaseRef={"name": name},
        )
        for name in ("", "ab", "Orders", "web.shop", "orders-")
    ),
    _long("database of 64 characters", "databaseRef.name", 63, databaseRef={"name": "a" * 64}),
]

_SOURCES = [
    _required("no files", "schema", schema=None),
    _both("an empty list of sources", "spec.schema", _EMPTY, schema=[]),
    *(
        wrong
        for part in ("schema", "fixtures")
        for wrong in (
            _both(f"{part}: a source of nothing", f"spec.{part}[0]", _ONE, **{part: [{}]}),
            _both(
                f"{part}: a source of two kinds",
                f"spec.{part}[1]",
                _ONE,
                **{part: [INLINE, {**INLINE, **config_map()}]},
            ),
            _both(
                f"{part}: no inline file",
                f"spec.{part}[0].inline",
                _NO_FILE,
                **{part: [{"inline": []}]},
            ),
            _many(f"{part}: 17 sources", part, 16, **{part: [config_map()] * 17}),
            _many(
                f"{part}: 33 inline files",
                f"{part}[0].inline",
                32,
                **{part: [{"inline": inline()["inline"] * 33}]},
            ),
            _required(
                f"{part}: a file without a name",
                f"{part}[0].inline[0].name",
                **{part: [{"inline": [{"sql": "SELECT 1"}]}]},
            ),
            _required(
                f"{part}: a file without text",
                f"{part}[0].inline[0].sql",
                **{part: [{"inline": [{"name": "a.sql"}]}]},
            ),
            _long(
                f"{part}: a file of 65537 characters",
                f"{part}[0].inline[0].sql",
                65536,
                **{part: [inline(sql="-" * 65537)]},
            ),
            _required(
                f"{part}: a ConfigMap without a name",
                f"{part}[0].configMap.name",
                **{part: [{"configMap": {}}]},
            ),
        )
    ),
    *(
        _both(
            f"file {name!r}",
            "spec.schema[0].inline[0].name",
            f"'{name}' {_FILE}",
            schema=[inline(name)],
        )
        for name in NO_FILES
    ),
    _long(
        "a file's name of 254 characters",
        "fixtures[0].inline[0].name",
        253,
        fixtures=[inline("a" * 250 + ".sql")],
    ),
    *(
        _both(
            f"ConfigMap {name!r}",
            "spec.schema[0].configMap.name",
            f"'{name}' {_MAP}",
            schema=[config_map(name)],
        )
        for name in ("", "Orders", "-a", "a-", "a_b", "a..b")
    ),
    _long(
        "a ConfigMap's name of 254 characters",
        "schema[0].configMap.name",
        253,
        schema=[config_map("a" * 254)],
    ),
    *(
        _both(
            f"files {files!r}",
            "spec.fixtures[0].configMap.files",
            f"'{files}' {_GLOB}",
            fixtures=[config_map(files=files)],
        )
        for files in ("", "a b", "schema/*.sql", "[ab].sql", "{a,b}.sql")
    ),
]

NO_REFERENCES = (
    "",
    "registry.example.com/orders/schema",
    "registry.example.com/orders/schema:1.0",
    "registry.example.com/orders/schema:latest@sha256:9f86",
    f"registry.example.com/orders/schema@{DIGEST.upper()}",
    f"registry.example.com/orders/schema@sha512:{DIGEST[7:]}",
    f"https://registry.example.com/orders/schema@{DIGEST}",
    f"registry.example.com//schema@{DIGEST}",
    f"registry.example.com/Orders@{DIGEST}",
    f"user:password@registry.example.com/orders@{DIGEST}",
    f"-x@{DIGEST}",
    DIGEST,
)
NO_PATHS = ("", "/", "..", "../ca", "db/../../ca", "db//schema", "db/", "./db", "db/.git", "a b")

_IMAGES = [
    *(
        wrong
        for part in ("schema", "fixtures")
        for wrong in (
            _both(
                f"{part}: an image and a ConfigMap",
                f"spec.{part}[0]",
                _ONE,
                **{part: [{**image(), **config_map()}]},
            ),
            _both(
                f"{part}: files of all kinds in one entry",
                f"spec.{part}[0]",
                _ONE,
                **{part: [{**image(), **config_map(), **INLINE}]},
            ),
            _required(
                f"{part}: an image without a reference",
                f"{part}[0].image.reference",
                **{part: [{"image": {}}]},
            ),
        )
    ),
    *(
        _both(
            f"image {reference!r}",
            "spec.schema[0].image.reference",
            f"'{reference}' {_REFERENCE}",
            schema=[image(reference)],
        )
        for reference in NO_REFERENCES
    ),
    _long(
        "a reference of 513 characters",
        "schema[0].image.reference",
        512,
        schema=[image(f"{'a' * 441}@{DIGEST}")],
    ),
    *(
        _both(
            f"path {path!r} of an image",
            "spec.schema[0].image.path",
            f"'{path}' {_PATH}",
            schema=[image(path=path)],
        )
        for path in NO_PATHS
    ),
    _long("a path of 256 characters", "schema[0].image.path", 255, schema=[image(path="a" * 256)]),
    *(
        _both(
            f"files {files!r} of an image",
            "spec.fixtures[0].image.files",
            f"'{files}' {_IMAGE_GLOB}",
            fixtures=[image(files=files)],
        )
        for files in ("", "a b", "schema/*.sql", "[ab].sql")
    ),
    *(
        _both(
            f"Secret {name!r}",
            "spec.schema[0].image.pullSecret",
            f"'{name}' {_SECRET}",
            schema=[image(pullSecret=name)],
        )
        for name in ("", "Orders", "a_b")
    ),
]

_DECISIONS = [
    _choice("approval", "Manual", "Automatic", "Required", approval="Manual"),
    _choice("onDestructive", "refuse", "Refuse", "Approve", "Allow", onDestructive="refuse"),
    _choice("lint.level", "error", "Error", "Warning", "Never", lint={"level": "error"}),
    _choice("rehearsal", "Sometimes", "Never", "WhenFindings", "Always", rehearsal="Sometimes"),
    _own(
        "a backup in words",
        ('spec.backupBefore in body must be of type boolean: "string"',),
        ("spec.backupBefore 'perhaps'", "valid boolean"),
        backupBefore="perhaps",
    ),
    *(
        _both(f"approval of {plan!r}", "spec.approve", f"'{plan}' {_HASH}", approve=plan)
        for plan in ("", "yes", PLAN[:-1], PLAN.upper(), "sha256:" + PLAN[:57])
    ),
    _long("approval of 65 digits", "approve", 64, approve=PLAN + "0"),
    *(
        _choice("lint.ignore[0]", name, *LintRule, lint={"ignore": [name]})
        for name in ("", "Rename", "renames", "drop-table", "syntax-error", "a,b")
    ),
    _many("65 rules", "lint.ignore", 64, lint={"ignore": ["rename"] * 65}),
]

_DATABASES = [
    *(
        _both(f"{field} {name!r}", f"spec.{field}", f"'{name}' {_NAME}", **{field: name})
        for field in ("ledger", "role")
        for name in NO_NAMES
    ),
    *(
        _both(f"path {name!r}", "spec.searchPath[0]", f"'{name}' {_NAME}", searchPath=[name])
        for name in NO_NAMES
    ),
    *(
        _long(f"{field} of 64 characters", field, 63, **{field: "a" * 64})
        for field in ("ledger", "role")
    ),
    _many("9 schemas to look in", "searchPath", 8, searchPath=["a"] * 9),
    *(
        _both(f"baseline {name!r}", "spec.baseline", f"'{name}' {_FILE}", baseline=name)
        for name in ("", "007", "schema/007.sql")
    ),
    *(_bound("lockTimeoutSeconds", seconds, 1, 600) for seconds in (0, 601)),
    *(_bound("statementTimeoutSeconds", seconds, 0, 604800) for seconds in (-1, 604801)),
]

WRONG: list[Wrong] = [*_REFERENCES, *_SOURCES, *_IMAGES, *_DECISIONS, *_DATABASES]

TRANSITIONS: list[Transition] = [
    SchemaTransition("nothing changes", {}, {}),
    SchemaTransition(
        "a file is added",
        {},
        {"schema": [{"inline": [*INLINE["inline"], {"name": "002_orders.sql", "sql": ""}]}]},
    ),
    SchemaTransition("inline files move to a ConfigMap", {}, {"schema": [config_map()]}),
    SchemaTransition("files move to an image", {}, {"schema": [image()]}),
    SchemaTransition(
        "a plan is approved, and then no longer",
        {"approval": "Required", "approve": PLAN},
        {"approval": "Required"},
    ),
    SchemaTransition(
        "everything else changes",
        {"fixtures": [inline()], "lint": {"level": "Never", "ignore": ["rename"]}},
        {
            "approval": "Required",
            "onDestructive": "Refuse",
            "backupBefore": True,
            "rehearsal": "Always",
            "lint": {"level": "Warning"},
            "baseline": "001_users.sql",
            "role": "orders",
            "searchPath": ["app", "public"],
            "lockTimeoutSeconds": 60,
            "statementTimeoutSeconds": 3600,
        },
    ),
    SchemaTransition("the default ledger is named", {}, {"ledger": "default"}),
    SchemaTransition("the default ledger is left out", {"ledger": "default"}, {}),
    SchemaTransition(
        "the database changes",
        {},
        {"databaseRef": {"name": "billing"}},
        (
            "spec.databaseRef.name",
            "'billing' cannot replace 'orders'",
            "keep 'orders', or create another DaapSchema",
        ),
    ),
    SchemaTransition(
        "the ledger changes",
        {"ledger": "one"},
        {"ledger": "other"},
        ("spec.ledger", "'other' cannot replace 'one'", "keep 'one', or create another"),
    ),
    SchemaTransition(
        "the ledger is left out",
        {"ledger": "one"},
        {},
        ("spec.ledger", "'default' cannot replace 'one'"),
    ),
]

SCHEMAS: Object = {
    "the least": {},
    "files of both kinds": {"schema": [INLINE, config_map(files="0??_*.sql")]},
    "no fixtures": {"fixtures": []},
    "fixtures": {"fixtures": [config_map("a.b-1", files="001.sql"), inline()]},
    "the longest names": {
        "databaseRef": {"name": "a" * 63},
        "schema": [inline("a" * 249 + ".sql"), config_map("a" * 253, files="*" * 253)],
        "ledger": "A" * 63,
        "role": "_" * 63,
        "searchPath": ["a-b"] * 8,
        "baseline": "-" * 249 + ".sql",
        "lint": {"level": "Warning", "ignore": ["constraint-scans-table"] * 64},
    },
    "files of an image": {"schema": [image(), INLINE], "fixtures": [image(path="db/fixtures")]},
    "images by host and port, and by name": {
        "schema": [
            image(f"localhost:5000/schema@{DIGEST}"),
            image(f"schema:1.0-rc.1@{DIGEST}"),
            image(f"ghcr.io/a/b-c/d_e.f@{DIGEST}"),
        ]
    },
    "as many images as there may be": {
        part: [
            image(
                f"{'a' * 440}@{DIGEST}",
                path="/" + "a" * 254,
                files="*" * 253,
                pullSecret="a" * 253,
            )
        ]
        * 16
        for part in ("schema", "fixtures")
    },
    "the longest times": {"lockTimeoutSeconds": 600, "statementTimeoutSeconds": 604800},
    "the shortest times": {"lockTimeoutSeconds": 1, "statementTimeoutSeconds": 0},
    "an approval": {"approval": "Required", "approve": PLAN, "onDestructive": "Allow"},
    "an empty file": {"schema": [inline(sql="")]},
    "as many files as there may be": {
        part: [
            {
                "inline": [
                    {"name": f"{number:02}{file:02}{'a' * 245}.sql", "sql": "SELECT 1;" * 10}
                    for file in range(32)
                ]
            }
            for number in range(16)
        ]
        for part in ("schema", "fixtures")
    },
    "as much text as there may be": {
        "schema": [inline(sql="-" * 65536), inline("b.sql", "-" * 65536)]
    },
}
"""Specs that are right, laid over SPEC."""
