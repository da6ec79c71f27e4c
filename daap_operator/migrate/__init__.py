"""`daap-operator migrate`: brings the metadata database to the schema this version ships.

The law: each migration is applied once, whole or not at all, whoever else migrates at the same time
and whenever a process is killed; and what has been applied is never changed afterwards.

    files     which migrations there are, and what speaks against applying them: pure
    tls       how the server is made sure of
    database  connection, and what has been applied
    locks     one command at a time, and who is in the way
    steps     applying and rolling back one: the only door to yoyo
    command   what people and Jobs call

The operator itself never migrates. It compares what `mirror` finds applied with `shipped()`, by
`missing()`, and waits; importing this costs it neither yoyo nor a connection.
"""

from daap_operator.migrate.command import add_arguments, main, migrate, roll_back, status
from daap_operator.migrate.database import parameters, warning
from daap_operator.migrate.files import (
    Migration,
    MigrationError,
    RefusedError,
    missing,
    shipped,
)

__all__ = [
    "Migration",
    "MigrationError",
    "RefusedError",
    "add_arguments",
    "main",
    "migrate",
    "missing",
    "parameters",
    "roll_back",
    "shipped",
    "status",
    "warning",
]
