"""ConfigMaps with files: as many and as large as a tenant likes, and what reading them costs."""

import asyncio
import fnmatch
import re
from typing import Any

import pytest

from daap_operator.api.v1alpha1 import SeenConfigMap
from daap_operator.api.v1alpha1.schema.sources import ConfigMapFiles
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Stalled
from daap_operator.kinds import known
from daap_operator.kinds.schema import sources
from daap_operator.kinds.schema.library import MOST_KEPT, Library
from daap_operator.kinds.schema.sources import MOST_FILES, MOST_KEYS
from daap_operator.schema import selected
from tests.unit.schema_stage import SCHEMA, SchemaStage, applied, planned, ready
from tests.unit.stage import setting
from tests.unit.test_schema_passes import DONE

Object = dict[str, Any]

EACH = [{"configMap": {"name": "tables"}}] * 16
"""As many sources as a part may have."""
SOME = ConfigMapFiles(name="tables", files="*_x.sql")


def keyed(number: int) -> dict[str, str]:
    return {f"{each:05d}.sql": "" for each in range(number)}


def gets(stage: SchemaStage) -> list[str]:
    return [request for request in stage.kube.requests if request.startswith("get ConfigMap")]


# --- one with many keys ---------------------------------------------------------------------------


async def test_of_one_with_very_many_keys_none_is_looked_at() -> None:
    stage = await ready()
    stage.kube.change(known.CONFIG_MAP, "tables", setting("data", keyed(70_000)))
    stage.schema(schema=EACH, fixtures=EACH)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "FilesInvalid")
    assert stage.why() == (
        "ConfigMap tables has 70000 keys, and one may have 4000: spread them over several"
    )
    assert sources.held({"data": keyed(70_000)}) == (70_000, {}, frozenset())


def test_keys_of_both_kinds_count() -> None:
    half = MOST_KEYS // 2
    data, binary = keyed(half), {f"b{each}": "" for each in range(half)}
    assert sources.held({"data": data, "binaryData": binary}).texts
    assert not sources.held({"data": data, "binaryData": binary | {"b": ""}}).texts


@pytest.mark.parametrize("number", [MOST_FILES, MOST_FILES + 1])
def test_more_files_than_there_may_be_are_not_gone_through(number: int) -> None:
    its, source = sources.held({"data": keyed(number)}), ConfigMapFiles(name="tables")
    if number <= MOST_FILES:
        assert len(sources.config_map_files("schema", source, its)) == number
        return
    with pytest.raises(Stalled, match="There are 2001 files, and there may be 2000"):
        sources.config_map_files("schema", source, its)


async def test_what_is_too_much_is_not_read_to_its_end() -> None:
    stage = await ready()
    names = [f"t{each:02d}" for each in range(16)]
    for name in names:
        stage.files(name)
        stage.kube.change(
            known.CONFIG_MAP, name, setting("data", {f"{name}{k}": "" for k in keyed(MOST_FILES)})
        )
    stage.schema(schema=[{"configMap": {"name": name}} for name in names])
    await stage.passes(2)
    assert "there may be 2000" in stage.why()
    assert gets(stage) == ["get ConfigMap t00", "get ConfigMap t01"]


async def test_others_have_their_turn_between_two_sources() -> None:
    stage = await ready()
    patterns = [f"{each:02d}*.sql" for each in range(32)]
    named = [{"configMap": {"name": "tables", "files": pattern}} for pattern in patterns]
    data = {f"{each:02d}{number}.sql": "" for each in range(32) for number in range(9)}
    stage.kube.change(known.CONFIG_MAP, "tables", setting("data", data))
    stage.schema(schema=named[:16], fixtures=named[16:])
    stage.watch()
    await stage.complete()
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    await stage.loop.reconcile(SCHEMA, 0)
    task.cancel()
    assert stage.its()["files"]["count"] == 32 * 9
    assert turns >= 32


# --- many of them, and many schemas ---------------------------------------------------------------


async def test_a_version_is_read_once_for_all_schemas_that_name_it() -> None:
    stage = await ready()
    for number in range(20):
        key = Ref(known.DAAP_SCHEMA, "shop", f"s{number}")
        stage.schema(key, ledger=f"l{number}")
    await stage.passes(2)
    assert gets(stage) == ["get ConfigMap tables"]
    stage.files(**{"001_users_sql": "SELECT 2;"})
    await stage.passes(2)
    assert gets(stage) == ["get ConfigMap tables"] * 2


async def test_what_is_refused_is_not_read_again_until_it_changes() -> None:
    stage = await ready()
    stage.kube.change(known.CONFIG_MAP, "tables", setting("data", {"no file": ""}))
    stage.schema()
    await stage.passes(5)
    assert stage.told(SCHEMA)["Stalled"] == ("True", "FilesInvalid")
    assert gets(stage) == ["get ConfigMap tables"]


async def test_they_are_read_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    stage = await ready()
    for number in range(9):
        stage.files(f"t{number}")
        named = [{"configMap": {"name": f"t{number}"}}]
        key = Ref(known.DAAP_SCHEMA, "shop", f"s{number}")
        stage.schema(key, ledger=f"l{number}", schema=named)
    stage.watch()
    await stage.complete()
    get, reading, most = stage.kube.get, 0, 0

    async def slow(*ref: Any) -> object:
        nonlocal reading, most
        reading += ref[0] == known.CONFIG_MAP
        most = max(most, reading)
        await asyncio.sleep(0)
        found = await get(*ref)
        reading -= ref[0] == known.CONFIG_MAP
        return found

    monkeypatch.setattr(stage.kube, "get", slow)
    keys = list(stage.store.refs(known.DAAP_SCHEMA))
    await asyncio.gather(*(stage.loop.reconcile(key, 0) for key in keys))
    assert len(gets(stage)) == 9
    assert most == 1


async def test_what_is_remembered_of_them_is_bounded() -> None:
    stage = await ready()
    library = Library()
    for number in range(12):
        name = f"t{number}"
        stage.files(name)
        stage.kube.change(known.CONFIG_MAP, name, setting("data", keyed(MOST_KEYS)))
        wanted = SeenConfigMap(name=name, uid="u", resource_version="1")
        there, its = await library.held(stage.kube, "shop", wanted)
        assert its.keys == MOST_KEYS
        assert await library.held(stage.kube, "shop", there) == (there, its)
        kept = sum(len(found.texts) for found in library._known.values())
        assert kept <= MOST_KEPT
    assert len(gets(stage)) == 12


# --- the patterns of their keys -------------------------------------------------------------------


def test_patterns_are_not_kept_for_ever() -> None:
    before = fnmatch._compile_pattern.cache_info().currsize  # type: ignore[attr-defined]
    for number in range(600):
        sources.selected(ConfigMapFiles(name="x", files=f"{number}*.sql"), ["1.sql"])
    assert fnmatch._compile_pattern.cache_info().currsize == before  # type: ignore[attr-defined]
    assert len(re._cache) <= 512  # type: ignore[attr-defined]


def test_a_pattern_is_translated_once_for_all_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """For each of 4,000 keys it took 0.2 s of the event loop, and a schema may have 32 sources."""
    translated: list[str] = []

    def counted(pattern: str) -> str:
        translated.append(pattern)
        return fnmatch.translate(pattern)

    monkeypatch.setattr(selected, "translate", counted)
    keys = [f"{number}.sql" for number in range(100)]
    assert sources.selected(ConfigMapFiles(name="x", files="?.sql"), keys) == keys[:10]
    assert translated == ["?.sql"]


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.sql", ["a.sql", "b.sql", "B.SQL"]),
        ("a.sql", ["a.sql"]),
        ("?.sql", ["a.sql", "b.sql"]),
        ("*", ["a.sql", "b.sql", "B.SQL", ".sql", "c.txt"]),
        ("*.txt", ["c.txt"]),
    ],
)
def test_a_pattern_names_keys(pattern: str, found: list[str]) -> None:
    keys = ["a.sql", "b.sql", "B.SQL", ".sql", "c.txt"]
    assert sources.selected(ConfigMapFiles(name="x", files=pattern), keys) == found


# --- the Job --------------------------------------------------------------------------------------


async def test_a_job_has_the_keys_that_are_files_without_another_request() -> None:
    stage = await ready()
    data = {"1_x.sql": "SELECT 1;", "2_x.sql": "SELECT 2;", "notes.txt": "x"}
    stage.kube.change(known.CONFIG_MAP, "tables", setting("data", data))
    stage.schema(schema=[{"configMap": SOME.model_dump(by_alias=True)}])
    await stage.passes(2)
    volumes = stage.job["spec"]["template"]["spec"]["volumes"]
    (volume,) = [each for each in volumes if each["name"] == "schema-0"]
    assert [each["key"] for each in volume["configMap"]["items"]] == ["1_x.sql", "2_x.sql"]
    stage.reports(planned())
    await stage.passes(2)
    stage.reports(applied())
    await stage.passes(2)
    stage.reports(DONE)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Ready"] == ("True", "Ready")
    assert gets(stage) == ["get ConfigMap tables"]
