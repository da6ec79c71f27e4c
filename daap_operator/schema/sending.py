"""One statement of a file sent to the server: alone, as it was parsed, and without its rows.

What was reviewed is what the parser has read. The server reads the same text in another way once
the session's settings are others: a string ends elsewhere, and what was inside of it is a statement
of its own. So those settings are asked for before each statement, of which the driver is told
without a query, and the server is handed the text as a single statement, by the extended protocol.
https://www.postgresql.org/docs/16/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY
"""

import select

import psycopg
from psycopg import errors, pq

from daap_operator.schema.sessions import Connection

READ_BY = {"standard_conforming_strings": "on", "client_encoding": "UTF8"}
"""What decides how a text is read, and how the parser reads it."""

_FINE = frozenset(
    {pq.ExecStatus.TUPLES_OK, pq.ExecStatus.COMMAND_OK, pq.ExecStatus.EMPTY_QUERY}
    | {pq.ExecStatus.SINGLE_TUPLE}
)


def send(connection: Connection, text: str) -> None:
    """Have it run. Raises psycopg.Error, also when it would not be read as it was parsed."""
    _refuse_reread(connection)
    pgconn = connection.pgconn
    pgconn.send_query_params(text.encode(), None)
    pgconn.set_single_row_mode()  # else all its rows would be kept, and a file may ask for billions
    refused: psycopg.Error | None = None
    while (result := _next(connection)) is not None:
        refused = refused or _refusal(connection, result)
    if refused is not None:
        raise refused


def _refuse_reread(connection: Connection) -> None:
    for name, wanted in READ_BY.items():
        value = (connection.pgconn.parameter_status(name.encode()) or b"").decode()
        if value != wanted:
            raise errors.InvalidParameterValue(
                f"{name} is '{value}', by a statement before this one: PostgreSQL would read the "
                f"file in another way than it was checked in; leave it '{wanted}'"
            )


def _next(connection: Connection) -> pq.abc.PGresult | None:
    """The next result; None when there are no more. Waits so that signals are heeded."""
    pgconn = connection.pgconn
    while pgconn.flush():
        readable, _, _ = select.select([pgconn.socket], [pgconn.socket], [])
        if readable:
            pgconn.consume_input()
    while pgconn.is_busy():
        select.select([pgconn.socket], [], [])
        pgconn.consume_input()
    return pgconn.get_result()


def _refusal(connection: Connection, result: pq.abc.PGresult) -> psycopg.Error | None:
    if result.status in _FINE:
        return None
    if result.status == pq.ExecStatus.FATAL_ERROR:
        return errors.error_from_result(result, encoding=connection.info.encoding)
    # COPY with the client, which the parser refuses: the connection can do nothing else any more
    connection.close()
    return psycopg.OperationalError(f"the server answered {pq.ExecStatus(result.status).name}")
