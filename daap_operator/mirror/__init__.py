"""The inventory in PostgreSQL: the only door to `psycopg` beside the migrations, and all SQL.

The mirror follows and never decides. Every write is one idempotent upsert of a whole row, keyed by
the object's uid and fenced by the leader's epoch: once a new leader has written its own into the
table `leaders`, no earlier one changes anything. While the server is away writes fail at once, and
a probe tells when it is back.

    table       what a table is, declared by the side that owns its rows
    statements  the SQL, made for each table
    rows        what the inventory is to those who use it, and what it asks of them
    problems    what goes wrong, in the terms of the condition MetadataSynced
    schema      whether the tables are those that this version knows
    answers     a connection that takes only answers of a bounded size
    server      the connections, whether they can be used, and when they can again
    inventory   the rows, of any table
    lost        the databases as they were at a moment, for `daap-operator rebuild`
"""

from daap_operator.mirror.inventory import Mirror
from daap_operator.mirror.problems import MetadataError
from daap_operator.mirror.rows import Differences, Expected, Rows
from daap_operator.mirror.server import PoolSettings, Server
from daap_operator.mirror.table import Json, Row, Table, optional, storable

__all__ = [
    "Differences",
    "Expected",
    "Json",
    "MetadataError",
    "Mirror",
    "PoolSettings",
    "Row",
    "Rows",
    "Server",
    "Table",
    "optional",
    "storable",
]
