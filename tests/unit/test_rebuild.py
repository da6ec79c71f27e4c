"""Manifests for the databases of a lost cluster: what is made of which rows, and what is listed."""

import dataclasses
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import cli
from daap_operator.api.v1alpha1 import DaapDatabase
from daap_operator.kinds.database.row import row
from daap_operator.kinds.database.subject import subject
from daap_operator.migrate import MigrationError, RefusedError
from daap_operator.mirror.lost import Lost, Marked
from daap_operator.rebuild import command
from daap_operator.rebuild.plan import Plan, plan
from daap_operator.rebuild.text import render, report
from tests.unit import builders, strategies

Object = dict[str, Any]

SPEC: Object = {"ownerTeam": "checkout", "storage": {"size": "10Gi"}, "pooler": {}}
LOST = Lost(
    uid=builders.UID,
    name="orders",
    namespace="shop",
    status="ready",
    archive="daap-orders-5e1ec7ab",
    store="backups",
    database_name="orders",
    version="17",
    locale="builtin/C.UTF-8",
    spec=json.dumps(SPEC),
    there_again=False,
)


def lost(spec: Object | None = None, **columns: Any) -> Lost:
    made = {"spec": json.dumps(SPEC | spec)} if spec is not None else {}
    return dataclasses.replace(LOST, **(made | columns))


def only(found: Plan) -> Object:
    (made,) = found.rebuilt
    return made.manifest


def gaps(*rows: Lost) -> list[str]:
    return [f"{gap.database} {gap.told}" for gap in plan(rows).gaps]


def test_a_database_comes_back_as_its_team_asked_for_it_with_its_data() -> None:
    found = plan([LOST])
    assert only(found) == {
        "apiVersion": "daap.io/v1alpha1",
        "kind": "DaapDatabase",
        "metadata": {"name": "orders", "namespace": "shop"},
        "spec": SPEC
        | {
            "postgresVersion": 17,
            "source": {"archive": "daap-orders-5e1ec7ab", "store": "backups"},
        },
    }
    assert found.gaps == ()


def test_the_moment_is_that_of_each() -> None:
    found = plan([LOST, lost(name="bills")], at="2026-11-28T03:00:00Z")
    sources = [made.manifest["spec"]["source"] for made in found.rebuilt]
    assert [source["at"] for source in sources] == ["2026-11-28T03:00:00Z"] * 2


def test_what_was_allotted_is_written_only_where_it_does_not_follow_from_the_name() -> None:
    """Or the manifest in Git, which lacks it, could not be applied over it again."""
    assert (
        "databaseName"
        not in only(plan([lost(name="my-orders", database_name="my_orders")]))["spec"]
    )
    assert only(plan([lost(database_name="shop")]))["spec"]["databaseName"] == "shop"
    asked = lost({"databaseName": "asked"}, database_name="asked")
    assert only(plan([asked]))["spec"]["databaseName"] == "asked"


def test_the_version_is_that_of_the_data() -> None:
    assert (
        only(plan([lost({"postgresVersion": 18}, version="17")]))["spec"]["postgresVersion"] == 17
    )
    assert (
        only(plan([lost({"postgresVersion": 18}, version=None)]))["spec"]["postgresVersion"] == 18
    )


@pytest.mark.parametrize(
    ("locale", "version", "written"),
    [
        ("builtin/C.UTF-8", "17", None),
        ("icu/und", "17", {"provider": "icu", "locale": "und"}),
        ("icu/und", "16", None),
        ("libc/C", "17", {"provider": "libc", "locale": "C"}),
        ("nonsense", "17", None),
        (None, "17", None),
    ],
)
def test_a_locale_that_is_not_its_versions_default_is_written(
    locale: str | None, version: str, written: Object | None
) -> None:
    assert only(plan([lost(locale=locale, version=version)]))["spec"].get("locale") == written


def test_what_it_began_with_itself_is_no_longer_its_source() -> None:
    restored = lost({"source": {"database": "another"}})
    assert only(plan([restored]))["spec"]["source"]["archive"] == LOST.archive
    without = lost({"source": {"database": "another"}}, archive=None, store=None)
    assert "source" not in only(plan([without]))["spec"]


def test_the_order_is_that_of_namespace_and_name_however_the_rows_come() -> None:
    rows = [
        lost(namespace=space, name=name)
        for space, name in (("b", "aaa"), ("a", "zzz"), ("a", "bbb"))
    ]
    for given_ in (rows, rows[::-1]):
        made = [each.manifest["metadata"] for each in plan(given_).rebuilt]
        assert [(each["namespace"], each["name"]) for each in made] == [
            ("a", "bbb"),
            ("a", "zzz"),
            ("b", "aaa"),
        ]


def test_a_database_without_backups_comes_back_empty_and_is_listed() -> None:
    without = lost(archive=None, store=None)
    assert "source" not in only(plan([without]))["spec"]
    assert gaps(without) == ["shop/orders is created empty: it had no backups, so its data is lost"]


def test_an_archive_that_ended_before_the_cluster_did_is_listed() -> None:
    (told,) = gaps(lost({"backup": {"enabled": False}}))
    assert told.startswith("shop/orders is created with old data: its backups were switched off")


@pytest.mark.parametrize(
    ("row_", "told"),
    [
        (dataclasses.replace(LOST, spec=None), "its row has no spec"),
        (dataclasses.replace(LOST, spec="[1]"), "its row has no spec"),
        (dataclasses.replace(LOST, spec='{"a'), "its row has no spec"),
        (lost(status="deleting"), "it was being deleted"),
        (lost(there_again=True), "a database of this name was created since"),
        (lost(namespace="Shop; kubectl"), "that is not the name of a namespace"),
        (lost(name="Orders"), "metadata.name 'Orders' must be 3 to 63 characters"),
        (lost({"instances": 0}), "spec.instances '0'"),
        (lost({"databaseName": "postgres"}), "'postgres' is reserved"),
        (dataclasses.replace(LOST, spec='{"instances": 1}'), "spec.ownerTeam is required: set it"),
    ],
)
def test_what_cannot_be_made_is_listed_with_what_is_known(row_: Lost, told: str) -> None:
    found = plan([row_])
    assert found.rebuilt == ()
    (gap,) = found.gaps
    assert gap.told.startswith("is not written: ")
    assert told in gap.told
    if "namespace" not in told:
        assert "archive 'daap-orders-5e1ec7ab', store 'backups', postgresVersion '17'" in gap.told


def test_a_deletion_that_was_held_is_none() -> None:
    held = lost({"deletionProtection": True}, status="deleting")
    assert only(plan([held]))["spec"]["deletionProtection"] is True


def test_a_name_that_there_is_twice_is_anybodys() -> None:
    rows = [LOST, lost(namespace="other", uid="x"), lost(name="bills")]
    assert [each.manifest["metadata"]["name"] for each in plan(rows).rebuilt] == ["bills"]
    assert len(gaps(*rows)) == 2


def test_the_file_says_what_it_needs_and_what_it_lacks() -> None:
    rows = [LOST, lost(name="bills", namespace="pay", archive=None, store=None)]
    text = render(plan(rows))
    assert (
        "# - namespace pay\n# - namespace shop, in it ObjectStore backups and its Secret\n" in text
    )
    assert "---\n# EMPTY: it had no backups\napiVersion: daap.io/v1alpha1\n" in text
    assert "# from archive daap-orders-5e1ec7ab in ObjectStore backups\n" in text
    assert text.endswith(
        "#\n# Databases that are not as they were: 1\n"
        "# - pay/bills is created empty: it had no backups, so its data is lost\n"
    )
    assert report(plan(rows))[0] == "Databases written: 2 (1 restored from their archives, 1 empty)"


def test_no_row_can_put_anything_between_the_manifests() -> None:
    """Whatever a row says in a comment stays in that line, and nothing in a manifest hides."""
    evil = "x\n---\nkind: ClusterRoleBinding\n\u202e"
    rows = [
        lost(name=evil),
        lost(namespace=evil),
        lost(name="bills", store=evil),
        lost({"connectionSecretMetadata": {"annotations": {"a.b/c": evil}}}, name="fines"),
    ]
    text = render(plan(rows))
    assert "\u202e" not in text
    kinds = [each["kind"] for each in yaml.safe_load_all(text) if each]
    assert set(kinds) <= {"DaapDatabase"}


@pytest.mark.parametrize("sign", ["\x85", "\u2028", "\u2029", "\x1d", "\x0c", "\u202e", "\ufeff"])
def test_what_could_be_a_break_of_lines_is_written_out(sign: str) -> None:
    """Readers of YAML differ in which of them are, and none is to be seen."""
    value = f"a\n...{sign}- b"
    row = lost({"connectionSecretMetadata": {"annotations": {"a.b/c": value}}})
    text = render(plan([row]))
    assert sign not in text
    (made,) = [each for each in yaml.safe_load_all(text) if each]
    assert made["spec"]["connectionSecretMetadata"]["annotations"] == {"a.b/c": value}


def test_texts_that_other_readers_of_yaml_take_for_numbers_are_quoted() -> None:
    words = ["1e3", "0o17", "y", "no", "12:30", "null", "~", "Inf", ".5", "0x1F", "1_000"]
    labels = {"a.b/c": "1e3"}
    for word in words:
        text = render(
            plan([lost({"ownerTeam": word, "connectionSecretMetadata": {"labels": labels}})])
        )
        assert f"ownerTeam: '{word}'" in text
        assert "a.b/c: '1e3'" in text


MAPS = st.dictionaries(
    strategies.names, strategies.plain_texts.map(lambda text: text.replace("\0", "")), max_size=3
)


@given(
    spec=strategies.objects_with(
        {
            "instances": [1, 3],
            "purpose": ["Order history", "Größe: 1e3"],
            "storage": [{"size": "20Gi"}, {"size": 10737418240}],
            "resources": [{"limits": {"memory": "1Gi"}}],
            "pooler": [{}, {"instances": 2}],
            "backup": [{}, {"schedule": "30 2 * * *", "retention": "30d"}],
            "postgresVersion": [17],
            "deletionPolicy": ["Retain"],
        }
    ),
    secret=MAPS,
)
def test_any_spec_goes_the_whole_way_or_is_listed(spec: Object, secret: Object) -> None:
    """Object, row, JSON, manifest, YAML, object: the spec is what it was."""
    asked = {"ownerTeam": "checkout", "connectionSecretMetadata": {"annotations": secret}} | spec
    status = {"clusterName": "daap-orders", "databaseName": "orders", "postgresVersion": 17}
    seen = subject(builders.database(asked, status))
    made = row(seen.metadata, seen.spec, seen.status)
    assert made is not None
    found = plan([dataclasses.replace(LOST, spec=made.spec, archive=None, store=None)])
    if not found.rebuilt:
        (gap,) = found.gaps
        assert gap.told.startswith("is not written: ")
        return
    (read,) = [each for each in yaml.safe_load_all(render(found)) if each]
    assert read["spec"] == asked | {"postgresVersion": 17}
    DaapDatabase.model_validate(read | {"metadata": builders.database()["metadata"]})


# --- the command ----------------------------------------------------------------------------------


@pytest.fixture
def inventory(monkeypatch: pytest.MonkeyPatch) -> list[Lost]:
    """The rows that the command reads."""
    rows = [LOST]
    monkeypatch.setattr(command, "_read", lambda *_: (rows, Marked(2, "2026-11-28 03:00:00+00")))
    monkeypatch.setenv("DATABASE_URL", "postgresql://daap@localhost/daap")
    return rows


def test_the_exit_code_says_whether_everything_is_there_again(
    inventory: list[Lost], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["rebuild", "--lost-at", "2026-11-28T03:00:00Z"]) == command.DONE
    out, err = capsys.readouterr()
    assert "kind: DaapDatabase" in out
    assert err == "Databases written: 1 (1 restored from their archives, 0 empty)\n"
    inventory.append(dataclasses.replace(LOST, name="bills", spec=None))
    assert cli.main(["rebuild"]) == command.INCOMPLETE
    out, err = capsys.readouterr()
    assert "- shop/bills is not written" in err
    assert "marked as deleted within a day: 2, the first of them at 2026-11-28 03:00:00" in err
    inventory.clear()
    assert cli.main(["rebuild"]) == command.INCOMPLETE
    assert "The inventory has no such database" in capsys.readouterr().err


def test_it_writes_a_file_where_one_is_named(inventory: list[Lost], tmp_path: Any) -> None:
    assert inventory
    target = tmp_path / "databases.yaml"
    assert cli.main(["rebuild", "--output", str(target), "--at", "2026-11-28T04:00:00+01:00"]) == 0
    (made,) = [each for each in yaml.safe_load_all(target.read_text()) if each]
    assert made["spec"]["source"]["at"] == "2026-11-28T03:00:00Z"


@pytest.mark.parametrize("option", ["--at", "--lost-at"])
@pytest.mark.parametrize("moment", ["yesterday", "2026-11-28T03:00:00"])
def test_a_moment_without_its_zone_is_refused(
    option: str, moment: str, inventory: list[Lost], capsys: pytest.CaptureFixture[str]
) -> None:
    assert inventory
    with pytest.raises(SystemExit) as refused:
        cli.main(["rebuild", option, moment])
    assert refused.value.code == 2
    assert f"'{moment}' must be a moment in RFC 3339" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (MigrationError("no connection to host db, port 1: refused"), command.FAILED),
        (RefusedError("the inventory's schema is older"), command.REFUSED),
    ],
)
def test_an_inventory_that_cannot_be_read_is_told(
    error: MigrationError,
    code: int,
    inventory: list[Lost],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def read(*_: object) -> None:
        raise error

    assert inventory
    monkeypatch.setattr(command, "_read", read)
    assert cli.main(["rebuild"]) == code
    assert capsys.readouterr() == ("", f"error: {error}\n")
