"""The object itself, and the rules that span its parts."""

import re
from typing import Annotated, Self

from pydantic import Field, model_validator

from daap_operator import names
from daap_operator.api.base import Model
from daap_operator.api.meta import Metadata
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.database.locale import IMMUTABLE_RULE, IMMUTABLE_TEXT
from daap_operator.api.v1alpha1.database.source import (
    READ_ONCE_RULE,
    VERSION_NEEDED_RULE,
    VERSION_NEEDED_TEXT,
)
from daap_operator.api.v1alpha1.database.spec import SPEC_RULES, DaapDatabaseSpec
from daap_operator.api.v1alpha1.database.status import DaapDatabaseStatus
from daap_operator.api.v1alpha1.database.texts import (
    CONNECTION_PREFIX_TEXT,
    DATABASE_IMMUTABLE_TEXT,
    NAME_PATTERN,
    NAME_RESERVED_TEXT,
    NAME_TEXT,
    SHRINK_TEXT,
    UNREACHED_TEXT,
    VERSION_TEXT,
    reserved_in,
    version_in,
)
from daap_operator.majors import FIRST_REACHED

_NAME = "self.metadata.name"
_DERIVED = f"{_NAME}.replace('-', '_')"
_SECRET = "self.spec.connectionSecretName"  # noqa: S105 - an expression
_DEFAULT_SECRET = f"'daap-' + {_NAME} + '-connection'"
_STATUS_NAME = "self.status.databaseName"
_SIZE, _OLD_SIZE = "self.spec.storage.size", "oldSelf.spec.storage.size"
_STATUS_SIZE = "self.status.storage"
_VERSION, _OLD_VERSION = "self.spec.postgresVersion", "oldSelf.spec.postgresVersion"
_STATUS_VERSION = "self.status.postgresVersion"


def _amount(expression: str) -> str:
    return f"quantity(string({expression}))"


ROOT_RULES = validations(
    # A name never changes: judged once, so that an object older than the rule can still be edited.
    rule(
        f"oldSelf.hasValue() || {_NAME}.matches(r'{NAME_PATTERN}')",
        NAME_TEXT,
        _NAME,
        on_create=True,
    ),
    rule(
        f"oldSelf.hasValue() || has(self.spec.databaseName) || !{reserved_in(_DERIVED)}",
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
    # What the status tells is what there is: up to there a mistake can be taken back. A value as
    # it was before is always taken, so that what is stored can be edited.
    rule(
        f"!isQuantity(string({_SIZE})) || !isQuantity(string({_OLD_SIZE})) || "
        f"{_amount(_SIZE)}.compareTo({_amount(_OLD_SIZE)}) >= 0 || "
        f"!has(self.status) || !has({_STATUS_SIZE}) || !isQuantity({_STATUS_SIZE}) || "
        f"{_amount(_SIZE)}.compareTo(quantity({_STATUS_SIZE})) >= 0",
        SHRINK_TEXT,
        f"string({_SIZE})",
        _STATUS_SIZE,
        _STATUS_SIZE,
        path=".spec.storage.size",
    ),
    rule(
        f"!has({_VERSION}) || (has({_OLD_VERSION}) && {_VERSION} >= {_OLD_VERSION}) || "
        f"!has(self.status) || !has({_STATUS_VERSION}) || {_VERSION} >= {_STATUS_VERSION}",
        VERSION_TEXT,
        version_in(_VERSION),
        version_in(_STATUS_VERSION),
        version_in(_STATUS_VERSION),
        path=".spec.postgresVersion",
    ),
    rule(
        f"!has({_VERSION}) || {_VERSION} >= {FIRST_REACHED} || "
        f"(has({_OLD_VERSION}) && {_VERSION} == {_OLD_VERSION}) || "
        f"!has(self.status) || !has({_STATUS_VERSION}) || {_VERSION} <= {_STATUS_VERSION}",
        UNREACHED_TEXT,
        version_in(_VERSION),
        version_in(_STATUS_VERSION),
        version_in(_STATUS_VERSION),
        path=".spec.postgresVersion",
    ),
    IMMUTABLE_RULE,
    READ_ONCE_RULE,
    VERSION_NEEDED_RULE,
)


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

    @model_validator(mode="after")
    def _locale_kept(self) -> Self:
        asked, allotted = self.spec.locale, self.status.locale
        if asked and allotted and str(asked) != allotted:
            raise ValueError(IMMUTABLE_TEXT.format(asked, allotted))
        return self

    @model_validator(mode="after")
    def _to_be_made(self) -> Self:
        """Judged until the Cluster is made: one that is older than the rule goes on as it is."""
        if self.status.cluster_name:
            return self
        locale, resources, source = self.spec.locale, self.spec.resources, self.spec.source
        if locale and (why := locale.unknown_language()):
            raise ValueError(f"spec.locale {why}")
        if resources and (why := resources.too_little()):
            raise ValueError(f"spec.{why}")
        if source and source.archive and self.spec.postgres_version is None:
            raise ValueError(f"spec.source {VERSION_NEEDED_TEXT.format(source.archive)}")
        return self
