"""What differs from what the files have made is told, and who waits for files gets to know."""

from collections.abc import Iterator
from typing import Any

import pytest
from psycopg.conninfo import make_conninfo

from daap_operator.schema import looking
from daap_operator.schema.applying import Rules
from daap_operator.schema.errors import RefusedError
from dev.postgres import Postgres
from tests.integration.schema_stage import (
    FIVE,
    FIXTURES,
    SIX,
    applied,
    apply,
    rows,
    run_sql,
)

TOUCHED = "FUNCTION app.touched() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NEW; END $$"
OF_ALL_KINDS = {
    "001.sql": f"""
CREATE SCHEMA app;
CREATE TYPE app.size AS ENUM ('small', 'large');
CREATE TYPE app.pair AS (a int, b text);
CREATE DOMAIN app.positive AS int CHECK (VALUE > 0);
CREATE SEQUENCE app.numbers INCREMENT 2;
CREATE TABLE app.servers (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL DEFAULT 'none' UNIQUE,
    size app.size,
    pairs app.pair[],
    number app.positive CHECK (number < 100),
    twice int GENERATED ALWAYS AS (number * 2) STORED,
    parent bigint REFERENCES app.servers
);
CREATE INDEX servers_name ON app.servers (lower(name)) WHERE size = 'large';
CREATE {TOUCHED};
CREATE PROCEDURE app.tidy() LANGUAGE sql AS $$ DELETE FROM app.servers $$;
CREATE AGGREGATE app.total(int) (SFUNC = int4pl, STYPE = int);
CREATE TRIGGER touched BEFORE UPDATE ON app.servers FOR EACH ROW EXECUTE FUNCTION app.touched();
CREATE VIEW app.large AS SELECT id, name FROM app.servers WHERE size = 'large';
CREATE MATERIALIZED VIEW app.counts AS SELECT size, count(*) FROM app.servers GROUP BY size;
CREATE POLICY mine ON app.servers USING (name = CURRENT_USER);
CREATE RULE kept AS ON DELETE TO app.large DO INSTEAD NOTHING;
CREATE TABLE app.parts (id int) PARTITION BY RANGE (id);
CREATE TABLE app.few PARTITION OF app.parts FOR VALUES FROM (0) TO (10);
"""
}


def drift(url: str) -> list[str]:
    return [each.told() for each in looking.verified(url, "default").drift]


@pytest.fixture(scope="module")
def of_all_kinds(postgres_server: Any) -> Iterator[str]:
    with postgres_server.database() as url:
        applied(url, OF_ALL_KINDS)
        yield url


def test_what_the_files_have_made_is_no_drift_nor_are_the_runners_own_tables(
    of_all_kinds: str,
) -> None:
    assert drift(of_all_kinds) == []
    found = rows(of_all_kinds, "SELECT DISTINCT kind FROM daap_schema.objects ORDER BY 1")
    assert [kind for (kind,) in found] == [
        "aggregate",
        "column",
        "constraint",
        "domain",
        "function",
        "index",
        "materialized view",
        "policy",
        "procedure",
        "rule",
        "schema",
        "sequence",
        "table",
        "trigger",
        "type",
        "view",
    ]


@pytest.mark.parametrize(
    ("by_hand", "told"),
    [
        ("DROP TABLE app.parts CASCADE", ["table app.few is gone; 001.sql made it"]),
        ("CREATE TABLE app.other (id int PRIMARY KEY)", ["table app.other is there"]),
        ("ALTER TABLE app.servers ADD COLUMN more int", ["column app.servers.more is there"]),
        ("ALTER TABLE app.servers DROP COLUMN pairs", ["column app.servers.pairs is gone"]),
        ("ALTER TABLE app.servers ALTER name DROP NOT NULL", ["column app.servers.name is not as"]),
        ("ALTER TABLE app.servers ALTER name SET DEFAULT 'x'", ["column app.servers.name is not"]),
        ("DROP INDEX app.servers_name", ["index app.servers_name is gone"]),
        ("CREATE INDEX ON app.servers (size)", ["index app.servers_size_idx is there"]),
        ("ALTER TABLE app.servers DROP CONSTRAINT servers_name_key", ["servers_name_key is gone"]),
        ("ALTER SEQUENCE app.numbers INCREMENT 3", ["sequence app.numbers is not as"]),
        ("ALTER TYPE app.size ADD VALUE 'huge'", ["type app.size is not as 001.sql made it"]),
        ("ALTER TYPE app.pair ADD ATTRIBUTE c int", ["type app.pair is not as"]),
        ("ALTER DOMAIN app.positive SET NOT NULL", ["domain app.positive is not as"]),
        (
            f"CREATE OR REPLACE {TOUCHED.replace('NEW', 'OLD')}",
            [
                "function app.touched() is not as 001.sql made it: ",
                "BEGIN RETURN NEW; END $function$ was made, ",
                "BEGIN RETURN OLD; END $function$ is there",
            ],
        ),
        ("DROP PROCEDURE app.tidy()", ["procedure app.tidy() is gone"]),
        ("DROP AGGREGATE app.total(int)", ["aggregate app.total(integer) is gone"]),
        ("ALTER TABLE app.servers DISABLE TRIGGER touched", ["trigger app.servers.touched is not"]),
        (
            "CREATE OR REPLACE VIEW app.large AS SELECT id, name FROM app.servers",
            ["view app.large is not as"],
        ),
        ("DROP MATERIALIZED VIEW app.counts", ["materialized view app.counts is gone"]),
        ("ALTER POLICY mine ON app.servers USING (true)", ["policy app.servers.mine is not as"]),
        ("DROP RULE kept ON app.large", ["rule app.large.kept is gone"]),
        ("ALTER TABLE app.servers ENABLE ROW LEVEL SECURITY", ["table app.servers is not as"]),
        ("ALTER TABLE app.parts DETACH PARTITION app.few", ["table app.few is not as"]),
        ("CREATE SCHEMA another", ["schema another is there"]),
        ("INSERT INTO app.servers (name) VALUES ('row')", []),
        ("SELECT nextval('app.numbers')", []),
        ("CREATE TEMPORARY TABLE passing ()", []),
    ],
)
def test_what_is_changed_by_hand_is_told(
    of_all_kinds: str, by_hand: str, told: list[str], postgres_server: Any
) -> None:
    with postgres_server.database(template=of_all_kinds.rpartition("/")[2]) as url:
        run_sql(url, by_hand)
        found = drift(url)
        assert all(each in "\n".join(found) for each in told), found
        assert bool(found) is bool(told)
        if by_hand.startswith(("CREATE TABLE", "CREATE SCHEMA")):  # of a table the table alone
            assert len(found) == 1


def test_an_owner_that_was_changed_is_told(own_postgres: Postgres) -> None:
    url = own_postgres.url
    applied(url, FIVE)
    admin = make_conninfo(url, user="postgres", password="postgres")
    run_sql(admin, "ALTER TABLE servers OWNER TO postgres")
    (told,) = drift(url)
    assert told.startswith("table public.servers is not as 001_servers.sql made it: ")
    assert told.endswith("owner daap was made, plain owner postgres is there")


def test_drift_stays_told_when_files_follow(empty_database: str) -> None:
    applied(empty_database, FIVE)
    run_sql(empty_database, "DROP VIEW large", "ALTER TABLE disks ADD COLUMN more int")
    before = drift(empty_database)
    assert before == [
        "column public.disks.more is there, and no file made it: integer",
        "view public.large is gone; 005_large.sql made it",
    ]
    applied(empty_database, SIX, FIXTURES)
    assert drift(empty_database) == before


def test_what_a_file_puts_back_is_no_drift_any_more(empty_database: str) -> None:
    applied(empty_database, FIVE)
    run_sql(empty_database, "DROP VIEW large")
    applied(empty_database, FIVE | {"006.sql": FIVE["005_large.sql"]})
    assert drift(empty_database) == []


def test_what_was_there_before_the_first_file_was_made_by_none(empty_database: str) -> None:
    run_sql(empty_database, "CREATE TABLE older (id int)")
    applied(empty_database, FIVE)
    assert drift(empty_database) == [
        "table public.older is there, and no file made it: plain owner daap"
    ]


def test_what_was_there_before_the_baseline_is_no_drift(empty_database: str) -> None:
    run_sql(empty_database, FIVE["001_servers.sql"], "CREATE TABLE older (id int)")
    applied(empty_database, FIVE, baseline="001_servers.sql")
    assert drift(empty_database) == []
    run_sql(empty_database, "DROP TABLE older")
    assert drift(empty_database) == ["table public.older is gone; 001_servers.sql made it"]


def test_two_ledgers_know_what_the_other_ones_files_have_made(empty_database: str) -> None:
    applied(empty_database, FIVE, rules=Rules(ledger="one"))
    applied(empty_database, {"001.sql": "CREATE TABLE teams ()"}, rules=Rules(ledger="two"))
    assert list(looking.verified(empty_database, "one").drift) == []


def test_an_index_that_failed_is_told_as_invalid(empty_database: str) -> None:
    text = (
        "CREATE TABLE items (id int);\nINSERT INTO items VALUES (1), (1);\n"
        "CREATE UNIQUE INDEX CONCURRENTLY items_id ON items (id);"
    )
    assert apply(empty_database, {"001.sql": text}).error
    (told,) = drift(empty_database)
    assert told.startswith("index public.items_id is invalid, and no file made it: drop it")


def test_definitions_of_another_major_version_are_only_looked_for(empty_database: str) -> None:
    applied(empty_database, FIVE)
    run_sql(
        empty_database,
        "UPDATE daap_schema.objects SET major = 15, digest = 'in other words'",
        "DROP VIEW large",
    )
    assert drift(empty_database) == ["view public.large is gone; 005_large.sql made it"]
    told = applied(empty_database, SIX)
    assert "the objects are recorded as PostgreSQL 16 writes them" in told.text
    run_sql(empty_database, "ALTER TABLE servers ALTER name DROP NOT NULL")
    assert len(drift(empty_database)) == 2


def test_a_look_reads_nothing_that_runs_code(empty_database: str) -> None:
    run_sql(
        empty_database,
        "CREATE SCHEMA daap_schema",
        "CREATE FUNCTION planted() RETURNS int LANGUAGE plpgsql "
        "AS $$ BEGIN RAISE EXCEPTION 'planted'; END $$",
        "CREATE VIEW daap_schema.ledger AS SELECT planted() AS ledger",
        "COMMENT ON SCHEMA daap_schema IS 'daap-operator schema, format 1'",
    )
    for look in (looking.applied, looking.verified):
        with pytest.raises(RefusedError, match=r"daap_schema\.ledger is no plain table"):
            look(empty_database, "default")


def test_a_look_changes_nothing_and_finds_nothing_where_there_is_no_ledger(
    empty_database: str,
) -> None:
    assert not looking.verified(empty_database, "default").there
    assert list(looking.applied(empty_database, "default").applied) == []
    assert rows(empty_database, "SELECT to_regnamespace('daap_schema')") == [(None,)]
