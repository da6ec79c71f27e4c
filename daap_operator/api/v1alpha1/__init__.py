"""daap.io/v1alpha1: the DaapDatabase a team writes and the status it reads.

The docstrings of the models are what `kubectl explain daapdatabase` prints, and the CRD is
generated from them (`make crds`): a bound or rule changed here changes the API.
"""

from daap_operator.api.v1alpha1.database import ROOT_RULES, DaapDatabase
from daap_operator.api.v1alpha1.labels import SecretMetadata
from daap_operator.api.v1alpha1.locale import Locale, LocaleProvider
from daap_operator.api.v1alpha1.parts import (
    Pooler,
    PoolMode,
    ResourceAmounts,
    Resources,
    Storage,
)
from daap_operator.api.v1alpha1.spec import DaapDatabaseSpec, DeletionPolicy
from daap_operator.api.v1alpha1.status import (
    CONDITION_TYPES,
    Binding,
    DaapDatabaseStatus,
    Phase,
)
from daap_operator.api.v1alpha1.texts import MAJORS

__all__ = [
    "CONDITION_TYPES",
    "MAJORS",
    "ROOT_RULES",
    "Binding",
    "DaapDatabase",
    "DaapDatabaseSpec",
    "DaapDatabaseStatus",
    "DeletionPolicy",
    "Locale",
    "LocaleProvider",
    "Phase",
    "PoolMode",
    "Pooler",
    "ResourceAmounts",
    "Resources",
    "SecretMetadata",
    "Storage",
]
