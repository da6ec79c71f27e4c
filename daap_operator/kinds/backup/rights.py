"""What serving DaapBackups takes, verb by verb, and why. Pure."""

from daap_operator.engine.kinds import Right
from daap_operator.engine.rights import serving, watching
from daap_operator.kinds import known
from daap_operator.kinds.backup.watched import WATCHES

RIGHTS = (
    *serving(known.DAAP_BACKUP),
    *watching(WATCHES),
    Right(
        known.BACKUP,
        "get",
        "asked live before what cannot be undone: a DaapBackup is called failed, or let go, "
        "because its Backup is gone",
    ),
    Right(known.BACKUP, "create", "one for each DaapBackup, once"),
    Right(known.BACKUP, "patch", "the same: it is created by server-side apply"),
    Right(known.BACKUP, "delete", "with its DaapBackup, by uid"),
)
