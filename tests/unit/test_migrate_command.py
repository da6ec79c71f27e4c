"""How `migrate` reads a database URL and its arguments: no database here."""

import argparse
import io

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict
from yoyo.backends.core.postgresql import PostgresqlPsycopgBackend
from yoyo.connections import parse_uri

from daap_operator import migrate
from daap_operator.migrate import MigrationError, database
from daap_operator.migrate.tls import is_local

SECRET = "p%40ss%2Fw%20o%3Ard%25%26%3D%3F%23%2B%3B%C3%A9%27%22%5C"
PLAIN = "p@ss/w o:rd%&=?#+;é'\"\\"


VERIFIED = {"sslmode": "verify-full", "sslrootcert": __file__}
"""What is added where the URL says nothing, and the server is elsewhere."""

URLS = {
    "postgres": (
        f"postgres://daap:{SECRET}@db.example:5433/meta",
        {"user": "daap", "password": PLAIN, "host": "db.example", "port": "5433", "dbname": "meta"},
    ),
    "postgresql with options": (
        (
            "postgresql://daap@db.example/meta?sslmode=verify-full&sslrootcert=/ca%20s.crt"
            "&options=-c%20search_path%3Ddaap&connect_timeout=9&application_name=me"
        ),
        {
            "user": "daap",
            "host": "db.example",
            "dbname": "meta",
            "sslmode": "verify-full",
            "sslrootcert": "/ca s.crt",
            "options": "-c search_path=daap",
            "connect_timeout": "9",
            "application_name": "me",
        },
    ),
    "unix socket": (
        "postgresql://daap@/meta?host=/var/run/postgresql&port=5433",
        {"user": "daap", "host": "/var/run/postgresql", "port": "5433", "dbname": "meta"},
    ),
    "unix socket, encoded": (
        "postgresql://%2Fvar%2Frun/meta",
        {"host": "/var/run", "dbname": "meta"},
    ),
    "several hosts": (
        "postgresql://a:1,b:2/meta?target_session_attrs=read-write",
        {"host": "a,b", "port": "1,2", "dbname": "meta", "target_session_attrs": "read-write"},
    ),
    "IPv6": ("postgresql://[::1]:5433/meta", {"host": "::1", "port": "5433", "dbname": "meta"}),
    "odd database": ("postgresql://h/me%2Ft%20a%3F", {"host": "h", "dbname": "me/t a?"}),
    "bare question mark": (
        "postgresql://daap:p?w:o@h/meta?user=daap",
        {"user": "daap", "password": "p?w:o", "host": "h", "dbname": "meta"},
    ),
    "at sign in the query": (
        "postgresql://h/meta?user=a@b&password=p@w",
        {"user": "a@b", "password": "p@w", "host": "h", "dbname": "meta"},
    ),
    "no database": ("postgresql://daap@h", {"host": "h", "user": "daap"}),
    "keywords": (
        "host=h user=daap password='p w' dbname=meta",
        {"host": "h", "user": "daap", "password": "p w", "dbname": "meta"},
    ),
}


@pytest.mark.parametrize(("url", "expected"), URLS.values(), ids=URLS)
def test_yoyo_hands_psycopg_what_libpq_would_have_read(
    url: str, expected: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", __file__)
    seen: dict[str, str] = {}

    class Connected(Exception):  # noqa: N818 - no error
        pass

    def connect(**parameters: str) -> None:
        seen.update(parameters)
        raise Connected

    monkeypatch.setattr(psycopg, "connect", connect)
    parsed = parse_uri(database.yoyo_url(url))
    assert parsed.scheme == "postgresql+psycopg"
    with pytest.raises(Connected):
        PostgresqlPsycopgBackend(parsed, "_yoyo_migration")
    own = {"connect_timeout": "5", "fallback_application_name": "daap-operator migrate"}
    assert {key: value for key, value in seen.items() if value} == own | {
        **({} if is_local(expected, {}) else VERIFIED),
        **expected,
    }


@pytest.mark.parametrize(("url", "expected"), URLS.values(), ids=URLS)
def test_our_own_connection_reads_the_same(url: str, expected: dict[str, str]) -> None:
    assert expected.items() <= database.parameters(url).items()
    assert conninfo_to_dict(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "",
        "postgres//daap:hidden@h/meta",
        "postgresql://daap:hid%zzden@h/meta",
        "postgresql://daap:hidden@h/meta?nonsense=1",
        "postgresql://daap:oh@hidden@h/meta",
        "postgresql://daap:hid/den@h/meta",
        "postgresql://daap:1/hidden@h/meta",
        "postgresql://daap:oh?hid@den@h/meta",
        "mysql://daap:hidden@h/meta",
        "host=h hidden",
    ],
)
def test_a_wrong_url_is_an_error_that_does_not_show_it(url: str) -> None:
    with pytest.raises(MigrationError, match="DATABASE_URL is neither a URL such as") as error:
        database.parameters(url)
    assert "hid" not in str(error.value).replace("not shown here", "")
    assert error.value.__context__ is None


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("postgres://u:hidden@h:1/d", "host h, port 1, database d"),
        ("postgres://u:hidden@h", "host h, port 5432, database u"),
        ("postgresql:///d?host=/run", "host /run, port 5432, database d"),
        ("dbname=d", "host the local socket, port 5432, database d"),
    ],
)
def test_the_place_is_told_without_the_password(
    url: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PGHOST", "PGPORT", "PGDATABASE", "PGUSER"):
        monkeypatch.delenv(name, raising=False)
    assert database.place(url) == expected


# The command line


def parse(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    migrate.add_arguments(parser)
    return parser.parse_args(arguments)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ([], (None, None, 0.0)),
        (["--wait", "60", "--to", "003"], (None, "003", 60.0)),
        (["rollback", "--to", "none"], ("rollback", "none", 0.0)),
        (["rollback", "--to", "003", "--wait", "1.5"], ("rollback", "003", 1.5)),
        (["--wait", "5", "rollback", "--to", "003"], ("rollback", "003", 5.0)),
        (["--wait", "5", "status"], ("status", None, 5.0)),
        (["status", "--wait", "5"], ("status", None, 5.0)),
    ],
)
def test_arguments(arguments: list[str], expected: tuple[str | None, str | None, float]) -> None:
    found = parse(*arguments)
    assert (found.migrate_action, found.to, found.wait) == expected


@pytest.mark.parametrize("arguments", [["rollback"], ["undo"], ["--wait", "soon"]])
def test_wrong_arguments_are_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        parse(*arguments)
    assert "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 3, "error: DATABASE_URL is neither"),
        (["status"], 3, "error: DATABASE_URL is neither"),
        (["rollback", "--to", "none"], 3, "error: DATABASE_URL is neither"),
        (["--to", "999"], 2, "error: there is no migration '999'"),
        (["--to", ""], 2, "error: there is no migration ''"),
        (["--to", "none"], 2, "error: migrate only goes forward: use `migrate rollback --to none`"),
    ],
)
def test_errors_go_to_the_error_stream_with_a_code(
    arguments: list[str], code: int, message: str
) -> None:
    out, err = io.StringIO(), io.StringIO()
    assert migrate.main(parse(*arguments), "nonsense", out=out, err=err) == code
    assert err.getvalue().startswith(message)
    assert out.getvalue() == ""
