"""psycopg 3. `python psycopg3.py require` or `verify`."""

import json
import os
import sys

import psycopg


def require():
    # docs: require
    connection = psycopg.connect(os.environ["DATABASE_URL"])
    # end
    return connection


def verify():
    # docs: verify
    connection = psycopg.connect(
        os.environ["DATABASE_URL"],
        sslmode="verify-full",
        sslrootcert="/var/run/secrets/daap/orders/ca.crt",
    )
    # end
    return connection


with {"require": require, "verify": verify}[sys.argv[1]]() as connection:
    (database,) = connection.execute("SELECT current_database()").fetchone()
    connection.commit()
    prepared = 0
    for number in range(10):
        row = connection.execute("SELECT %s::int", [number], prepare=True).fetchone()
        prepared += row[0]
        connection.commit()
    connection.execute("CREATE TABLE unfinished (id int)")
    connection.rollback()
    (unfinished,) = connection.execute("SELECT to_regclass('unfinished')::text").fetchone()
print(json.dumps({"database": database, "prepared": prepared, "unfinished": unfinished}))
