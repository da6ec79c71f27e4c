"""The DaapSchema a team writes and the status it reads.

The docstrings of the models are what `kubectl explain daapschema` prints, and the CRD is generated
from them (`make crds`).
"""

from daap_operator.api.v1alpha1.schema.definition import DEFINITION
from daap_operator.api.v1alpha1.schema.object import (
    Approval,
    DaapSchema,
    DaapSchemaSpec,
    Lint,
    LintLevel,
    OnDestructive,
)
from daap_operator.api.v1alpha1.schema.plan import Drift, FileFinding, LastError, PendingFile
from daap_operator.api.v1alpha1.schema.rehearsal import (
    Rehearsal,
    RehearsalState,
    RehearsedFile,
    SchemaRehearsal,
)
from daap_operator.api.v1alpha1.schema.sources import (
    ConfigMapFiles,
    FileSource,
    ImageFiles,
    InlineFile,
)
from daap_operator.api.v1alpha1.schema.status import (
    DaapSchemaStatus,
    SchemaDatabase,
    SchemaFiles,
    SchemaPhase,
    SeenConfigMap,
)

__all__ = [
    "DEFINITION",
    "Approval",
    "ConfigMapFiles",
    "DaapSchema",
    "DaapSchemaSpec",
    "DaapSchemaStatus",
    "Drift",
    "FileFinding",
    "FileSource",
    "ImageFiles",
    "InlineFile",
    "LastError",
    "Lint",
    "LintLevel",
    "OnDestructive",
    "PendingFile",
    "Rehearsal",
    "RehearsalState",
    "RehearsedFile",
    "SchemaDatabase",
    "SchemaFiles",
    "SchemaPhase",
    "SchemaRehearsal",
    "SeenConfigMap",
]
