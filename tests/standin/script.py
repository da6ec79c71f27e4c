"""What CloudNativePG does to a Cluster's status, as recorded from CloudNativePG 1.30. Pure.

Each step is a merge patch of the status. `tests/e2e` holds the end of the scripts against the real
one, by running the same scenarios on both.
"""

from datetime import datetime
from typing import Any

Object = dict[str, Any]

HEALTHY = "Cluster in healthy state"
SETTING_UP = "Setting up primary"
CREATING_REPLICA = "Creating a new replica"
WAITING = "Waiting for the instances to become active"
UPGRADING = "Upgrading cluster"

LONG_AGO = "2026-01-01T00:00:00Z"
"""Nobody reads when a condition of a Cluster changed."""


def birth(spec: Object, secrets: Object) -> list[Object]:
    """From nothing to a healthy cluster. `secrets` has the versions of the Secrets."""
    name, instances = spec["name"], spec["instances"]
    first = f"{name}-1"
    names = [f"{name}-{number}" for number in range(1, instances + 1)]
    image = {"image": spec["image"], "majorVersion": spec["major"]}
    return [
        {"image": spec["image"], "pgDataImageInfo": image},
        {"secretsResourceVersion": secrets, "targetPrimary": first},
        _phase(SETTING_UP, f"Creating primary instance {first}"),
        {"instances": 1, "instancesStatus": {"failed": [first]}},
        _phase(WAITING, "Some instances are not yet active. Please wait."),
        {"currentPrimary": first, "instancesStatus": {"failed": None, "healthy": [first]}},
        {"instances": instances, "readyInstances": instances, **_healthy(names)},
        _phase(HEALTHY, ""),
    ]


def change(spec: Object, status: Object) -> list[Object]:
    """From a healthy cluster to one with other pods: their number, image, or what is outdated."""
    names = [f"{spec['name']}-{number}" for number in range(1, spec["instances"] + 1)]
    steps: list[Object] = []
    if spec["instances"] > status.get("instances", 0):
        steps.append(_phase(CREATING_REPLICA, f"Creating replica {names[-1]}-join"))
        steps.append({"instances": spec["instances"]})
        steps.append(_phase(WAITING, "Some instances are not yet active. Please wait."))
    elif spec["image"] != status.get("image") or spec["outdated"]:
        steps.append(_phase(UPGRADING, f"Upgrading to {spec['image']}"))
        info = {"image": spec["image"], "majorVersion": spec["major"]}
        steps.append({"image": spec["image"], "pgDataImageInfo": info})
    elif spec["instances"] == status.get("instances"):
        return []
    count = {"instances": spec["instances"], "readyInstances": spec["instances"]}
    return [*steps, count | _healthy(names), _phase(HEALTHY, "")]


def is_idle(schedule: Object) -> bool:
    """Whether a ScheduledBackup has nothing to do: suspended, or its first backup is made."""
    made = (schedule.get("status") or {}).get("lastScheduleTime")
    return bool(schedule["spec"].get("suspend") or made)


def backup(now: datetime) -> Object:
    """The status of a Backup by the plugin that has succeeded."""
    return {
        "phase": "completed",
        "method": "plugin",
        "backupId": f"{now:%Y%m%dT%H%M%S}",
        "startedAt": _stamp(now),
        "stoppedAt": _stamp(now),
    }


def completed(backup_id: str, ended: datetime) -> Object:
    """The same with all that is known of a backup whose write-ahead log is archived, too."""
    wal = {"beginWal": "000000010000000000000004", "endWal": "000000010000000000000005"}
    return backup(ended) | wal | {"backupId": backup_id, "majorVersion": 17}


def failed(why: str) -> Object:
    """The status of a Backup that came to nothing."""
    return {"phase": "failed", "method": "plugin", "error": why}


def window(archive: str, last: datetime, first: datetime | None = None) -> Object:
    """What an ObjectStore tells of an archive after a backup; without `first` it is the only one"""
    began = _stamp(first or last)
    told = {"firstRecoverabilityPoint": began, "lastSuccessfulBackupTime": _stamp(last)}
    return {"serverRecoveryWindow": {archive: told}}


UNPLUGGED: Object = {
    "phase": "Cluster cannot proceed to reconciliation due to an unknown plugin being required",
    "phaseReason": "Unknown plugin: 'barman-cloud.cloudnative-pg.io'",
}
"""The status of a Cluster whose plugin CloudNativePG does not find."""


def until_restored(steps: list[Object]) -> list[Object]:
    """Of the steps of a birth those before the first instance has its data."""
    number = next(n for n, step in enumerate(steps) if step.get("phase") == SETTING_UP)
    return steps[: number + 1]


def scheduled(now: datetime) -> Object:
    """The status of a ScheduledBackup that has made its first backup."""
    return {"lastCheckTime": _stamp(now), "lastScheduleTime": _stamp(now)}


def _stamp(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%SZ}"


def left(steps: list[Object], status: Object) -> list[Object]:
    """The steps that are still to be taken, behind the last one whose effect is there."""
    taken = [number for number, step in enumerate(steps, start=1) if holds(step, status)]
    return steps[taken[-1] :] if taken else steps


def holds(wanted: Any, actual: Any) -> bool:
    """Whether a merge patch would change nothing; times do not count."""
    if isinstance(wanted, dict):
        actual = actual if isinstance(actual, dict) else {}
        return all(
            holds(value, actual.get(key))
            for key, value in wanted.items()
            if key != "lastTransitionTime"
        )
    if isinstance(wanted, list):
        same = isinstance(actual, list) and len(wanted) == len(actual)
        return same and all(map(holds, wanted, actual))
    return bool(wanted == actual)


def _healthy(names: list[str]) -> Object:
    return {"instancesStatus": {"failed": None, "healthy": names}, "instanceNames": names}


def _phase(phase: str, reason: str) -> Object:
    """The phase and the condition Ready, which mirrors it."""
    ready = phase == HEALTHY
    condition = {
        "type": "Ready",
        "status": "True" if ready else "False",
        "reason": "ClusterIsReady" if ready else "ClusterIsNotReady",
        "message": "Cluster is Ready" if ready else "Cluster Is Not Ready",
        "lastTransitionTime": LONG_AGO,
    }
    return {"phase": phase, "phaseReason": reason or None, "conditions": [condition]}
