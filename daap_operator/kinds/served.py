"""The kinds that the operator serves, each by its controller."""

from typing import Any

from daap_operator.engine.controller import Controller
from daap_operator.kinds.backup.controller import BackupController
from daap_operator.kinds.database.controller import DatabaseController
from daap_operator.kinds.drill.controller import DrillController
from daap_operator.kinds.restore.controller import RestoreController
from daap_operator.kinds.schema.controller import SchemaController

Kinds = tuple[type[Controller[Any]], ...]

KINDS: Kinds = (
    DatabaseController,
    BackupController,
    RestoreController,
    DrillController,
    SchemaController,
)
"""All of them. What is watched, granted, measured and swept follows from this."""

METRICS = tuple(metric for kind in KINDS for metric in kind.metrics)
"""Those that are a kind's own, in the order of the docs."""
