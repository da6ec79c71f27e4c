"""What the operator's account may make for schemas, and what nobody gets by its token."""

from collections.abc import Callable
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds.schema import trim
from daap_operator.kinds.schema.orders import MEASURE
from tests.integration.schema_attacks import ATTACKS
from tests.integration.test_admission_drills import applied
from tests.support import schema_jobs
from tests.support.api import Api
from tests.support.job_changes import Change, of_cluster, of_template, secret, variable
from tests.support.schema_jobs import NAME

Object = dict[str, Any]


@pytest.mark.parametrize(
    "make",
    [
        schema_jobs.check,
        schema_jobs.apply,
        schema_jobs.rehearse,
        schema_jobs.images,
        schema_jobs.images_dropped,
        schema_jobs.most_mounted,
        schema_jobs.most_inline,
        schema_jobs.most_images,
    ],
)
async def test_what_a_schema_makes_passes(
    make: Callable[[str], Object], operator: Api, place: str
) -> None:
    """Not only dry, so that the API server also stores the largest ones."""
    made = make(place)
    assert await applied(operator, made) == ""
    stored = await operator.apply("jobs", made, names.FIELD_MANAGER)
    images = [trim.job(each)[trim.IMAGES] for each in (stored, {"spec": made["spec"]})]
    assert images[0] == images[1]  # none was dropped on the way


@pytest.mark.parametrize("attack", ATTACKS)
async def test_no_job(attack: str, operator: Api, place: str) -> None:
    change, expected = ATTACKS[attack]
    tried = schema_jobs.check(place)
    change(tried)
    said = await applied(operator, tried)
    assert expected in said
    assert "find out who acts with the operator's account" in said


REHEARSALS: dict[str, tuple[Change, str]] = {
    "that does not measure": (
        lambda obj: _args(obj).remove(MEASURE),
        "must measure a copy, and nothing else",
    ),
    "of a database": (
        of_cluster(schema_jobs.CLUSTER, schema_jobs.COPY),
        "must have the label daap.io/schema, that of a copy",
    ),
    "on another copy than its label's": (
        of_template(labels={names.SCHEMA_LABEL: NAME, names.DRILL_LABEL: "drill-other-5e1ec7ab"}),
        "must have the label daap.io/schema, that of a copy",
    ),
    "with the superuser's password": (
        variable("PGPASSWORD", valueFrom=secret(f"{schema_jobs.COPY}-superuser", "password")),
        "must have no variables but those of a schema",
    ),
}


@pytest.mark.parametrize("attack", REHEARSALS)
async def test_no_rehearsal(attack: str, operator: Api, place: str) -> None:
    change, expected = REHEARSALS[attack]
    tried = schema_jobs.rehearse(place)
    change(tried)
    assert expected in await applied(operator, tried)


def _args(obj: Object) -> list[str]:
    args: list[str] = obj["spec"]["template"]["spec"]["containers"][0]["args"]
    return args
