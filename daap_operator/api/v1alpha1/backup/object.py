"""The object itself, and what a team asks for."""

from typing import Annotated

from pydantic import Field

from daap_operator.api.base import Model
from daap_operator.api.meta import Metadata
from daap_operator.api.rules import rule, validations
from daap_operator.api.v1alpha1.backup.status import DaapBackupStatus
from daap_operator.api.v1alpha1.database.texts import NAME_PATTERN, matched, pattern_rule

DATABASE_NAME_TEXT = (
    "'{}' must be the name of a DaapDatabase in this namespace: 3 to 63 characters of a-z, 0-9 and "
    "'-', beginning with a letter and ending with a letter or digit"
)
IMMUTABLE_TEXT = (
    "databaseRef.name '{}' cannot replace '{}': a DaapBackup is one backup of one database and is "
    "made once; create a new DaapBackup instead"
)

DatabaseName = Annotated[
    str,
    Field(
        max_length=63,
        json_schema_extra=validations(pattern_rule(NAME_PATTERN, DATABASE_NAME_TEXT)),
    ),
    matched(NAME_PATTERN, DATABASE_NAME_TEXT),
]
"""The name of a DaapDatabase in the object's own namespace, as whatever refers to one has it."""


class DatabaseRef(Model):
    """The database that is backed up."""

    name: DatabaseName
    """Name of the DaapDatabase, in this namespace."""


class DaapBackupSpec(Model):
    """What the team asks for. Immutable."""

    database_ref: DatabaseRef
    """The database that is backed up. One that does not exist yet, or is not ready, is waited
    for."""


SPEC_RULES = validations(
    rule(
        "self == oldSelf",
        IMMUTABLE_TEXT,
        "self.databaseRef.name",
        "oldSelf.databaseRef.name",
        path=".databaseRef.name",
    )
)


class DaapBackup(Model):
    """One base backup of a DaapDatabase, made now, into the store that its scheduled backups go to.

    It is made once: what is completed or failed stays so. Deleting it deletes nothing in the store,
    whose retention decides how long the backup is kept."""

    metadata: Metadata
    spec: Annotated[DaapBackupSpec, Field(json_schema_extra=SPEC_RULES)]
    """What the team asks for. Immutable."""
    status: DaapBackupStatus = DaapBackupStatus(conditions=[])
    """What the operator last saw."""
