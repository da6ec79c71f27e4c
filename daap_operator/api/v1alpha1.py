"""daap.io/v1alpha1: the DaapDatabase a team writes and the status it reads.

The docstrings below are what `kubectl explain daapdatabase` prints, and the CRD is generated from
these models (`make crds`): a bound or rule changed here changes the API.
"""

import re
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, field_validator, model_validator

from daap_operator import names
from daap_operator.api.base import Model, Quantity, amount
from daap_operator.api.rules import Rule, rule, validations

MAJORS = range(14, 19)
"""PostgreSQL's major versions that CloudNativePG 1.30 runs."""

# --- texts of the rules, for both judges ----------------------------------------------------------

NAME_PATTERN = r"^[a-z][a-z0-9-]{1,61}[a-z0-9]$"
NAME_TEXT = (
    "metadata.name '{}' must be 3 to 63 characters of a-z, 0-9 and '-', "
    "begin with a letter and end with a letter or digit"
)
NAME_RESERVED_TEXT = (
    "metadata.name '{}' names a database that PostgreSQL, PgBouncer or CloudNativePG keeps for "
    "itself: set spec.databaseName or choose another name"
)
BLANK_TEXT = "'{}' must begin and end with a visible character and hold no control characters"
PURPOSE_TEXT = "must not hold the character NUL"
SIZE_RANGE_TEXT = "'{}' must be from 1Gi to 64Ti; write the unit, as in 20Gi"
SHRINK_TEXT = "'{}' is less than the present '{}': storage grows and never shrinks; keep '{}'"
STORAGE_CLASS_TEXT = (
    "'{}' cannot take the place of '{}' (none: the default class): a volume keeps its class; "
    "keep it, or make a new DaapDatabase and copy the data"
)
MEMORY_TEXT = "'{}' is less than 64Mi, too little for PostgreSQL; write the unit, as in 512Mi"
LIMIT_TEXT = "requests.{} '{}' must not be more than limits.{} '{}'"
DATABASE_NAME_PATTERN = r"^[a-z][a-z0-9_]{0,62}$"
DATABASE_NAME_TEXT = "'{}' must be 1 to 63 characters of a-z, 0-9 and '_' and begin with a letter"
DATABASE_RESERVED_TEXT = (
    "'{}' is kept by PostgreSQL, PgBouncer or CloudNativePG for itself; choose another name"
)
DATABASE_IMMUTABLE_TEXT = (
    "'{}' cannot take the place of '{}': a database keeps its name; "
    "keep '{}', or make a new DaapDatabase and copy the data"
)
VERSION_TEXT = "'{}' is less than the present '{}': PostgreSQL cannot go back; keep '{}' or more"
_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
CONNECTION_NAME_PATTERN = rf"^{_LABEL}(\.{_LABEL})*$"
CONNECTION_NAME_TEXT = (
    "'{}' must be a Secret's name: at most 253 characters of a-z, 0-9, '-' and '.', "
    "each part between dots beginning and ending with a letter or digit"
)
CONNECTION_PREFIX_TEXT = (
    "spec.connectionSecretName '{}' must not begin with 'daap-', which is kept for the platform; "
    "choose another name or leave it out for '{}'"
)

_RESERVED = ", ".join(f"'{name}'" for name in sorted(names.RESERVED_DATABASE_NAMES))
_RESERVED_STARTS = " || ".join(
    f"{{0}}.startsWith('{prefix}')" for prefix in names.RESERVED_DATABASE_PREFIXES
)


def _reserved(expression: str) -> str:
    """CEL: whether the database name that `expression` gives is reserved."""
    return f"({expression} in [{_RESERVED}] || {_RESERVED_STARTS.format(expression)})"


def _version(expression: str) -> str:
    """CEL: the major version as text. `string()` of a number has no bound on its length, which the
    API server's cost limit needs."""
    known = "".join(f"{expression} == {major} ? '{major}' : " for major in MAJORS)
    return f"({known}'?')"


def _matched(pattern: str, text: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.search(pattern, value):
            raise ValueError(text.format(value))
        return value

    return AfterValidator(check)


def _pattern_rule(pattern: str, text: str) -> Rule:
    return rule(f"self.matches(r'{pattern}')", text, "self")


# --- spec -----------------------------------------------------------------------------------------

_VISIBLE = r"^[^\p{Z}\p{Cc}]([^\p{Cc}]*[^\p{Z}\p{Cc}])?$"
_VISIBLE_PYTHON = r"\A[^\s\x00-\x1f\x7f-\x9f]([^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f])?\Z"

_GI, _TI, _MI = 2**30, 2**40, 2**20


class Storage(Model):
    """The volume of each instance."""

    size: Quantity = "10Gi"
    """Size of the volume of each instance, from 1Gi to 64Ti. It can grow and never shrinks."""

    storage_class: Annotated[
        str | None, Field(min_length=1, max_length=253, alias="storageClass")
    ] = None
    """Name of the StorageClass; the cluster's default when left out. Immutable."""

    @field_validator("size")
    @classmethod
    def _in_range(cls, size: str) -> str:
        if not _GI <= amount(size) <= 64 * _TI:
            raise ValueError(SIZE_RANGE_TEXT.format(size))
        return size


STORAGE_RULES = validations(
    rule(
        "!isQuantity(string(self.size)) || "
        "(quantity(string(self.size)).compareTo(quantity('1Gi')) >= 0 && "
        "quantity(string(self.size)).compareTo(quantity('64Ti')) <= 0)",
        SIZE_RANGE_TEXT,
        "string(self.size)",
        path=".size",
    ),
    rule(
        "!isQuantity(string(self.size)) || !isQuantity(string(oldSelf.size)) || "
        "quantity(string(self.size)).compareTo(quantity(string(oldSelf.size))) >= 0",
        SHRINK_TEXT,
        "string(self.size)",
        "string(oldSelf.size)",
        "string(oldSelf.size)",
        path=".size",
    ),
    rule(
        "has(self.storageClass) == has(oldSelf.storageClass) && "
        "(!has(self.storageClass) || self.storageClass == oldSelf.storageClass)",
        STORAGE_CLASS_TEXT,
        "(has(self.storageClass) ? self.storageClass : '')",
        "(has(oldSelf.storageClass) ? oldSelf.storageClass : '')",
        path=".storageClass",
    ),
)


class PoolMode(StrEnum):
    """When PgBouncer gives a server connection back."""

    TRANSACTION = "Transaction"
    SESSION = "Session"


class Pooler(Model):
    """The PgBouncer in front of the database, through which clients connect."""

    instances: Annotated[int, Field(ge=1, le=10)] = 1
    """Number of PgBouncer pods, 1 to 10."""

    mode: PoolMode = PoolMode.TRANSACTION
    """`Transaction` shares server connections between transactions; `Session` gives each client one
    of its own for as long as it is connected, for software that needs session state."""

    max_client_connections: Annotated[int, Field(ge=10, le=10000)] = 1000
    """How many clients each PgBouncer pod takes at once, 10 to 10000."""


class ResourceAmounts(Model):
    """Amounts of CPU and memory."""

    cpu: Quantity | None = None
    """CPU in cores, for example `500m` or `2`."""

    memory: Quantity | None = None
    """Memory in bytes, for example `1Gi`; at least 64Mi."""

    @field_validator("memory")
    @classmethod
    def _enough(cls, memory: str | None) -> str | None:
        if memory is not None and amount(memory) < 64 * _MI:
            raise ValueError(MEMORY_TEXT.format(memory))
        return memory


AMOUNT_RULES = validations(
    rule(
        "!has(self.memory) || !isQuantity(string(self.memory)) || "
        "quantity(string(self.memory)).compareTo(quantity('64Mi')) >= 0",
        MEMORY_TEXT,
        "string(self.memory)",
        path=".memory",
    )
)


class Resources(Model):
    """What each PostgreSQL instance asks for and may use at most."""

    requests: Annotated[ResourceAmounts | None, Field(json_schema_extra=AMOUNT_RULES)] = None
    """What each instance is guaranteed."""

    limits: Annotated[ResourceAmounts | None, Field(json_schema_extra=AMOUNT_RULES)] = None
    """What each instance may use at most."""

    @model_validator(mode="after")
    def _within_limits(self) -> Self:
        requests, limits = self.requests or ResourceAmounts(), self.limits or ResourceAmounts()
        for what, request, limit in (
            ("cpu", requests.cpu, limits.cpu),
            ("memory", requests.memory, limits.memory),
        ):
            if request is not None and limit is not None and amount(request) > amount(limit):
                raise ValueError(LIMIT_TEXT.format(what, request, what, limit))
        return self


def _limit_rule(what: str) -> Rule:
    request, limit = f"self.requests.{what}", f"self.limits.{what}"
    return rule(
        f"!has(self.requests) || !has({request}) || !has(self.limits) || !has({limit}) || "
        f"!isQuantity(string({request})) || !isQuantity(string({limit})) || "
        f"quantity(string({request})).compareTo(quantity(string({limit}))) <= 0",
        LIMIT_TEXT,
        f"'{what}'",
        f"string({request})",
        f"'{what}'",
        f"string({limit})",
        path=".requests",
    )


RESOURCE_RULES = validations(_limit_rule("cpu"), _limit_rule("memory"))


class DeletionPolicy(StrEnum):
    """What becomes of the data when the DaapDatabase is deleted."""

    DELETE = "Delete"
    RETAIN = "Retain"


class DaapDatabaseSpec(Model):
    """What the team asks for."""

    owner_team: Annotated[
        str,
        Field(
            max_length=255,
            json_schema_extra=validations(_pattern_rule(_VISIBLE, BLANK_TEXT)),
        ),
        _matched(_VISIBLE_PYTHON, BLANK_TEXT),
    ]
    """The team that owns the database and answers for it."""

    purpose: Annotated[
        str,
        Field(
            max_length=1024,
            json_schema_extra=validations(rule(r"!self.contains('\u0000')", PURPOSE_TEXT)),
        ),
    ] = ""
    """What the database is for, in a sentence a stranger understands."""

    instances: Annotated[int, Field(ge=1, le=9)] = 1
    """Number of PostgreSQL instances, 1 to 9: one primary, the others replicas that can take over.
    Use 3 for production."""

    storage: Annotated[
        Storage, Field(json_schema_extra={"default": {"size": "10Gi"}, **STORAGE_RULES})
    ] = Storage()
    """The volume of each instance."""

    postgres_version: Annotated[int | None, Field(ge=MAJORS[0], le=MAJORS[-1])] = None
    """PostgreSQL's major version, 14 to 18. When left out, the platform's default at the time the
    database is made, and kept. It can rise (upgraded in place, with an outage) and never falls."""

    database_name: Annotated[
        str | None,
        Field(
            max_length=63,
            json_schema_extra=validations(
                _pattern_rule(DATABASE_NAME_PATTERN, DATABASE_NAME_TEXT),
                rule(f"!{_reserved('self')}", DATABASE_RESERVED_TEXT, "self"),
            ),
        ),
    ] = None
    """Name of the database, and of the role that owns it, inside PostgreSQL. When left out, this
    object's name with `_` for `-`. Immutable."""

    pooler: Annotated[Pooler, Field(json_schema_extra={"default": {}})] = Pooler()
    """The PgBouncer in front of the database, through which clients connect."""

    resources: Annotated[Resources | None, Field(json_schema_extra=RESOURCE_RULES)] = None
    """CPU and memory of each PostgreSQL instance."""

    connection_secret_name: Annotated[
        str | None,
        Field(
            max_length=253,
            json_schema_extra=validations(
                _pattern_rule(CONNECTION_NAME_PATTERN, CONNECTION_NAME_TEXT)
            ),
        ),
    ] = None
    """Name of the Secret with the connection details; `daap-{name}-connection` when left out. A
    Secret of that name which this database did not make is never touched."""

    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """`Delete` removes the data together with this object. `Retain` leaves the CloudNativePG
    Cluster, its volumes, its Pooler and the Secret in place and running, owned by nothing."""

    deletion_protection: bool = False
    """While true, a deletion of this object is held until this is set to false."""

    @field_validator("purpose")
    @classmethod
    def _no_nul(cls, purpose: str) -> str:
        if "\0" in purpose:
            raise ValueError(PURPOSE_TEXT)
        return purpose

    @field_validator("database_name")
    @classmethod
    def _usable_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(DATABASE_NAME_PATTERN, name):
            raise ValueError(DATABASE_NAME_TEXT.format(name))
        if name is not None and names.reserved(name):
            raise ValueError(DATABASE_RESERVED_TEXT.format(name))
        return name

    @field_validator("connection_secret_name")
    @classmethod
    def _secret_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(CONNECTION_NAME_PATTERN, name):
            raise ValueError(CONNECTION_NAME_TEXT.format(name))
        return name


SPEC_RULES = validations(
    rule(
        "!has(oldSelf.databaseName) || "
        "(has(self.databaseName) && self.databaseName == oldSelf.databaseName)",
        DATABASE_IMMUTABLE_TEXT,
        "(has(self.databaseName) ? self.databaseName : '')",
        "(has(oldSelf.databaseName) ? oldSelf.databaseName : '')",
        "(has(oldSelf.databaseName) ? oldSelf.databaseName : '')",
        path=".databaseName",
    ),
    rule(
        "!has(oldSelf.postgresVersion) || !has(self.postgresVersion) || "
        "self.postgresVersion >= oldSelf.postgresVersion",
        VERSION_TEXT,
        _version("self.postgresVersion"),
        _version("oldSelf.postgresVersion"),
        _version("oldSelf.postgresVersion"),
        path=".postgresVersion",
    ),
)


# --- status ---------------------------------------------------------------------------------------


class Phase(StrEnum):
    """The database's life in one word, for people."""

    PROVISIONING = "Provisioning"
    READY = "Ready"
    ERROR = "Error"
    DELETING = "Deleting"


class ConditionType(StrEnum):
    """The conditions a DaapDatabase has."""

    READY = "Ready"
    RECONCILING = "Reconciling"
    STALLED = "Stalled"
    METADATA_SYNCED = "MetadataSynced"


class Condition(Model):
    """One observation, as Kubernetes' metav1.Condition."""

    type: Annotated[str, Field(max_length=316)]
    """`Ready`: clients can connect through `host` now. `Reconciling`: a change is under way.
    `Stalled`: somebody must act. `MetadataSynced`: the platform's inventory has this state."""

    status: Literal["True", "False", "Unknown"]
    """Whether it holds."""

    observed_generation: Annotated[int, Field(ge=0, json_schema_extra={"format": "int64"})] = 0
    """The metadata.generation this was observed for."""

    last_transition_time: datetime
    """When `status` last changed."""

    reason: Annotated[str, Field(min_length=1, max_length=1024)]
    """Why, in one CamelCase word."""

    message: Annotated[str, Field(max_length=32768)]
    """Why, for people, and what to do."""


class Binding(Model):
    """The service binding's duck type: https://servicebinding.io."""

    name: Annotated[str | None, Field(max_length=253)] = None
    """Name of the Secret to bind."""


class DaapDatabaseStatus(Model):
    """What the operator last saw. Never a secret."""

    observed_generation: Annotated[
        int | None, Field(ge=-1, json_schema_extra={"format": "int64"})
    ] = None
    """The metadata.generation this status speaks of; -1 before the operator's first look."""

    phase: Phase | None = None
    """The database's life in one word; the conditions tell more."""

    host: Annotated[str | None, Field(max_length=253)] = None
    """Full DNS name clients connect to: the pooler."""

    port: Annotated[int | None, Field(ge=1, le=65535)] = None
    """Port clients connect to."""

    database_name: Annotated[str | None, Field(max_length=63)] = None
    """Name of the database inside PostgreSQL."""

    username: Annotated[str | None, Field(max_length=63)] = None
    """Role that owns the database; its password is in the Secret."""

    secret_name: Annotated[str | None, Field(max_length=253)] = None
    """Name of the Secret with the connection details, in this namespace."""

    secret_revision: Annotated[str | None, Field(max_length=64)] = None
    """Changes whenever the Secret's content does: a hook for restarting clients."""

    binding: Binding | None = None
    """The same Secret, where service binding looks for it."""

    cluster_name: Annotated[str | None, Field(max_length=63)] = None
    """Name of the CloudNativePG Cluster. Set once, when this object gets its name's database."""

    pooler_name: Annotated[str | None, Field(max_length=63)] = None
    """Name of the CloudNativePG Pooler."""

    postgres_version: Annotated[int | None, Field(ge=1)] = None
    """PostgreSQL's major version."""

    instances: Annotated[int | None, Field(ge=0)] = None
    """Number of instances there are."""

    ready_instances: Annotated[int | None, Field(ge=0)] = None
    """Number of instances that are ready."""

    storage: Annotated[str | None, Field(max_length=32)] = None
    """Size asked for the volume of each instance."""

    conditions: Annotated[
        list[Condition],
        Field(
            max_length=16,
            json_schema_extra={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            },
            default_factory=list,
        ),
    ]
    """What holds and why: Ready, Reconciling, Stalled, MetadataSynced."""

    def condition(self, kind: ConditionType) -> Condition | None:
        """The condition of that type, if it was ever written."""
        return next((c for c in self.conditions if c.type == kind), None)


# --- the object -----------------------------------------------------------------------------------

_NAME = "self.metadata.name"
_DERIVED = f"{_NAME}.replace('-', '_')"
_SECRET = "self.spec.connectionSecretName"  # noqa: S105 - an expression
_DEFAULT_SECRET = f"'daap-' + {_NAME} + '-connection'"
_STATUS_NAME = "self.status.databaseName"
_STATUS_VERSION = "self.status.postgresVersion"

ROOT_RULES = validations(
    # A name never changes: judged once, so that an object older than the rule can still be edited.
    rule(
        f"oldSelf.hasValue() || {_NAME}.matches(r'{NAME_PATTERN}')",
        NAME_TEXT,
        _NAME,
        on_create=True,
    ),
    rule(
        f"oldSelf.hasValue() || has(self.spec.databaseName) || !{_reserved(_DERIVED)}",
        NAME_RESERVED_TEXT,
        _NAME,
        on_create=True,
    ),
    rule(
        f"!has({_SECRET}) || !{_SECRET}.startsWith('daap-') || {_SECRET} == {_DEFAULT_SECRET}",
        CONNECTION_PREFIX_TEXT,
        _SECRET,
        _DEFAULT_SECRET,
        path=".spec.connectionSecretName",
    ),
    rule(
        "has(oldSelf.spec.databaseName) || !has(self.spec.databaseName) || "
        f"!has(self.status) || !has({_STATUS_NAME}) || self.spec.databaseName == {_STATUS_NAME}",
        DATABASE_IMMUTABLE_TEXT,
        "self.spec.databaseName",
        _STATUS_NAME,
        _STATUS_NAME,
        path=".spec.databaseName",
    ),
    rule(
        "has(oldSelf.spec.postgresVersion) || !has(self.spec.postgresVersion) || "
        f"!has(self.status) || !has({_STATUS_VERSION}) || "
        f"self.spec.postgresVersion >= {_STATUS_VERSION}",
        VERSION_TEXT,
        _version("self.spec.postgresVersion"),
        _version(_STATUS_VERSION),
        _version(_STATUS_VERSION),
        path=".spec.postgresVersion",
    ),
)


class Metadata(Model):
    """What the operator reads of an object's metadata."""

    name: str
    namespace: str
    uid: str
    resource_version: str
    generation: int = 0
    creation_timestamp: datetime
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()

    @property
    def deleting(self) -> bool:
        """Whether the deletion was asked for."""
        return self.deletion_timestamp is not None


class DaapDatabase(Model):
    """A PostgreSQL database: highly available when asked, pooled, with its connection details in a
    Secret and its place in the platform's inventory."""

    metadata: Metadata
    spec: Annotated[DaapDatabaseSpec, Field(json_schema_extra=SPEC_RULES)]
    """What the team asks for."""
    status: DaapDatabaseStatus = DaapDatabaseStatus(conditions=[])
    """What the operator last saw."""

    @model_validator(mode="after")
    def _named_well(self) -> Self:
        name, secret = self.metadata.name, self.spec.connection_secret_name
        derived = names.database_name(name)
        if not re.fullmatch(NAME_PATTERN, name):
            raise ValueError(NAME_TEXT.format(name))
        if self.spec.database_name is None and names.reserved(derived):
            raise ValueError(NAME_RESERVED_TEXT.format(name))
        default = names.secret_name(name)
        if secret is not None and secret.startswith("daap-") and secret != default:
            raise ValueError(CONNECTION_PREFIX_TEXT.format(secret, default))
        return self
