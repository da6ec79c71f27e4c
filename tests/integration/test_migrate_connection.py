"""How `migrate` reaches its server: waiting, forms of URL, and never a password in sight."""

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from daap_operator.migrate import database
from dev.postgres import Postgres, url_of
from tests.integration.migrating import IDS, Clock, Command, applied, rows, run

PASSWORD = "p@ss/w o:rd%&=?#+;é'\"\\"
ENCODED = "p%40ss%2Fw%20o%3Ard%25%26%3D%3F%23%2B%3B%C3%A9%27%22%5C"


def test_wait_succeeds_when_the_server_starts_later(own_postgres: Postgres) -> None:
    own_postgres.stop()
    command = Command(own_postgres.url, "--wait", "90")
    command.wait_for(f"waiting for host 127.0.0.1, port {own_postgres.port}, database daap (")
    assert " of 90 s)" in command.seen
    own_postgres.restart()
    code, output = command.end()
    assert code == 0, output
    assert applied(own_postgres.url) == IDS


def test_wait_alone_changes_nothing(empty_database: str) -> None:
    code, output = run(empty_database, "wait", "--wait", "60")
    assert code == 0
    assert "accepts connections" in output
    assert rows(empty_database, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'") == []


@pytest.mark.parametrize("wait", ["0", "0.5"])
@pytest.mark.parametrize(
    "action", [[], ["status"], ["wait"], ["rollback", "--to", "none"]], ids=str
)
def test_a_server_that_never_starts_is_told_with_its_place(
    own_stopped: tuple[str, int], wait: str, action: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "time", Clock())
    url, port = own_stopped
    code, output = run(url, *action, "--wait", wait)
    assert code == 3
    last = output.splitlines()[-1]
    after = "" if wait == "0" else f" after waiting {wait} s"
    place = f"host 127.0.0.1, port {port}, database daap"
    assert last.startswith(f"error: no connection to {place}{after}: connection")
    assert "Connection refused" in last
    assert ("waiting for" in output) == (wait != "0")
    assert "hidden" not in output


@pytest.fixture(scope="module")
def own_stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """The URL and the port of a server that does not run."""
    with Postgres.start(tmp_path_factory.mktemp("stopped"), durable=False) as server:
        server.stop("immediate")
        yield server.url.replace(":daap@", ":hidden@"), server.port


def forms(server: Postgres, user: str) -> dict[str, str]:
    """The same server by every form of DATABASE_URL."""
    database, directory = user, server.socket_directory
    return {
        "postgres": f"postgres://{user}:{ENCODED}@127.0.0.1:{server.port}/{database}",
        "postgresql": f"postgresql://{user}:{ENCODED}@127.0.0.1:{server.port}/{database}"
        "?sslmode=disable&connect_timeout=60",
        "socket": f"postgresql://{user}:{ENCODED}@/{database}?host={directory}&port={server.port}",
        "keywords": make_conninfo(
            host=str(directory), port=server.port, user=user, password=PASSWORD, dbname=database
        ),
    }


@pytest.mark.parametrize("form", ["postgres", "postgresql", "socket", "keywords"])
def test_every_form_of_url_reaches_the_server(own_roles: tuple[Postgres, str], form: str) -> None:
    server, user = own_roles
    url = forms(server, user)[form]
    outputs = [run(url), run(url, "status"), run(url, "rollback", "--to", "none"), run(url)]
    assert [code for code, _ in outputs] == [0, 0, 0, 0], outputs
    assert applied(url) == IDS
    run(url, "rollback", "--to", "none")
    wrong = conninfo_to_dict(url) | {"password": "hid/den"}
    failed = run(make_conninfo("", **wrong))
    assert failed[0] == 3
    assert "password authentication failed for user" in failed[1]
    text = "".join(output for _, output in [*outputs, failed])
    assert not [part for part in (PASSWORD, ENCODED, "hid/den") if part in text]


@pytest.fixture(scope="module")
def own_roles(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Postgres, str]]:
    """A server, and the name of a role with an awkward password and of its database."""
    user = "awkward"
    with Postgres.start(tmp_path_factory.mktemp("roles"), durable=False) as server:
        with psycopg.connect(server.admin_url, autocommit=True) as admin:
            role = sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}")
            admin.execute(role.format(sql.Identifier(user), PASSWORD))
            owned = sql.SQL("CREATE DATABASE {} OWNER {}")
            admin.execute(owned.format(sql.Identifier(user), sql.Identifier(user)))
        yield server, user


def test_the_search_path_of_the_url_says_where(empty_database: str) -> None:
    with psycopg.connect(empty_database) as connection:
        connection.execute("CREATE SCHEMA elsewhere")
    url = make_conninfo(empty_database, options="-c search_path=elsewhere")
    assert [run(url)[0], run(url, "status")[0], run(url)[0]] == [0, 0, 0]
    tables = "SELECT DISTINCT schemaname FROM pg_tables WHERE tablename ~ 'databases|yoyo|daap'"
    assert rows(url, tables) == [("elsewhere",)]


def test_a_role_that_may_not_create_tables_is_told_where(
    own_roles: tuple[Postgres, str],
) -> None:
    server, user = own_roles
    url = url_of(forms(server, user)["postgres"], "daap")
    code, output = run(url)
    assert code == 3
    place = f"host 127.0.0.1, port {server.port}, database daap"
    assert f"error: {place}: permission denied for schema public" in output
    assert ENCODED not in output
