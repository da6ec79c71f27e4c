"""DaapDatabases to be refused, and changes to be refused or taken: data for two judges.

The API server refuses with its schema and CEL rules, the operator with its models what was stored
before a rule existed. Both must name the field, the value and the remedy, each in its own words
where the text is not ours: `api_server` and `models` are fragments that the refusal must contain,
None where that judge lets the object pass.
"""

from dataclasses import dataclass, field
from typing import Any

Object = dict[str, Any]
Fragments = tuple[str, ...]

SPEC: Object = {"ownerTeam": "checkout"}
"""The smallest spec that is taken."""


@dataclass(frozen=True)
class Wrong:
    """An object that must be refused."""

    id: str
    api_server: Fragments | None
    models: Fragments | None
    spec: Object = field(default_factory=dict)
    """Laid over SPEC; None takes a field away."""
    name: str = "orders"

    def body(self) -> Object:
        """The object as a user would send it."""
        return _object(SPEC | self.spec, self.name)


@dataclass(frozen=True)
class Transition:
    """A change of an object; taken when there are no fragments."""

    id: str
    old: Object
    new: Object
    refused: Fragments = ()
    status: Object = field(default_factory=dict)
    """What the operator has written in between."""
    name: str = "orders"

    def bodies(self) -> tuple[Object, Object]:
        """The object before and after."""
        return _object(SPEC | self.old, self.name), _object(SPEC | self.new, self.name)


def _object(spec: Object, name: str) -> Object:
    return {
        "apiVersion": "daap.io/v1alpha1",
        "kind": "DaapDatabase",
        "metadata": {"name": name},
        "spec": {field: value for field, value in spec.items() if value is not None},
    }


def _both(id: str, *told: str, name: str = "orders", **spec: Any) -> Wrong:  # noqa: A002 - a field
    """Refused by both in the same words."""
    return Wrong(id, told, told, spec, name)


def _own(  # each says it in its own words
    id: str,  # noqa: A002 - a field
    api_server: Fragments | None,
    models: Fragments | None,
    **spec: Any,
) -> Wrong:
    return Wrong(id, api_server, models, spec)


def _choice(path: str, value: str, *choices: str) -> tuple[Fragments, Fragments]:
    """One of a few words: what each judge says to another."""
    quoted = ", ".join(f'"{choice}"' for choice in choices)
    server = (f'spec.{path}: Unsupported value: "{value}": supported values: {quoted}',)
    return server, (f"spec.{path} '{value}'", *choices)


def _bound(path: str, value: object, low: int, high: int) -> tuple[Fragments, Fragments]:
    """A number out of bounds: what each judge says."""
    below = isinstance(value, int) and value < low
    word, bound = ("greater", low) if below else ("less", high)
    said = f"should be {word} than or equal to {bound}"
    server = (f"spec.{path}: Invalid value: {value}: spec.{path} in body {said}",)
    return server, (f"spec.{path} '{value}'", f"{word} than or equal to {bound}")


def _whole(path: str, value: object, kind: str) -> tuple[Fragments, Fragments]:
    """No whole number: what each judge says."""
    server = (f'in body must be of type integer: "{kind}"', f"spec.{path}")
    return server, (f"spec.{path} '{value}'", "valid integer")


def _long(path: str, most: int) -> tuple[Fragments, Fragments]:
    """A text that is too long: what each judge says."""
    server = (f"spec.{path}: Too long: may not be more than {most} bytes",)
    return server, (f"spec.{path}", f"at most {most} characters")


_NAME = "must be 3 to 63 characters of a-z, 0-9 and '-', begin with a letter and end with a letter"
_RESERVED = "set spec.databaseName or choose another name"
_VISIBLE = "must be one line of text that begins and ends with a visible character and contains no"
_LINE = "must be one line of text: remove line breaks (in YAML, write '>-' instead of '|'), control"
_QUANTITY = "is not a quantity: write 20Gi or 512Mi for bytes (not GB), 2 or 500m for CPU"
_SIZE = "must be from 1Gi to 64Ti; write the unit, as in 20Gi"
_MEMORY = "is less than 64Mi, too little for PostgreSQL; write the unit, as in 512Mi"
_DATABASE = "must be 1 to 63 characters of a-z, 0-9 and '_' and begin with a letter"
_KEPT = "is reserved by PostgreSQL, PgBouncer or CloudNativePG; choose another name"
_SECRET = "must be a Secret's name: at most 253 characters"
_PLATFORMS = "which is reserved for the platform; choose another name or leave it out for"


HIDDEN = {
    "a NUL": "\0",
    "a line feed": "\n",
    "a carriage return": "\r",
    "a tab": "\t",
    "an escape": "\x1b[31m",
    "a delete": "\x7f",
    "a C1 control": "\x9b",
    "a next line": "\x85",
    "a line separator": "\u2028",
    "a paragraph separator": "\u2029",
    "a zero-width space": "\u200b",
    "a zero-width joiner": "\u200d",
    "a soft hyphen": "\xad",
    "a byte order mark": "\ufeff",
    "a right-to-left override": "\u202e",
    "a left-to-right isolate": "\u2066",
    "a tag": "\U000e0041",
}
"""What must not be in a line of text."""


def _name(id: str, name: str) -> Wrong:  # noqa: A002 - a field
    return _both(id, f"metadata.name '{name}' {_NAME}", name=name)


def _size(id: str, size: object, *told: str) -> Wrong:  # noqa: A002 - a field
    return _both(id, "spec.storage.size", *told, storage={"size": size})


def _amount(id: str, path: str, amount: object, *told: str) -> Wrong:  # noqa: A002 - a field
    kind, what = path.split(".")
    return _both(id, f"spec.resources.{kind}", *told, resources={kind: {what: amount}})


_NAMES = [
    _name("name of two characters", "ab"),
    _name("name of one character", "a"),
    _name("name of 64 characters", "a" * 64),
    _name("name that begins with a digit", "1orders"),
    _name("name with a dot", "web.shop"),
    *(
        _both(f"name {name} is reserved", f"metadata.name '{name}'", _RESERVED, name=name)
        for name in ("postgres", "template0", "template1", "streaming-replica", "pgbouncer")
    ),
    *(
        _both(f"name {name} is reserved", f"metadata.name '{name}'", _RESERVED, name=name)
        for name in ("public", "none", "pg-stat", "cnpg-x")
    ),
]

_OWNERS = [
    _own(
        "no owner",
        ("spec.ownerTeam: Required value",),
        ("spec.ownerTeam is required: set it",),
        ownerTeam=None,
    ),
    *(
        _both(id_, "spec.ownerTeam", _VISIBLE, ownerTeam=owner)
        for id_, owner in {
            "empty owner": "",
            "blank owner": " ",
            "owner after a space": " checkout",
            "owner before a space": "checkout ",
            "owner before a line feed": "checkout\n",
            "owner after a no-break space": "\xa0checkout",
            "owner before an em space": "checkout\u2003",
            "owner before a line separator": "checkout\u2028",
        }.items()
    ),
    # The models make visible what hides: it was stored before the API server refused it
    *(
        _own(
            f"owner with {what}", ("spec.ownerTeam", _VISIBLE), None, ownerTeam=f"check{hidden}out"
        )
        for what, hidden in HIDDEN.items()
    ),
    *(
        _own(f"purpose with {what}", ("spec.purpose", _LINE), None, purpose=f"Orders{hidden} of")
        for what, hidden in HIDDEN.items()
    ),
    _own(
        "owner before a zero-width space", ("spec.ownerTeam", _VISIBLE), None, ownerTeam="c\u200b"
    ),
    _own("owner of 256 characters", *_long("ownerTeam", 255), ownerTeam="a" * 256),
    _own(
        "owner that is a number",
        ('spec.ownerTeam in body must be of type string: "integer"',),
        ("spec.ownerTeam '7'", "valid string"),
        ownerTeam=7,
    ),
    _own("purpose of 1025 characters", *_long("purpose", 1024), purpose="a" * 1025),
]

_INSTANCES = [
    *(
        _own(f"{count} instances", *_bound("instances", count, 1, 9), instances=count)
        for count in (-1, 0, 10)
    ),
    _own("instances and a half", *_whole("instances", 1.5, "number"), instances=1.5),
    # The models read "2" as 2; the API server has refused it before they see it
    _own("instances in words", _whole("instances", "2", "string")[0], None, instances="2"),
    _own("instances unheard of", *_whole("instances", "many", "string"), instances="many"),
]

_STORAGE = [
    _size("no size at all", "big", f"'big' {_QUANTITY}"),
    _size("size in a wrong unit", "10GB", f"'10GB' {_QUANTITY}"),
    _size("size with a space", "10 Gi", f"'10 Gi' {_QUANTITY}"),
    _size("empty size", "", f"'' {_QUANTITY}"),
    _size("no bytes", "0", "'0' must be more than zero"),
    _size("less than nothing", "-10Gi", "'-10Gi' must be more than zero"),
    _size("size below 1Gi", "1023Mi", f"'1023Mi' {_SIZE}"),
    _size("size without a unit", 10, f"'10' {_SIZE}"),
    _size("size over 64Ti", "65Ti", f"'65Ti' {_SIZE}"),
    _own(
        "size that is a fraction",
        ("spec.storage.size in body must be of type", '"number"'),
        ("spec.storage.size '1.5'", "valid string"),
        storage={"size": 1.5},
    ),
    *(
        _both(
            f"storage class {name!r}",
            "spec.storage.storageClass",
            f"'{name}' must be a StorageClass's name: at most 253 characters",
            "leave it out for the cluster's default",
            storage={"storageClass": name},
        )
        for name in ("", "Fast Class", "-fast", "fast_ssd", "fast..ssd")
    ),
    _own(
        "storage class of 254 characters",
        *_long("storage.storageClass", 253),
        storage={"storageClass": "a" * 254},
    ),
]

_VERSIONS = [
    _own("version 13", *_bound("postgresVersion", 13, 14, 18), postgresVersion=13),
    _own("version 19", *_bound("postgresVersion", 19, 14, 18), postgresVersion=19),
    _own("minor version", *_whole("postgresVersion", 17.2, "number"), postgresVersion=17.2),
]

_DATABASES = [
    *(
        _both(
            f"database name {name!r}",
            "spec.databaseName",
            f"'{name}' {_DATABASE}",
            databaseName=name,
        )
        for name in ("", "Orders", "web-shop", "1st", "_x", "a b", "ordérs", 'a"b')
    ),
    _own(
        "database name of 64 characters",
        *_long("databaseName", 63),
        databaseName="a" * 64,
    ),
    *(
        _both(
            f"database name {name} is reserved",
            "spec.databaseName",
            f"'{name}' {_KEPT}",
            databaseName=name,
        )
        for name in ("postgres", "template1", "streaming_replica", "pgbouncer", "none", "public")
    ),
    *(
        _both(
            f"database name {name} is reserved",
            "spec.databaseName",
            f"'{name}' {_KEPT}",
            databaseName=name,
        )
        for name in ("pg_x", "cnpg_pooler_pgbouncer")
    ),
]

_POOLERS = [
    *(
        _own(
            f"{count} poolers",
            *_bound("pooler.instances", count, 1, 10),
            pooler={"instances": count},
        )
        for count in (0, 11)
    ),
    *(
        _own(
            f"{count} client connections",
            *_bound("pooler.maxClientConnections", count, 10, 10000),
            pooler={"maxClientConnections": count},
        )
        for count in (9, 10001)
    ),
    *(
        _own(
            f"pool mode {mode}",
            *_choice("pooler.mode", mode, "Transaction", "Session"),
            pooler={"mode": mode},
        )
        for mode in ("Statement", "session")
    ),
]

_LOCALES = [
    *(
        _both(
            f"locale {provider}/{locale}",
            "spec.locale",
            f"'{locale}' is not a locale of provider {provider}",
            locale={"provider": provider, "locale": locale},
        )
        for provider, locale in (
            ("builtin", "de-DE"),
            ("builtin", "c.utf8"),
            ("libc", "de_DE.UTF-8"),
            ("libc", "POSIX"),
            ("icu", "de_DE"),
            ("icu", "cz"),  # a country's code: the language is cs
            ("icu", "jp-JP"),
            ("icu", "C.UTF-8"),
            ("icu", ""),
        )
    ),
    *(
        _both(
            f"locale {provider}/{locale} for PostgreSQL {major}",
            "spec.locale",
            f"'{provider}/{locale}' needs PostgreSQL {first} or newer, and this database gets "
            f"{major}: set spec.postgresVersion to {first} or more, or choose another locale",
            locale={"provider": provider, "locale": locale},
            postgresVersion=major,
        )
        for provider, locale, major, first in (
            ("builtin", "C.UTF-8", 16, 17),
            ("builtin", "PG_UNICODE_FAST", 17, 18),
            ("icu", "und", 14, 15),
        )
    ),
    _own(
        "locale of an unknown provider",
        *_choice("locale.provider", "glibc", "builtin", "icu", "libc"),
        locale={"provider": "glibc", "locale": "C"},
    ),
    _own(
        "locale without a name",
        ("spec.locale.locale: Required value",),
        ("spec.locale.locale is required: set it",),
        locale={"provider": "icu"},
    ),
    _own(
        "locale of 64 characters",
        *_long("locale.locale", 63),
        locale={"provider": "icu", "locale": "de" + "-abcdefg" * 8},
    ),
]

_RESOURCES = [
    _amount("no amount of CPU", "requests.cpu", "much", "cpu", f"'much' {_QUANTITY}"),
    _amount("no CPU", "requests.cpu", 0, "cpu", "'0' must be more than zero"),
    _amount("too little memory", "requests.memory", "63Mi", "memory", f"'63Mi' {_MEMORY}"),
    _amount("memory without a unit", "limits.memory", 512, "memory", f"'512' {_MEMORY}"),
    *(
        _both(
            f"{kind} of {memory} of memory",
            f"resources.{kind}.memory '{memory}' is less than 256Mi",
            "set it to 256Mi or more",
            resources={kind: {"memory": memory}},
        )
        for kind in ("requests", "limits")
        for memory in ("64Mi", "255Mi", 134217728)
    ),
    _both(
        "a limit of memory that PostgreSQL does not survive, beside a request",
        "resources.limits.memory '128Mi' is less than 256Mi",
        resources={"requests": {"memory": "64Mi"}, "limits": {"memory": "128Mi"}},
    ),
    _both(
        "more CPU asked than allowed",
        "spec.resources",
        "requests.cpu '2' must not be more than limits.cpu '1500m'",
        resources={"requests": {"cpu": 2}, "limits": {"cpu": "1500m"}},
    ),
    _both(
        "more memory asked than allowed",
        "spec.resources",
        "requests.memory '2Gi' must not be more than limits.memory '1Gi'",
        resources={"requests": {"memory": "2Gi"}, "limits": {"memory": "1Gi"}},
    ),
]

_SECRETS = [
    *(
        _both(
            f"Secret name {name!r}",
            "spec.connectionSecretName",
            f"'{name}' {_SECRET}",
            connectionSecretName=name,
        )
        for name in ("", "Orders", "-orders", "orders-", "or_ders", ".orders")
    ),
    # A message with a line feed would be two: the API server leaves the value out
    _own(
        "Secret name before a line feed",
        ("spec.connectionSecretName", f"the value {_SECRET}"),
        ("spec.connectionSecretName", f"'orders\n' {_SECRET}"),
        connectionSecretName="orders\n",
    ),
    _own(
        "Secret name of 254 characters",
        *_long("connectionSecretName", 253),
        connectionSecretName="a" * 254,
    ),
    *(
        _both(
            f"Secret name {name} is the platform's",
            f"spec.connectionSecretName '{name}' must not begin with 'daap-'",
            f"{_PLATFORMS} 'daap-orders-connection'",
            connectionSecretName=name,
        )
        for name in ("daap-orders-app", "daap-payments-connection")
    ),
]

_STORE = "must be an ObjectStore's name: at most 253 characters"
_CRON = "must be five fields of cron, separated by single spaces (minute, hour, day of the month"
_NEVER = "asks for a day that never comes, because no month that it names has so many days"
_BACKUPS = [
    *(
        _both(
            f"store {store!r}",
            "spec.backup.store",
            f"'{store}' {_STORE}",
            backup={"store": store},
        )
        for store in ("", "Backups", "platform/backups", "-backups", ".backups")
    ),
    _own("store of 254 characters", *_long("backup.store", 253), backup={"store": "a" * 254}),
    *(
        _both(
            f"schedule {schedule!r}",
            "spec.backup.schedule",
            f"'{schedule}' {_CRON}",
            backup={"schedule": schedule},
        )
        for schedule in (
            *("", "daily", "@yearly", "@every 1h", "2", "30 2 * *", "0 30 2 * * *"),
            *("30  2 * * *", " 30 2 * * *", "60 2 * * *", "30 24 * * *", "30 2 0 * *"),
            *("30 2 32 * *", "30 2 * 13 *", "30 2 * * 8", "*/0 * * * *", "30 2 L * *"),
            *("? 2 * * *", "TZ=UTC 30 2 * * *", "30 2 * * monday"),
        )
    ),
    _own(
        "schedule of 101 characters",
        *_long("backup.schedule", 100),
        backup={"schedule": f"{','.join(['1'] * 46)},10 * * * *"},
    ),
    *(
        _both(
            f"retention {retention!r}",
            "spec.backup.retention",
            f"'{retention}' must be a number of days, weeks or months, as in 30d, 4w or 6m",
            backup={"retention": retention},
        )
        for retention in ("", "30", "0d", "30D", "1y", "1.5d", "-3d")
    ),
    _own(
        "retention of 6 characters", *_long("backup.retention", 5), backup={"retention": "10000d"}
    ),
]

_DAILY = {"schedule": "@daily"}


def _verified(**verify: Any) -> Object:
    return {"backup": {"verify": _DAILY | verify}}


_VERIFY = [
    _both(
        "backups that are off are to be verified",
        "spec.backup",
        "verify restores backups, and enabled is 'false', so that none are made: set enabled to "
        "true, or remove verify",
        backup={"enabled": False, "verify": _DAILY},
    ),
    _own(
        "verify without a schedule",
        ("spec.backup.verify.schedule: Required value",),
        ("spec.backup.verify.schedule", "is required: set it"),
        backup={"verify": {}},
    ),
    *(
        _both(
            f"drills at {schedule!r}",
            "spec.backup.verify.schedule",
            f"'{schedule}' {_CRON}",
            **_verified(schedule=schedule),
        )
        for schedule in ("", "weekly", "0 4 * *", "0 0 4 * * 0", "TZ=UTC 0 4 * * 0")
    ),
    _both(
        "a query that is blank",
        "spec.backup.verify.queries",
        "must not be blank: write one query that reads and returns a row, as in SELECT 1",
        **_verified(queries=[{"sql": "SELECT 1"}, {"sql": " \t"}]),
    ),
    _both(
        "a query with an odd name",
        "spec.backup.verify.queries",
        "'orders!' must be at most 63 characters of A-Z, a-z, 0-9, '-', '_', '.' and spaces",
        **_verified(queries=[{"name": "orders!", "sql": "SELECT 1"}]),
    ),
    _own(
        "17 queries",
        ("spec.backup.verify.queries: Too many: 17: must have at most 16 items",),
        ("spec.backup.verify.queries", "at most 16 items"),
        **_verified(queries=[{"sql": "SELECT 1"}] * 17),
    ),
    _own(
        "a query of 2001 characters",
        ("spec.backup.verify.queries[0].sql: Too long: may not be more than 2000 bytes",),
        ("spec.backup.verify.queries", "at most 2000 characters"),
        **_verified(queries=[{"sql": "x" * 2001}]),
    ),
    _own(
        "a query without SQL",
        ("spec.backup.verify.queries[0].sql: Required value",),
        ("spec.backup.verify.queries", "is required: set it"),
        **_verified(queries=[{"name": "orders"}]),
    ),
]

_SOURCE = "must be the name of a DaapDatabase: 3 to 63 characters of a-z, 0-9 and '-', beginning"
_ARCHIVE = "must be the name of an archive in the store, as in status.backup.archive: at most 253"
_MOMENT = "must be a moment in RFC 3339 with its time zone, as in '2026-11-28T03:00:00Z'"
_BACKUP = "must be the id of a backup, as in '20261128T030000', or the name of a DaapBackup"
_SOURCES = [
    _both("no source in a source", "spec.source", "must have either 'database' or", source={}),
    _both(
        "two sources",
        "spec.source",
        "must have either 'database' or 'archive': set 'database'",
        source={"database": "orders", "archive": "daap-orders-0a1b2c3d"},
        postgresVersion=17,
    ),
    _both(
        "two targets",
        "spec.source",
        "must not have both 'at' and 'backup': keep 'at'",
        source={
            "database": "orders",
            "at": "2026-11-28T03:00:00Z",
            "backup": "20261128T030000",
        },
    ),
    _both(
        "an archive of another namespace",
        "spec.source",
        "namespace 'other' does not go with 'archive'",
        source={"archive": "daap-orders-0a1b2c3d", "namespace": "other"},
        postgresVersion=17,
    ),
    _both(
        "an archive of no version",
        "spec.source",
        "of an archive 'daap-orders-0a1b2c3d' needs spec.postgresVersion: set it",
        source={"archive": "daap-orders-0a1b2c3d"},
    ),
    *(
        _both(
            f"source {field} {value!r}",
            f"spec.source.{field}",
            f"'{value}' {told}",
            source={"database": "orders", field: value},
        )
        for field, told, values in (
            ("database", _SOURCE, ("", "Orders", "a", "1orders", "orders-")),
            ("namespace", "must be a namespace's name", ("", "Shop", "a.b", "-shop")),
            ("store", _STORE, ("", "Backups", "a/b")),
            ("backup", _BACKUP, ("", "20261128T03", "Before_Migration")),
            (
                "at",
                _MOMENT,
                (
                    *("", "yesterday", "2026-11-28", "2026-11-28T03:00:00", "2026-11-28 03:00:00Z"),
                    *("2026-13-28T03:00:00Z", "2026-11-28T24:00:00Z", "2026-11-28T03:00:00+1"),
                ),
            ),
        )
        for value in values
    ),
    *(
        _both(
            f"source archive {archive!r}",
            "spec.source.archive",
            f"'{archive}' {_ARCHIVE}",
            source={"archive": archive},
            postgresVersion=17,
        )
        for archive in ("", "../other", "a/b", "-a", "a.")
    ),
]

BEYOND_PATTERNS = [
    _own(
        "a moment that is not in the calendar",
        None,
        (f"spec.source at '2026-02-30T03:00:00Z' {_MOMENT}",),
        source={"database": "orders", "at": "2026-02-30T03:00:00Z"},
    ),
    *(
        _own(
            f"schedule {schedule!r}",
            None,
            (f"spec.backup.schedule '{schedule}' {why}",),
            backup={"schedule": schedule},
        )
        for schedule, why in (
            ("0 0 30 2 *", _NEVER),
            ("0 0 31 apr,jun *", _NEVER),
            ("30-10 2 * * *", "has the range '30-10' for the minute, which ends before it begins"),
            ("0 22-6 * * *", "has the range '22-6' for the hour, which ends before it begins"),
            ("0 0 * * fri-sun", "has the range 'fri-sun' for the day of the week"),
            ("*/90 * * * *", "has a step of 90 for the minute"),
            ("0 0 */2 * 1", "limits both days, and programs differ in what '*/2'"),
        )
    ),
]
"""What only arithmetic tells: the API server takes it, and the operator refuses it."""

_KEY = "must be a name of 1 to 63 characters of A-Z, a-z, 0-9, '-', '_' and '.'"
_RESERVED_KEY = (
    "is reserved for Kubernetes, CloudNativePG and the platform; choose a key with a prefix"
)
_LABEL_VALUE = "must be at most 63 characters of A-Z, a-z, 0-9, '-', '_' and '.'"
_METADATA = "spec.connectionSecretMetadata"

_SECRET_METADATA = [
    *(
        _both(
            f"{field} key {key!r}",
            f"{_METADATA}.{field}",
            f"'{key}' {_KEY}",
            connectionSecretMetadata={field: {"team": "a", key: "x"}},
        )
        for field in ("labels", "annotations")
        for key in ("", "-a", "a-", "a b", "a/b/c", "/a", "Domain/a", "a" * 64, f"{'a' * 254}/b")
    ),
    *(
        _both(
            f"{field} key {key} is reserved",
            f"{_METADATA}.{field}",
            f"'{key}' {_RESERVED_KEY}",
            connectionSecretMetadata={field: {key: "x"}},
        )
        for field in ("labels", "annotations")
        for key in (
            "daap.io/database-uid",
            "app.kubernetes.io/managed-by",
            "kubernetes.io/a",
            "node.k8s.io/a",
            "cnpg.io/reload",
        )
    ),
    *(
        _both(
            f"label value {value!r}",
            f"{_METADATA}.labels",
            f"'{value}' {_LABEL_VALUE}",
            connectionSecretMetadata={"labels": {"team": value}},
        )
        for value in ("-a", "a-", "a b", "ä")
    ),
    _own(
        "label value of 64 characters",
        (f"{_METADATA}.labels", "Too long: may not be more than 63 bytes"),
        (f"{_METADATA}.labels", "at most 63 characters"),
        connectionSecretMetadata={"labels": {"team": "a" * 64}},
    ),
    _own(
        "annotation of 4097 characters",
        (f"{_METADATA}.annotations", "Too long: may not be more than 4096 bytes"),
        (f"{_METADATA}.annotations", "at most 4096 characters"),
        connectionSecretMetadata={"annotations": {"a": "a" * 4097}},
    ),
    *(
        _own(
            f"33 {field}",
            (f"{_METADATA}.{field}: Too many: 33: must have at most 32 items",),
            (f"{_METADATA}.{field}", "at most 32 items"),
            connectionSecretMetadata={field: {f"a{number}": "" for number in range(33)}},
        )
        for field in ("labels", "annotations")
    ),
]

_DELETIONS = [
    *(
        _own(
            f"deletion policy {policy}",
            *_choice("deletionPolicy", policy, "Delete", "Retain"),
            deletionPolicy=policy,
        )
        for policy in ("Keep", "retain")
    ),
    _own(
        "protection in words",
        ('spec.deletionProtection in body must be of type boolean: "string"',),
        ("spec.deletionProtection 'perhaps'", "valid boolean"),
        deletionProtection="perhaps",
    ),
]

WRONG: list[Wrong] = [
    *_NAMES,
    *_OWNERS,
    *_INSTANCES,
    *_STORAGE,
    *_VERSIONS,
    *_DATABASES,
    *_POOLERS,
    *_LOCALES,
    *_RESOURCES,
    *_BACKUPS,
    *_VERIFY,
    *_SOURCES,
    *BEYOND_PATTERNS,
    *_SECRETS,
    *_SECRET_METADATA,
    *_DELETIONS,
]

_GROWS = "storage grows and never shrinks; keep"
_HAVE = "that the volumes have"
_DATA = "is less than the version 17 of the data"
_CLASS = "a volume keeps its class; keep it, or create a new DaapDatabase and copy the data"
_KEEPS = "a database keeps its name; keep"
_LOCALE = "a database keeps its locale; keep that, or create a new DaapDatabase and copy the data"
_BACK = "PostgreSQL cannot go back; keep"


def _sized(size: object, **more: str) -> Object:
    return {"storage": {"size": size, **more}}


def _located(locale: str) -> Object:
    return {"locale": {"provider": "icu", "locale": locale}}


def _memory(**kinds: str) -> Object:
    return {"resources": {kind: {"memory": memory} for kind, memory in kinds.items()}}


TRANSITIONS: list[Transition] = [
    Transition("nothing changes", SPEC, SPEC),
    Transition("owner and purpose change", SPEC, {"ownerTeam": "other", "purpose": "Other"}),
    Transition("instances rise and fall", {"instances": 3}, {"instances": 1}),
    Transition("storage grows", _sized("10Gi"), _sized("11Gi")),
    Transition("storage in another unit", _sized("1Gi"), _sized("1024Mi")),
    Transition("storage grows from the default", {}, _sized("20Gi")),
    Transition("storage shrinks before there is a volume", _sized("20Gi"), _sized("19Gi")),
    Transition(
        "storage goes back to what the volumes have",
        _sized("100Gi"),
        _sized("1Gi"),
        status={"storage": "1Gi"},
    ),
    Transition(
        "storage goes back, in another unit",
        _sized("100Gi"),
        _sized("1024Mi"),
        status={"storage": "1Gi"},
    ),
    Transition(
        "storage goes back to more than the volumes have",
        _sized("100Gi"),
        _sized("50Gi"),
        status={"storage": "1Gi"},
    ),
    Transition(
        "storage stays, and the volumes have more",
        _sized("1Gi"),
        _sized("1Gi") | {"purpose": "Other"},
        status={"storage": "8Gi"},
    ),
    Transition(
        "storage grows to less than the volumes have",
        _sized("1Gi"),
        _sized("4Gi"),
        status={"storage": "8Gi"},
    ),
    Transition(
        "storage shrinks beside a status that is none",
        _sized("20Gi"),
        _sized("19Gi"),
        status={"storage": "much"},
    ),
    Transition(
        "storage shrinks",
        _sized("20Gi"),
        _sized("19Gi"),
        ("spec.storage.size", f"'19Gi' is less than the '20Gi' {_HAVE}", f"{_GROWS} '20Gi'"),
        status={"storage": "20Gi"},
    ),
    Transition(
        "storage goes back too far",
        _sized("100Gi"),
        _sized("19Gi"),
        ("spec.storage.size", f"'19Gi' is less than the '20Gi' {_HAVE}", f"{_GROWS} '20Gi'"),
        status={"storage": "20Gi"},
    ),
    Transition(
        "storage shrinks to the default",
        _sized("20Gi"),
        {},
        ("spec.storage.size", f"'10Gi' is less than the '20Gi' {_HAVE}", f"{_GROWS} '20Gi'"),
        status={"storage": "20Gi"},
    ),
    Transition(
        "storage shrinks to a number",
        _sized("2Gi"),
        _sized(1 << 30),
        ("spec.storage.size", f"'1073741824' is less than the '2Gi' {_HAVE}"),
        status={"storage": "2Gi"},
    ),
    Transition(
        "storage class is set later",
        _sized("10Gi"),
        _sized("10Gi", storageClass="fast"),
        ("spec.storage.storageClass", "'fast' cannot replace ''", _CLASS),
    ),
    Transition(
        "storage class changes",
        _sized("10Gi", storageClass="slow"),
        _sized("10Gi", storageClass="fast"),
        ("spec.storage.storageClass", "'fast' cannot replace 'slow'", _CLASS),
    ),
    Transition(
        "storage class is taken away",
        _sized("10Gi", storageClass="slow"),
        _sized("10Gi"),
        ("spec.storage.storageClass", "'' cannot replace 'slow'", _CLASS),
    ),
    Transition("version rises", {"postgresVersion": 16}, {"postgresVersion": 17}),
    Transition("version is set before it is allotted", {}, {"postgresVersion": 14}),
    Transition(
        "version is set to the one allotted",
        {},
        {"postgresVersion": 17},
        status={"postgresVersion": 17},
    ),
    Transition("version is left out again", {"postgresVersion": 17}, {}),
    Transition(
        "version falls before it is allotted", {"postgresVersion": 17}, {"postgresVersion": 16}
    ),
    Transition(
        "version goes back to that of the data",
        {"postgresVersion": 18},
        {"postgresVersion": 17},
        status={"postgresVersion": 17},
    ),
    Transition(
        "version is what it was, and the data is newer",
        {"postgresVersion": 16},
        {"postgresVersion": 16, "purpose": "Other"},
        status={"postgresVersion": 17},
    ),
    Transition(
        "version goes back too far",
        {"postgresVersion": 18},
        {"postgresVersion": 16},
        ("spec.postgresVersion", f"16 {_DATA}", f"{_BACK} 17 or more"),
        status={"postgresVersion": 17},
    ),
    Transition(
        "version falls",
        {"postgresVersion": 17},
        {"postgresVersion": 16},
        ("spec.postgresVersion", f"16 {_DATA}", f"{_BACK} 17 or more"),
        status={"postgresVersion": 17},
    ),
    Transition(
        "version falls below the one allotted",
        {},
        {"postgresVersion": 16},
        ("spec.postgresVersion", f"16 {_DATA}", f"{_BACK} 17 or more"),
        status={"postgresVersion": 17},
    ),
    Transition(
        "version rises to one that data is not upgraded to",
        {},
        {"postgresVersion": 15},
        ("spec.postgresVersion", "15 cannot be reached from data of version 14", "16 or later"),
        status={"postgresVersion": 14},
    ),
    Transition(
        "version is one that data is not upgraded to, from before the rule",
        {"postgresVersion": 15},
        {"postgresVersion": 15, "purpose": "Other"},
        status={"postgresVersion": 14},
    ),
    Transition(
        "version rises past one that data is not upgraded to",
        {"postgresVersion": 14},
        {"postgresVersion": 16},
        status={"postgresVersion": 14},
    ),
    Transition("database name is set before it is allotted", {}, {"databaseName": "shop"}),
    Transition(
        "database name is set to the one allotted",
        {},
        {"databaseName": "orders"},
        status={"databaseName": "orders"},
    ),
    Transition(
        "database name changes",
        {"databaseName": "shop"},
        {"databaseName": "store"},
        ("spec.databaseName", "'store' cannot replace 'shop'", f"{_KEEPS} 'shop'"),
    ),
    Transition(
        "database name is taken away",
        {"databaseName": "shop"},
        {},
        ("spec.databaseName", "'' cannot replace 'shop'", f"{_KEEPS} 'shop'"),
    ),
    Transition(
        "database name changes from the one allotted",
        {},
        {"databaseName": "store"},
        ("spec.databaseName", "'store' cannot replace 'orders'", f"{_KEEPS} 'orders'"),
        status={"databaseName": "orders"},
    ),
    Transition("locale is set before it is allotted", {}, _located("de")),
    Transition("locale changes before it is allotted", _located("de"), _located("fr")),
    Transition(
        "locale is set to the one allotted", {}, _located("de"), status={"locale": "icu/de"}
    ),
    Transition("locale is left out again", _located("de"), {}, status={"locale": "icu/de"}),
    Transition(
        "another field changes beside a locale that is not the one allotted",
        _located("de"),
        _located("de") | {"purpose": "Other"},
        status={"locale": "libc/C"},
    ),
    Transition(
        "locale changes",
        _located("de"),
        _located("fr"),
        ("spec.locale", "'icu/fr' cannot replace 'icu/de'", _LOCALE),
        status={"locale": "icu/de"},
    ),
    Transition(
        "locale changes from the one allotted",
        {},
        _located("de"),
        ("spec.locale", "'icu/de' cannot replace 'builtin/C.UTF-8'", _LOCALE),
        status={"locale": "builtin/C.UTF-8"},
    ),
    Transition(
        "Secret name changes", {"connectionSecretName": "one"}, {"connectionSecretName": "other"}
    ),
    Transition(
        "Secret name is the default", {}, {"connectionSecretName": "daap-orders-connection"}
    ),
    Transition(
        "a source changes after it was read",
        {"source": {"database": "orders"}},
        {"source": {"database": "orders", "at": "2026-11-28T03:00:00Z"}},
        ("spec.source", "is read once, when the database is created"),
        status={"clusterName": "daap-orders"},
    ),
    Transition(
        "a source is added to what there is",
        {},
        {"source": {"database": "orders"}},
        ("spec.source", "To begin with other data, create another DaapDatabase"),
        status={"clusterName": "daap-orders"},
    ),
    Transition(
        "a source is removed",
        {"source": {"database": "orders"}},
        {},
        status={"clusterName": "daap-orders"},
    ),
    Transition(
        "a source is corrected before it was read",
        {"source": {"database": "orders"}},
        {"source": {"database": "billing", "at": "2026-11-28T03:00:00+01:00"}},
        status={"phase": "Error"},
    ),
    Transition("backups are switched on", {}, {"backup": {"store": "backups"}}),
    Transition(
        "backups change",
        {"backup": {"store": "backups", "schedule": "@daily"}},
        {"backup": {"enabled": False, "schedule": "*/20 9-17 * jan-jun MON-fri,0"}},
    ),
    Transition(
        "drills and backups are switched off",
        {"backup": {"verify": {"schedule": "@weekly"}}},
        {"backup": {"enabled": False}},
    ),
    Transition(
        "a drill's queries change",
        {"backup": {"verify": {"schedule": "@weekly", "queries": [{"sql": "SELECT 1"}]}}},
        {"backup": {"verify": {"schedule": "0 4 * * sun", "queries": []}}},
    ),
    Transition("pooler changes", {}, {"pooler": {"mode": "Session", "instances": 2}}),
    Transition("resources are added", {}, {"resources": {"requests": {"cpu": "1"}}}),
    Transition(
        "resources are taken away",
        {"resources": {"requests": {"cpu": "1"}, "limits": {"memory": "1Gi"}}},
        {},
    ),
    Transition(
        "policy and protection change", {}, {"deletionPolicy": "Retain", "deletionProtection": True}
    ),
]

OLDER_THAN_A_RULE: list[Transition] = [
    Transition(
        "another field changes beside a language that ICU does not have",
        _located("cz"),
        _located("cz") | {"purpose": "Other"},
    ),
    Transition(
        "a language that ICU does not have changes to another",
        _located("cz"),
        _located("jp"),
        ("spec.locale", "'jp' is not a locale of provider icu"),
    ),
    Transition(
        "another field changes beside too little memory of before",
        _memory(limits="128Mi"),
        _memory(limits="128Mi") | {"purpose": "Other"},
    ),
    Transition(
        "CPU changes beside too little memory of before",
        _memory(requests="128Mi"),
        {"resources": {"requests": {"memory": "128Mi", "cpu": "1"}}},
    ),
    Transition(
        "memory falls below the least",
        _memory(limits="1Gi"),
        _memory(limits="128Mi"),
        ("spec.resources", "limits.memory '128Mi' is less than 256Mi"),
    ),
    Transition(
        "too little memory of before changes to other too little memory",
        _memory(limits="128Mi"),
        _memory(limits="192Mi"),
        ("spec.resources", "limits.memory '192Mi' is less than 256Mi"),
    ),
    Transition(
        "a limit goes, and what is requested is too little",
        {"resources": {"requests": {"memory": "128Mi"}, "limits": {"memory": "1Gi"}}},
        _memory(requests="128Mi"),
        ("spec.resources", "requests.memory '128Mi' is less than 256Mi"),
    ),
    Transition(
        "too little memory of before becomes enough",
        _memory(limits="128Mi"),
        _memory(limits="256Mi"),
    ),
]
"""Changes of objects that were stored before there was a least amount of memory."""
