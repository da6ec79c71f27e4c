"""A database's row in the platform's inventory. Pure."""

from dataclasses import dataclass
from datetime import datetime

from daap_operator import names, raw
from daap_operator.api.meta import ConditionType, Metadata
from daap_operator.api.v1alpha1 import DaapDatabaseStatus, Phase
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.mirror import Table


@dataclass(frozen=True)
class Row:
    """The columns of `databases` that the operator writes; `id` is the object's uid."""

    id: str
    name: str
    owner_team: str
    purpose: str
    namespace: str
    cluster_name: str
    pooler_name: str
    status: str
    host: str | None
    port: int | None
    secret_name: str | None
    error_message: str | None
    generation: int
    created_at: datetime
    archive: str | None = None
    store: str | None = None


DATABASES = Table("databases", Row, unique="name")


def row(metadata: Metadata, spec: raw.Object, status: DaapDatabaseStatus) -> Row | None:
    """The row of an object; None while it has no database, so that names stay unique.

    `spec` is taken as it stands: an object older than today's rules has a row too. What PostgreSQL
    cannot store of it (NUL, a text longer than its column) is cut. A name is never cut, since it
    could become another's: the inventory refuses a row whose name is too long.
    """
    stalled = status.condition(ConditionType.STALLED)
    if not status.cluster_name or (stalled and stalled.reason == DatabaseReason.NAME_TAKEN):
        return None
    phase = status.phase or Phase.PROVISIONING
    ready = status.condition(ConditionType.READY) if phase is Phase.ERROR else None
    told = dict.fromkeys(condition.message for condition in (ready, stalled) if condition)
    return Row(
        id=metadata.uid,
        name=metadata.name,
        owner_team=_text(spec, "ownerTeam")[:255],
        purpose=_text(spec, "purpose"),
        namespace=metadata.namespace,
        cluster_name=status.cluster_name,
        pooler_name=status.pooler_name or names.pooler_name(status.cluster_name),
        status=phase.lower(),
        host=status.host,
        port=status.port,
        secret_name=status.secret_name,
        archive=status.backup.archive if status.backup else None,
        store=status.backup.store if status.backup else None,
        error_message="; ".join(told).replace("\0", "") or None,
        generation=metadata.generation,
        created_at=metadata.creation_timestamp,
    )


def _text(spec: raw.Object, field: str) -> str:
    return raw.text(spec, field).replace("\0", "")
