"""What the database of examples/nomad-services refuses and does by itself; tenants apart."""

import re
import threading
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import errors

from tests.fix_examples import EXAMPLES, apply, files_of
from tests.fix_postgres import wait_until
from tests.integration.nomad_people import acting, as_platform, filled, settle

SERVICE = "INSERT INTO services (name, type, tenant_id, created_by) VALUES "
TABLES = {
    "tenants": "name = 'n'",
    "users": "first_name = 'n'",
    "services": "description = 'n'",
    "service_deployments": "error_msg = 'n'",
    "service_templates": "icon = 'n'",
    "api_keys": "name = 'n'",
    "subscriptions": "price_per_month = 1",
}


@pytest.fixture
def sql(nomad_services: str) -> Iterator[psycopg.Connection]:
    """As the owner, with two tenants: `a` has two services, `b` has one."""
    with psycopg.connect(nomad_services, autocommit=True) as connection:
        settle(connection)
        yield connection


def run(sql: psycopg.Connection, statement: str) -> list[Any]:
    """Runs statements in a transaction of the platform; gives the rows of the last."""
    with as_platform(sql):
        cursor = sql.execute(filled(statement))
        return cursor.fetchall() if cursor.description else []


def refusal(sql: psycopg.Connection, statement: str, error: type[errors.Error]) -> str:
    """What the server says to a statement that it refuses: message and hint."""
    with pytest.raises(error) as raised:
        run(sql, statement)
    said = raised.value.diag
    return f"{said.message_primary} {said.message_hint or ''}".strip()


# --- services of a tenant -------------------------------------------------------------------------


def test_a_tenant_has_one_service_of_each_type(sql: psycopg.Connection) -> None:
    said = refusal(sql, f"{SERVICE} ('n', 'database', {{a}}, {{ann}})", errors.UniqueViolation)
    assert "services_type_tenant_unique" in said
    run(sql, f"{SERVICE} ('n', 'web_server', {{b}}, {{bob}})")


def test_a_name_is_unique_in_a_tenant(sql: psycopg.Connection) -> None:
    said = refusal(sql, f"{SERVICE} ('a-db', 'custom', {{a}}, {{ann}})", errors.UniqueViolation)
    assert "services_name_tenant_unique" in said
    run(sql, f"{SERVICE} ('a-db', 'custom', {{b}}, {{bob}})")


def test_the_platforms_own_services_are_not_counted(sql: psycopg.Connection) -> None:
    run(sql, f"{SERVICE} ('n', 'custom', NULL, {{boss}}), ('n', 'custom', NULL, {{boss}})")


def fill_up(sql: psycopg.Connection) -> None:
    """Gives tenant `a` the five services that a free plan allows."""
    run(sql, f"{SERVICE} ('3', 'message_queue', {{a}}, {{ann}}), ('4', 'devops', {{a}}, {{ann}})")
    run(sql, f"{SERVICE} ('5', 'monitoring', {{a}}, {{ann}})")


SIXTH = f"{SERVICE} ('6', 'custom', {{a}}, {{ann}})"


def test_a_plan_limits_the_services(sql: psycopg.Connection) -> None:
    fill_up(sql)
    assert refusal(sql, SIXTH, errors.CheckViolation) == (
        "services.tenant_id: tenant 'a' has 5 of the 5 services that plan 'free' allows it "
        "Delete one of its services, or have its plan or max_services changed."
    )
    with acting(sql, "ann", undone=True), pytest.raises(errors.CheckViolation):
        sql.execute(filled(SIXTH))
    run(sql, "UPDATE tenants SET plan = 'starter' WHERE slug = 'a'")
    run(sql, SIXTH)
    run(sql, "UPDATE services SET tenant_id = {a} WHERE name = '6'")  # in it already
    assert refusal(
        sql, "UPDATE tenants SET plan = 'free' WHERE slug = 'a'", errors.CheckViolation
    ) == (
        "tenants.max_services: tenant 'a' has 6 services, plan 'free' allows it 5 "
        "Delete 1 of its services first."
    )


def test_nobody_moves_a_service_past_the_limit(sql: psycopg.Connection) -> None:
    run(sql, "UPDATE tenants SET max_services = 1 WHERE slug = 'b'")
    said = refusal(
        sql, "UPDATE services SET tenant_id = {b} WHERE name = 'a-web'", errors.CheckViolation
    )
    assert said.startswith("services.tenant_id: tenant 'b' has 1 of the 1 services")


def test_of_two_at_once_one_gets_the_last_place(
    nomad_services: str, sql: psycopg.Connection
) -> None:
    run(sql, "UPDATE tenants SET max_services = 3 WHERE slug = 'a'")
    outcome: list[str] = []

    def second() -> None:
        with psycopg.connect(nomad_services, autocommit=True) as connection:
            outcome.append(refusal(connection, SIXTH, errors.CheckViolation))

    thread = threading.Thread(target=second)
    with as_platform(sql):
        sql.execute(filled(f"{SERVICE} ('3', 'devops', {{a}}, {{ann}})"))
        thread.start()
        waiting = "SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
        wait_until(lambda: sql.execute(waiting).fetchone() is not None, "the second waits")
    thread.join()
    assert outcome[0].startswith("services.tenant_id: tenant 'a' has 3 of the 3 services")


# --- plans ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plan", "most"), [("free", 5), ("starter", 10), ("pro", 25), ("enterprise", None)]
)
def test_a_change_of_plan_brings_its_limit(
    sql: psycopg.Connection, plan: str, most: int | None
) -> None:
    run(sql, "UPDATE tenants SET plan = 'pro', max_services = 4 WHERE slug = 'b'")
    run(sql, "UPDATE tenants SET max_services = 3 WHERE slug = 'b'")
    query = f"UPDATE tenants SET plan = '{plan}' WHERE slug = 'b' RETURNING max_services"
    assert run(sql, query) == [(3 if plan == "pro" else most,)]
    if most:
        said = refusal(
            sql,
            f"UPDATE tenants SET max_services = {most + 1} WHERE slug = 'b'",
            errors.CheckViolation,
        )
        assert said == (
            f"tenants.max_services: {most + 1} is more than the {most} that plan '{plan}' allows "
            f"Set max_services to at most {most}, or choose a larger plan."
        )


def test_the_readme_tells_the_limits(sql: psycopg.Connection) -> None:
    readme = (EXAMPLES / "nomad-services" / "README.md").read_text()
    told = re.findall(
        r"^\| `(\w+)` \| ([\w ]+) \| ([\w ]+) \| ([\w ]+) \| ([\w ]+) \|$", readme, re.MULTILINE
    )
    assert [row[0] for row in told] == ["free", "starter", "pro", "enterprise"]
    for plan, *limits in told:
        (row,) = run(sql, f"SELECT * FROM app.plan_limits('{plan}')")
        assert ["no limit" if limit is None else str(limit) for limit in row] == limits


def test_a_limit_below_what_is_there_is_refused(sql: psycopg.Connection) -> None:
    said = refusal(
        sql, "UPDATE tenants SET max_services = 1 WHERE slug = 'a'", errors.CheckViolation
    )
    assert said.endswith("plan 'free' allows it 1 Delete 1 of its services first.")
    said = refusal(
        sql, "UPDATE tenants SET max_services = -1 WHERE slug = 'b'", errors.CheckViolation
    )
    assert said


def test_a_plan_limits_what_a_service_asks_for(sql: psycopg.Connection) -> None:
    change = """UPDATE services SET config = '{"resources": {"%s": %s}}' WHERE name = 'a-db'"""
    assert refusal(sql, change % ("cpu", 1001), errors.CheckViolation) == (
        "services.config: resources.cpu is 1001, plan 'free' allows 1000 "
        "Ask for at most 1000, or have the plan changed."
    )
    assert refusal(sql, change % ("memory", '"1Gi"'), errors.CheckViolation) == (
        'services.config: resources.memory is "1Gi", which is no number '
        "Write cpu in MHz, memory and disk in MB, as numbers without quotes."
    )
    refusal(sql, change % ("disk", 10241), errors.CheckViolation)
    run(sql, change % ("cpu", 1000))
    run(sql, "UPDATE tenants SET plan = 'enterprise' WHERE slug = 'a'")
    run(sql, change % ("cpu", 100000))


def test_a_tenant_has_one_subscription_at_a_time(sql: psycopg.Connection) -> None:
    another = "INSERT INTO subscriptions (tenant_id, plan) VALUES ({a}, 'pro')"
    said = refusal(sql, another, errors.UniqueViolation)
    assert "subscriptions_one_at_a_time" in said
    run(sql, "UPDATE subscriptions SET status = 'canceled'")
    run(sql, another)


KNOWN = [
    ("tenants", "plan"),
    ("users", "role"),
    ("services", "type"),
    ("services", "status"),
    ("service_deployments", "status"),
    ("service_templates", "type"),
    ("subscriptions", "plan"),
    ("subscriptions", "status"),
    ("subscriptions", "billing_cycle"),
]


@pytest.mark.parametrize(("table", "column"), KNOWN)
def test_an_unknown_value_is_refused(sql: psycopg.Connection, table: str, column: str) -> None:
    said = refusal(sql, f"UPDATE {table} SET {column} = 'other'", errors.CheckViolation)
    assert f"{table}_{column}_check" in said


# --- what triggers write --------------------------------------------------------------------------


@pytest.mark.parametrize("table", TABLES)
def test_a_change_is_dated(sql: psycopg.Connection, table: str) -> None:
    dated = f"SELECT max(updated_at) FROM {table}"
    before = run(sql, dated)
    run(sql, f"UPDATE {table} SET {TABLES[table]}, updated_at = '2020-01-01'")
    assert run(sql, dated) > before


LOG = "SELECT action, resource, tenant_id::text, details, ip_address FROM audit_logs"


@pytest.mark.parametrize("table", TABLES)
def test_whoever_changes_something_is_written_down(sql: psycopg.Connection, table: str) -> None:
    with acting(sql, "boss"):
        sql.execute("SET LOCAL app.ip_address = '192.0.2.7'")
        count = sql.execute(f"UPDATE {table} SET {TABLES[table]}".encode()).rowcount
    column = TABLES[table].partition(" ")[0]
    rows = run(sql, f"{LOG} WHERE action = '{table}.update' AND user_id = {{boss}}")
    assert [row[3:] for row in rows] == [(f"changed: {column}", "192.0.2.7")] * count
    assert len({row[1] for row in rows}) == count > 0


def test_all_three_kinds_of_change_are_written_down_and_no_secrets(
    sql: psycopg.Connection,
) -> None:
    with acting(sql, "ann"):
        sql.execute(filled(f"{SERVICE} ('n', 'custom', {{a}}, {{ann}})"))
        sql.execute("UPDATE users SET password = 'very secret'")
        sql.execute("DELETE FROM services WHERE name = 'a-db'")
    rows = run(sql, f"{LOG} WHERE user_id = {{ann}} AND action LIKE '%.%' ORDER BY action")
    assert [row[0] for row in rows] == [
        "service_deployments.delete",  # which went with the service
        "services.delete",
        "services.insert",
        "users.update",
    ]
    assert {row[2] for row in rows} == {filled("{a}").decode().strip("'")}
    assert rows[-1][3] == "changed: password"
    assert run(sql, "SELECT FROM audit_logs AS l WHERE l::text LIKE '%secret%'") == []


def test_what_nobody_does_is_not_written_down(sql: psycopg.Connection) -> None:
    run(sql, "UPDATE services SET description = 'n'")
    assert run(sql, "SELECT FROM audit_logs WHERE action LIKE '%.%'") == []


def test_a_tenant_is_created_changed_and_deleted(sql: psycopg.Connection) -> None:
    with acting(sql, "boss"):
        sql.execute("INSERT INTO tenants (id, name, slug) VALUES (gen_random_uuid(), 'c', 'c')")
    run(sql, "DELETE FROM audit_logs")  # as after they were archived: they refer to the tenant
    with acting(sql, "boss"):
        sql.execute("DELETE FROM tenants WHERE slug = 'c'")
    assert [row[0] for row in run(sql, LOG)] == ["tenants.delete"]


# --- fixtures -------------------------------------------------------------------------------------


def test_the_fixture_wins_over_an_edit(nomad_services: str, sql: psycopg.Connection) -> None:
    query = "SELECT name, type, tags, config FROM service_templates WHERE is_public ORDER BY name"
    before = run(sql, query)
    assert [row[0] for row in before] == ["PostgreSQL", "nginx"]
    run(sql, "UPDATE service_templates SET config = NULL, tags = NULL, type = 'custom'")
    run(sql, "DELETE FROM service_templates WHERE name = 'nginx'")
    run(sql, "UPDATE tenants SET plan = 'free' WHERE slug = 'default'")
    apply(nomad_services, files_of("nomad-services")[-1:])
    assert run(sql, query) == before
    query = "SELECT plan, max_services FROM tenants WHERE slug = 'default'"
    assert run(sql, query) == [("pro", 25)]
