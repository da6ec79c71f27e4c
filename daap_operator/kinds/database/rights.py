"""What serving DaapDatabases takes, verb by verb, and why. Pure."""

from daap_operator.api.kind import Kind
from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import serving, watching
from daap_operator.kinds import known
from daap_operator.kinds.database.watched import WATCHES
from daap_operator.kube.kinds import EVENT


def _child(kind: Kind, which: str = "one for each DaapDatabase") -> tuple[Right, ...]:
    """What a child of each database takes."""
    return (
        Right(
            kind,
            "get",
            "asked live before what cannot be undone: deletion, and adoption of what has the name "
            "already",
        ),
        Right(kind, "create", which),
        Right(kind, "patch", "server-side apply: created, changed, repaired"),
        Right(kind, "delete", "with its DaapDatabase, by uid"),
    )


RIGHTS = (
    *serving(known.DATABASE),
    *watching(WATCHES),
    *_child(known.CLUSTER),
    *_child(known.POOLER),
    *_child(known.SCHEDULED_BACKUP, "one for each DaapDatabase with backups"),
    *_child(known.BACKUP, "the last one, before the data of a DaapDatabase is deleted"),
    Right(known.DAAP_DRILL, "create", "one for each time of `spec.backup.verify`"),
    Right(known.DAAP_DRILL, "patch", "the same: it is created by server-side apply"),
    Right(known.DAAP_DRILL, "delete", "those of the schedule that are over, but for the latest"),
    Right(
        known.SECRET,
        "get",
        "CloudNativePG's credentials and authority, and its own Secret; by name, as Secrets are "
        "neither listed nor watched",
    ),
    Right(known.SECRET, "create", "the connection Secret"),
    Right(known.SECRET, "update", "the connection Secret, when it is not as it should be"),
    Right(known.SECRET, "patch", "removes the owner from a retained connection Secret"),
    Right(
        known.SECRET, "delete", "the connection Secret, by uid, with its DaapDatabase or its name"
    ),
    Right(
        known.STORAGE_CLASS,
        "get",
        "whether volumes can grow, by name, once a minute at most while one should",
    ),
    Right(
        known.POD,
        "get",
        "why a restore has failed, in PostgreSQL's own words: the last lines of the one pod that "
        "has failed, once; nothing else tells it",
        "log",
    ),
    Right(
        EVENT,
        "list",
        "why pods are not created, in the namespace of a database that has waited for them for "
        "10 s",
    ),
)
