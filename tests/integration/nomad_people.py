"""Two tenants in the database of examples/nomad-services, their people, and who acts."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

TENANTS = {"a": "a0000000-0000-4000-8000-000000000000", "b": "b0000000-0000-4000-8000-000000000000"}
PEOPLE = {
    "boss": ("admin", None),
    "alice": ("tenant_admin", "a"),
    "ann": ("user", "a"),
    "abe": ("user", "a"),
    "gone": ("user", "a"),
    "bob": ("tenant_admin", "b"),
}
IDS = {name: f"{n}1111111-0000-4000-8000-000000000000" for n, name in enumerate(PEOPLE)}
SERVICES = {"a-db": ("database", "a", "ann"), "a-web": ("web_server", "a", "abe")}
SERVICES |= {"b-db": ("database", "b", "bob")}
SERVICE_IDS = {name: f"{n}2222222-0000-4000-8000-000000000000" for n, name in enumerate(SERVICES)}
WORDS = {**TENANTS, **IDS, **SERVICE_IDS}
"""What statements of the tests write as `{ann}`, `{a}` or `{a-db}`."""


def filled(text: str) -> bytes:
    """A statement with `{name}` replaced by the quoted id."""
    for name, id_ in WORDS.items():
        text = text.replace(f"{{{name}}}", f"'{id_}'")
    return text.encode()


def settle(connection: psycopg.Connection) -> None:
    """Puts the two tenants there with all they have, on nobody's behalf."""
    with as_platform(connection):
        for slug, id_ in TENANTS.items():
            values = [id_, slug.upper(), slug]
            connection.execute("INSERT INTO tenants (id, name, slug) VALUES (%s, %s, %s)", values)
        for name, (role, tenant) in PEOPLE.items():
            _person(connection, name, role, tenant)
        for name, (type_, tenant, creator) in SERVICES.items():
            _service(connection, name, type_, tenant, creator)
        connection.execute(filled(REST))


REST = """
INSERT INTO service_templates (name, type, is_public, created_by)
VALUES ('of ann', 'custom', false, {ann});
INSERT INTO audit_logs (user_id, tenant_id, action, resource) VALUES
    ({ann}, {a}, 'login', 'of ann'), ({bob}, {b}, 'login', 'of bob'),
    ({boss}, NULL, 'login', 'of boss');
INSERT INTO api_keys (name, key, user_id, tenant_id) VALUES
    ('of ann', '1', {ann}, {a}), ('of bob', '2', {bob}, {b});
INSERT INTO subscriptions (tenant_id, plan) VALUES ({a}, 'free'), ({b}, 'free');
"""


def _person(connection: psycopg.Connection, name: str, role: str, tenant: str | None) -> None:
    connection.execute(
        "INSERT INTO users (id, email, username, password, role, is_active, tenant_id)"
        " VALUES (%s, %s, %s, 'hash', %s, %s, %s)",
        [IDS[name], f"{name}@example.com", name, role, name != "gone", TENANTS.get(tenant or "")],
    )


def _service(
    connection: psycopg.Connection, name: str, type_: str, tenant: str, creator: str
) -> None:
    connection.execute(
        "INSERT INTO services (id, name, type, tenant_id, created_by) VALUES (%s, %s, %s, %s, %s)",
        [SERVICE_IDS[name], name, type_, TENANTS[tenant], IDS[creator]],
    )
    connection.execute(
        "INSERT INTO service_deployments (service_id, nomad_job_id, deployed_by)"
        " VALUES (%s, %s, %s)",
        [SERVICE_IDS[name], name, IDS[creator]],
    )


@contextmanager
def as_platform(connection: psycopg.Connection) -> Iterator[None]:
    """A transaction with all rights of the application, on nobody's behalf."""
    with connection.transaction():
        connection.execute("SET LOCAL app.role = 'admin'")
        yield


@contextmanager
def acting(connection: psycopg.Connection, name: str, *, undone: bool = False) -> Iterator[None]:
    """A transaction on behalf of a person; of nobody with an empty name."""
    with connection.transaction(force_rollback=undone):
        if name:
            connection.execute("SELECT app.act_as(%s)", [IDS[name]])
        yield
