"""For each rule SQL that breaks it, and what is written instead, which does not."""

from typing import NamedTuple


class Case(NamedTuple):
    """What is found in each of `bad`, and in none of `good`."""

    bad: tuple[str, ...]
    good: tuple[str, ...] = ()


OWN: dict[str, Case] = {
    "drop-table": Case(
        (
            "DROP TABLE app.t",
            'DROP TABLE IF EXISTS a, "B b"',
            "DROP FOREIGN TABLE t",
            "CREATE TABLE u (); DROP TABLE t",
            "DROP TABLE t; CREATE TABLE t ()",
            "CREATE TABLE app.t (); DROP TABLE other.t",
            "CREATE TABLE t (); DROP TABLE t; DROP TABLE t",
            # What is new is another table, or may be
            "CREATE TABLE IF NOT EXISTS t (); DROP TABLE t",
            "CREATE TABLE IF NOT EXISTS t AS SELECT 1; DROP TABLE t",
            "CREATE TABLE app.t (); DROP TABLE t",
            "CREATE TABLE t (); DROP TABLE app.t",
            "CREATE SCHEMA app CREATE TABLE t (); DROP TABLE t",
            "CREATE TEMP TABLE t (); DROP TABLE public.t",
            "CREATE TEMP TABLE t (); VACUUM; DROP TABLE t",
            "CREATE TABLE n (); ALTER TABLE t RENAME TO u; ALTER TABLE n RENAME TO t; DROP TABLE u",
            "CREATE TABLE n (); ALTER TABLE n RENAME TO m; ALTER TABLE t RENAME TO n; DROP TABLE n",
            "CREATE TABLE n(); ALTER TABLE n SET SCHEMA a; ALTER TABLE t RENAME TO n; DROP TABLE n",
            "SET search_path = app; CREATE TABLE t (); SET search_path = public; DROP TABLE t",
            "CREATE TABLE t (); SET search_path = app; DROP TABLE t",
            "CREATE TABLE t (); RESET ALL; DROP TABLE t",
            "CREATE TABLE t (); SET SCHEMA 'app'; DROP TABLE t",
            "SELECT set_config('search_path', 'app', false); CREATE TABLE t (); DROP TABLE t",
            "DO $$ BEGIN SET search_path = app; END $$; CREATE TABLE t (); DROP TABLE t",
        ),
        (
            "DROP VIEW t",
            "DROP MATERIALIZED VIEW t",
            "DROP INDEX t",
            "DROP FUNCTION t()",
            "CREATE TABLE t (); DROP TABLE t",
            "CREATE TEMP TABLE t (); DROP TABLE t",
            "CREATE TABLE app.t (); DROP TABLE app.t",
            "SET search_path = app; CREATE TABLE app.t (); DROP TABLE app.t",
            "CREATE TABLE t (); SET lock_timeout = '1s'; DROP TABLE t",
            "CREATE TABLE t AS SELECT 1; DROP TABLE t",
            "SELECT 1 INTO t; DROP TABLE t",
            "CREATE TABLE t (); ALTER TABLE t RENAME TO u; DROP TABLE u",
            "CREATE SCHEMA app CREATE TABLE t (); DROP TABLE app.t",
        ),
    ),
    "drop-column": Case(
        (
            "ALTER TABLE t DROP COLUMN a",
            "ALTER TABLE t ADD b int, DROP a",
            "ALTER TYPE c DROP ATTRIBUTE a",
            "ALTER FOREIGN TABLE t DROP COLUMN a",
        ),
        ("ALTER TABLE t DROP CONSTRAINT a", "CREATE TABLE t (a int); ALTER TABLE t DROP a"),
    ),
    "drop-schema": Case(("DROP SCHEMA app",), ("CREATE SCHEMA app",)),
    "drop-type": Case(("DROP TYPE e", "DROP DOMAIN IF EXISTS d"), ("CREATE DOMAIN d AS int",)),
    "drop-sequence": Case(("DROP SEQUENCE s",), ("CREATE SEQUENCE s; DROP SEQUENCE s",)),
    "drop-extension": Case(("DROP EXTENSION hstore",), ("CREATE EXTENSION hstore",)),
    "drop-owned": Case(("DROP OWNED BY app",), ("REASSIGN OWNED BY app TO CURRENT_USER",)),
    "drop-cascade": Case(
        (
            "DROP VIEW v CASCADE",
            "DROP TABLE t CASCADE",
            "DROP FUNCTION f() CASCADE",
            "DROP SCHEMA app CASCADE",
            "ALTER TABLE t DROP COLUMN a CASCADE",
            "ALTER TABLE t DROP CONSTRAINT c CASCADE",
        ),
        ("DROP VIEW v", "DROP VIEW v RESTRICT", "ALTER TABLE t DROP CONSTRAINT c"),
    ),
    "truncate": Case(
        ("TRUNCATE t", "TRUNCATE TABLE a, b", "CREATE TABLE t (); TRUNCATE t CASCADE"),
        ("CREATE TABLE t (); TRUNCATE t", "DELETE FROM t WHERE a = 1"),
    ),
    "delete-without-where": Case(
        (
            "DELETE FROM t",
            "DELETE FROM t WHERE true",
            "DELETE FROM t USING u",
            "WITH gone AS (DELETE FROM t RETURNING *) SELECT count(*) FROM gone",
            "WITH x AS (SELECT 1) DELETE FROM t",
            "EXPLAIN ANALYZE DELETE FROM t",
            "PREPARE p AS DELETE FROM t",
            "MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING u ON t.a = u.a WHEN NOT MATCHED BY SOURCE THEN DELETE",
            "WITH m AS (MERGE INTO t USING u ON true WHEN MATCHED THEN DELETE) SELECT 1",
        ),
        (
            "DELETE FROM t WHERE a",
            "DELETE FROM t WHERE false",
            "CREATE TABLE t (); DELETE FROM t",
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN DELETE",
            "MERGE INTO t USING u ON true WHEN MATCHED AND t.a < 1 THEN DELETE",
            "MERGE INTO t USING u ON t.a = u.a WHEN MATCHED THEN UPDATE SET b = 1",
        ),
    ),
    "update-without-where": Case(
        (
            "UPDATE t SET a = 1",
            "WITH x AS (UPDATE t SET a = 1 RETURNING a) SELECT FROM x",
            "ALTER TABLE t ALTER a TYPE text USING NULL",
            "ALTER TABLE t ALTER a TYPE text USING coalesce(lower('x'), '')",
        ),
        (
            "UPDATE t SET a = 1 WHERE a IS NULL",
            "INSERT INTO t VALUES (1)",
            "ALTER TABLE t ALTER a TYPE text",
            "ALTER TABLE t ALTER a TYPE int USING nullif(lower(a), '')::int",
            "CREATE TABLE t (a int); ALTER TABLE t ALTER a TYPE text USING NULL",
        ),
    ),
    "hidden-deletion": Case(
        (
            "DO $$ BEGIN DROP TABLE t; END $$",
            "DO $$ BEGIN EXECUTE 'truncate t'; END $$",
            "DO LANGUAGE plpgsql 'BEGIN DELETE FROM t; END'",
        ),
        ("DO $$ BEGIN -- DROP\n /* DELETE */ CREATE TABLE t (); END $$", "DO $$ dropped $$"),
    ),
    "index-blocks-writes": Case(
        ("CREATE INDEX i ON t (a)", "CREATE UNIQUE INDEX ON app.t (a)"),
        (
            "CREATE INDEX CONCURRENTLY i ON t (a)",
            "CREATE TABLE t (a int); CREATE INDEX i ON t (a)",
            "CREATE TABLE IF NOT EXISTS app.t (a int); CREATE INDEX i ON app.t (a)",
            "CREATE MATERIALIZED VIEW t AS SELECT 1 AS a; CREATE INDEX i ON t (a)",
        ),
    ),
    "drop-index-blocks": Case(
        ("DROP INDEX i", "DROP INDEX IF EXISTS app.i"),
        (
            "DROP INDEX CONCURRENTLY i",
            "CREATE TABLE t (a int); CREATE INDEX i ON t (a); DROP INDEX i",
        ),
    ),
    "reindex-blocks": Case(
        ("REINDEX TABLE t", "REINDEX INDEX i", "REINDEX (VERBOSE) SCHEMA app"),
        ("REINDEX TABLE CONCURRENTLY t", "REINDEX (CONCURRENTLY) INDEX i"),
    ),
    "constraint-scans-table": Case(
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0)",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u",
            "ALTER TABLE t ADD COLUMN b int CHECK (b > 0)",
            "ALTER TABLE t ADD COLUMN b int REFERENCES u",
        ),
        (
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u NOT VALID",
            "ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u NOT ENFORCED",
            "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT ENFORCED",
            "ALTER TABLE t VALIDATE CONSTRAINT c",
            "CREATE TABLE t (a int); ALTER TABLE t ADD CHECK (a > 0)",
        ),
    ),
    "constraint-builds-index": Case(
        (
            "ALTER TABLE t ADD PRIMARY KEY (a)",
            "ALTER TABLE t ADD CONSTRAINT c UNIQUE (a)",
            "ALTER TABLE t ADD COLUMN b int UNIQUE",
        ),
        ("ALTER TABLE t ADD CONSTRAINT c UNIQUE USING INDEX i",),
    ),
    "exclusion-builds-index": Case(("ALTER TABLE t ADD EXCLUDE USING gist (a WITH &&)",)),
    "set-not-null-scans-table": Case(
        ("ALTER TABLE t ALTER COLUMN a SET NOT NULL", "ALTER TABLE t ADD CONSTRAINT c NOT NULL a"),
        (
            "ALTER TABLE t ALTER COLUMN a DROP NOT NULL",
            "CREATE TABLE t (a int); ALTER TABLE t ALTER COLUMN a SET NOT NULL",
        ),
    ),
    "attach-scans-table": Case(
        ("ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)",),
        ("CREATE TABLE p (a int); ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)",),
    ),
    "detach-blocks": Case(
        ("ALTER TABLE t DETACH PARTITION p",),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY",),
    ),
    "refresh-blocks-reads": Case(
        ("REFRESH MATERIALIZED VIEW v",), ("REFRESH MATERIALIZED VIEW CONCURRENTLY v",)
    ),
    "lock-table": Case(("LOCK TABLE t", "LOCK a, b IN SHARE MODE"), ("SELECT 1",)),
    "rewrites-table": Case(
        (
            "VACUUM FULL t",
            "VACUUM (FULL, ANALYZE) t",
            "CLUSTER t USING i",
            "ALTER TABLE t SET UNLOGGED",
            "ALTER TABLE t SET LOGGED",
            "ALTER TABLE t SET TABLESPACE x",
            "ALTER TABLE t SET ACCESS METHOD heap",
            "ALTER TABLE t ALTER COLUMN a SET EXPRESSION AS (b + 1)",
            "ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS (a + 1) STORED",
        ),
        (
            "VACUUM t",
            "VACUUM (FULL false) t",
            "ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS (a + 1) VIRTUAL",
        ),
    ),
    "column-type": Case(
        ("ALTER TABLE t ALTER COLUMN a TYPE bigint", "ALTER TABLE t ALTER a SET DATA TYPE text"),
        ("CREATE TABLE t (a int); ALTER TABLE t ALTER COLUMN a TYPE bigint",),
    ),
    "volatile-default": Case(
        (
            "ALTER TABLE t ADD COLUMN b uuid DEFAULT gen_random_uuid()",
            "ALTER TABLE t ADD COLUMN b timestamptz DEFAULT clock_timestamp()",
            "ALTER TABLE t ADD COLUMN b text DEFAULT 'a' || lower(app.mine())",
            "ALTER TABLE t ADD COLUMN b bigserial",
            "ALTER TABLE t ADD COLUMN b int GENERATED ALWAYS AS IDENTITY",
        ),
        (
            "ALTER TABLE t ADD COLUMN b timestamptz DEFAULT now() + interval '1 day'",
            "ALTER TABLE t ADD COLUMN b timestamptz DEFAULT CURRENT_TIMESTAMP",
            "ALTER TABLE t ADD COLUMN b text DEFAULT 'x' NOT NULL",
            "ALTER TABLE t ADD COLUMN b text, ALTER COLUMN b SET DEFAULT gen_random_uuid()",
        ),
    ),
    "required-column": Case(
        (
            "ALTER TABLE t ADD COLUMN b text NOT NULL",
            "ALTER TABLE t ADD COLUMN b int PRIMARY KEY",
        ),
        (
            "ALTER TABLE t ADD COLUMN b text NOT NULL DEFAULT ''",
            "ALTER TABLE t ADD COLUMN b bigserial PRIMARY KEY",
            "CREATE TABLE t (a int); ALTER TABLE t ADD COLUMN b text NOT NULL",
        ),
    ),
    "rename": Case(
        (
            "ALTER TABLE t RENAME TO u",
            "ALTER TABLE t RENAME COLUMN a TO b",
            "ALTER VIEW v RENAME TO w",
            "ALTER SCHEMA a RENAME TO b",
            "ALTER TYPE e RENAME TO f",
            "ALTER FUNCTION f() RENAME TO g",
            "ALTER TABLE t SET SCHEMA app",
        ),
        (
            "ALTER INDEX i RENAME TO j",
            "ALTER TABLE t RENAME CONSTRAINT a TO b",
            "ALTER TRIGGER a ON t RENAME TO b",
            "CREATE TABLE t (); ALTER TABLE t RENAME TO u",
        ),
    ),
    "mixed-transactions": Case(
        (
            "CREATE TABLE t (a int); CREATE INDEX CONCURRENTLY i ON t (a)",
            "ALTER TYPE e ADD VALUE 'x'; INSERT INTO t VALUES ('x')",
        ),
        (
            "VACUUM t",
            "VACUUM t; VACUUM u",
            "SET LOCAL statement_timeout = 0; CREATE INDEX CONCURRENTLY i ON t (a)",
        ),
    ),
    "unnamed-concurrent-index": Case(
        ("CREATE INDEX CONCURRENTLY ON t (a)",), ("CREATE INDEX CONCURRENTLY i ON t (a)",)
    ),
    "owner-cannot": Case(
        (
            "ALTER SYSTEM SET work_mem = '1GB'",
            "CREATE ROLE app LOGIN",
            "CREATE USER app",
            "ALTER ROLE app PASSWORD 'x'",
            "DROP ROLE app",
            "GRANT admin TO app",
            "CREATE DATABASE d",
            "DROP DATABASE d",
            "CREATE TABLESPACE s LOCATION '/x'",
            "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
            "CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p",
            "CREATE PUBLICATION p FOR ALL TABLES",
            "CREATE PUBLICATION p FOR TABLES IN SCHEMA app",
            "CREATE FUNCTION f() RETURNS int LANGUAGE c AS 'x', 'y'",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpython3u AS 'return 1'",
            "CREATE CAST (int AS app.x) WITHOUT FUNCTION",
            "CREATE TYPE x (INPUT = f, OUTPUT = g)",
            "CREATE OPERATOR CLASS o FOR TYPE int USING btree AS OPERATOR 1 <",
            "CREATE ACCESS METHOD m TYPE TABLE HANDLER h",
            "COPY t FROM '/etc/passwd'",
            "COPY t TO PROGRAM 'curl'",
            "LOAD 'x'",
            "CHECKPOINT",
            "SET session_replication_role = replica",
        ),
        (
            "GRANT SELECT ON t TO app",
            "CREATE PUBLICATION p FOR TABLE t",
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS 'BEGIN RETURN 1; END'",
            "CREATE TYPE x AS ENUM ('a')",
            "SET LOCAL work_mem = '64MB'",
        ),
    ),
    "untrusted-extension": Case(
        ("CREATE EXTENSION dblink", "CREATE EXTENSION IF NOT EXISTS postgres_fdw"),
        ("CREATE EXTENSION IF NOT EXISTS pgcrypto", 'CREATE EXTENSION "uuid-ossp"'),
    ),
    "ledger": Case(
        (
            "DELETE FROM daap_schema.ledger WHERE file = 'x'",
            "ALTER TABLE daap_schema.ledger ADD COLUMN a int",
            "CREATE TABLE daap_schema.mine ()",
            "DROP SCHEMA daap_schema CASCADE",
            "CREATE SCHEMA daap_schema",
            "ALTER SCHEMA daap_schema RENAME TO x",
            "ALTER TABLE t SET SCHEMA daap_schema",
            "DROP TABLE daap_schema.objects",
        ),
        ("SELECT * FROM daap_schema.ledger", "CREATE TABLE daap_schema ()"),
    ),
    "role-change": Case(
        ("SET ROLE app", "RESET ROLE", "SET SESSION AUTHORIZATION app"), ("SET search_path = app",)
    ),
    "owner-change": Case(
        (
            "ALTER TABLE t OWNER TO app",
            "ALTER FUNCTION f() OWNER TO app",
            "CREATE SCHEMA s AUTHORIZATION app",
        ),
        ("ALTER TABLE t OWNER TO CURRENT_USER", "CREATE SCHEMA s"),
    ),
    "discard-all": Case(("DISCARD ALL",), ("DISCARD PLANS",)),
    "own-timeouts": Case(
        ("SET lock_timeout = 0", "SET statement_timeout TO '1h'", "RESET lock_timeout"),
        ("SET LOCAL lock_timeout = '1s'", "SET work_mem = '64MB'"),
    ),
    "empty-file": Case(("", "-- nothing yet\n", ";;"), ("SELECT 1",)),
}
"""Rules that one file of a schema breaks by itself."""

FIXTURES = Case(
    (
        "INSERT INTO t VALUES (1)",
        "INSERT INTO t DEFAULT VALUES",
        "INSERT INTO t SELECT 1",
        "CREATE TABLE t ()",
        "CREATE INDEX i ON t (a)",
        "CREATE VIEW v AS SELECT 1",
        "CREATE TYPE e AS ENUM ('a')",
        "CREATE DOMAIN d AS int",
        "CREATE TRIGGER r BEFORE INSERT ON t EXECUTE FUNCTION f()",
        "CREATE POLICY p ON t",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "ALTER TABLE t ADD COLUMN a int",
        "ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID",
        "ALTER TABLE t DROP COLUMN a",
        "ALTER TABLE t RENAME TO u",
        "ALTER TYPE e ADD VALUE 'x'",
        "DROP TABLE t",
    ),
    (
        "INSERT INTO t VALUES (1) ON CONFLICT DO NOTHING",
        "INSERT INTO t VALUES (1) ON CONFLICT (a) DO UPDATE SET a = 1",
        "INSERT INTO t SELECT 1 WHERE NOT EXISTS (SELECT FROM t)",
        "DELETE FROM t; INSERT INTO t VALUES (1)",
        "TRUNCATE app.t; INSERT INTO app.t VALUES (1)",
        "DELETE FROM t WHERE a = 1; INSERT INTO t VALUES (1)",
        "CREATE TABLE IF NOT EXISTS t ()",
        "CREATE OR REPLACE VIEW v AS SELECT 1",
        "CREATE OR REPLACE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP TRIGGER IF EXISTS r ON t; CREATE TRIGGER r BEFORE INSERT ON t EXECUTE FUNCTION f()",
        "DROP POLICY IF EXISTS p ON app.t; CREATE POLICY p ON app.t",
        "DROP TYPE IF EXISTS app.e; CREATE TYPE app.e AS ENUM ('a')",
        "DROP TYPE IF EXISTS c; CREATE TYPE c AS (a int)",
        "DROP DOMAIN IF EXISTS d; CREATE DOMAIN d AS int",
        "DROP FUNCTION IF EXISTS f(); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "DROP INDEX IF EXISTS i; CREATE INDEX i ON t (a)",
        "DROP VIEW IF EXISTS v; CREATE VIEW v AS SELECT 1",
        "DROP TABLE IF EXISTS t; CREATE TABLE t AS SELECT 1",
        "DROP SEQUENCE IF EXISTS s; CREATE SEQUENCE s",
        "ALTER TABLE t ADD COLUMN IF NOT EXISTS a int, DROP COLUMN IF EXISTS b",
        "ALTER TYPE e ADD VALUE IF NOT EXISTS 'x'",
        "UPDATE t SET a = 1",
        "SELECT setval('s', 1)",
    ),
)
"""The rule not-repeatable, of fixtures alone."""

SQUAWK: dict[str, Case] = {
    "prefer-bigint-over-int": Case(("CREATE TABLE t (a int)",), ("CREATE TABLE t (a bigint)",)),
    "prefer-bigint-over-smallint": Case(("CREATE TABLE t (a smallint)",)),
    "prefer-identity": Case(
        ("CREATE TABLE t (a bigserial)",),
        ("CREATE TABLE t (a bigint GENERATED BY DEFAULT AS IDENTITY)",),
    ),
    "prefer-text-field": Case(("CREATE TABLE t (a varchar(9))",), ("CREATE TABLE t (a text)",)),
    "prefer-timestamp-tz": Case(
        ("CREATE TABLE t (a timestamp)",), ("CREATE TABLE t (a timestamptz)",)
    ),
    "ban-char-field": Case(("CREATE TABLE t (a char(9))",)),
    "ban-drop-not-null": Case(("ALTER TABLE t ALTER COLUMN a DROP NOT NULL",)),
    "ban-create-domain-with-constraint": Case(("CREATE DOMAIN d AS int CHECK (VALUE > 0)",)),
    "ban-alter-domain-with-add-constraint": Case(("ALTER DOMAIN d ADD CHECK (VALUE > 0)",)),
    "identifier-too-long": Case((f"CREATE TABLE {'t' * 64} (a bigint)",)),
    "require-enum-value-ordering": Case(
        ("ALTER TYPE e ADD VALUE 'x'",), ("ALTER TYPE e ADD VALUE 'x' AFTER 'y'",)
    ),
}
