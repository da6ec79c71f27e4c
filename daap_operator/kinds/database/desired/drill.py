"""The DaapDrill that a database's schedule makes. Pure."""

from collections.abc import Iterable

from daap_operator import names
from daap_operator.api.v1alpha1 import DrillQuery
from daap_operator.engine.child import Child, Manifest, Owner, Reasons, made_once
from daap_operator.errors import Problem, Stalled
from daap_operator.kinds import known
from daap_operator.kinds.database.ownership import labels
from daap_operator.kinds.database.reasons import BackupHealthReason, DatabaseReason
from daap_operator.kube import ApiError

_REASONS = Reasons(
    pending=BackupHealthReason.VERIFICATION_BLOCKED,
    deleted=BackupHealthReason.VERIFICATION_BLOCKED,
    leftover=DatabaseReason.LEFTOVER_CHILDREN,
    conflict=DatabaseReason.OBJECT_CONFLICT,
    rejected=DatabaseReason.REJECTED,
)


def drill(owner: Owner, name: str, queries: Iterable[DrillQuery] | None = None) -> Child:
    """The DaapDrill of the latest backup; without queries it is only to be found or deleted."""
    made = None if queries is None else _manifest(owner, name, queries)
    return Child(
        known.DAAP_DRILL,
        owner.namespace,
        name,
        _REASONS,
        made,
        compared=made_once,
        refused=_refusal,
    )


def _manifest(owner: Owner, name: str, queries: Iterable[DrillQuery]) -> Manifest:
    """It goes with its database: there is nothing left to prove then."""
    asked = [query.model_dump(by_alias=True, exclude_none=True) for query in queries]
    spec: Manifest = {"databaseRef": {"name": owner.name}}
    return {
        "apiVersion": known.DAAP_DRILL.api_version,
        "kind": known.DAAP_DRILL.name,
        "metadata": {
            "namespace": owner.namespace,
            "name": name,
            "labels": labels(owner.name, owner.uid) | {names.SCHEDULED_LABEL: "true"},
            "ownerReferences": [owner.reference],
        },
        "spec": spec | ({"queries": asked} if asked else {}),
    }


def _refusal(error: ApiError, manifest: Manifest) -> Problem | ApiError:
    del manifest
    if error.absent:
        return Stalled(
            DatabaseReason.REJECTED,
            "The API server does not know the kind DaapDrill: the platform team must install the "
            "operator's CustomResourceDefinitions",
        )
    return error
