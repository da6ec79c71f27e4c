"""What docs/clients.md says of dumps, settings and passwords, done through a real pooler.

The statement and the command that the docs show are run as they stand there.
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.api import Object
from tests.support.clients import Clients
from tests.support.databases import Databases, is_ready

DOCS = Path(__file__).resolve().parents[2] / "docs"


def shown(page: str, pattern: str) -> str:
    """The one place of a page of the docs that a pattern finds."""
    (found,) = re.findall(pattern, (DOCS / page).read_text(), re.MULTILINE)
    return str(found)


END_SESSIONS = shown("clients.md", r"^    (SELECT pg_terminate_backend.*;)$")
PUT_BACK = shown("using.md", r"^`kubectl (annotate secret daap-orders-app daap.io/touched)=")


# --- a dump ---------------------------------------------------------------------------------------

DUMP = r"""
set -eu
pooled=$(cat /binding/uri) direct=$(cat /binding/direct-uri)
sql() { psql --no-psqlrc --quiet --tuples-only --no-align --set=ON_ERROR_STOP=1 "$@"; }
say() { printf '%s: %s\n' "$1" "$(cat)"; }
forget() {
    sql "$direct" --command "SET client_min_messages = warning; DROP SCHEMA IF EXISTS shelf CASCADE;
        DROP TABLE IF EXISTS items CASCADE"
}
restored() { # and what another client finds meanwhile
    sql "$pooled" --command "SELECT shelf.total(), count(word) FROM shelf.words" | say "$1"
    sql "$pooled" --command "SHOW search_path" | say "$1, search_path"
}

give_up=$(($(date +%s) + 60)) # a Service that is new reaches the node a moment later
until pg_isready --quiet --dbname="$direct"; do [ "$(date +%s)" -lt $give_up ] && sleep 0.2; done

sql "$direct" <<'SQL'
CREATE SCHEMA shelf;
CREATE TABLE items (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, word text);
INSERT INTO items (word) SELECT 'word ' || n FROM generate_series(1, 500) n;
CREATE FUNCTION shelf.total() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM public.items';
CREATE VIEW shelf.words AS SELECT word FROM items;
SQL
pg_dump "$direct" > /tmp/plain
pg_dump --format=custom --file=/tmp/custom "$direct"
sql "$direct" --command "ALTER TABLE items ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY"
dump_rows() { pg_dump --data-only --table=items "$1"; }
dump_rows "$direct" 2>&1 | grep -o 'would be affected by row-level security' | say "hidden, direct"
dump_rows "$pooled" > /tmp/hidden
grep -c -e 'COPY public.items' -e 'word [0-9]' /tmp/hidden | say "hidden, pooler"

forget
sql "$pooled" --file=/tmp/plain 2>&1 >/tmp/out | grep -o 'ERROR: .*' | say "psql"
forget
sql "$pooled" --single-transaction --file=/tmp/plain >/tmp/out
restored "psql --single-transaction"
forget
pg_restore --single-transaction --dbname="$pooled" /tmp/custom
restored "pg_restore --single-transaction"
forget
"""


async def a_dump_is_restored(shop: Databases, clients: Clients, secret: Object) -> None:
    """With the programs of the image that the database itself runs from, while it is empty."""
    pod = await shop.child("pods", "daap-orders-1")
    assert pod
    image = pod["spec"]["containers"][0]["image"]
    said = await clients.output(["sh", "-c", DUMP], secret, image)
    seen = dict(line.split(": ", 1) for line in said.splitlines())
    assert seen == {
        "hidden, direct": "would be affected by row-level security",
        "hidden, pooler": "1",  # the head of the table, and none of its rows
        "psql": 'ERROR:  relation "public.items" does not exist',
        "psql --single-transaction": "500|500",
        "psql --single-transaction, search_path": '"$user", public',
        "pg_restore --single-transaction": "500|500",
        "pg_restore --single-transaction, search_path": '"$user", public',
    }, said


# --- what is set ----------------------------------------------------------------------------------

SESSION = """
seen, direct = {}, psycopg.connect(entry("direct-uri"), autocommit=True)
pooled = psycopg.connect(entry("uri"), autocommit=True, prepare_threshold=None)

def one(connection, question):
    return connection.execute(question).fetchone()[0]

def show(name):
    return one(pooled, f"SHOW {name}")

# Those that PgBouncer keeps for each client, and those that it does not
pooled.execute("SET work_mem = '77MB'")
pooled.execute("SET TimeZone = 'Asia/Tokyo'")
seen["SET work_mem"], seen["SET TimeZone"] = show("work_mem"), show("TimeZone")
with pooled.transaction():
    pooled.execute("SET LOCAL work_mem = '77MB'")
    pooled.execute("CREATE TEMPORARY TABLE mine ON COMMIT DROP AS SELECT 'kept' AS word")
    pooled.execute("SELECT pg_advisory_xact_lock(7)")
    seen["SET LOCAL"], seen["temporary"] = show("work_mem"), one(pooled, "SELECT word FROM mine")
    seen["lock, within"] = one(direct, "SELECT pg_try_advisory_lock(7)")
seen["lock, after"] = one(direct, "SELECT pg_try_advisory_lock(7)")

TENANT = "SELECT current_setting('pooled.tenant', true)"
seen["a setting of one's own"] = [one(pooled, TENANT)]
pooled.execute("SET pooled.tenant = 'acme'")
seen["a setting of one's own"].append(one(pooled, TENANT))

direct.execute("LISTEN news")
pooled.execute("LISTEN news")
pooled.execute("NOTIFY news, 'heard'")
for name, connection, seconds in (("direct", direct, 10), ("pooler", pooled, 1)):
    heard = connection.notifies(timeout=seconds, stop_after=1)
    seen[f"LISTEN, {name}"] = [news.payload for news in heard]
tell(seen)
"""


async def a_session_ends_with_its_transaction(clients: Clients, secret: Object) -> None:
    """For the client itself, too; and what the docs say to use instead works."""
    seen = await clients.run(SESSION, secret)
    assert seen == {
        "SET work_mem": "2496kB",
        "SET TimeZone": "Asia/Tokyo",
        "SET LOCAL": "77MB",
        "temporary": "kept",
        "lock, within": False,
        "lock, after": True,
        "a setting of one's own": [None, ""],
        "LISTEN, direct": ["heard"],
        "LISTEN, pooler": [],
    }, seen


STARTED = """
WORKS = {
    "application_name": "shop", "client_encoding": "LATIN1", "DateStyle": "German, DMY",
    "TimeZone": "Asia/Tokyo", "IntervalStyle": "iso_8601", "standard_conforming_strings": "off",
    "default_transaction_read_only": "on",
}
options = " ".join(f"-c {name}={value.replace(' ', '')}" for name, value in WORKS.items())

def shows(connection):
    return {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in WORKS}

def connected(**more):
    return psycopg.connect(entry("uri"), autocommit=True, prepare_threshold=None, **more)

with connected() as plain, connected(options=options) as one:
    before = shows(plain)
    tell({"one": shows(one) == WORKS, "plain": shows(plain) == before,
          "again": shows(one), "differ": sum(before[name] != WORKS[name] for name in WORKS)})
"""


async def parameters_are_for_one_client_alone(clients: Clients, secret: Object) -> None:
    """Two clients have the same server connection in turn."""
    seen = await clients.run(STARTED, secret)
    assert seen == {"one": True, "plain": True, "again": seen["again"], "differ": 7}, seen


ROLE = """
direct = psycopg.connect(entry("direct-uri"), autocommit=True)
pooled = psycopg.connect(entry("uri"), autocommit=True, prepare_threshold=None)
SESSIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE usename = current_user AND pid = ANY(%s)"
)

def shows(connection):
    names = ("search_path", "lock_timeout")
    return [connection.execute(f"SHOW {name}").fetchone()[0] for name in names]

def next_one(key):
    with psycopg.connect(entry(key), autocommit=True) as connection:
        return shows(connection)

def end_sessions():
    old = [pid for pid, in direct.execute(
        "SELECT pid FROM pg_stat_activity WHERE usename = current_user AND pid <> pg_backend_pid()"
        " AND state = 'idle'")]
    direct.execute(END_SESSIONS)
    give_up = time.monotonic() + 30
    while direct.execute(SESSIONS, [old]).fetchone()[0]:
        assert time.monotonic() < give_up, "sessions do not end"
        time.sleep(0.05)

seen = {"before": shows(pooled)}
direct.execute("ALTER ROLE orders IN DATABASE orders SET search_path = shelf, public")
direct.execute("ALTER DATABASE orders SET lock_timeout = '7s'")
seen["direct, next"], seen["pooler, next"] = next_one("direct-uri"), next_one("uri")
pid = pooled.execute("SELECT pg_backend_pid()").fetchone()
pooled.execute(END_SESSIONS.replace("state = 'idle'", f"pid <> {direct.info.backend_pid}"))
seen["sent through the pooler"] = pooled.execute("SELECT pg_backend_pid()").fetchone() == pid
end_sessions()
seen["pooler, ended"], seen["pooler, ended, next"] = shows(pooled), next_one("uri")
direct.execute("ALTER ROLE orders IN DATABASE orders RESET search_path")
direct.execute("ALTER DATABASE orders RESET lock_timeout")
end_sessions()
seen["after"] = shows(pooled)
tell(seen)
"""


async def settings_of_a_role_reach_the_pooler(clients: Clients, secret: Object) -> None:
    """Once the connections that it has are ended, as the docs say; its clients go on."""
    seen = await clients.run(f"END_SESSIONS = {END_SESSIONS!r}\n{ROLE}", secret)
    before, after = ['"$user", public', "0"], ["shelf, public", "7s"]
    assert seen == {
        "before": before,
        "direct, next": after,
        "pooler, next": before,
        "sent through the pooler": True,
        "pooler, ended": after,
        "pooler, ended, next": after,
        "after": before,
    }, seen


# --- a password -----------------------------------------------------------------------------------

CHANGED = """
outcomes = {}

def try_them(when):
    for key in ("uri", "direct-uri"):
        for name, password in {"the Secret's": entry("password"), "the other": "other"}.items():
            try:
                psycopg.connect(entry(key), password=password, connect_timeout=20).close()
                outcomes[f"{key}, {name}"] = "works"
            except psycopg.OperationalError as error:
                refused = "authentication failed" in str(error)
                outcomes[f"{key}, {name}"] = "refused" if refused else str(error)
"""
BY_SQL = """
with psycopg.connect(entry("uri"), autocommit=True) as connection:
    connection.execute("ALTER ROLE orders PASSWORD 'other'")
    try_them("changed")
    outcomes["a client that stayed"] = connection.execute("SELECT 'works'").fetchone()[0]
tell(outcomes)
"""
BACK = """
with psycopg.connect(entry("direct-uri")) as connection:
    connection.execute("SELECT 1")
try_them("put back")
tell(outcomes)
"""
KEYS = ("uri", "direct-uri")


async def a_password_changed_by_sql(
    shop: Databases, clients: Clients, secret: Object, kubectl: Callable[..., Any]
) -> None:
    """Nobody is told of it, and the command of the docs puts the Secret's back."""
    outcomes = await clients.run(CHANGED + BY_SQL, secret)
    assert outcomes == {
        **{f"{key}, the Secret's": "refused" for key in KEYS},
        **{f"{key}, the other": "works" for key in KEYS},
        "a client that stayed": "works",
    }, outcomes
    assert is_ready(await shop.get("orders"))
    assert await shop.child("secrets", secret["metadata"]["name"]) == secret
    now = "--namespace=" + shop.namespace
    kubectl(*f"{PUT_BACK}=now --overwrite".split(), now)
    outcomes = await clients.run(CHANGED + BACK, secret)
    assert outcomes == {
        **{f"{key}, the Secret's": "works" for key in KEYS},
        **{f"{key}, the other": "refused" for key in KEYS},
    }, outcomes
