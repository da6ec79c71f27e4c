"""What the pooler keeps apart, bears and survives: one database, two pooler pods."""

import json
from base64 import b64decode
from typing import Any

import pytest
from pytest_kind import KindCluster

from tests.scenarios.lifecycle import SLOW
from tests.support.api import Object
from tests.support.clients import Clients
from tests.support.databases import Databases, condition
from tests.support.eventually import eventually
from tests.support.pooled import (
    a_dump_is_restored,
    a_password_changed_by_sql,
    a_session_ends_with_its_transaction,
    parameters_are_for_one_client_alone,
    settings_of_a_role_reach_the_pooler,
)

pytestmark = pytest.mark.timeout(600)

POOLER = "daap-orders-pooler"
OTHER_ROLE = """
CREATE ROLE other LOGIN PASSWORD 'other';
GRANT CONNECT ON DATABASE orders TO other;
CREATE ROLE lent NOLOGIN;
GRANT lent TO orders;
GRANT pg_read_all_stats TO orders, other;
"""


async def test_clients_of_one_database_do_not_disturb_each_other(
    shop: Databases, clients: Clients, real_cluster: KindCluster
) -> None:
    await shop.create("orders", pooler={"instances": 2})
    secret = await secret_of(shop)
    await every_container_has_limits(shop)
    in_pod = (
        "exec",
        f"--namespace={shop.namespace}",
        "daap-orders-1",
        "--container=postgres",
        "--",
    )
    real_cluster.kubectl(*in_pod, "psql", "--command", OTHER_ROLE)
    await a_dump_is_restored(shop, clients, secret)
    await a_session_ends_with_its_transaction(clients, secret)
    await nothing_leaks(clients, secret)
    await startup_parameters_work_or_are_refused(clients, secret)
    await parameters_are_for_one_client_alone(clients, secret)
    await settings_of_a_role_reach_the_pooler(clients, secret)
    await a_password_changed_by_sql(shop, clients, secret, real_cluster.kubectl)
    await every_cancel_finds_its_query(clients, secret)
    await two_roles_share_the_limit(clients, secret)
    await pods_that_go_take_no_new_connection_along(shop, clients, secret)
    await a_new_authority_is_served_when_ready_says_so(shop, clients, secret)
    await a_pooler_left_with_the_authority_before_is_told_of(shop, clients)


async def secret_of(shop: Databases) -> Object:
    found = await shop.ready("orders", seconds=SLOW)
    secret = await shop.child("secrets", found["status"]["secretName"])
    assert secret
    return secret


async def pods_of(shop: Databases) -> list[Object]:
    selector = f"labelSelector=cnpg.io/poolerName={POOLER}"
    return await shop.api.list("pods", shop.namespace, selector)


async def every_container_has_limits(shop: Databases) -> None:
    pods = await pods_of(shop)
    assert len(pods) == 2
    for pod in pods:
        for container in pod["spec"]["initContainers"] + pod["spec"]["containers"]:
            assert container["resources"]["limits"].keys() == {"cpu", "memory"}, container["name"]


LEAKS = """
MATRIX = {
    "SET": ("SET work_mem = '77MB'", "SHOW work_mem"),
    "set_config": ("SELECT set_config('search_path', '', false)", "SHOW search_path"),
    "SET ROLE": ("SET ROLE lent", "SELECT current_user"),
    "SET SESSION AUTHORIZATION": (
        "SET SESSION AUTHORIZATION orders; SET ROLE lent", "SELECT session_user, current_user"
    ),
    "SESSION CHARACTERISTICS": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL SERIALIZABLE",
        "SHOW default_transaction_isolation",
    ),
    "read only": (
        "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SHOW transaction_read_only"
    ),
    "a setting of one's own": (
        "SET shop.tenant = 'acme'", "SELECT coalesce(current_setting('shop.tenant', true), '')"
    ),
    "TimeZone": ("SET TimeZone = 'Asia/Tokyo'", "SHOW TimeZone"),
    "DateStyle": ("SET DateStyle = 'German'", "SHOW DateStyle"),
    "temporary table": ("CREATE TEMPORARY TABLE mine (word text)", "SELECT to_regclass('mine')"),
    "advisory lock": (
        "SELECT pg_advisory_lock(7)", "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
    ),
    "LISTEN": ("LISTEN news", "SELECT count(*) FROM pg_listening_channels()"),
    "cursor": (
        "DECLARE mine CURSOR WITH HOLD FOR SELECT 1",
        "SELECT count(*) FROM pg_cursors WHERE name = 'mine'",
    ),
    "currval": ("SELECT nextval('numbers')", "SELECT lastval()"),
    "PREPARE": (
        "PREPARE mine AS SELECT 1", "SELECT count(*) FROM pg_prepared_statements WHERE from_sql"
    ),
}

def connected():
    return psycopg.connect(entry("uri"), autocommit=True, prepare_threshold=None)

def seen(connection, probe):
    try:
        return connection.execute(probe).fetchone()
    except psycopg.Error as error:
        return str(error)

PID = "SELECT pg_backend_pid()"
with connected() as connection:
    connection.execute("CREATE SEQUENCE numbers")
leaked, elsewhere = [], []
for name, (poison, probe) in MATRIX.items():
    with connected() as other:
        before = seen(other, probe)
        with connected() as one:
            pid = seen(one, PID)
            one.execute(poison)
        if seen(other, PID) != pid:
            elsewhere.append(name)
        if seen(other, probe) != before:
            leaked.append(name)

# Statements that the drivers prepare survive the reset, whoever had the connection in between
with psycopg.connect(entry("uri"), prepare_threshold=0) as one:
    with psycopg.connect(entry("uri"), prepare_threshold=0) as other:
        numbers = []
        for number in range(20):
            for connection in (one, other):
                numbers += connection.execute("SELECT %s::int", [number]).fetchone()
                connection.commit()
tell({"leaked": leaked, "elsewhere": elsewhere, "prepared": numbers})
"""


async def nothing_leaks(clients: Clients, secret: Object) -> None:
    seen = await clients.run(LEAKS, secret)
    assert seen["elsewhere"] == []  # each pair had the same server connection
    assert seen["leaked"] == []
    assert seen["prepared"] == [number for number in range(20) for _ in range(2)]


STARTUP = """
import socket, ssl, struct

def refusal(**parameters):
    # As drivers send them: libpq knows no other way than `options`
    raw = socket.create_connection((entry("host"), 5432), timeout=30)
    raw.sendall(struct.pack("!ii", 8, 80877103))
    assert raw.recv(1) == b"S"
    context = ssl.create_default_context(cafile="/binding/ca.crt")
    with context.wrap_socket(raw, server_hostname=entry("host")) as tls:
        pairs = {"user": entry("username"), "database": entry("database"), **parameters}
        body = b"".join(f"{k}\\0{v}\\0".encode() for k, v in pairs.items()) + b"\\0"
        tls.sendall(struct.pack("!ii", len(body) + 8, 196608) + body)
        return tls.recv(4096).decode(errors="replace")

def with_options(options, setting):
    with psycopg.connect(entry("uri"), options=options) as connection:
        return connection.execute(f"SHOW {setting}").fetchone()[0]

tell({
    "search_path": refusal(search_path="app"),
    "statement_timeout": refusal(statement_timeout="5000"),
    "jit": refusal(jit="off"),
    "extra_float_digits": refusal(extra_float_digits="2"),
    "options, tracked": with_options("-c default_transaction_read_only=on -c TimeZone=Asia/Tokyo",
                                     "default_transaction_read_only"),
    "options, not tracked": with_options("-c search_path=app", "search_path"),
})
"""


async def startup_parameters_work_or_are_refused(clients: Clients, secret: Object) -> None:
    seen = await clients.run(STARTUP, secret)
    for name in ("search_path", "statement_timeout", "jit"):
        assert f"unsupported startup parameter: {name}" in seen[name]
    assert seen["extra_float_digits"].startswith("R")  # goes on to ask for the password
    assert seen["options, tracked"] == "on"
    # The one thing that stays silent: CloudNativePG has PgBouncer ignore it (docs/clients.md)
    assert seen["options, not tracked"] == '"$user", public'


CANCEL = """
import threading

outcomes = []

def run_and_cancel():
    with psycopg.connect(entry("uri")) as connection:
        started = time.monotonic()
        threading.Timer(1, connection.cancel).start()
        try:
            connection.execute("SELECT pg_sleep(20)")
            outcomes.append("ran to its end")
        except psycopg.errors.QueryCanceled:
            outcomes.append("cancelled")

threads = [threading.Thread(target=run_and_cancel) for _ in range(12)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
tell(outcomes)
"""


async def every_cancel_finds_its_query(clients: Clients, secret: Object) -> None:
    assert await clients.run(CANCEL, secret) == ["cancelled"] * 12


LIMIT = """
import threading

roles = ({}, {"user": "other", "password": "other"})
outcomes, connected = [], threading.Barrier(60 * len(roles), timeout=60)
# From this pooler pod; the other one has what earlier clients left open. Where sessions of other
# roles come from is told to those who may read all statistics
COUNT = (
    "SELECT count(*) FROM pg_stat_activity "
    "WHERE usename IN ('orders', 'other') AND client_addr = inet_client_addr()"
)

def work(**who):
    try:
        with psycopg.connect(entry("uri"), **who) as connection:
            connected.wait()  # all at once, and for longer than 40 logins to PostgreSQL take
            outcomes.append(connection.execute(f"SELECT pg_sleep(2), ({COUNT})").fetchone()[1])
    except (psycopg.Error, threading.BrokenBarrierError) as error:
        outcomes.append(repr(error))

threads = [threading.Thread(target=work, kwargs=who) for who in roles for _ in range(60)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
tell(outcomes)
"""


async def two_roles_share_the_limit(clients: Clients, secret: Object) -> None:
    seen = await clients.run(LIMIT, secret)
    assert [outcome for outcome in seen if not isinstance(outcome, int)] == []
    assert len(seen) == 120
    assert max(seen) <= 26  # 80 for two pods and one that takes over from another


CONNECTING = """
import select, time

long_one = psycopg.connect(entry("uri"), autocommit=True)
outcomes, ended, over = [], None, time.monotonic() + 80
tell("begun")
while time.monotonic() < over:  # until well after the end of the pod that the long one is in
    if ended is None and select.select([long_one.fileno()], [], [], 0)[0]:
        ended = time.monotonic()
    if ended is not None and time.monotonic() > ended + 10 and len(outcomes) > 100:
        break
    try:
        psycopg.connect(entry("uri"), connect_timeout=5).close()
        outcomes.append("connected")
    except psycopg.OperationalError as error:
        outcomes.append(str(error))
try:
    long_one.execute("SELECT 1")
    told = "lives"
except psycopg.OperationalError as error:
    told = str(error)
tell({"failed": [o for o in outcomes if o != "connected"], "tried": len(outcomes), "long": told})
"""


async def pods_that_go_take_no_new_connection_along(
    shop: Databases, clients: Clients, secret: Object
) -> None:
    before = {pod["metadata"]["name"] for pod in await pods_of(shop)}
    client = await clients.start(CONNECTING, secret)
    await eventually(lambda: clients.said(client), lambda said: "begun" in said, seconds=60)
    for name in before:  # as a drain of the nodes does: both at once
        await shop.api.delete("pods", shop.namespace, name)

    async def gone() -> bool:
        return before.isdisjoint({pod["metadata"]["name"] for pod in await pods_of(shop)})

    await eventually(gone, seconds=90, every=0.5)
    said = await eventually(lambda: clients.said(client), lambda said: "tried" in said, seconds=90)
    told = json.loads(said.splitlines()[-1])
    assert told["tried"] > 100
    assert told["failed"] == []
    assert told["long"] != "lives"  # a connection ends with its pod: docs/clients.md


VERIFIED = """
with psycopg.connect(entry("uri"), connect_timeout=5, **VERIFIED) as connection:
    tell(connection.execute("SELECT 1").fetchone())
"""


async def a_new_authority_is_served_when_ready_says_so(
    shop: Databases, clients: Clients, secret: Object
) -> None:
    # All that the authority has signed: CloudNativePG renews a certificate, and signs none anew
    for kind in ("ca", "server", "replication", "pooler"):
        await shop.api.delete("secrets", shop.namespace, f"daap-orders-{kind}")

    async def published() -> Any:
        found = await shop.child("secrets", secret["metadata"]["name"])
        return found and b64decode(found["data"]["ca.crt"])

    old = b64decode(secret["data"]["ca.crt"])
    await eventually(published, lambda ca: ca and ca != old, seconds=SLOW)
    assert await clients.run(VERIFIED, await secret_of(shop)) == [1]


async def a_pooler_left_with_the_authority_before_is_told_of(
    shop: Databases, clients: Clients
) -> None:
    for kind in ("ca", "server", "replication"):
        await shop.api.delete("secrets", shop.namespace, f"daap-orders-{kind}")
    found = await shop.stalled("orders", "PoolerCannotLogIn", seconds=SLOW)
    assert condition(found, "Ready")["status"] == "False"
    await shop.api.delete("secrets", shop.namespace, "daap-orders-pooler")
    assert await clients.run(VERIFIED, await secret_of(shop)) == [1]
