"""The CloudNativePG ScheduledBackup of a database: when its base backups are made.

https://cloudnative-pg.io/documentation/current/cloudnative-pg.v1/#scheduledbackupspec
"""

from daap_operator import names
from daap_operator.kinds import known
from daap_operator.kinds.database.desired.backup import Backups
from daap_operator.kinds.database.desired.resolved import Manifest, Resolved


def scheduled_backup(database: Resolved, backups: Backups, *, suspended: bool) -> Manifest:
    """The ScheduledBackup to apply.

    The first backup is made at once: until there is one, nothing can be restored.
    """
    return {
        "apiVersion": known.SCHEDULED_BACKUP.api_version,
        "kind": "ScheduledBackup",
        "metadata": database.metadata(database.cluster),
        "spec": {
            "schedule": backups.schedule,
            "cluster": {"name": database.cluster},
            "method": "plugin",
            "pluginConfiguration": {"name": names.BACKUP_PLUGIN},
            "backupOwnerReference": "cluster",
            "immediate": True,
            "suspend": suspended,
        },
    }
