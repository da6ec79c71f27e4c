"""Where a Cluster archives to, as its Barman Cloud plugin is told: for every kind that asks. Pure.

https://cloudnative-pg.io/plugin-barman-cloud/docs/parameters/
"""

import re
from typing import Any, NamedTuple

from daap_operator import names, raw

Manifest = dict[str, Any]


class Archiver(NamedTuple):
    """What the plugin in a Cluster is told: where every change goes, and under which name."""

    store: str
    archive: str


def archiver_of(cluster: raw.Object | None) -> Archiver | None:
    """What the plugin in a Cluster is told; the object, or what the store keeps of it."""
    for plugin in raw.items(cluster, "spec", "plugins"):
        if raw.text(plugin, "name") == names.BACKUP_PLUGIN:
            store = raw.text(plugin, "parameters", "barmanObjectName")
            archive = raw.text(plugin, "parameters", "serverName")
            if _NAME.fullmatch(store) and _NAME.fullmatch(archive):
                return Archiver(store, archive)
    return None


_NAME = re.compile(r"[A-Za-z0-9._-]{1,253}")
"""Whatever else a person may have written there is not taken up."""


def plugins(told: Archiver) -> list[Manifest]:
    """For the spec of a Cluster."""
    return [
        {
            "name": names.BACKUP_PLUGIN,
            "enabled": True,
            "isWALArchiver": True,
            "parameters": {"barmanObjectName": told.store, "serverName": told.archive},
        }
    ]
