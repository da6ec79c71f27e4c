"""How far the database's own controller has come with a restore, by the database's status. Pure."""

from typing import NamedTuple

from daap_operator import raw
from daap_operator.api.meta import ConditionType
from daap_operator.kinds.told import condition
from daap_operator.lines import quoted


class Progress(NamedTuple):
    """What the database says of a restore that it has taken on."""

    done: bool
    """Whether clients are served from what was restored."""
    stalled: bool
    """Whether somebody has to act."""
    told: str
    """What the database says of itself."""


def progress(database: raw.Object | None, uid: str) -> Progress | None:
    """What the database says of the DaapRestore with that uid; None if it has not taken it on.

    Its status says in one write which Cluster it speaks of and whether clients are served: that
    they were before counts for nothing.
    """
    if taken_by(database) != uid:
        return None
    ready = condition(database, ConditionType.READY)
    made = raw.text(database, "status", "restore", "clusterUid")
    stalled = condition(database, ConditionType.STALLED)
    done = bool(made) and raw.text(ready, "status") == "True"
    told = raw.text(stalled or ready, "message") if made else ""
    return Progress(done, stalled=bool(made and stalled), told=quoted(told))


def taken_by(database: raw.Object | None) -> str:
    """The uid of the DaapRestore that the database has taken on last; empty without one."""
    return raw.text(database, "status", "restore", "uid")


def taken_by_name(database: raw.Object | None) -> str:
    """The name of that DaapRestore."""
    return quoted(raw.text(database, "status", "restore", "name"))
