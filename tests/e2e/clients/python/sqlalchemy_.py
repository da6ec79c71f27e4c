"""What every program with SQLAlchemy does once it has an engine."""

import json
import sys

from sqlalchemy import text


def main(**engines):
    """Take the engine that the command line names, and use it."""
    engine = engines[sys.argv[1]]()
    with engine.connect() as connection:
        database = connection.scalar(text("SELECT current_database()"))
        connection.commit()
        prepared = 0
        for number in range(10):
            prepared += connection.scalar(text("SELECT CAST(:n AS int)"), {"n": number})
            connection.commit()
        connection.execute(text("CREATE TABLE unfinished (id int)"))
        connection.rollback()
        unfinished = connection.scalar(text("SELECT to_regclass('unfinished')::text"))
    engine.dispose()
    print(json.dumps({"database": database, "prepared": prepared, "unfinished": unfinished}))
