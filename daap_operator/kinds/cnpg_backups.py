"""CloudNativePG's Backups, as every kind that looks at them has them. Pure."""

from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.engine import child
from daap_operator.engine.kinds import IDENTITY
from daap_operator.engine.ownership import owners
from daap_operator.kinds import known
from daap_operator.lines import quoted

Object = dict[str, Any]

SELECTOR = names.CNPG_CLUSTER_LABEL
"""Those of Clusters: CloudNativePG labels each Backup that it has seen."""

FAILED = "failed"
"""The phase of a Backup that has failed."""

_SINCE = (*IDENTITY, "creationTimestamp")

_OF_FAILED = ("phase", "startedAt", "stoppedAt", "error")
_OF_OURS = (
    *_OF_FAILED,
    "reconciliationStartedAt",
    "reconciliationTerminatedAt",
    "commandError",
    "backupId",
    "beginWal",
    "endWal",
    "majorVersion",
)


def keep(obj: Mapping[str, Any]) -> Object:
    """A Backup: whether and why it has failed; of a DaapBackup's all that has become of it.

    Of others, of which there may be hundreds for a database, nothing else is kept, not even whose
    they are: what is under way wakes nobody, and that it has succeeded the ObjectStore says.
    """
    metadata, status = raw.mapping(obj, "metadata"), raw.mapping(obj, "status")
    ours, failed = owners(obj, known.DAAP_BACKUP), raw.text(status, "phase") == FAILED
    if not ours and not failed:
        return {"metadata": raw.picked(metadata, IDENTITY)}
    kept = {"metadata": raw.picked(metadata, _SINCE) | {"labels": _labels(metadata)}}
    if ours:
        return _with_ours(kept, child.keep(obj)) | {"status": _told(status, _OF_OURS)}
    return kept | {"status": _told(status, _OF_FAILED)}


def _labels(metadata: raw.Object) -> Object:
    return raw.picked(raw.mapping(metadata, "labels"), (names.CNPG_CLUSTER_LABEL,))


def _with_ours(kept: Object, ours: Object) -> Object:
    labels = kept["metadata"]["labels"] | ours["metadata"]["labels"]
    return ours | {"metadata": kept["metadata"] | ours["metadata"] | {"labels": labels}}


def _told(status: raw.Object, fields: tuple[str, ...]) -> Object:
    """Texts and numbers alone: whatever else stands there is not CloudNativePG's."""
    found = raw.picked(status, fields)
    texts = {name: quoted(text) for name, text in found.items() if isinstance(text, str)}
    whole = {name: raw.number(found, name) for name in found if name == "majorVersion"}
    return texts | whole
