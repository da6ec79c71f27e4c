"""The matrix: each write that a pass makes, in each scenario, with each fault it can meet."""

from collections import Counter
from dataclasses import dataclass

from tests.support.faults import Fault
from tests.support.side_effects import CLAIM, COMMIT

POINTS: dict[str, tuple[str, ...]] = {
    "create": (
        "patch daapdatabases",
        "upsert row provisioning",
        "patch daapdatabases/status claim",
        "create clusters",
        "create poolers",
        "create secrets",
        "upsert row ready",
        "patch daapdatabases/status settled",
        "create events",
    ),
    "create over a stale row": (
        "supersede row in a transaction",
        "upsert row provisioning in a transaction",
        COMMIT,
    ),
    "create in vain": ("mark row deleted", "patch daapdatabases/status given back"),
    "change": (
        "patch clusters",
        "patch poolers",
        "create secrets",
        "delete secrets",
        "upsert row ready",
        "patch daapdatabases/status under way",
        "patch daapdatabases/status settled",
    ),
    "new password": ("replace secrets",),
    "Secret of another type": ("delete secrets", "create secrets"),
    "delete": (
        "upsert row deleting",
        "patch daapdatabases/status deleting",
        "delete poolers",
        "delete clusters",
        "delete secrets",
        "mark row deleted",
        "patch daapdatabases",
        "create events",
    ),
    "delete and retain": ("disown poolers", "disown clusters", "disown secrets"),
    "back up": (
        "patch daapdatabases/status archive",
        "patch clusters",
        "create scheduledbackups",
        "upsert row ready",
    ),
    "back up at other times": ("patch scheduledbackups",),
    "back up no more": ("patch clusters", "delete scheduledbackups"),
    "delete with backups": ("delete scheduledbackups",),
    "delete with a final backup": (
        "patch daapdatabases/status final backup",
        "create backups",
        "delete backups",
    ),
    "delete and retain with backups": ("disown scheduledbackups",),
    "create from an archive": ("patch daapdatabases/status claim", "create clusters"),
    "lose the Cluster": (
        "delete scheduledbackups",
        "patch daapdatabases/status archive",
        "create clusters",
    ),
    "verify": ("create daapdrills",),
    "forget old drills": ("delete daapdrills",),
    "row without object": (CLAIM, "mark row deleted"),
}
"""What each scenario writes when nothing disturbs it, in about this order."""

REQUEST_FAULTS = (
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.CONFLICT,
    Fault.INVALID,
    Fault.WEBHOOK,
    Fault.THROTTLED,
    Fault.TIMEOUT,
    Fault.RESET,
)
COMMIT_FAULTS = (
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.DROPPED_BEFORE,
    Fault.DROPPED_AFTER,
    Fault.SERIALIZATION,
)
STATEMENT_FAULTS = (*COMMIT_FAULTS, Fault.STATEMENT_TIMEOUT, Fault.READ_ONLY)


@dataclass(frozen=True)
class Cell:
    """One fault that befalls one write of a scenario."""

    scenario: str
    point: str
    fault: Fault

    def __str__(self) -> str:
        return f"{self.scenario} | {self.point} | {self.fault.value}"


def faults_of(point: str) -> tuple[Fault, ...]:
    """What can befall a write; only a row that is inserted can have a name that is taken."""
    if point == COMMIT:
        return COMMIT_FAULTS
    if point.startswith("upsert "):
        return (*STATEMENT_FAULTS, Fault.UNIQUE)
    return (
        STATEMENT_FAULTS if point.endswith(("row deleted", "in a transaction")) else REQUEST_FAULTS
    )


FAMILIES = (
    (Fault.CRASH_AFTER, Fault.CRASH_BEFORE),
    (Fault.CONFLICT, Fault.INVALID, Fault.WEBHOOK, Fault.THROTTLED),
    (Fault.TIMEOUT, Fault.RESET),
    (Fault.DROPPED_AFTER, Fault.DROPPED_BEFORE),
    (Fault.STATEMENT_TIMEOUT, Fault.SERIALIZATION, Fault.READ_ONLY),
    (Fault.UNIQUE,),
)
"""Faults that are much alike. For each write `make test` has a crash and one fault of another
family, by turns."""


def some(number: int, faults: tuple[Fault, ...]) -> list[Fault]:
    """A crash, and a fault of another family: other ones for each number."""
    possible = [[fault for fault in family if fault in faults] for family in FAMILIES]
    crashes, *others = [family for family in possible if family]
    turn, other = divmod(number, len(others))
    return [
        crashes[number % len(crashes)],
        others[other][(turn + len(faults)) % len(others[other])],
    ]


def cells(matrix: dict[str, tuple[str, ...]]) -> dict[Cell, bool]:
    """Each write with each fault; whether `make test` has it, which has two for each write."""
    turns: Counter[tuple[Fault, ...]] = Counter()
    found: dict[Cell, bool] = {}
    for scenario, point in ((s, p) for s, those in matrix.items() for p in those):
        faults = faults_of(point)
        often = some(turns[faults], faults)
        turns[faults] += 1
        found |= {Cell(scenario, point, fault): fault in often for fault in faults}
    return found


CELLS = cells(POINTS)

STATUS = {"patch daapdatabases/status under way", "patch daapdatabases/status settled"}
UNDRIVEN: dict[str, set[str]] = {
    "create": {*STATUS, CLAIM},  # "under way" or not: by the order of the news
    "create over a stale row": {*POINTS["create"], *STATUS, CLAIM},
    "create in vain": {*POINTS["create"], *STATUS, CLAIM},
    "new password": STATUS,
    "Secret of another type": STATUS,
    "delete and retain": {*POINTS["delete"], CLAIM},
    "back up": STATUS,
    "back up at other times": {*STATUS, "upsert row ready"},
    "back up no more": {*STATUS, "upsert row ready"},
    "create from an archive": {*POINTS["create"], *STATUS, CLAIM},
    "lose the Cluster": {
        *POINTS["create"],
        *STATUS,
        *("create scheduledbackups", "upsert row error"),
        *("patch poolers", "replace secrets"),  # of the new Cluster's Secrets
    },
    "verify": {*STATUS, "upsert row ready"},
    "forget old drills": {*STATUS, CLAIM, "upsert row ready"},
    "delete with backups": {*POINTS["delete"]},
    "delete with a final backup": {*POINTS["delete"], *STATUS, "delete scheduledbackups"},
    "delete and retain with backups": {*POINTS["delete"], *POINTS["delete and retain"], CLAIM},
}
"""What a scenario writes besides: points of another one, driven there."""
