"""A ledger that somebody else has planted, or changes at the worst moment, runs nothing as others.

`verify`, `wait` and `plan` are also asked by those who may do more than its owner.
"""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from daap_operator.schema import catalogue, consent, looking, tables
from daap_operator.schema.errors import RefusedError, SchemaError
from daap_operator.schema.looking import Awaited
from dev.postgres import Postgres, url_of
from tests.integration.schema_stage import FIVE, applied, apply, files, run_sql


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    with Postgres.start(tmp_path_factory.mktemp("postgres") / "data", durable=False) as server:
        run_sql(server.admin_url, "CREATE ROLE tenant LOGIN PASSWORD 'tenant'")
        yield server


@pytest.fixture
def admin(server: Postgres) -> Iterator[str]:
    """The URL of a database of the owner `daap` for a superuser; `tenant` may create schemas."""
    with server.database() as url:
        name = str(conninfo_to_dict(url)["dbname"])
        admin = url_of(server.admin_url, name)
        run_sql(admin, f"GRANT CREATE ON DATABASE {name} TO tenant")
        yield admin


def as_(role: str, url: str) -> str:
    return make_conninfo(url, user=role, password=role)


RAN = "was run as"
_BODY = f"LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'planted {RAN} %', current_user; END $$"
_FUNCTION = f"CREATE FUNCTION daap_schema.planted() RETURNS text {_BODY}"
_COLUMNS = "ledger, part, file, number, applied_at, applied_by, job, seconds, baseline, done"
_VIEW = (
    _FUNCTION,
    "ALTER TABLE daap_schema.ledger RENAME TO older",
    (
        f"CREATE VIEW daap_schema.ledger AS SELECT {_COLUMNS}, daap_schema.planted() AS checksum "
        "FROM daap_schema.older"
    ),
    "GRANT SELECT ON daap_schema.ledger TO PUBLIC",
)
_CAST = (
    "CREATE TYPE public.moment AS (at text)",
    f"CREATE FUNCTION public.planted(public.moment) RETURNS timestamptz {_BODY}",
    (
        "CREATE CAST (public.moment AS timestamptz) WITH FUNCTION public.planted(public.moment) "
        "AS IMPLICIT"
    ),
    (
        "ALTER TABLE daap_schema.ledger ALTER applied_at DROP DEFAULT, "
        "ALTER applied_at TYPE public.moment USING ROW('x')::public.moment"
    ),
)
_POLICY = (
    _FUNCTION,
    "ALTER TABLE daap_schema.ledger ENABLE ROW LEVEL SECURITY",
    "CREATE POLICY planted ON daap_schema.ledger USING (daap_schema.planted() = 'x')",
)
CHANGES = {"a view": _VIEW, "a cast": _CAST, "a policy": _POLICY}


def later(change: Callable[[], None], function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, before which something happens."""

    def changed(*args: Any, **kwargs: Any) -> Any:
        change()
        return function(*args, **kwargs)

    return changed


@pytest.mark.parametrize("reader", ["postgres", "tenant"])
@pytest.mark.parametrize("change", CHANGES)
def test_a_ledger_that_is_another_once_it_was_looked_at_runs_nothing(
    change: str, reader: str, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = as_("daap", admin)
    url = admin if reader == "postgres" else as_(reader, admin)
    applied(owner, FIVE)
    planted = later(lambda: run_sql(owner, *CHANGES[change]), tables.rows)
    monkeypatch.setattr(tables, "rows", planted)
    assert RAN not in said(lambda: looking.applied(url, "default"))


def said(look: Callable[[], object]) -> str:
    """What somebody is told who looks; nothing when all is well."""
    try:
        look()
    except SchemaError as error:
        return str(error)
    return ""


def test_verifying_gives_no_time_for_that_either(
    admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owner = as_("daap", admin)
    applied(owner, FIVE)
    seen = later(lambda: run_sql(owner, *_VIEW), catalogue.seen)
    monkeypatch.setattr(catalogue, "seen", seen)
    with pytest.raises(SchemaError, match="cannot copy from view"):
        looking.verified(admin, "default")


def test_columns_of_the_owners_types_run_nothing(admin: str) -> None:
    owner = as_("daap", admin)
    applied(owner, FIVE)
    run_sql(owner, *_CAST)
    with pytest.raises(RefusedError, match=r"001_servers\.sql' that no runner has written"):
        looking.applied(admin, "default")


@pytest.mark.parametrize("moment", ["before it is read", "before it is created"])
def test_who_creates_the_ledger_first_has_nothing_run_as_the_owner(
    moment: str, admin: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    trap = (
        "CREATE SCHEMA daap_schema",
        "COMMENT ON SCHEMA daap_schema IS 'daap-operator schema, format 1'",
        _FUNCTION,
        *(
            f"CREATE VIEW daap_schema.{name} AS SELECT '' AS ledger, '' AS part, '' AS file, "
            "1 AS number, now() AS applied_at, '' AS job, 0.0 AS seconds, 1 AS done, "
            "daap_schema.planted() AS checksum, length(daap_schema.planted()) AS major"
            for name in ("ledger", "objects")
        ),
        "GRANT ALL ON SCHEMA daap_schema TO PUBLIC",
        "GRANT ALL ON ALL TABLES IN SCHEMA daap_schema TO PUBLIC",
    )

    def set_it() -> None:
        run_sql(as_("tenant", admin), *trap)

    if moment == "before it is created":
        monkeypatch.setattr(consent, "refuse", later(set_it, consent.refuse))
    else:
        monkeypatch.setattr(tables, "refuse_strange", _and_then(tables.refuse_strange, set_it))
    told = apply(as_("daap", admin), FIVE)
    assert "belongs to tenant" in str(told.refused) or "is no plain table" in str(told.refused)


def _and_then(function: Callable[..., Any], change: Callable[[], None]) -> Callable[..., Any]:
    first = iter([change])

    def changed(*args: Any, **kwargs: Any) -> Any:
        found = function(*args, **kwargs)
        next(first, lambda: None)()
        return found

    return changed


@pytest.mark.parametrize(
    ("column", "value"),
    [("part", "'neither'"), ("seconds", "'-Infinity'"), ("applied_at", "'infinity'")],
)
def test_a_row_that_no_runner_writes_is_told(column: str, value: str, admin: str) -> None:
    owner = as_("daap", admin)
    applied(owner, FIVE)
    run_sql(
        owner,
        "ALTER TABLE daap_schema.ledger DROP CONSTRAINT ledger_part_check",
        f"UPDATE daap_schema.ledger SET {column} = {value} WHERE file = '003_disks.sql'",
    )
    if column == "seconds":
        assert looking.applied(owner, "default").applied[2].seconds < 0
        return
    with pytest.raises(RefusedError, match=r"003_disks\.sql' that no runner has written"):
        looking.applied(owner, "default")


def test_a_ledger_without_end_is_not_read_to_its_end(admin: str) -> None:
    owner = as_("daap", admin)
    applied(owner, FIVE)
    run_sql(
        owner,
        "INSERT INTO daap_schema.ledger (ledger, part, file, checksum) "
        "SELECT 'default', 'schema', n::text, '' FROM generate_series(1, 20000) AS n",
    )
    with pytest.raises(RefusedError, match="more than 10000 rows"):
        looking.applied(owner, "default")
    assert looking.applied(owner, "another").applied == []


def test_what_a_ledger_holds_commands_no_terminal(admin: str) -> None:
    owner = as_("daap", admin)
    applied(owner, FIVE)
    run_sql(
        owner,
        "DROP VIEW large",
        r"UPDATE daap_schema.objects SET file = E'\x1b[31m\n\u202e' || repeat('x', 10000)",
        r"UPDATE daap_schema.ledger SET checksum = E'\x1b]0;x\x07' || checksum",
        r"UPDATE daap_schema.ledger SET file = E'\x1b[2J\n' || file WHERE file LIKE '005%'",
    )
    shown = [each.told() for each in looking.verified(owner, "default").drift]
    shown += str(apply(owner, FIVE).refused).split("\n")
    with pytest.raises(RefusedError) as caught:
        looking.wait(owner, "default", Awaited(files(FIVE)), seconds=0, say=shown.append)
    shown += str(caught.value).split("\n")
    assert len(shown) > 6
    assert all(line.isprintable() for line in shown), shown
    assert max(map(len, shown)) < 1500
