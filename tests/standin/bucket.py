"""What is in the object stores, and what each Cluster was made from: whose data is where. Pure.

A Cluster that begins empty has data of its own, known by the Cluster's uid. Whatever is restored
from an archive has the data of the Cluster that began that archive. What is in a bucket stays,
whatever becomes of the ObjectStore that names it.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from daap_operator import names, raw
from daap_operator.kinds import known
from daap_operator.kinds.archiver import archiver_of
from daap_operator.kinds.database.desired import recovery

Object = dict[str, Any]
Place = tuple[str, str]

_DATABASE = known.DATABASE.uid_label


@dataclass
class Archive:
    """One archive in a bucket."""

    begun_by: str
    """The uid of the Cluster that began it."""
    data: str
    backups: dict[str, datetime] = field(default_factory=dict)
    """When each base backup ended, by its id."""


@dataclass
class Birth:
    """One Cluster that there is, or was."""

    uid: str
    place: Place
    database: str
    """The name of the database that it was made for."""
    source: str | None
    """The archive that it is restored from; None when it begins empty."""
    data: str | None
    """What is in it; None while it is not restored yet."""
    archives: list[str] = field(default_factory=list)
    """The names under which it has been told to archive, in order."""


class Bucket:
    """All archives, by namespace and name, and all Clusters."""

    def __init__(self) -> None:
        self.archives: dict[Place, Archive] = {}
        self.births: dict[str, Birth] = {}
        """By the Cluster's uid, in the order in which they came."""
        self.of_database: dict[str, list[str]] = {}
        """The uids of the Clusters that each database has had, by its own, in order."""
        self.mixed: list[str] = []
        """What was written into an archive that another Cluster had begun."""

    def saw(self, cluster: Object) -> None:
        """Note a Cluster as it is now."""
        birth = self._birth(cluster)
        told = archiver_of(cluster)
        if told and told.archive not in birth.archives[-1:]:
            birth.archives.append(told.archive)
        owner = raw.text(cluster, "metadata", "labels", _DATABASE)
        had = self.of_database.setdefault(owner, [])
        if owner and birth.uid not in had:
            had.append(birth.uid)

    def _birth(self, cluster: Object) -> Birth:
        metadata = cluster["metadata"]
        uid = metadata["uid"]
        if uid not in self.births:
            source = recovery.of_cluster(cluster["spec"])
            self.births[uid] = Birth(
                uid,
                (metadata["namespace"], metadata["name"]),
                raw.text(metadata, "labels", names.DATABASE_LABEL),
                source.archive if source else None,
                data=None if source else uid,
            )
        return self.births[uid]

    def restore(self, cluster: Object) -> bool:
        """Restore a Cluster, if that is due; whether it has its data now."""
        birth, source = self._birth(cluster), recovery.of_cluster(cluster["spec"])
        if birth.data is None and source is not None:
            found = self.archives.get((birth.place[0], source.archive))
            if found and _reaches(found, source.at, source.backup_id):
                birth.data = found.data
        return birth.data is not None

    def begin(self, cluster: Object) -> bool:
        """Archive what a Cluster has; whether the plugin does: only into an archive of its own."""
        birth, told = self._birth(cluster), archiver_of(cluster)
        if told is None or birth.data is None:
            return False
        place = birth.place[0], told.archive
        found = self.archives.setdefault(place, Archive(birth.uid, birth.data))
        if found.begun_by != birth.uid:
            mixed = f"Cluster {birth.place} archives into {told.archive}, which another one began"
            self.mixed += [] if mixed in self.mixed else [mixed]
        return found.begun_by == birth.uid

    def back_up(self, cluster: Object, ended: datetime) -> str:
        """Make a base backup; its id, empty when it fails."""
        told = archiver_of(cluster)
        if told is None or not self.begin(cluster):
            return ""
        made = f"{ended:%Y%m%dT%H%M%S}"
        backups = self.archives[cluster["metadata"]["namespace"], told.archive].backups
        backups.setdefault(made, ended)
        return made

    def has_since(self, cluster: str, since: datetime) -> bool:
        """Whether a base backup of the Cluster with that uid has ended since a moment."""
        return any(
            ended >= since
            for archive in list(self.archives.values())
            if archive.begun_by == cluster
            for ended in list(archive.backups.values())
        )

    def has_base_backup(self, namespace: str, archive: str) -> bool:
        """Whether anything can be restored from an archive."""
        found = self.archives.get((namespace, archive))
        return found is not None and bool(found.backups)


def _reaches(archive: Archive, at: str | None, backup_id: str | None) -> bool:
    """Whether there is the backup that is named, or one that ended before a moment."""
    if backup_id:
        return backup_id in archive.backups
    until = datetime.fromisoformat(at) if at else None
    return any(until is None or ended <= until for ended in archive.backups.values())
