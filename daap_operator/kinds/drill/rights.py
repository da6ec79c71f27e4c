"""What serving DaapDrills takes, verb by verb, and why. Pure."""

from daap_operator.api.kind import Kind
from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import serving, watching
from daap_operator.kinds import known
from daap_operator.kinds.drill.watched import WATCHES


def _made(kind: Kind, which: str) -> tuple[Right, ...]:
    """What an object that a drill makes and removes again takes."""
    return (
        Right(kind, "get", "asked live before a drill is over: that nothing of it is left"),
        Right(kind, "create", which),
        Right(kind, "patch", "the same: it is created by server-side apply"),
        Right(kind, "delete", "at the end of the drill, by uid"),
    )


RIGHTS = (
    *serving(known.DAAP_DRILL),
    *watching(WATCHES),
    *_made(known.CLUSTER, "the scratch one of a drill, once for each"),
    *_made(known.NETWORK_POLICY, "closes off the scratch Cluster of a drill"),
    *_made(known.JOB, "checks what a drill has restored"),
    Right(known.BACKUP, "get", "the id of the Backup that a drill names"),
    Right(known.CLAIM, "list", "that the volumes of a drill are gone, by label"),
    Right(
        known.POD,
        "get",
        "why a drill's restore has failed, in PostgreSQL's own words: the last lines of a pod that "
        "has failed, once",
        "log",
    ),
)
