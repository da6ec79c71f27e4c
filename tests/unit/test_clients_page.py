"""docs/clients.md shows what the programs in tests/e2e/clients run, to the letter."""

import json
import re
import textwrap

import pytest

from daap_operator.kinds.database.desired.pooler import pooler
from daap_operator.kinds.database.desired.secret import DatabaseCredentials, connection_secret
from daap_operator.kinds.database.desired.tuning import server_connections
from dev import sbom
from tests.e2e.clients import every
from tests.support import pooled
from tests.support.client_libraries import SOURCE, jars
from tests.unit import builders

PAGE = (SOURCE.parents[2] / "docs/clients.md").read_text()
SHOWN = dict(
    re.findall(
        r"^<!-- tests/e2e/clients/(\S+: \w+) -->\n```\w+\n(.*?)^```$",
        PAGE,
        re.MULTILINE | re.DOTALL,
    )
)
REGION = re.compile(r"^\s*(?:#|//) docs: (\w+)\n(.*?)^\s*(?:#|//) end$", re.MULTILINE | re.DOTALL)


def run() -> dict[str, str]:
    """What the programs mark as shown, by file and name."""
    return {
        f"{file.relative_to(SOURCE)}: {name}": textwrap.dedent(text)
        for file in sorted(SOURCE.glob("*/**/*.*"))
        if file.suffix in (".py", ".js", ".go", ".java", ".sh") and "node_modules" not in file.parts
        for name, text in REGION.findall(file.read_text())
    }


def test_the_page_shows_every_line_that_is_run_and_no_other() -> None:
    assert len(SHOWN) >= 2 * 13
    assert run() == SHOWN


def test_every_program_has_a_line_for_each_kind_of_tls() -> None:
    files = {name.split(": ")[0] for name in SHOWN}
    assert set(SHOWN) == {f"{file}: {tls}" for file in files for tls in ("require", "verify")}


@pytest.mark.parametrize("file", sorted({name.split(": ")[0] for name in SHOWN}))
def test_every_line_of_the_page_is_run(file: str) -> None:
    """psql.sh by its own test: it needs PostgreSQL's own program."""
    program = file.removeprefix("python/").removeprefix("shell/")
    program = {"go/pgx/main.go": "bin/pgx", "go/libpq/main.go": "bin/libpq"}.get(program, program)
    commands = [word for command in every.PROGRAMS.values() for word in command]
    assert program in (*commands, "psql.sh") or file.removesuffix(".java") == "java/Hikari"


def locked() -> dict[str, str]:
    """Every library's locked version, by the name that its ecosystem gives it."""
    python = sbom.read((SOURCE / "requirements.txt").read_text())
    node: dict[str, str] = json.loads((SOURCE / "node/package.json").read_text())["dependencies"]
    go = re.findall(r"^\t(\S+) v(\S+)$", (SOURCE / "go/go.mod").read_text(), re.MULTILINE)
    java = [jar.coordinates.rsplit(":", 1) for jar in jars()]
    return {pin.name.lower(): pin.version for pin in python} | node | dict(go) | dict(java)


def test_the_versions_on_the_page_are_those_that_are_tried() -> None:
    table = re.findall(r"^\| (\S+) \| (\d\S+) \|$", PAGE, re.MULTILINE)
    assert len(table) == 12
    versions = locked()
    here = {name: versions.get(name) or versions.get(name.lower()) for name, _ in table}
    assert dict(table) == here


def test_what_is_not_run_is_said_to_be() -> None:
    not_run = PAGE.split("## Not run")[1].split("\n## ")[0]
    assert all(name in not_run for name in ("sqlx", "Npgsql", "Prisma"))


# --- what the pooler does -------------------------------------------------------------------------


def test_the_page_divides_the_connections_as_the_pooler_does() -> None:
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (\d+) \|$", PAGE, re.MULTILINE)
    assert [instances for instances, _, _ in rows] == ["1", "2", "3", "10"]
    for instances, pool, most in rows:
        made = pooler(builders.resolved({"pooler": {"instances": int(instances)}}))
        parameters = made["spec"]["pgbouncer"]["parameters"]
        assert (pool, most) == (parameters["default_pool_size"], parameters["max_db_connections"])
    assert f"{server_connections(builders.resolved())} with the default memory" in PAGE


def test_the_page_names_the_parameters_that_are_kept_for_each_client() -> None:
    """Those that PgBouncer always tracks, and those that it is told to."""
    parameters = pooler(builders.resolved())["spec"]["pgbouncer"]["parameters"]
    for name in parameters["track_extra_parameters"].split(","):
        assert re.search(
            rf"^\|[^|]*`{name}`[^|]*\| works?, for this client alone", PAGE, re.MULTILINE
        )


@pytest.mark.parametrize(
    "seen",
    [
        "unsupported startup parameter: search_path",
        "unsupported startup parameter: …",
        "SELF_SIGNED_CERT_IN_CHAIN",
        "unexpected keyword argument 'sslmode'",
        'portal "_django_curs_…" does not exist',
        'relation "…" does not exist',
        "server shutting down",
        "CertificatePending",
    ],
)
def test_the_page_has_the_words_that_a_client_sees(seen: str) -> None:
    assert f"`{seen}`" in PAGE


@pytest.mark.parametrize(
    ("option", "program"),
    [
        ("statement_timeout: 5000", "node/pg.js"),
        ("ssl: { ca", "node/pg.js"),
        ("uselibpqcompat=true", "node/pg.js"),
        ("DISABLE_SERVER_SIDE_CURSORS", "python/django_.py"),
        ("currentSchema", "python/limits.py"),
        ("search_path=", "python/limits.py"),
        ("server_settings", "python/limits.py"),
        ("channel_binding", "python/limits.py"),
        ("sslnegotiation", "python/limits.py"),
    ],
)
def test_a_program_has_the_option_that_the_page_speaks_of(option: str, program: str) -> None:
    assert option in PAGE
    assert option in (SOURCE / program).read_text()


def test_the_e2e_steps_find_what_the_pages_show() -> None:
    assert pooled.END_SESSIONS.endswith("state = 'idle';")
    assert pooled.PUT_BACK == "annotate secret daap-orders-app daap.io/touched"


def test_the_page_names_every_way_in_of_the_secret() -> None:
    secret = connection_secret(
        builders.resolved({"instances": 2}), DatabaseCredentials("u", "p", "ca")
    )
    ways = {key for key in secret["data"] if key.endswith("uri")}
    assert ways == {f"{way}{kind}uri" for way in ("", "direct-", "ro-") for kind in ("", "jdbc-")}
    assert {way for way in ways if f"`{way}`" not in PAGE and f"key: {way}}}" not in PAGE} == set()
