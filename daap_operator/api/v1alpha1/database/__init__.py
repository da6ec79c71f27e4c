"""The DaapDatabase a team writes and the status it reads.

The docstrings of the models are what `kubectl explain daapdatabase` prints, and the CRD is
generated from them (`make crds`): a bound or rule changed here changes the API.
"""

from daap_operator.api.meta import Phase
from daap_operator.api.v1alpha1.database.backup import Backup, BackupStatus, OnDelete
from daap_operator.api.v1alpha1.database.definition import DEFINITION
from daap_operator.api.v1alpha1.database.labels import SecretMetadata
from daap_operator.api.v1alpha1.database.locale import Locale, LocaleProvider
from daap_operator.api.v1alpha1.database.object import DaapDatabase
from daap_operator.api.v1alpha1.database.parts import (
    Pooler,
    PoolMode,
    ResourceAmounts,
    Resources,
    Storage,
)
from daap_operator.api.v1alpha1.database.restored import RestoredStatus
from daap_operator.api.v1alpha1.database.source import Source, SourceStatus
from daap_operator.api.v1alpha1.database.spec import DaapDatabaseSpec, DeletionPolicy
from daap_operator.api.v1alpha1.database.status import Binding, DaapDatabaseStatus
from daap_operator.api.v1alpha1.database.texts import MAJORS
from daap_operator.api.v1alpha1.database.verify import Verify

__all__ = [
    "DEFINITION",
    "MAJORS",
    "Backup",
    "BackupStatus",
    "Binding",
    "DaapDatabase",
    "DaapDatabaseSpec",
    "DaapDatabaseStatus",
    "DeletionPolicy",
    "Locale",
    "LocaleProvider",
    "OnDelete",
    "Phase",
    "PoolMode",
    "Pooler",
    "ResourceAmounts",
    "Resources",
    "RestoredStatus",
    "SecretMetadata",
    "Source",
    "SourceStatus",
    "Storage",
    "Verify",
]
