"""What a run would do now, and what differs from what runs have made: a look that changes nothing.

It refuses what a run refuses, so that it says of a plan that can run that it can.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from daap_operator.schema import (
    baseline,
    catalogue,
    consent,
    drift,
    ledger,
    sessions,
    tables,
    trying,
)
from daap_operator.schema.applying import Rules
from daap_operator.schema.drift import Drift
from daap_operator.schema.model import Applied, Plan
from daap_operator.schema.running import Wanted, connected
from daap_operator.schema.sessions import Connection

_BEGIN = "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"


@dataclass(frozen=True)
class Checked:
    """What the look has found."""

    plan: Plan
    applied: Sequence[Applied] = ()
    """The whole ledger, oldest first."""
    drift: Sequence[Drift] = ()
    """None where the ledger has no file: whatever is there was not made by these files."""


def check(database_url: str, wanted: Wanted, rules: Rules, say: Callable[[str], None]) -> Checked:
    """The plan by what the ledger holds, and the drift. Raises SchemaError and its kinds."""

    def attempt() -> tuple[list[Applied], list[Applied], list[Drift]]:
        return _looked(database_url, wanted, rules, say)

    applied, taken, drifted = trying.patiently(attempt, seconds=wanted.wait_seconds, say=say)
    plan = wanted.planner([*applied, *taken])
    obstacles = [*plan.obstacles, *consent.nameless(plan)]
    return Checked(replace(plan, obstacles=obstacles), applied, drifted)


def _looked(
    database_url: str, wanted: Wanted, rules: Rules, say: Callable[[str], None]
) -> tuple[list[Applied], list[Applied], list[Drift]]:
    """What is applied, what counts as applied besides, and the drift."""
    with connected(database_url, "daap-operator schema check") as connection:
        sessions.pin(connection, rules.role)
        if not wanted.allow_superuser:
            sessions.refuse_superuser(connection)
        sessions.refuse_path(connection, rules.search_path)
        sessions.refuse_lent(database_url)
        with connection.transaction():
            connection.execute(_BEGIN)
            there = tables.refuse_strange(connection)
            applied = ledger.read(connection, rules.ledger) if there else []
            taken = baseline.taken(connection, wanted.files, wanted.baseline, applied, say)
            found = _drift(connection, rules.ledger) if applied else []
    return applied, baseline.rows(taken), found


def _drift(connection: Connection, name: str) -> list[Drift]:
    """Of this ledger's objects, and of what is nobody's: others are told of theirs."""
    recorded, seen = catalogue.recorded(connection), catalogue.seen(connection)
    return drift.of_ledger(drift.drift(recorded, seen), recorded, seen, name)
