"""What serving DaapRestores takes, verb by verb, and why. Pure."""

from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import serving, watching
from daap_operator.kinds import known
from daap_operator.kinds.restore.watched import WATCHES

RIGHTS = (
    *serving(known.DAAP_RESTORE),
    *watching(WATCHES),
    Right(known.DAAP_BACKUP, "create", "the backup of the state before a restore, once for each"),
    Right(known.DAAP_BACKUP, "patch", "the same: it is created by server-side apply"),
    Right(known.DAAP_BACKUP, "get", "whether that backup is there, when the answer was lost"),
    Right(
        known.CLUSTER,
        "get",
        "asked live before a DaapRestore is called failed because its Cluster is gone",
    ),
    Right(known.DATABASE, "get", "the same: whether the database has begun with it"),
)
