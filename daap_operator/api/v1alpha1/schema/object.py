"""The object itself, and what a team asks for."""

from enum import StrEnum
from typing import Annotated

from pydantic import AfterValidator, Field

from daap_operator.api.base import Model
from daap_operator.api.meta import Metadata
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.backup.object import DatabaseName
from daap_operator.api.v1alpha1.database.texts import matched, pattern_rule
from daap_operator.api.v1alpha1.schema.lint_rules import LintRule
from daap_operator.api.v1alpha1.schema.rehearsal import Rehearsal
from daap_operator.api.v1alpha1.schema.sources import FileName, Sources
from daap_operator.api.v1alpha1.schema.status import DaapSchemaStatus

IDENTIFIER_PATTERN = r"^[A-Za-z_][A-Za-z0-9_-]{0,62}$"
IDENTIFIER_TEXT = (
    "'{}' must be a name in PostgreSQL: at most 63 characters of A-Z, a-z, 0-9, '_' and '-', "
    "beginning with a letter or '_'"
)
HASH_PATTERN = r"^[0-9a-f]{64}$"
HASH_TEXT = (
    "'{}' must be the whole hash of a plan, 64 hexadecimal digits: copy it from status.plan, or "
    "leave it out"
)
DATABASE_FIXED_TEXT = (
    "databaseRef.name '{}' cannot replace '{}': a DaapSchema is about one database; keep '{}', or "
    "create another DaapSchema"
)
LEDGER_FIXED_TEXT = (
    "ledger '{}' cannot replace '{}': the database's tables were made by that ledger's files; "
    "keep '{}', or create another DaapSchema"
)
EMPTY_TEXT = "must not be empty: name a ConfigMap or an image with the files, or write them inline"
LAST_SECONDS = 7 * 86_400


def _some(found: Sources) -> Sources:
    if not found:
        raise ValueError(EMPTY_TEXT)
    return found


class Approval(StrEnum):
    """Who decides that a plan is applied."""

    AUTOMATIC = "Automatic"
    REQUIRED = "Required"


class OnDestructive(StrEnum):
    """What becomes of a plan that deletes data."""

    REFUSE = "Refuse"
    APPROVE = "Approve"
    ALLOW = "Allow"


class LintLevel(StrEnum):
    """Which findings stop a plan."""

    ERROR = "Error"
    WARNING = "Warning"
    NEVER = "Never"


class SchemaDatabaseRef(Model):
    """The database that the files are for."""

    name: DatabaseName
    """Name of the DaapDatabase, in this namespace. One that does not exist yet, or is not ready, is
    waited for."""


class Lint(Model):
    """What of the findings stops a plan."""

    level: LintLevel = LintLevel.ERROR
    """`Error`: errors stop it. `Warning`: warnings, too. `Never`: no finding does, only what cannot
    be run."""

    ignore: Annotated[
        tuple[Annotated[LintRule, Field(description="The name of a rule.")], ...],
        Field(max_length=64, default_factory=tuple),
    ]
    """Rules that are left out. Those about what deletes data cannot be."""


Identifier = Annotated[
    str,
    Field(
        max_length=63,
        json_schema_extra=validations(pattern_rule(IDENTIFIER_PATTERN, IDENTIFIER_TEXT)),
    ),
    matched(IDENTIFIER_PATTERN, IDENTIFIER_TEXT),
]


class DaapSchemaSpec(Model):
    """What the team asks for."""

    database_ref: SchemaDatabaseRef
    """The database that the files are for. Immutable."""

    schema_files: Annotated[
        Sources,
        Field(alias="schema", json_schema_extra=validations(rule("size(self) > 0", EMPTY_TEXT))),
        AfterValidator(_some),
    ]
    """The files that make the tables, applied once each, by name. An applied file never changes:
    what should be different goes into a new file."""

    fixtures: Annotated[Sources, Field(default_factory=tuple)]
    """Files with rows that the application needs, applied after the schema's, and again whenever
    they change."""

    approval: Approval = Approval.AUTOMATIC
    """`Automatic`: a plan without obstacles is applied. `Required`: it waits for `approve`."""

    approve: Annotated[
        str | None,
        Field(max_length=64, json_schema_extra=validations(pattern_rule(HASH_PATTERN, HASH_TEXT))),
        matched(HASH_PATTERN, HASH_TEXT),
    ] = None
    """The hash of the plan that may be applied, as `status.plan` has it. It counts for no other."""

    on_destructive: OnDestructive = OnDestructive.APPROVE
    """What becomes of a plan that drops tables or columns, or deletes rows: `Refuse` it, have
    somebody `Approve` it, or `Allow` it."""

    backup_before: bool = False
    """Whether a DaapBackup is made before a plan is applied, which waits for it. The backups of the
    database have to be on. The DaapBackup stays when the DaapSchema is deleted."""

    rehearsal: Rehearsal = Rehearsal.NEVER
    """Which plans are first applied to a copy of the database, restored from its backups beside it
    and removed again: none (`Never`), those in which something was found (`WhenFindings`), or
    `Always`. The backups of the database have to be on. A plan that fails there is not applied."""

    lint: Lint = Lint(ignore=())
    """What of the findings stops a plan."""

    ledger: Annotated[
        str,
        Field(
            max_length=63,
            json_schema_extra=validations(pattern_rule(IDENTIFIER_PATTERN, IDENTIFIER_TEXT)),
        ),
        matched(IDENTIFIER_PATTERN, IDENTIFIER_TEXT),
    ] = "default"
    """Name of the ledger in the database that records what is applied. Each DaapSchema of a
    database needs its own. Immutable."""

    baseline: FileName | None = None
    """The database has what the files up to this one make: where there is no ledger yet, they are
    recorded and not run. Says nothing of an empty database."""

    role: Identifier | None = None
    """The role that the files run as. When left out, the database's owner, who must be able to
    become it; never a superuser."""

    search_path: Annotated[
        tuple[Annotated[Identifier, Field(description="The name of a schema.")], ...],
        Field(max_length=8, default_factory=tuple),
    ]
    """The schemas in PostgreSQL that unqualified names are looked for in. When left out, `public`.
    """

    lock_timeout_seconds: Annotated[int, Field(ge=1, le=600)] = 5
    """How long a statement waits for a lock before it gives way and tries again. Everybody else who
    wants the table waits behind it."""

    statement_timeout_seconds: Annotated[int, Field(ge=0, le=LAST_SECONDS)] = 0
    """How long a statement may take; 0 for any time."""


SPEC_RULES = validations(
    rule(
        "self.databaseRef.name == oldSelf.databaseRef.name",
        DATABASE_FIXED_TEXT,
        "self.databaseRef.name",
        "oldSelf.databaseRef.name",
        "oldSelf.databaseRef.name",
        path=".databaseRef.name",
    ),
    rule(
        "self.ledger == oldSelf.ledger",
        LEDGER_FIXED_TEXT,
        "self.ledger",
        "oldSelf.ledger",
        "oldSelf.ledger",
        path=".ledger",
    ),
)


class DaapSchema(Model):
    """The schema of a DaapDatabase as SQL files: planned, looked through, applied once each by a
    Job in this namespace, and verified.

    The files are applied as the database's owner. Deleting a DaapSchema changes nothing in the
    database."""

    metadata: Metadata
    spec: Annotated[DaapSchemaSpec, Field(json_schema_extra=SPEC_RULES)]
    """What the team asks for."""
    status: DaapSchemaStatus = DaapSchemaStatus(conditions=[], pending=[], drift=[])
    """What the operator last saw."""
