"""daap.io/v1alpha1: the DaapDatabase a team writes and the status it reads.

The docstrings of the models are what `kubectl explain daapdatabase` prints, and the CRD is
generated from them (`make crds`): a bound or rule changed here changes the API.
"""

from daap_operator.api.v1alpha1.database import ROOT_RULES, DaapDatabase, Metadata
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
    Binding,
    Condition,
    ConditionType,
    DaapDatabaseStatus,
    Phase,
)
from daap_operator.api.v1alpha1.texts import MAJORS

__all__ = [
    "MAJORS",
    "ROOT_RULES",
    "Binding",
    "Condition",
    "ConditionType",
    "DaapDatabase",
    "DaapDatabaseSpec",
    "DaapDatabaseStatus",
    "DeletionPolicy",
    "Locale",
    "LocaleProvider",
    "Metadata",
    "Phase",
    "PoolMode",
    "Pooler",
    "ResourceAmounts",
    "Resources",
    "SecretMetadata",
    "Storage",
]
