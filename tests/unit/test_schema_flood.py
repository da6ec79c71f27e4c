"""Hundreds of DaapSchemas of one database, and what each of them costs and can hide."""

from daap_operator.engine.kinds import Ref
from daap_operator.kinds import known
from daap_operator.kinds.schema.watched import MOST
from tests.unit.schema_stage import SCHEMA, SchemaStage, ready

MANY = MOST + 20


async def flooded(number: int = MANY) -> tuple[SchemaStage, list[Ref]]:
    """So many of one database, each with a ledger of its own, and all before SCHEMA by name."""
    stage = await ready()
    keys = [Ref(known.DAAP_SCHEMA, "shop", f"a-{each:05d}") for each in range(number)]
    for each, key in enumerate(keys):
        stage.schema(key, ledger=f"l{each}", schema=[{"configMap": {"name": "missing"}}])
    return stage, keys


async def test_others_of_a_database_do_not_hide_who_has_the_ledger() -> None:
    stage, _ = await flooded()
    stage.schema()
    stage.clock.advance(60)
    later = Ref(known.DAAP_SCHEMA, "shop", "younger")
    stage.schema(later)
    await stage.passes(2)
    assert stage.told(later)["Stalled"] == ("True", "LedgerTaken")
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Planning")


async def test_one_that_goes_wakes_those_of_its_ledger_alone() -> None:
    stage, keys = await flooded()
    stage.schema()
    later = Ref(known.DAAP_SCHEMA, "shop", "younger")
    stage.schema(later)
    await stage.passes(2)
    for gone, woken in ((keys[0], set()), (SCHEMA, {later})):
        stage.kube.delete_object(known.DAAP_SCHEMA, gone.name)
        stage.watch()
        await stage.loop.reconcile(gone, 0)
        stage.kube.collect_garbage()
        assert set(stage.watch()) - {gone} == woken


async def test_why_their_pods_are_not_made_is_asked_once_for_all() -> None:
    stage, keys = await flooded(30)
    for key in keys:
        stage.respecified(key, schema=[{"configMap": {"name": "tables"}}])
    await stage.passes(2)
    assert len(stage.jobs) == 30
    stage.clock.advance(60)
    stage.forget_requests()
    for key in keys:
        await stage.loop.reconcile(key, 0)
    assert [r for r in stage.kube.requests if "Event" in r] == ["list Event shop"]
    stage.clock.advance(60)
    for key in keys:
        await stage.loop.reconcile(key, 0)
    assert [r for r in stage.kube.requests if "Event" in r] == ["list Event shop"] * 2


async def test_what_was_there_before_them_is_listed_once() -> None:
    """The ConfigMaps of the namespace, of which there may be any number, of any size."""
    stage = await ready()
    for number in range(30):
        stage.schema(Ref(known.DAAP_SCHEMA, "shop", f"s{number}"), ledger=f"l{number}")
    stage.watch()
    stage.forget_requests()
    await stage.intake.complete_lacking(stage.kube)
    assert not stage.store.lacking
    assert [r.split(" ")[0] for r in stage.kube.requests] == ["list", "list"], "and the Jobs"
    stage.schema(SCHEMA)
    await stage.passes(2)
    assert stage.told(SCHEMA)["Reconciling"] == ("True", "Planning")
