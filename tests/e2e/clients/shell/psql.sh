# psql. `sh psql.sh require` or `verify`.
set -eu

require() {
    # docs: require
    psql "$DATABASE_URL"
    # end
}

verify() {
    # docs: verify
    psql "$DATABASE_URL&sslmode=verify-full&sslrootcert=/var/run/secrets/daap/orders/ca.crt"
    # end
}

"$1" <<'SQL'
\set QUIET on
\set ON_ERROR_STOP on
\pset tuples_only
\pset format unaligned
SELECT $1::int AS prepared \bind 45 \gset
BEGIN;
CREATE TABLE unfinished (id int);
ROLLBACK;
SELECT json_build_object(
  'database', current_database(),
  'prepared', :prepared,
  'unfinished', to_regclass('unfinished')::text
);
SQL
