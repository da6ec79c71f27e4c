"""What docs/clients.md says does not work, past the pooler or through it. Prints what is seen."""

import json

import every
import psycopg
from sqlalchemy import create_engine, make_url


def libpq(way, **options):
    try:
        with psycopg.connect(
            every.environment(way)["DATABASE_URL"], connect_timeout=10, **options
        ) as connection:
            return connection.execute("SELECT 'works'").fetchone()[0]
    except psycopg.OperationalError as error:
        return str(error)


def sqlalchemy(driver):
    url = make_url(every.environment("pooler")["DATABASE_URL"])
    try:
        return str(create_engine(url.set(drivername=f"postgresql+{driver}")).connect())
    except TypeError as error:
        return str(error)


seen = {"node-postgres": every.run("node-postgres", "plain", every.environment("pooler"))}
for driver in ("asyncpg", "pg8000"):
    seen[f"SQLAlchemy, {driver}"] = sqlalchemy(driver)
for way in ("pooler", "direct"):
    seen[f"channel_binding, {way}"] = libpq(way, channel_binding="require")
    seen[f"sslnegotiation, {way}"] = libpq(way, sslnegotiation="direct")
print(json.dumps(seen))
