"""Which locks files held, as PostgreSQL has told the runner that applied them."""

from daap_operator.schema import outcome
from daap_operator.schema.applying import Rules
from daap_operator.schema.model import Lock
from daap_operator.schema.outcome import Outcome, Result
from tests.integration.schema_stage import FIVE, applied, run_sql

MEASURED = Rules(measure=True)
LATER = {
    "006_note.sql": "ALTER TABLE servers ADD COLUMN note text;\n"
    "CREATE TABLE notes (id bigint PRIMARY KEY, server bigint REFERENCES servers);\n"
    "INSERT INTO notes VALUES (1, NULL);",
    "007_index.sql": "CREATE INDEX disks_id ON disks (id);",
    "008_drop.sql": "DROP VIEW large;",
    "009_pieces.sql": "ALTER TABLE disks ADD COLUMN x text;\n"
    "CREATE INDEX CONCURRENTLY disks_x ON disks (x);\nUPDATE servers SET note = '';",
    "010_none.sql": "CREATE TABLE alone (id bigint);",
}


def test_each_file_says_what_it_held_of_what_was_there_before(empty_database: str) -> None:
    applied(empty_database, FIVE)
    run_sql(empty_database, "CREATE SCHEMA other", "CREATE TABLE other.rows (id bigint)")
    other = {"011_other.sql": "ALTER TABLE other.rows ALTER COLUMN id SET DEFAULT 1;"}
    told = applied(empty_database, FIVE | LATER | other, rules=MEASURED)
    held = {each.name: list(each.locks) for each in told.run.done}
    assert held == {
        "006_note.sql": [Lock("ACCESS EXCLUSIVE", "servers")],
        "007_index.sql": [Lock("SHARE", "disks")],
        "008_drop.sql": [Lock("ACCESS EXCLUSIVE", "large")],
        "009_pieces.sql": [Lock("ACCESS EXCLUSIVE", "disks"), Lock("ROW EXCLUSIVE", "servers")],
        "010_none.sql": [],
        "011_other.sql": [Lock("ACCESS EXCLUSIVE", "other.rows")],
    }
    report = outcome.document(Outcome(Result.APPLIED, "default", done=told.run.done))
    assert report["applied"][1]["locks"] == [{"mode": "SHARE", "relation": "disks"}]
    assert "locks" not in report["applied"][4]


def test_nothing_is_measured_unless_it_is_asked_for(empty_database: str) -> None:
    applied(empty_database, FIVE)
    told = applied(empty_database, FIVE | LATER)
    assert [each.locks for each in told.run.done] == [()] * len(LATER)
