"""Which locks statements take, by PostgreSQL's documentation."""

import pytest
from postgast.pg_query_pb2 import AlterTableType

from daap_operator.schema.locks import ALTER_TABLE, MODES, locks
from daap_operator.schema.tree import parsed

_AX, _SUX, _SRX = "ACCESS EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE ROW EXCLUSIVE"

TAKEN: dict[str, list[str]] = {
    # https://www.postgresql.org/docs/current/sql-altertable.html
    "ALTER TABLE t ADD COLUMN a int": [f"{_AX} on t"],
    "ALTER TABLE t DROP COLUMN a": [f"{_AX} on t"],
    "ALTER TABLE t ALTER COLUMN a TYPE text": [f"{_AX} on t"],
    "ALTER TABLE t ALTER COLUMN a SET DEFAULT 1": [f"{_AX} on t"],
    "ALTER TABLE t ALTER COLUMN a SET NOT NULL": [f"{_AX} on t"],
    "ALTER TABLE t ALTER COLUMN a SET STATISTICS 100": [f"{_SUX} on t"],
    "ALTER TABLE t ALTER COLUMN a SET (n_distinct = 5)": [f"{_SUX} on t"],
    "ALTER TABLE t ALTER COLUMN a SET STORAGE EXTERNAL": [f"{_AX} on t"],
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)": [f"{_AX} on t"],
    "ALTER TABLE t ADD CONSTRAINT c FOREIGN KEY (a) REFERENCES app.u": [
        f"{_SRX} on t",
        f"{_SRX} on app.u",
    ],
    "ALTER TABLE t ADD COLUMN b int REFERENCES u": [f"{_AX} on t", f"{_SRX} on u"],
    "ALTER TABLE t VALIDATE CONSTRAINT c": [f"{_SUX} on t"],
    "ALTER TABLE t DROP CONSTRAINT c": [f"{_AX} on t"],
    "ALTER TABLE t DISABLE TRIGGER r": [f"{_SRX} on t"],
    "ALTER TABLE t ENABLE TRIGGER ALL": [f"{_SRX} on t"],
    "ALTER TABLE t ENABLE ROW LEVEL SECURITY": [f"{_AX} on t"],
    "ALTER TABLE t CLUSTER ON i": [f"{_SUX} on t"],
    "ALTER TABLE t SET (fillfactor = 70, autovacuum_enabled = false)": [f"{_SUX} on t"],
    "ALTER TABLE t SET (toast.autovacuum_enabled = false)": [f"{_SUX} on t"],
    "ALTER TABLE t RESET (parallel_workers)": [f"{_SUX} on t"],
    "ALTER TABLE t SET (fillfactor = 70, user_catalog_table = true)": [f"{_AX} on t"],
    "ALTER TABLE t ATTACH PARTITION p DEFAULT": [f"{_SUX} on t", f"{_AX} on p"],
    "ALTER TABLE t DETACH PARTITION p": [f"{_AX} on t", f"{_AX} on p"],
    "ALTER TABLE t DETACH PARTITION p CONCURRENTLY": [f"{_SUX} on t", f"{_AX} on p"],
    "ALTER TABLE t INHERIT u": [f"{_AX} on t", f"{_SUX} on u"],
    "ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN a int": [f"{_AX} on t"],
    "ALTER TABLE t RENAME COLUMN a TO b": [f"{_AX} on t"],
    "ALTER TABLE t SET SCHEMA app": [f"{_AX} on t"],
    "ALTER INDEX i RENAME TO j": [f"{_SUX} on i"],
    "ALTER SEQUENCE s RESTART": [f"{_SRX} on s"],
    # https://www.postgresql.org/docs/current/explicit-locking.html
    "INSERT INTO t VALUES (1)": ["ROW EXCLUSIVE on t"],
    "UPDATE t SET a = 1": ["ROW EXCLUSIVE on t"],
    "DELETE FROM app.t": ["ROW EXCLUSIVE on app.t"],
    "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE": ["ROW EXCLUSIVE on t"],
    "WITH x AS (DELETE FROM t RETURNING a) INSERT INTO u SELECT a FROM x": [
        "ROW EXCLUSIVE on u",
        "ROW EXCLUSIVE on t",
    ],
    "WITH x AS (DELETE FROM t RETURNING a) SELECT FROM x": ["ROW EXCLUSIVE on t"],
    "SELECT FROM t": [],
    "TRUNCATE a, b": [f"{_AX} on a", f"{_AX} on b"],
    "LOCK t": [f"{_AX} on t"],
    "LOCK t IN ROW SHARE MODE": ["ROW SHARE on t"],
    "LOCK t IN SHARE MODE": ["SHARE on t"],
    "VACUUM t": [f"{_SUX} on t"],
    "VACUUM (FULL) a, b": [f"{_AX} on a", f"{_AX} on b"],
    "ANALYZE t": [f"{_SUX} on t"],
    "CREATE INDEX i ON t (a)": ["SHARE on t"],
    "CREATE INDEX CONCURRENTLY i ON t (a)": [f"{_SUX} on t"],
    "DROP INDEX i": [f"{_AX} on i"],
    "DROP INDEX CONCURRENTLY i": [f"{_SUX} on i"],
    "REINDEX TABLE t": ["SHARE on t"],
    "REINDEX INDEX i": [f"{_AX} on i"],
    "REINDEX INDEX CONCURRENTLY i": [f"{_SUX} on i"],
    "CLUSTER t": [f"{_AX} on t"],
    "CLUSTER": [],
    "REFRESH MATERIALIZED VIEW v": [f"{_AX} on v"],
    "REFRESH MATERIALIZED VIEW CONCURRENTLY v": ["EXCLUSIVE on v"],
    "CREATE TRIGGER r BEFORE INSERT ON t EXECUTE FUNCTION f()": [f"{_SRX} on t"],
    "DROP TRIGGER r ON app.t": [f"{_AX} on app.t"],
    "CREATE RULE r AS ON INSERT TO t DO NOTHING": [f"{_AX} on t"],
    "CREATE POLICY p ON t": [f"{_AX} on t"],
    "ALTER POLICY p ON t USING (true)": [f"{_AX} on t"],
    "DROP POLICY p ON t": [f"{_AX} on t"],
    "CREATE STATISTICS s ON a, b FROM t": [f"{_SUX} on t"],
    "COMMENT ON TABLE t IS 'x'": [f"{_SUX} on t"],
    "COMMENT ON COLUMN app.t.a IS 'x'": [f"{_SUX} on app.t"],
    "COMMENT ON FUNCTION f() IS 'x'": [],
    "DROP TABLE IF EXISTS a, app.b": [f"{_AX} on a", f"{_AX} on app.b"],
    "DROP VIEW v": [f"{_AX} on v"],
    "DROP FUNCTION f()": [],
    "CREATE VIEW v AS SELECT FROM t": [],
    "CREATE OR REPLACE VIEW v AS SELECT FROM t": [f"{_AX} on v"],
    "COPY t FROM '/x'": ["ROW EXCLUSIVE on t"],
    "CREATE TABLE t (a int REFERENCES u, FOREIGN KEY (a) REFERENCES app.w)": [
        f"{_SRX} on u",
        f"{_SRX} on app.w",
    ],
    "CREATE TABLE p PARTITION OF t FOR VALUES IN (1)": [f"{_AX} on t"],
    "CREATE TABLE c () INHERITS (t)": [f"{_SUX} on t"],
    'ALTER TABLE "App"."Ü" ADD a int': [f'{_AX} on "App"."Ü"'],
    "CREATE TABLE t ()": [],
    "GRANT SELECT ON t TO x": [],
}


@pytest.mark.parametrize(("text", "expected"), TAKEN.items())
def test_what_a_statement_locks(text: str, expected: list[str]) -> None:
    (found,) = parsed(text)
    assert [f"{lock.mode} on {lock.relation}" for lock in locks(found)] == expected


def test_the_modes_are_those_of_lock_table() -> None:
    for mode in MODES:
        (found,) = parsed(f"LOCK TABLE t IN {mode} MODE")
        assert [lock.mode for lock in locks(found)] == [mode]


def test_the_subcommands_are_postgresqls() -> None:
    assert set(ALTER_TABLE) <= set(AlterTableType.keys())
