"""What a check tells programs: the counts of all, and as much of the lists as fits."""

import json

import pytest

from daap_operator.schema import check_report, outcome
from daap_operator.schema.drift import Change, Drift, Key
from daap_operator.schema.errors import RefusedError, SchemaError
from daap_operator.schema.model import (
    Applied,
    Finding,
    Level,
    Obstacle,
    Part,
    Plan,
    Planned,
    SqlFile,
    Trouble,
)

FOUND = [
    Finding("drop-table", Level.WARNING, 1, "m" * 300, "r" * 100, destructive=True),
    Finding("rename", Level.WARNING, 2, "m" * 300, "r" * 100),
]


def plan(files: int, obstacles: int = 0, findings: int = 1) -> Plan:
    return Plan(
        [
            Planned(SqlFile(Part.SCHEMA, f"{n:04}_a_file.sql", "SELECT 1"), (), FOUND * findings)
            for n in range(files)
        ],
        [Obstacle(Trouble.LINT, f"{n:04}_a_file.sql", "o" * 300, n) for n in range(obstacles)],
        "f" * 64,
    )


def drift(count: int) -> list[Drift]:
    return [Drift(Change.GONE, Key("table", f"public.t{n}"), "001.sql") for n in range(count)]


def test_the_document_has_counts_of_the_whole() -> None:
    rows = [Applied(Part.SCHEMA, "0001.sql", "c"), Applied(Part.FIXTURES, "2.sql", "c")]
    half = Applied(Part.SCHEMA, "0002.sql", "c", done=1)
    made = check_report.document("shop", "a" * 64, None, (plan(3, 2), [*rows, half], drift(4)))
    assert made["result"] == "Checked"
    assert (made["ledger"], made["current"], made["count"]) == ("shop", "0001.sql", 2)
    names = ("pending", "findings", "destructive", "obstacles", "drift")
    assert [made[f"{name}Count"] for name in names] == [3, 6, 3, 2, 4]
    assert made["stopped"]
    assert made["filesChecksum"] == "a" * 64
    assert made["obstacles"][1] == {
        "reason": "LintFailed",
        "file": "0001_a_file.sql",
        "line": 1,
        "message": "o" * 300,
    }
    assert made["drift"][0] == {
        "change": "Gone",
        "kind": "table",
        "name": "public.t0",
        "file": "001.sql",
        "message": "table public.t0 is gone; 001.sql made it",
    }


def test_findings_alone_stop_nothing() -> None:
    assert not check_report.document("l", "", None, (plan(3), [], []))["stopped"]


@pytest.mark.parametrize(
    ("error", "result", "reason"),
    [
        (RefusedError("no", "FilesChanged"), "Refused", "FilesChanged"),
        (SchemaError("no"), "Failed", "Unavailable"),
    ],
)
def test_what_went_wrong_is_told_with_the_same_keys(
    error: SchemaError, result: str, reason: str
) -> None:
    made = check_report.document("default", "a" * 64, error)
    assert (made["result"], made["reason"], made["message"]) == (result, reason, "no")
    assert made.keys() == check_report.document("default", "", None).keys()
    assert (made["plan"], made["pending"], made["pendingCount"]) == ("", [], 0)


@pytest.mark.parametrize("most", [outcome.LAST_WORDS_BYTES, outcome.LOG_BYTES])
@pytest.mark.parametrize("files", [1, 30, 2000])
def test_it_fits_and_the_counts_stay(files: int, most: int) -> None:
    made = check_report.document("default", "", None, (plan(files, files, 50), [], drift(1000)))
    text = outcome.told(made, most)
    assert len(text.encode()) <= most
    read = json.loads(text)
    assert read["pendingCount"] == files == len(read["pending"]) + read.get("pendingMore", 0)
    assert read["driftCount"] == 1000
    first = read["pending"][0]
    assert len(first["findings"]) + first.get("findingsMore", 0) == 100
    # Which files wait, and what is in the way, before what was found in one of them
    assert first["file"] == read["obstacles"][0]["file"] == "0000_a_file.sql"
    assert read["drift"][0]["name"] == "public.t0"


def test_people_read_the_plan_and_then_the_drift() -> None:
    told = check_report.told(plan(1), drift(1)).splitlines()
    assert told[0] == "1 file to apply, in this order:"
    assert told[-1] == "table public.t0 is gone; 001.sql made it"
    assert check_report.told(Plan(), []).endswith("nothing differs from what the files have made\n")
