"""A run's result as JSON: complete in the log, and within what Kubernetes keeps of last words."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from daap_operator import lines
from daap_operator.schema import ledger_sum, outcome
from daap_operator.schema.errors import FileFailedError
from daap_operator.schema.failures import Failure
from daap_operator.schema.model import Applied, Part, Plan, Planned, SqlFile
from daap_operator.schema.outcome import Outcome, Result

FILES = [SqlFile(Part.SCHEMA, f"{n:04}_a_file.sql", f"SELECT {n};") for n in range(2000)]


def failed(message: str = "no") -> Outcome:
    rows = [Applied(each.part, each.name, each.checksum, seconds=1.23456) for each in FILES]
    return Outcome(
        Result.FAILED,
        "default",
        reason="FileFailed",
        message=message,
        plan=Plan([Planned(each) for each in FILES], (), "f" * 64),
        done=rows[:1000],
        applied=rows[:1000],
        failure=Failure(Part.SCHEMA, FILES[1000].name, 12, "42703", message),
    )


def test_the_document_has_what_status_needs() -> None:
    made = outcome.document(failed())
    assert made["result"] == "Failed"
    assert made["reason"] == "FileFailed"
    assert made["runbook"] == "SchemaFileFailed"
    assert made["lastError"] == {
        "part": "schema",
        "file": "1000_a_file.sql",
        "line": 12,
        "sqlstate": "42703",
        "message": "no",
    }
    assert made["current"] == "0999_a_file.sql"
    assert made["count"] == len(made["applied"]) == len(made["pending"]) == 1000
    assert made["applied"][0]["seconds"] == 1.235
    assert made["pending"][0]["file"] == "1000_a_file.sql"
    assert made["ledgerChecksum"] == ledger_sum.checksum(FILES[:1000])


def test_detail_and_hint_are_told_where_there_are_any() -> None:
    failure = Failure(Part.SCHEMA, "1.sql", 1, "23505", "no", detail="Key (id)=(1)", hint="Try")
    made = outcome.document(Outcome(Result.FAILED, "default", failure=failure))
    assert (made["lastError"]["detail"], made["lastError"]["hint"]) == ("Key (id)=(1)", "Try")


def test_a_run_that_went_well_has_no_error() -> None:
    assert "lastError" not in outcome.document(Outcome(Result.APPLIED, "default"))


@pytest.mark.parametrize(
    ("sqlstate", "reason"),
    [
        ("55P03", "LockTimeout"),
        ("40P01", "LockTimeout"),
        ("40001", "LockTimeout"),
        ("57014", "FileFailed"),
        ("42P01", "FileFailed"),
        ("", "FileFailed"),
    ],
)
def test_others_in_the_way_are_no_failure_of_the_file(sqlstate: str, reason: str) -> None:
    error = FileFailedError(Failure(Part.SCHEMA, "1.sql", 1, sqlstate, "no"))
    assert outcome.ended(error, Result.APPLIED) == (Result.FAILED, reason)


@pytest.mark.parametrize("most", [outcome.LAST_WORDS_BYTES, outcome.LOG_BYTES])
def test_it_fits_and_says_what_it_has_left_out(most: int) -> None:
    text = outcome.told(outcome.document(failed("€" * 100_000)), most)
    assert len(text.encode()) <= most
    assert "\n" not in text
    read = json.loads(text)
    assert read["lastError"]["file"] == "1000_a_file.sql"
    assert read["lastError"]["message"].endswith("€…")
    assert len(read["applied"]) + read.get("appliedMore", 0) == 1000


@settings(deadline=None, max_examples=50)
@given(some.text(max_size=2000))
def test_whatever_a_server_says_fits_and_is_json(message: str) -> None:
    failure = Failure(Part.SCHEMA, "1.sql", 12, "42703", message)
    made = Outcome(Result.FAILED, "default", message=message, failure=failure)
    text = outcome.told(outcome.document(made), outcome.LAST_WORDS_BYTES)
    assert len(text.encode()) <= outcome.LAST_WORDS_BYTES
    assert json.loads(text)["lastError"]["sqlstate"] == "42703"
    told = json.loads(text)["message"]
    assert told == lines.visible(told)


def test_a_ledgers_checksum_is_that_of_the_files_whatever_the_order() -> None:
    files = [SqlFile(Part.FIXTURES, "001.sql", "a"), SqlFile(Part.SCHEMA, "001.sql", "b")]
    rows = [Applied(each.part, each.name, each.checksum) for each in reversed(files)]
    assert ledger_sum.checksum(rows) == ledger_sum.checksum(files)
    half = Applied(Part.SCHEMA, "002.sql", "c", done=1)
    assert ledger_sum.checksum([*rows, half]) == ledger_sum.checksum(files)
    assert ledger_sum.checksum(rows[:1]) != ledger_sum.checksum(files)
