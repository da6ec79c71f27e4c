"""What the database of examples/gpu-dev does by itself: triggers, references, queues, fixtures."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.fix_examples import apply, files_of

RESERVATION = """
INSERT INTO reservations
    (reservation_id, user_id, status, duration_hours, created_at, expires_at)
VALUES ('r1', 'ada', 'queued', 4, NOW(), NOW() + INTERVAL '4 hours')
"""
LONG_AGO = "2020-01-01T00:00:00Z"


@pytest.fixture
def sql(gpu_dev: str) -> Iterator[psycopg.Connection]:
    """A connection in which each statement is a transaction, with one reservation, `r1`."""
    with psycopg.connect(gpu_dev, autocommit=True) as connection:
        connection.execute(RESERVATION)
        yield connection


def one(sql: psycopg.Connection, query: str) -> Any:
    """The only value of the only row."""
    row = sql.execute(query.encode()).fetchone()
    assert row is not None
    return row[0]


# --- triggers -------------------------------------------------------------------------------------

TOUCHED = {
    "reservations": ("updated_at", "UPDATE reservations SET gpu_count = 2"),
    "disks": ("last_updated", "UPDATE disks SET in_use = true"),
    "gpu_types": ("updated_at", "UPDATE gpu_types SET cpus = 1 WHERE gpu_type = 't4'"),
    "domain_mappings": ("updated_at", "UPDATE domain_mappings SET node_port = 30001"),
    "alb_target_groups": ("updated_at", "UPDATE alb_target_groups SET port = 81"),
}
ROWS = """
INSERT INTO disks (disk_name, user_id, reservation_id) VALUES ('home', 'ada', 'r1');
INSERT INTO domain_mappings (domain_name, reservation_id, fqdn, node_ip, node_port)
VALUES ('ada', 'r1', 'ada.example.com', '192.0.2.1', 30000);
INSERT INTO alb_target_groups (target_group_arn, reservation_id, domain_name, port)
VALUES ('arn:1', 'r1', 'ada', 80);
"""


@pytest.mark.parametrize("table", TOUCHED)
def test_a_change_is_dated(sql: psycopg.Connection, table: str) -> None:
    sql.execute(ROWS)
    column, change = TOUCHED[table]
    dated = f"SELECT max({column}) FROM {table}"
    before = one(sql, dated)
    sql.execute(change.encode())
    assert one(sql, dated) > before
    sql.execute(f"{change.partition(' WHERE')[0]}, {column} = '{LONG_AGO}'".encode())
    assert one(sql, dated) > before


def test_each_status_is_remembered_once(sql: psycopg.Connection) -> None:
    sql.execute("UPDATE reservations SET status = 'preparing'")
    sql.execute("UPDATE reservations SET status = 'preparing', gpu_count = 8")
    sql.execute("UPDATE reservations SET status = 'failed', current_detailed_status = 'no node'")
    history = one(sql, "SELECT status_history FROM reservations")
    assert [entry["status"] for entry in history] == ["queued", "preparing", "failed"]
    assert [entry.get("detail") for entry in history] == [None, None, "no node"]
    assert sorted(entry["at"] for entry in history) == [entry["at"] for entry in history]


def test_a_history_that_is_written_stays_as_written(sql: psycopg.Connection) -> None:
    sql.execute("""UPDATE reservations SET status = 'running', status_history = '["mine"]'""")
    assert one(sql, "SELECT status_history FROM reservations") == ["mine"]
    sql.execute("UPDATE reservations SET status_history = NULL")
    sql.execute("UPDATE reservations SET status = 'expired'")
    history = one(sql, "SELECT status_history FROM reservations")
    assert [entry["status"] for entry in history] == ["expired"]


def test_who_extends_is_warned_anew(sql: psycopg.Connection) -> None:
    warned = "SELECT (last_expiry_warning_at IS NOT NULL, expiry_warning_count) FROM reservations"
    sql.execute("UPDATE reservations SET last_expiry_warning_at = NOW(), expiry_warning_count = 2")
    assert one(sql, warned) == ("t", "2")
    sql.execute("UPDATE reservations SET gpu_count = 1, expires_at = expires_at")
    assert one(sql, warned) == ("t", "2")
    sql.execute("UPDATE reservations SET expires_at = expires_at + INTERVAL '1 hour'")
    assert one(sql, warned) == ("f", "0")


# --- defaults, references, what is refused --------------------------------------------------------


def test_a_key_is_valid_for_two_hours(sql: psycopg.Connection) -> None:
    sql.execute("INSERT INTO api_users (username) VALUES ('ada')")
    sql.execute("INSERT INTO api_keys (user_id, key_hash, key_prefix) VALUES (1, 'h', 'p')")
    assert one(sql, "SELECT expires_at - created_at FROM api_keys") == timedelta(hours=2)


def test_keys_go_with_their_user(sql: psycopg.Connection) -> None:
    sql.execute("INSERT INTO api_users (username) VALUES ('ada')")
    sql.execute("INSERT INTO api_keys (user_id, key_hash, key_prefix) VALUES (1, 'h', 'p')")
    sql.execute("DELETE FROM api_users")
    assert one(sql, "SELECT count(*) FROM api_keys") == 0


def test_a_disk_outlives_its_reservation_and_what_leads_there_does_not(
    sql: psycopg.Connection,
) -> None:
    sql.execute(ROWS)
    sql.execute("DELETE FROM reservations")
    assert one(sql, "SELECT reservation_id FROM disks") is None
    assert one(sql, "SELECT count(*) FROM domain_mappings") == 0
    assert one(sql, "SELECT count(*) FROM alb_target_groups") == 0


REFUSED = {
    "a second disk of that name": (
        "INSERT INTO disks (disk_name, user_id) VALUES ('home', 'ada')",
        "disks_user_id_disk_name_key",
    ),
    "a subdomain twice": (
        "INSERT INTO domain_mappings VALUES ('ada', 'r1', 'b.example.com', '192.0.2.1', 1)",
        "domain_mappings_pkey",
    ),
    "a port that is none": (
        "UPDATE domain_mappings SET node_port = 70000",
        "domain_mappings_node_port_valid",
    ),
    "a second target group for a service": (
        "INSERT INTO alb_target_groups VALUES ('b', 'r1', NULL, 'http', NULL, NULL, 1)",
        "alb_target_groups_reservation_service_unique",
    ),
    "an unknown service": (
        "UPDATE alb_target_groups SET service = 'ftp'",
        "alb_target_groups_service_known",
    ),
    "more free GPUs than there are": (
        "UPDATE gpu_types SET available_gpus = 1 WHERE gpu_type = 't4'",
        "gpu_types_availability_possible",
    ),
}


@pytest.mark.parametrize(("statement", "named"), REFUSED.values(), ids=REFUSED)
def test_refused(sql: psycopg.Connection, statement: str, named: str) -> None:
    sql.execute(ROWS)
    with pytest.raises(errors.IntegrityError, match=named):
        sql.execute(statement.encode())


# --- queues ---------------------------------------------------------------------------------------


def test_the_queues_are_there(sql: psycopg.Connection) -> None:
    queues = sql.execute("SELECT queue_name FROM pgmq.list_queues()").fetchall()
    assert queues == [("disk_operations",), ("reservations",)]
    sql.execute("SELECT pgmq.create('reservations')")
    with pytest.raises(errors.CheckViolation, match="queues_name_valid"):
        sql.execute("SELECT pgmq.create('Not; a name')")
    with pytest.raises(errors.ForeignKeyViolation):
        sql.execute("SELECT pgmq.send('unknown', '{}')")


def test_a_message_is_read_by_one_until_it_is_done(sql: psycopg.Connection) -> None:
    first = one(sql, """SELECT pgmq.send('reservations', '{"id": "r1"}')""")
    second = one(sql, """SELECT pgmq.send(queue_name => 'reservations', msg => '{"id": "r2"}')""")
    read = "SELECT msg_id, read_ct, message FROM pgmq.read('reservations', 60, 1)"
    assert sql.execute(read).fetchall() == [(first, 1, {"id": "r1"})]
    assert sql.execute(read).fetchall() == [(second, 1, {"id": "r2"})]
    assert sql.execute(read).fetchall() == []
    assert one(sql, f"SELECT msg_id FROM pgmq.set_vt('reservations', {first}, 0)") == first
    assert sql.execute(read).fetchall() == [(first, 2, {"id": "r1"})]
    assert one(sql, f"SELECT pgmq.delete('reservations', {first})") is True
    assert one(sql, f"SELECT pgmq.delete('reservations', {first})") is False
    assert one(sql, f"SELECT pgmq.archive('disk_operations', {second})") is False
    assert one(sql, f"SELECT pgmq.archive('reservations', {second})") is True
    assert one(sql, "SELECT count(*) FROM pgmq_stand_in.messages WHERE archived_at IS NULL") == 0


def test_two_workers_do_not_wait_for_each_other(gpu_dev: str, sql: psycopg.Connection) -> None:
    sql.execute("SELECT pgmq.send('reservations', '1'), pgmq.send('reservations', '2')")
    read = "SELECT message FROM pgmq.read('reservations', 60, 1)"
    with psycopg.connect(gpu_dev) as other:
        other.execute("SET lock_timeout = '1s'")
        assert other.execute(read).fetchall() == [(1,)]  # and its transaction stays open
        assert sql.execute(read).fetchall() == [(2,)]


def test_a_delayed_message_is_not_read_yet(sql: psycopg.Connection) -> None:
    sql.execute("SELECT pgmq.send('reservations', '1', 3600)")
    assert sql.execute("SELECT FROM pgmq.read('reservations', 60, 5)").fetchall() == []


# --- fixtures -------------------------------------------------------------------------------------


def test_the_fixture_wins_over_an_edit_and_leaves_alone_what_the_cluster_says(
    gpu_dev: str, sql: psycopg.Connection
) -> None:
    types = sql.execute("SELECT * FROM gpu_types ORDER BY 1").fetchall()
    assert [row[:2] for row in types][:1] == [("a100", "p4d.24xlarge")]
    sql.execute("UPDATE gpu_types SET cpus = 1, total_cluster_gpus = 16, available_gpus = 8")
    sql.execute("DELETE FROM gpu_types WHERE gpu_type = 'h100'")
    apply(gpu_dev, files_of("gpu-dev")[-1:])
    rows = sql.execute("SELECT gpu_type, cpus, available_gpus FROM gpu_types ORDER BY 1").fetchall()
    assert [row[0] for row in rows] == [row[0] for row in types]
    assert ("h100", 192, 0) in rows
    assert ("a100", 96, 8) in rows
