"""The parts of a spec: storage, pooler, resources, each with its rules."""

import re
from enum import StrEnum
from typing import Annotated, Self

from pydantic import Field, field_validator, model_validator

from daap_operator.api.base import Model, Quantity, amount
from daap_operator.api.rules import Rule, rule, validations
from daap_operator.api.v1alpha1.database.texts import (
    LEAST_MI,
    LEAST_TEXT,
    LIMIT_TEXT,
    MEMORY_TEXT,
    SIZE_RANGE_TEXT,
    STORAGE_CLASS_NAME_TEXT,
    STORAGE_CLASS_PATTERN,
    STORAGE_CLASS_TEXT,
    pattern_rule,
)

_GI, _TI, _MI = 2**30, 2**40, 2**20


class Storage(Model):
    """The volume of each instance."""

    size: Quantity = "10Gi"
    """Size of the volume of each instance, from 1Gi to 64Ti. Volumes grow, where their
    StorageClass allows it, and never shrink: a size they have not reached can be taken back, down
    to `status.storage`."""

    storage_class: Annotated[
        str | None,
        Field(
            max_length=253,
            alias="storageClass",
            json_schema_extra=validations(
                pattern_rule(STORAGE_CLASS_PATTERN, STORAGE_CLASS_NAME_TEXT)
            ),
        ),
    ] = None
    """Name of the StorageClass; the cluster's default when left out. Immutable."""

    @field_validator("size")
    @classmethod
    def _in_range(cls, size: str) -> str:
        if not _GI <= amount(size) <= 64 * _TI:
            raise ValueError(SIZE_RANGE_TEXT.format(size))
        return size

    @field_validator("storage_class")
    @classmethod
    def _class_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(STORAGE_CLASS_PATTERN, name):
            raise ValueError(STORAGE_CLASS_NAME_TEXT.format(name))
        return name


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
    """How many clients each PgBouncer pod accepts at once, 10 to 10000."""


class ResourceAmounts(Model):
    """Amounts of CPU and memory."""

    cpu: Quantity | None = None
    """CPU in cores, for example `500m` or `2`."""

    memory: Quantity | None = None
    """Memory in bytes, for example `1Gi`; at least 64Mi, and at least 256Mi for what an instance
    may use."""

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

    def too_little(self) -> str:
        """Why PostgreSQL would not survive with so much memory; empty where it would."""
        for kind, amounts in (("limits", self.limits), ("requests", self.requests)):
            if amounts and amounts.memory is not None:
                enough = amount(amounts.memory) >= LEAST_MI * _MI
                return "" if enough else LEAST_TEXT.format(kind, amounts.memory)
        return ""


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


def _least_rule(kind: str) -> Rule:
    """What an instance may use: its limit, or what it requests where it has none.

    A value that does not change is not judged: it may be older than the rule.
    """
    memory = f"{kind}.memory"
    unchanged = f"oldSelf.hasValue() && {_counts('oldSelf.value()', kind)} && "
    # Without string(), whose cost on an old value the API server takes for unbounded
    unchanged += f"oldSelf.value().{memory} == self.{memory}"
    return rule(
        f"!({_counts('self', kind)}) || !isQuantity(string(self.{memory})) || "
        f"quantity(string(self.{memory})).compareTo(quantity('{LEAST_MI}Mi')) >= 0 || "
        f"({unchanged})",
        LEAST_TEXT,
        f"'{kind}'",
        f"string(self.{memory})",
        path=f".{kind}",
        on_create=True,
    )


def _counts(resources: str, kind: str) -> str:
    """CEL: whether that kind is there, and is the one that bounds an instance's memory."""
    there = "has({0}.{1}) && has({0}.{1}.memory)"
    counts = there.format(resources, kind)
    limited = there.format(resources, "limits")
    return counts if kind == "limits" else f"{counts} && !({limited})"


RESOURCE_RULES = validations(
    _limit_rule("cpu"), _limit_rule("memory"), _least_rule("limits"), _least_rule("requests")
)
