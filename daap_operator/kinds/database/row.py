"""A database's row in the platform's inventory. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from daap_operator import names, raw
from daap_operator.api.meta import Condition, ConditionType, Metadata
from daap_operator.api.reasons import CommonReason
from daap_operator.api.v1alpha1 import DaapDatabaseStatus, Phase
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.mirror import Json, Table, storable


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
    spec: Json | None = None
    database_name: str | None = None
    postgres_version: int | None = None
    locale: str | None = None


MOST_SPEC_BYTES = 32 * 1024
"""Bytes of a spec that a row has room for. An ordinary one has some 300; more than 10 KiB only one
with much in `connectionSecretMetadata`."""

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
        spec=None if _is_cut(stalled) else _document(spec),
        database_name=status.database_name,
        postgres_version=status.postgres_version,
        locale=status.locale,
        error_message=storable("; ".join(told)) or None,
        generation=metadata.generation,
        created_at=metadata.creation_timestamp,
    )


def _is_cut(stalled: Condition | None) -> bool:
    """Whether the operator has not kept all of the object: half a spec is worse than none."""
    return stalled is not None and stalled.reason == CommonReason.OBJECT_TOO_LARGE


def _document(spec: raw.Object) -> Json | None:
    """The spec as its team wrote it; None for one that there is no room for."""
    text = json.dumps(spec, ensure_ascii=False, sort_keys=True)
    if "\\u0000" in text:
        text = json.dumps(_storable(spec), ensure_ascii=False, sort_keys=True)
    return Json(text) if len(text.encode(errors="replace")) <= MOST_SPEC_BYTES else None


def _storable(value: object) -> object:
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, Mapping):
        return {str(_storable(name)): _storable(below) for name, below in value.items()}
    if isinstance(value, list):
        return [_storable(below) for below in value]
    return value


def _text(spec: raw.Object, field: str) -> str:
    return storable(raw.text(spec, field))
