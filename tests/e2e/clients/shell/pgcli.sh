# pgcli. `sh pgcli.sh require` or `verify`.
set -eu

require() {
    # docs: require
    pgcli "$DATABASE_URL"
    # end
}

verify() {
    # docs: verify
    pgcli "$DATABASE_URL&sslmode=verify-full&sslrootcert=/var/run/secrets/daap/orders/ca.crt"
    # end
}

# What a person would type at its prompt
pgcli() {
    command pgcli "$@" --yes --less-chatty --tuples-only \
        --command "BEGIN" --command "CREATE TABLE unfinished (id int)" --command "ROLLBACK" \
        --command "BEGIN" \
        --command "PREPARE tell (int) AS SELECT json_build_object(
            'database', current_database(),
            'prepared', \$1,
            'unfinished', to_regclass('unfinished')::text)" \
        --command "EXECUTE tell (45)"
}

"$1"
