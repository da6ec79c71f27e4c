"""What became of the databases of a run, as far as its people know. Pure.

Expectations are made from what was asked for and answered, not from what the operator did.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

Object = dict[str, Any]


class LastBackup(NamedTuple):
    """What must be backed up before it goes, and since when."""

    cluster: str
    """Its uid."""
    since: datetime


@dataclass
class Life:
    """One DaapDatabase, from its creation to whatever end."""

    uid: str
    side: int
    name: str
    asked_to_go: bool = False
    held: bool = False
    """It was protected, with a Cluster of its own, when its deletion was asked for: it must stay.
    False where it may go or stay."""
    retained: bool = False
    """Its children may stay behind."""
    must_stay: set[str] = field(default_factory=set)
    """Uids of the Cluster and the Pooler that must stay behind."""
    secret_must_stay: bool = False
    """A connection Secret must stay behind; which one depends on how far a change of name was."""
    last_backup: LastBackup | None = None
    """Once it is gone, this must have been made; None where it need not."""
    has_name: bool = False
    """It was seen to have the name, and keeps it while it is there."""
    replacing: bool = False
    """A restore in place may be under way: its Cluster goes, whoever deletes the database then."""
    source: str = ""
    """The name of the database whose data it asks for."""


def owner(child: Object) -> str:
    """Uid of the DaapDatabase a child was made for; empty when it was not made for any."""
    for reference in child["metadata"].get("ownerReferences") or ():
        if reference["kind"] == "DaapDatabase":
            return str(reference["uid"])
    return str((child["metadata"].get("labels") or {}).get("daap.io/database-uid", ""))


def children_of(uid: str, children: list[Object]) -> list[Object]:
    """The children of a database that are not going."""
    return [
        child
        for child in children
        if owner(child) == uid and not child["metadata"].get("deletionTimestamp")
    ]


@dataclass
class Lives:
    """All the databases there ever were in a run."""

    namespaces: list[str] = field(default_factory=list)
    by_uid: dict[str, Life] = field(default_factory=dict)
    restores: set[tuple[int, str, str]] = field(default_factory=set)
    """Where people have asked for restores in place, and the uids of the DaapRestores."""
    lost_by_hand: set[str] = field(default_factory=set)
    """Uids of Clusters that people have deleted."""
    may_be_empty: set[str] = field(default_factory=set)
    """Uids of those after which a database may begin empty: no backup of what was in them was told
    of."""

    def knows(self, obj: Object) -> bool:
        """Whether it is known to have been created."""
        return obj["metadata"]["uid"] in self.by_uid

    def asked_to_go(self, obj: Object) -> bool:
        """Whether somebody has asked for its deletion."""
        return self.by_uid[obj["metadata"]["uid"]].asked_to_go

    def is_left_behind(self, child: Object) -> bool:
        """Whether a child is, or is about to be, one without a database."""
        life = self.by_uid.get(owner(child))
        return life is not None and life.retained and not life.held

    def created(self, obj: Object, side: int) -> None:
        """Somebody created one."""
        uid, name = obj["metadata"]["uid"], obj["metadata"]["name"]
        source = (obj.get("spec", {}).get("source") or {}).get("database", "")
        self.by_uid.setdefault(uid, Life(uid, side, name, source=source))

    def restore_asked(self, obj: Object, restore: Object) -> None:
        """Somebody asks for a restore in place."""
        life = self.by_uid[obj["metadata"]["uid"]]
        self.restores.add((life.side, life.name, restore["metadata"]["uid"]))
        life.replacing = True

    def restores_of(self, life: Life) -> int:
        """How many restores in place of databases of that name people have asked for."""
        return sum((side, name) == (life.side, life.name) for side, name, _ in self.restores)

    def cluster_lost(self, cluster: Object, *, told_of_backup: bool) -> None:
        """Somebody deletes a Cluster by hand; whether a backup was told of of what is in it."""
        uid = cluster["metadata"]["uid"]
        self.lost_by_hand.add(uid)
        self.may_be_empty |= set() if told_of_backup else {uid}

    def deletion_asked(self, obj: Object, children: list[Object]) -> None:
        """Somebody asks for a deletion; `children` are those there are just before."""
        life = self.by_uid[obj["metadata"]["uid"]]
        if life.asked_to_go:
            return
        life.asked_to_go = True
        clusters = [c for c in children_of(life.uid, children) if c["plural"] == "clusters"]
        life.held = bool(obj["spec"].get("deletionProtection")) and bool(clusters)
        self._leave_behind(life, obj, children)

    def released(self, obj: Object, children: list[Object]) -> None:
        """Somebody takes the protection from one that was asked to go."""
        life = self.by_uid[obj["metadata"]["uid"]]
        life.held = False
        self._leave_behind(life, obj, children)

    def last_backup_asked(self, obj: Object, children: list[Object], now: datetime) -> None:
        """It goes from now on; `children` are those there are just before."""
        life, backup = self.by_uid[obj["metadata"]["uid"]], obj["spec"].get("backup") or {}
        wanted = backup.get("onDelete") == "FinalBackup" and backup.get("enabled", True)
        served = (obj.get("status") or {}).get("host")
        clusters = [
            cluster["metadata"]["uid"]
            for cluster in children_of(life.uid, children)
            if cluster["plural"] == "clusters"
            and (served or (cluster.get("status") or {}).get("currentPrimary"))
        ]
        life.last_backup = None
        if wanted and clusters and not life.replacing and not life.retained:
            life.last_backup = LastBackup(clusters[0], now)

    def child_deleted(self, child: Object) -> None:
        """Somebody deletes a child by hand: it need not stay, and protection may be over."""
        life = self.by_uid.get(owner(child))
        self._now_of(owner(child), {child["metadata"]["uid"]})
        if life is None:
            return
        life.must_stay.discard(child["metadata"]["uid"])
        life.held = life.held and child["plural"] != "clusters"
        if child["plural"] == "clusters":
            life.last_backup = None
        life.secret_must_stay = life.secret_must_stay and child["plural"] != "secrets"

    def taken_over(self, life: Life, children: list[Object]) -> bool:
        """Whether another database has what one left behind; its Secret may be another one then."""
        return any(
            child["metadata"]["uid"] in life.must_stay and self._is_heir(owner(child), life)
            for child in children
        )

    def _is_heir(self, uid: str, of: Life) -> bool:
        heir = self.by_uid.get(uid)
        return heir not in (None, of) and (heir.side, heir.name) == (of.side, of.name)

    def _now_of(self, uid: str, children: set[str]) -> None:
        """What a database has taken over is its own to keep or to lose, not of those before it."""
        for life in self.by_uid.values():
            if life.uid != uid and life.must_stay & children:
                life.must_stay -= children
                life.secret_must_stay = False

    def _leave_behind(self, life: Life, obj: Object, children: list[Object]) -> None:
        _forget(life, held=life.held)
        own = children_of(life.uid, children)
        self._now_of(life.uid, {child["metadata"]["uid"] for child in own})
        life.retained = obj["spec"].get("deletionPolicy") == "Retain"
        if life.retained:
            goes = {"clusters", "secrets"} if life.replacing else {"secrets"}
            life.must_stay = {c["metadata"]["uid"] for c in own if c["plural"] not in goes}
            life.secret_must_stay = any(c["plural"] == "secrets" for c in own)

    def namespace_deleted(self, side: int) -> None:
        """Somebody deletes a namespace: nothing in it stays."""
        for life in self.by_uid.values():
            if life.side == side:
                life.asked_to_go = True
                _forget(life)


def _forget(life: Life, *, held: bool = False) -> None:
    life.held, life.retained, life.last_backup = held, False, None
    life.must_stay, life.secret_must_stay = set(), False
