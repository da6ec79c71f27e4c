"""Who sees and changes what in examples/nomad-services: row-level security, tried by two logins.

The database's owner, as whom the application connects, and a login that the platform team made.
Each policy is taken away once: what is seen or done then is not what is expected.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping

import psycopg
import pytest
from psycopg import errors, sql
from psycopg.conninfo import make_conninfo

from dev.postgres import Postgres, url_of
from dev.postgres.binaries import programs
from tests.fix_examples import apply, files_of
from tests.integration.nomad_people import PEOPLE, SERVICES, acting, filled, settle

LOGIN = "nomad_services_app"
LABELS = {
    "tenants": "slug",
    "users": "username",
    "services": "name",
    "service_deployments": "nomad_job_id",
    "service_templates": "name",
    "audit_logs": "resource",
    "api_keys": "name",
    "subscriptions": "(SELECT slug FROM tenants AS t WHERE t.id = tenant_id)",
}
PUBLIC = "PostgreSQL nginx"
EVERYTHING = {
    "tenants": "a b default",
    "users": "abe alice ann bob boss gone platform",
    "services": "a-db a-web b-db",
    "service_deployments": "a-db a-web b-db",
    "service_templates": f"{PUBLIC} of-ann",
    "audit_logs": "of-ann of-bob of-boss",
    "api_keys": "of-ann of-bob",
    "subscriptions": "a b",
}
NOTHING = dict.fromkeys(EVERYTHING, "")
OF_A = {
    "tenants": "a",
    "services": "a-db a-web",
    "service_deployments": "a-db a-web",
    "service_templates": PUBLIC,
}
SEES: Mapping[str, Mapping[str, str]] = {
    "boss": EVERYTHING,
    "alice": {
        **OF_A,
        "users": "abe alice ann gone",
        "audit_logs": "of-ann",
        "api_keys": "of-ann",
        "subscriptions": "a",
    },
    "ann": {
        **NOTHING,
        **OF_A,
        "users": "ann",
        "service_templates": f"{PUBLIC} of-ann",
        "audit_logs": "of-ann",
        "api_keys": "of-ann",
    },
    "abe": {**NOTHING, **OF_A, "users": "abe"},
    "bob": {
        "tenants": "b",
        "users": "bob",
        "services": "b-db",
        "service_deployments": "b-db",
        "service_templates": PUBLIC,
        "audit_logs": "of-bob",
        "api_keys": "of-bob",
        "subscriptions": "b",
    },
    "": NOTHING,
}
REFUSED = "refused"
USER = "INSERT INTO users (email, username, password, role, tenant_id) VALUES ('n', 'n', 'x', "
SERVICE = "INSERT INTO services (name, type, tenant_id, created_by) VALUES ('n', 'custom', "
DEPLOYMENT = "INSERT INTO service_deployments (service_id, deployed_by) VALUES "
TEMPLATE = "INSERT INTO service_templates (name, type, created_by) VALUES ('n', 'custom', "
LOG = "INSERT INTO audit_logs (action, resource, user_id, tenant_id) VALUES ('n', 'n', "
KEY = "INSERT INTO api_keys (name, key, user_id, tenant_id) VALUES ('n', 'n', "
DOES: Mapping[tuple[str, str], int | str] = {
    ("boss", "UPDATE tenants SET name = 'n'"): 3,
    ("alice", "UPDATE tenants SET name = 'n'"): 0,
    ("alice", "INSERT INTO tenants (name, slug) VALUES ('n', 'n')"): REFUSED,
    ("boss", "UPDATE users SET first_name = 'n'"): 7,
    ("alice", "UPDATE users SET first_name = 'n'"): 4,
    ("alice", f"{USER} 'user', {{a}})"): 1,
    ("alice", f"{USER} 'admin', {{a}})"): REFUSED,
    ("alice", f"{USER} 'user', {{b}})"): REFUSED,
    ("alice", "UPDATE users SET role = 'admin' WHERE id = {ann}"): REFUSED,
    ("ann", "UPDATE users SET first_name = 'n'"): 1,
    ("ann", "UPDATE users SET role = 'tenant_admin'"): REFUSED,
    ("ann", "UPDATE users SET tenant_id = {b}"): REFUSED,
    ("ann", "DELETE FROM users"): 0,
    ("boss", "UPDATE services SET description = 'n'"): 3,
    ("alice", "UPDATE services SET description = 'n'"): 2,
    ("alice", f"{SERVICE} {{a}}, {{ann}})"): 1,
    ("alice", f"{SERVICE} {{b}}, {{alice}})"): REFUSED,
    ("ann", "UPDATE services SET description = 'n'"): 1,
    ("ann", "DELETE FROM services"): 1,
    ("ann", f"{SERVICE} {{a}}, {{ann}})"): 1,
    ("ann", f"{SERVICE} {{a}}, {{abe}})"): REFUSED,
    ("ann", f"{SERVICE} {{b}}, {{ann}})"): REFUSED,
    ("ann", f"{SERVICE} NULL, {{ann}})"): REFUSED,
    ("", "DELETE FROM services"): 0,
    ("boss", "DELETE FROM service_deployments"): 3,
    ("alice", "UPDATE service_deployments SET status = 'failed'"): 2,
    ("alice", f"{DEPLOYMENT} ({{b-db}}, {{alice}})"): REFUSED,
    ("ann", "UPDATE service_deployments SET status = 'failed'"): 1,
    ("ann", "DELETE FROM service_deployments"): 0,
    ("ann", f"{DEPLOYMENT} ({{a-db}}, {{ann}})"): 1,
    ("ann", f"{DEPLOYMENT} ({{a-web}}, {{ann}})"): REFUSED,
    ("ann", f"{DEPLOYMENT} ({{a-db}}, {{abe}})"): REFUSED,
    ("boss", "UPDATE service_templates SET icon = 'n'"): 3,
    ("ann", "UPDATE service_templates SET icon = 'n'"): 1,
    ("abe", "UPDATE service_templates SET icon = 'n'"): 0,
    ("abe", f"{TEMPLATE} {{abe}})"): 1,
    ("abe", f"{TEMPLATE} {{ann}})"): REFUSED,
    ("boss", f"{LOG} {{ann}}, {{a}})"): 1,
    ("boss", "UPDATE audit_logs SET details = 'n'"): 0,
    ("boss", "DELETE FROM audit_logs"): 3,
    ("alice", "DELETE FROM audit_logs"): 0,
    ("ann", f"{LOG} {{ann}}, {{a}})"): 1,
    ("ann", f"{LOG} {{abe}}, {{a}})"): REFUSED,
    ("ann", f"{LOG} {{ann}}, {{b}})"): REFUSED,
    ("boss", "UPDATE api_keys SET is_active = false"): 2,
    ("alice", "UPDATE api_keys SET is_active = false"): 1,
    ("alice", f"{KEY} {{abe}}, {{a}})"): 1,
    ("alice", f"{KEY} {{boss}}, {{a}})"): REFUSED,
    ("ann", f"{KEY} {{ann}}, {{a}})"): 1,
    ("ann", f"{KEY} {{ann}}, {{b}})"): REFUSED,
    ("ann", f"{KEY} {{abe}}, {{a}})"): REFUSED,
    ("boss", "UPDATE subscriptions SET status = 'canceled'"): 2,
    ("alice", "UPDATE subscriptions SET status = 'canceled'"): 0,
}


def seen(connection: psycopg.Connection, person: str) -> dict[str, str]:
    """What a person sees of each table."""
    with acting(connection, person, undone=True):
        return {table: _labels(connection, table) for table in LABELS}


def _labels(connection: psycopg.Connection, table: str) -> str:
    rows = connection.execute(f"SELECT {LABELS[table]} FROM {table}".encode())
    return " ".join(sorted(str(row[0]).replace(" ", "-") for row in rows))


def done(connection: psycopg.Connection, person: str, statement: str) -> int | str:
    """How many rows a person changes, or that it is refused; it is undone again."""
    try:
        with acting(connection, person, undone=True):
            return connection.execute(filled(statement)).rowcount
    except errors.InsufficientPrivilege:
        return REFUSED


@pytest.fixture
def owner(nomad_services: str) -> Iterator[psycopg.Connection]:
    """As the database's owner, with the two tenants."""
    with psycopg.connect(nomad_services, autocommit=True) as connection:
        settle(connection)
        yield connection


@pytest.fixture
def other(
    schema_server: Postgres, nomad_services: str, owner: psycopg.Connection
) -> Iterator[psycopg.Connection]:
    """As a login of the platform team's making, which 015 gives what it needs."""
    with psycopg.connect(schema_server.admin_url, autocommit=True) as admin:
        admin.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD 'daap'".encode())
        try:
            apply(
                nomad_services, [file for file in files_of("nomad-services") if "015" in file.name]
            )
            name = owner.info.dbname
            url = make_conninfo(url_of(schema_server.url, name), user=LOGIN)
            with psycopg.connect(url, autocommit=True) as connection:
                yield connection
        finally:
            drop = sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(LOGIN))
            with psycopg.connect(url_of(schema_server.admin_url, owner.info.dbname)) as there:
                there.execute(drop)


@pytest.mark.parametrize("person", SEES)
def test_who_sees_what(owner: psycopg.Connection, person: str) -> None:
    assert seen(owner, person) == SEES[person]


def test_who_does_what(owner: psycopg.Connection) -> None:
    assert {(who, what): done(owner, who, what) for who, what in DOES} == DOES


def test_another_login_sees_and_does_the_same_and_is_never_admin(
    other: psycopg.Connection,
) -> None:
    people = [person for person in SEES if person != "boss"]
    assert {person: seen(other, person) for person in people} == {p: SEES[p] for p in people}
    acts = {(who, what): count for (who, what), count in DOES.items() if who != "boss"}
    assert {(who, what): done(other, who, what) for who, what in acts} == acts | {
        # Where the owner's policies find no row, another login lacks the right in the first place.
        ("alice", "DELETE FROM audit_logs"): REFUSED,
    }
    assert seen(other, "boss") == {**NOTHING, "users": "boss"}
    assert done(other, "boss", "UPDATE tenants SET name = 'n'") == 0
    with pytest.raises(errors.InsufficientPrivilege):
        other.execute("TRUNCATE subscriptions")


def test_who_acts_is_forgotten_with_the_transaction(owner: psycopg.Connection) -> None:
    assert seen(owner, "alice")["services"] != ""
    assert seen(owner, "") == NOTHING


@pytest.mark.parametrize("person", ["gone", "nobody"])
def test_only_who_is_active_acts(owner: psycopg.Connection, person: str) -> None:
    id_ = filled("{gone}") if person == "gone" else b"gen_random_uuid()"
    with pytest.raises(errors.InsufficientPrivilege, match="is no active user") as raised:
        owner.execute(b"SELECT app.act_as(%s)" % id_)
    assert "is_active = true" in str(raised.value.diag.message_hint)


POLICIES = "SELECT polname, polrelid::regclass::text FROM pg_policy ORDER BY 1"


def test_no_policy_could_be_missing(owner: psycopg.Connection) -> None:
    """Nor could the row-level security of any table, or that the owner is subject to it."""
    removals = [f"DROP POLICY {name} ON {table}" for name, table in owner.execute(POLICIES)]
    removals += [f"ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY" for table in LABELS]
    unnoticed = []
    for removal in removals:
        with owner.transaction(force_rollback=True):
            owner.execute(removal.encode())
            if _as_expected(owner):
                unnoticed.append(removal)
    assert unnoticed == []
    assert len(removals) > 30


def _as_expected(connection: psycopg.Connection) -> bool:
    try:
        everything_seen = all(seen(connection, person) == SEES[person] for person in SEES)
    except errors.InsufficientPrivilege:  # not even who acts can be found out
        return False
    return everything_seen and all(done(connection, *act) == n for act, n in DOES.items())


def test_a_dump_is_of_everything_or_refused(owner: psycopg.Connection, nomad_services: str) -> None:
    def dumped(*options: str, settings: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [programs() / "pg_dump", "--data-only", "--table=services", *options, nomad_services],
            env={**os.environ, "PGOPTIONS": settings},
            capture_output=True,
            text=True,
            check=False,
        )

    assert "row-level security policy" in dumped().stderr
    dump = dumped("--enable-row-security", settings="-c app.role=admin")
    assert dump.stderr == ""
    assert [name for name in SERVICES if name not in dump.stdout] == []


def test_everyone_is_asked() -> None:
    assert set(PEOPLE) - set(SEES) == {"gone"}
