"""No appointment is a poll without a bound: each that repeats for one thing gets rarer."""

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.engine.patience import LONGEST_SECONDS, PASSING, Patience, lasting

ROOT = Path(__file__).parents[2]
SOURCES = ("daap_operator/kinds/database", "daap_operator/engine")
SHARED = ROOT / "daap_operator/kinds/warned.py"
DOC = ROOT / "docs/reliability.md"

ONCE = {
    "SETTLE_SECONDS",  # once after each change
    "PATIENCE_SECONDS",  # once before Events are asked for
    "LONGEST_PAUSE_SECONDS",  # the bound of what is doubled
    "PAGE_SECONDS",  # the first pause of what is doubled
    "CLASS_SECONDS",  # how long an answer is kept
    "LONGEST_SECONDS",  # the bound of all
    "BLOCKED_SECONDS",  # how long a deletion is under way
    "LIST_SECONDS",  # least time between two LISTs
    "FIRST_RETRY_SECONDS",  # doubled up to the next
    "LAST_RETRY_SECONDS",
    "PASS_SECONDS",  # the end of a pass
    "PROGRESS_SECONDS",  # least time between two statuses
    "LACKING_SECONDS",  # while the parts of an object are listed: no request
    "REFUSED_SECONDS",  # five minutes, and patiently
}
PATIENT = {"RETRY_SECONDS", "STALLED_SECONDS", "LOOK_SECONDS", "POLL_SECONDS", "ROW_SECONDS"}
"""Each begins a pause that grows, by `Patience` or `lasting`."""
WAITING = {"RESIZING_SECONDS"}
"""Each is the `seconds` of a Waiting, with which loop and controller are patient."""
ELSEWHERE = {"engine/kopf_watch.py", "engine/watches.py", "engine/watchdog.py", "engine/trace.py"}
"""The watches: of kinds, not of objects."""


NO_APPOINTMENTS = {"trial", "sweep", "remedies", "cluster", "pooler"}
"""`helm test`, the inventory's own round, and what others are asked to do in so many seconds."""


def constants() -> dict[str, str]:
    """Every number of seconds that is declared, and where."""
    found: dict[str, str] = {}
    for source in SOURCES:
        for path in [*sorted((ROOT / source).rglob("*.py")), SHARED]:
            where = str(path.relative_to(ROOT / "daap_operator"))
            if where in ELSEWHERE or path.stem in NO_APPOINTMENTS:
                continue
            for node in ast.parse(path.read_text()).body:
                if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                    name = node.targets[0].id
                    if name.endswith("_SECONDS"):
                        found[name] = where
    return found


def test_every_number_of_seconds_is_known_to_be_patient_or_to_happen_once() -> None:
    assert set(constants()) == ONCE | PATIENT | WAITING


@pytest.mark.parametrize("name", sorted(PATIENT))
def test_what_is_looked_at_again_is_looked_at_patiently(name: str) -> None:
    calls = [
        ast.unparse(keyword.value)
        for source in SOURCES
        for path in (ROOT / source).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("pause", "lasting"))
        for keyword in node.keywords
        if keyword.arg == "first"
    ]
    assert name in calls


@given(st.floats(0, 1e7), st.sampled_from([0.0, 1.0, 5.0, 60.0]), st.sampled_from([1.0, PASSING]))
def test_a_pause_is_within_its_bounds(lasted: float, first: float, part: float) -> None:
    pause = lasting(lasted, first=first, part=part)
    assert first <= pause <= LONGEST_SECONDS
    assert pause == first or pause <= lasted / part


def test_a_pause_that_is_longer_from_the_start_stays() -> None:
    assert lasting(0, first=2000) == lasting(1e6, first=2000) == 2000


def test_patience_grows_with_the_same_thing_and_begins_again_with_another() -> None:
    patience, now, pauses = Patience(), 100.0, []
    for _ in range(7):
        pauses.append(patience.pause("a", now, first=60))
        now += pauses[-1]
    assert pauses == [60, 60, 120, 240, 480, 900, 900]
    assert patience.pause("b", now, first=60) == 60
    assert patience.pause("a", now, first=60) == 60


def test_patience_ends() -> None:
    patience = Patience()
    patience.pause("a", 0, first=60)
    assert patience.pause("a", 500, first=60) == 500
    patience.end()
    assert patience.pause("a", 501, first=60) == 60


def test_the_longest_pause_is_the_one_that_is_promised() -> None:
    assert f"{LONGEST_SECONDS / 60:.0f} min at most" in DOC.read_text()
