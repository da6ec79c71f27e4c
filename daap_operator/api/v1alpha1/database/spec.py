"""What a team asks for."""

import re
from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field, ValidationInfo, field_validator

from daap_operator import names
from daap_operator.api.base import Model
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.database.backup import BACKUP_RULES, Backup
from daap_operator.api.v1alpha1.database.labels import SecretMetadata
from daap_operator.api.v1alpha1.database.locale import LOCALE_RULES, VERSION_RULE, Locale
from daap_operator.api.v1alpha1.database.parts import (
    RESOURCE_RULES,
    STORAGE_RULES,
    Pooler,
    Resources,
    Storage,
)
from daap_operator.api.v1alpha1.database.source import SOURCE_RULES, Source
from daap_operator.api.v1alpha1.database.texts import (
    CONNECTION_NAME_PATTERN,
    CONNECTION_NAME_TEXT,
    DATABASE_IMMUTABLE_TEXT,
    DATABASE_NAME_PATTERN,
    DATABASE_NAME_TEXT,
    DATABASE_RESERVED_TEXT,
    LINE,
    LINE_TEXT,
    MAJORS,
    VISIBLE,
    VISIBLE_PYTHON,
    VISIBLE_TEXT,
    matched,
    pattern_rule,
    reserved_in,
)
from daap_operator.lines import line


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
            json_schema_extra=validations(pattern_rule(VISIBLE, VISIBLE_TEXT)),
        ),
        AfterValidator(line),
        matched(VISIBLE_PYTHON, VISIBLE_TEXT),
    ]
    """The team that owns the database and answers for it. One line of text, without characters that
    cannot be seen."""

    purpose: Annotated[
        str,
        Field(
            max_length=1024,
            json_schema_extra=validations(rule(f"self.matches(r'{LINE}')", LINE_TEXT)),
        ),
        AfterValidator(line),
    ] = ""
    """What the database is for, in a sentence a stranger understands. One line of text, without
    characters that cannot be seen."""

    instances: Annotated[int, Field(ge=1, le=9)] = 1
    """Number of PostgreSQL instances, 1 to 9: one primary, the others replicas that can take over.
    Use 3 for production."""

    storage: Annotated[
        Storage, Field(json_schema_extra={"default": {"size": "10Gi"}, **STORAGE_RULES})
    ] = Storage()
    """The volume of each instance."""

    postgres_version: Annotated[int | None, Field(ge=MAJORS[0], le=MAJORS[-1])] = None
    """PostgreSQL's major version, 14 to 18. When left out, the platform's default when the
    database is created, kept from then on. It can be raised (upgraded in place, with an outage),
    and set back to `status.postgresVersion` as long as the data has not been upgraded."""

    database_name: Annotated[
        str | None,
        Field(
            max_length=63,
            json_schema_extra=validations(
                pattern_rule(DATABASE_NAME_PATTERN, DATABASE_NAME_TEXT),
                rule(f"!{reserved_in('self')}", DATABASE_RESERVED_TEXT, "self"),
            ),
        ),
    ] = None
    """Name of the database, and of the role that owns it, inside PostgreSQL. When left out, this
    object's name with `_` for `-`. Immutable."""

    locale: Annotated[Locale | None, Field(json_schema_extra=LOCALE_RULES)] = None
    """How text is compared, sorted and cased. When left out, Unicode: builtin `C.UTF-8` from
    PostgreSQL 17 on, icu `und` for 15 and 16, libc `C.UTF-8` for 14. Immutable: `status.locale`
    says what the database was created with."""

    pooler: Annotated[Pooler, Field(json_schema_extra={"default": {}})] = Pooler()
    """The PgBouncer in front of the database, through which clients connect."""

    resources: Annotated[Resources | None, Field(json_schema_extra=RESOURCE_RULES)] = None
    """CPU and memory of each PostgreSQL instance."""

    backup: Annotated[Backup | None, Field(json_schema_extra=BACKUP_RULES)] = None
    """Backups, from which the database can be restored to any moment. The platform's default when
    left out."""

    source: Annotated[Source | None, Field(json_schema_extra=SOURCE_RULES)] = None
    """What a new database begins with: the data of another one, of a deleted one, or of an archive,
    restored from its backups. Read once, when the database is created; it can be removed
    afterwards. The database begins empty when left out."""

    connection_secret_name: Annotated[
        str | None,
        Field(
            max_length=253,
            json_schema_extra=validations(
                pattern_rule(CONNECTION_NAME_PATTERN, CONNECTION_NAME_TEXT)
            ),
        ),
    ] = None
    """Name of the Secret with the connection details; `daap-{name}-connection` when left out. A
    Secret of that name that this database did not create is never touched."""

    connection_secret_metadata: Annotated[
        SecretMetadata | None, Field(alias="connectionSecretMetadata")
    ] = None
    """Labels and annotations for the Secret, such as those that a replicator reads. What others
    put on it stays."""

    deletion_policy: DeletionPolicy = DeletionPolicy.DELETE
    """`Delete` removes the data together with this object. `Retain` leaves the CloudNativePG
    Cluster, its volumes, its Pooler and the Secret in place and running, owned by nothing."""

    deletion_protection: bool = False
    """While true, a deletion of this object is held back until this is set to false."""

    @field_validator("database_name")
    @classmethod
    def _usable_name(cls, name: str | None) -> str | None:
        if name is not None and not re.fullmatch(DATABASE_NAME_PATTERN, name):
            raise ValueError(DATABASE_NAME_TEXT.format(name))
        if name is not None and names.reserved(name):
            raise ValueError(DATABASE_RESERVED_TEXT.format(name))
        return name

    @field_validator("locale")
    @classmethod
    def _locale_to_be_had(cls, locale: Locale | None, others: ValidationInfo) -> Locale | None:
        major = others.data.get("postgres_version")
        if locale and major and (why := locale.objection(major)):
            raise ValueError(why)
        return locale

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
    VERSION_RULE,
)
