"""asyncpg. `python asyncpg_.py require` or `verify`."""

import asyncio
import json
import os
import ssl
import sys

import asyncpg


async def require():
    # docs: require
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    # end
    return connection


async def verify():
    # docs: verify
    authority = ssl.create_default_context(cafile="/var/run/secrets/daap/orders/ca.crt")
    connection = await asyncpg.connect(os.environ["DATABASE_URL"], ssl=authority)
    # end
    return connection


class Unwanted(Exception):
    """Ends a transaction that is not to be kept."""


async def main(connect):
    connection = await connect()
    database = await connection.fetchval("SELECT current_database()")
    prepared = 0
    for number in range(10):
        prepared += await connection.fetchval("SELECT $1::int", number)
    try:
        async with connection.transaction():
            await connection.execute("CREATE TABLE unfinished (id int)")
            raise Unwanted
    except Unwanted:
        unfinished = await connection.fetchval("SELECT to_regclass('unfinished')::text")
    await connection.close()
    print(json.dumps({"database": database, "prepared": prepared, "unfinished": unfinished}))


asyncio.run(main({"require": require, "verify": verify}[sys.argv[1]]))
