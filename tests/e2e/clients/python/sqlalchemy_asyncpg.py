"""SQLAlchemy with asyncpg. `python sqlalchemy_asyncpg.py require` or `verify`."""

import asyncio
import json
import os
import ssl
import sys

from sqlalchemy import make_url, text
from sqlalchemy.ext.asyncio import create_async_engine


def require():
    # docs: require
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg", query={})
    engine = create_async_engine(url, connect_args={"ssl": "require"})
    # end
    return engine


def verify():
    # docs: verify
    url = make_url(os.environ["DATABASE_URL"]).set(drivername="postgresql+asyncpg", query={})
    authority = ssl.create_default_context(cafile="/var/run/secrets/daap/orders/ca.crt")
    engine = create_async_engine(url, connect_args={"ssl": authority})
    # end
    return engine


async def main(engine):
    async with engine.connect() as connection:
        database = await connection.scalar(text("SELECT current_database()"))
        await connection.commit()
        prepared = 0
        for number in range(10):
            prepared += await connection.scalar(text("SELECT CAST(:n AS int)"), {"n": number})
            await connection.commit()
        await connection.execute(text("CREATE TABLE unfinished (id int)"))
        await connection.rollback()
        unfinished = await connection.scalar(text("SELECT to_regclass('unfinished')::text"))
    await engine.dispose()
    print(json.dumps({"database": database, "prepared": prepared, "unfinished": unfinished}))


asyncio.run(main({"require": require, "verify": verify}[sys.argv[1]]()))
