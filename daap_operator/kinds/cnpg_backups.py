"""CloudNativePG's Backups, as every kind that looks at them has them. Pure."""

from collections.abc import Mapping
from typing import Any

from daap_operator import names, raw
from daap_operator.engine import child
from daap_operator.engine.child import Owner
from daap_operator.engine.kinds import IDENTITY, Ref
from daap_operator.engine.ownership import owner_labels, owners
from daap_operator.kinds import known
from daap_operator.lines import quoted

Object = dict[str, Any]

SELECTOR = names.CNPG_CLUSTER_LABEL
"""Those of Clusters: CloudNativePG labels each Backup that it has seen."""

COMPLETED, FAILED = "completed", "failed"
"""The phases of a Backup that is over; CloudNativePG may leave the second one again."""

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
    """A Backup: whether and why it has failed; of one of ours all that has become of it.

    Of others, of which there may be hundreds for a database, nothing else is kept, not even whose
    they are: what is under way wakes nobody, and that it has succeeded the ObjectStore says.
    """
    metadata, status = raw.mapping(obj, "metadata"), raw.mapping(obj, "status")
    ours = owners(obj, known.DAAP_BACKUP) or is_final(obj)
    failed = raw.text(status, "phase") == FAILED
    if not ours and not failed:
        return {"metadata": raw.picked(metadata, IDENTITY)}
    kept = {"metadata": raw.picked(metadata, _SINCE) | {"labels": _labels(metadata)}}
    if ours:
        return _with_ours(kept, child.keep(obj)) | {"status": _told(status, _OF_OURS)}
    return kept | {"status": _told(status, _OF_FAILED)}


def is_final(backup: raw.Object) -> bool:
    """Whether it is the last one of a database, which the deletion of that waits for.

    It has no owner: a foreground deletion would take it away at once.
    """
    labels = raw.mapping(backup, "metadata", "labels")
    return bool(raw.text(labels, known.DATABASE.uid_label))


def manifest(owner: Owner, name: str, cluster: str, **metadata: Any) -> Object:
    """A Backup of a Cluster, to be made now, into the archive that the Cluster has.

    `metadata` is what there is besides the name, and labels are added to those there.
    """
    # CloudNativePG's own label, from the beginning: it is what is watched
    labels = {names.CNPG_CLUSTER_LABEL: cluster, **owner_labels(owner.kind, owner.uid)}
    made = {"namespace": owner.namespace, "name": name} | metadata
    return {
        "apiVersion": known.BACKUP.api_version,
        "kind": known.BACKUP.name,
        "metadata": made | {"labels": metadata.get("labels", {}) | labels},
        "spec": {
            "cluster": {"name": cluster},
            "method": "plugin",
            "pluginConfiguration": {"name": names.BACKUP_PLUGIN},
        },
    }


def cluster_of(backup: raw.Object) -> Ref:
    """The Cluster of a Backup, by its label."""
    metadata = raw.mapping(backup, "metadata")
    name = raw.text(metadata, "labels", names.CNPG_CLUSTER_LABEL)
    return Ref(known.CLUSTER, raw.text(metadata, "namespace"), name)


def error(backup: raw.Object) -> str:
    """Why a Backup has failed, in CloudNativePG's words."""
    said = (raw.text(backup, "status", field) for field in ("error", "commandError"))
    return "; ".join(dict.fromkeys(filter(None, said))) or _NO_WORDS


_NO_WORDS = "CloudNativePG does not say why"


def _labels(metadata: raw.Object) -> Object:
    """With the database's name where it has no owner that would tell whose it is."""
    labels = raw.mapping(metadata, "labels")
    names_it = (names.DATABASE_LABEL,) if known.DATABASE.uid_label in labels else ()
    return raw.picked(labels, (names.CNPG_CLUSTER_LABEL, *names_it))


def _with_ours(kept: Object, ours: Object) -> Object:
    labels = kept["metadata"]["labels"] | ours["metadata"]["labels"]
    return ours | {"metadata": kept["metadata"] | ours["metadata"] | {"labels": labels}}


def _told(status: raw.Object, fields: tuple[str, ...]) -> Object:
    """Texts and numbers alone: whatever else stands there is not CloudNativePG's."""
    found = raw.picked(status, fields)
    texts = {name: quoted(text) for name, text in found.items() if isinstance(text, str)}
    whole = {name: raw.number(found, name) for name in found if name == "majorVersion"}
    return texts | whole
