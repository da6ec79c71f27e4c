"""Which major versions are on offer, and what is told of one without fixes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from daap_operator import majors
from daap_operator.api.v1alpha1 import MAJORS
from daap_operator.engine.kinds import Ref
from daap_operator.errors import Stalled
from daap_operator.kinds import known
from daap_operator.kinds.database import offer
from tests.unit import builders
from tests.unit.stage import CLUSTER, KEY, Stage, ready

PLATFORM = replace(builders.PLATFORM, postgres_versions=(15, 17))


def test_every_version_there_may_be_has_its_end() -> None:
    assert list(majors.END_OF_LIFE) == list(MAJORS)
    assert list(majors.END_OF_LIFE.values()) == sorted(majors.END_OF_LIFE.values())


def test_the_docs_have_the_same_ends() -> None:
    page = (Path(__file__).parents[2] / "docs" / "operating.md").read_text()
    rows = [f"| {major} | {end} |" for major, end in majors.END_OF_LIFE.items()]
    assert "\n".join(rows) in page


@pytest.mark.parametrize(
    ("moment", "told"),
    [
        (datetime(2026, 11, 12, 23, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 13, tzinfo=UTC), True),
    ],
    ids=["on its last day", "after it"],
)
def test_a_version_has_ended_when_its_last_day_is_over(moment: datetime, told: bool) -> None:
    assert (majors.ended(14, moment) is not None) is told
    assert majors.ended(99, moment) is None
    assert majors.ended(None, moment) is None


@pytest.mark.parametrize(
    ("asked", "has", "running"),
    [
        (None, None, None),
        (17, None, None),
        (14, 14, None),  # not on offer any more
        (17, 14, 14),
        (16, 15, 16),  # an upgrade that began while it was on offer
        (14, None, 14),  # a Cluster that was left behind
    ],
)
def test_what_is_on_offer_or_there_already_is_taken(
    asked: int | None, has: int | None, running: int | None
) -> None:
    status = {"postgresVersion": has} if has else {}
    wanted = builders.model({"postgresVersion": asked} if asked else {}, status)
    offer.check(wanted, PLATFORM, running=running)


@pytest.mark.parametrize(("asked", "has"), [(14, None), (16, None), (16, 14), (18, 17)])
def test_another_version_is_refused_with_the_ones_to_choose_from(
    asked: int, has: int | None
) -> None:
    status = {"postgresVersion": has} if has else {}
    with pytest.raises(Stalled, match=f"spec.postgresVersion is {asked}.*set it to 15 or 17") as it:
        offer.check(builders.model({"postgresVersion": asked}, status), PLATFORM, running=has)
    assert it.value.finding.reason == "VersionNotOffered"


@pytest.mark.parametrize("running", [14, 15], ids=["asked for now", "tried already"])
def test_data_of_14_is_not_upgraded_to_15_but_past_it(running: int) -> None:
    asked = builders.model({"postgresVersion": 15}, {"postgresVersion": 14})
    with pytest.raises(
        Stalled, match=r"is 15, and data of PostgreSQL 14.*to 17, or back to 14$"
    ) as it:
        offer.check(asked, PLATFORM, running=running)
    assert it.value.finding.reason == "VersionNotReached"
    none = replace(PLATFORM, postgres_versions=(15,))
    with pytest.raises(Stalled, match=r"set it to 16 or more, or back to 14$"):
        offer.check(asked, none, running=running)


def test_data_that_has_ended_is_sent_where_it_can_go() -> None:
    told = offer.end_of_life(14, PLATFORM, datetime(2027, 1, 1, tzinfo=UTC))
    assert told is not None
    assert "set spec.postgresVersion to 17; the data is upgraded in place" in told.note


@pytest.mark.parametrize(
    ("versions", "text"), [((17,), "17"), ((16, 17), "16 or 17"), ((15, 16, 17), "15, 16 or 17")]
)
def test_versions_in_a_sentence(versions: tuple[int, ...], text: str) -> None:
    assert majors.choice(versions) == text


def test_the_last_version_on_offer_may_have_ended_too() -> None:
    told = offer.end_of_life(18, PLATFORM, datetime(2031, 1, 1, tzinfo=UTC))
    assert told is not None
    assert "no version on offer is newer" in told.note


# --- a pass ---------------------------------------------------------------------------------------


async def test_a_new_database_of_a_version_not_on_offer_gets_nothing() -> None:
    stage = Stage()
    stage.order(postgresVersion=14)
    await stage.look()
    assert stage.condition("Stalled") == ("True", "VersionNotOffered")
    assert [request for request in stage.kube.requests if request.startswith("create")] == []
    stage.edit(postgresVersion=15)
    await stage.look()
    assert f"create Cluster {CLUSTER}" in stage.kube.requests


async def test_a_database_whose_version_is_no_longer_on_offer_is_served_and_not_upgraded() -> None:
    stage = await ready(postgresVersion=15)
    stage.world.platform = replace(stage.world.platform, postgres_versions=(17, 18))
    stage.edit(instances=2)
    await stage.look()
    assert stage.condition("Stalled") is None
    cluster = stage.store.get(Ref(known.CLUSTER, KEY.namespace, CLUSTER))
    assert cluster
    assert cluster["owned"]["spec"]["instances"] == 2
    stage.edit(postgresVersion=16)
    await stage.look()
    assert stage.condition("Stalled") == ("True", "VersionNotOffered")
    assert stage.condition("Ready") == ("True", "Ready")
    cluster = stage.store.get(Ref(known.CLUSTER, KEY.namespace, CLUSTER))
    assert cluster
    assert ":15-" in cluster["owned"]["spec"]["imageName"]


async def test_an_event_a_day_tells_of_a_version_without_fixes() -> None:
    stage = await ready(postgresVersion=15)
    stage.clock.advance((datetime(2027, 11, 12, tzinfo=UTC) - stage.clock.now()).total_seconds())
    assert ends(stage) == []
    await stage.look()
    await stage.look()
    said = ends(stage)
    assert len(said) == 1
    assert "PostgreSQL 15 has had no fixes since 2027-11-11" in said[0]
    assert "set spec.postgresVersion to 16, 17 or 18" in said[0]
    assert stage.condition("Ready") == ("True", "Ready")
    stage.clock.advance(timedelta(days=1).total_seconds())
    await stage.look()
    assert len(ends(stage)) == 2


def ends(stage: Stage) -> list[str]:
    """The notes of the warnings."""
    told = [a for a in stage.announcer.announced if a.reason == "PostgresEndOfLife"]
    assert all(each.warning for each in told)
    return [each.note for each in told]
