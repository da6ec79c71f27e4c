"""Of the two policies for the operator's Jobs always one judges, by whose the Job is."""

from collections.abc import Callable
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import known
from daap_operator.kube import Kind
from tests.integration import test_admission_drills as drills
from tests.integration.schema_attacks import OF_DRILL, OWNER, THEIRS
from tests.integration.test_admission_drills import applied
from tests.support import admission, schema_jobs
from tests.support.admission import BOUNDS_OF_DRILLS, BOUNDS_OF_SCHEMAS, delete, refusal
from tests.support.api import MERGE, Api, path
from tests.support.job_changes import of_labels
from tests.support.schema_jobs import NAME

Object = dict[str, Any]

SCHEMA_UID, DRILL_UID = known.DAAP_SCHEMA.uid_label, known.DAAP_DRILL.uid_label
POLICIES = {"drills": BOUNDS_OF_DRILLS, "schemas": BOUNDS_OF_SCHEMAS}


# --- made once, deleted when it is one's own ------------------------------------------------------

OF_ORDERS: Object = {"databaseRef": {"name": "orders"}}
OWNERS: dict[Kind, Object] = {
    known.CONFIG_MAP: {},
    known.DAAP_DRILL: {"spec": OF_ORDERS},
    known.DAAP_SCHEMA: {"spec": OF_ORDERS | {"schema": [{"configMap": {"name": "files"}}]}},
}


@pytest.fixture
async def uids(admin: Api, place: str) -> dict[str, str]:
    """Of an object of each kind, by kind: what has an owner that is not there is collected."""
    found = {}
    for kind, spec in OWNERS.items():
        obj = {"apiVersion": kind.api_version, "kind": kind.name, **spec}
        obj["metadata"] = {"name": "orders", "namespace": place}
        made = await admin.create(kind, obj)
        found[kind.name] = made["metadata"]["uid"]
    return found


def there(uids: dict[str, str], *references: Object) -> list[Object]:
    """The references with the uids of what is there."""
    return [reference | {"uid": uids[reference["kind"]]} for reference in references]


async def test_what_is_there_is_not_changed(
    operator: Api, admin: Api, place: str, uids: dict[str, str]
) -> None:
    """Nor so that it would be a drill's, or nobody's."""
    made = schema_jobs.check(place)
    made["metadata"]["ownerReferences"] = there(uids, OWNER)
    await admin.create("jobs", made)
    where = f"{path(known.JOB, place, NAME)}?{drills.DRY}"
    a_drills = {SCHEMA_UID: None, DRILL_UID: "d"}
    bodies: list[Object] = [
        {"spec": {"suspend": True}},
        {"metadata": {"labels": {"app": "x"}}},
        {"metadata": {"ownerReferences": None, "labels": {SCHEMA_UID: None}}},
        {"metadata": {"ownerReferences": there(uids, OF_DRILL), "labels": a_drills}},
    ]
    for body in bodies:
        said = await refusal(operator.call("PATCH", where, body, MERGE))
        assert judges(said) == ["schemas"], body


async def test_what_is_anothers_does_not_become_a_schemas(
    operator: Api, admin: Api, place: str, uids: dict[str, str]
) -> None:
    some = {"namespace": place, "name": NAME, "labels": {"app": "x"}}
    await admin.create("jobs", {**admission.SOME_JOB, "metadata": some})
    labels = schema_jobs.check(place)["metadata"]["labels"]
    body: Object = {"metadata": {"labels": labels, "ownerReferences": there(uids, OWNER)}}
    where = f"{path(known.JOB, place, NAME)}?{drills.DRY}"
    said = await refusal(operator.call("PATCH", where, body, MERGE))
    assert judges(said) == ["drills"]


@pytest.mark.parametrize(
    ("references", "labels", "passes"),
    [
        ([OWNER], {}, True),
        ([OWNER], None, True),
        ([], {}, True),
        ([], {names.MANAGED_BY_LABEL: None}, False),
        ([], {SCHEMA_UID: None}, False),
        ([THEIRS], None, False),
        ([OWNER | {"apiVersion": "evil.example/v1"}], None, False),
    ],
    ids=[
        "a schema's",
        "by its owner",
        "by its labels",
        "by a label",
        "by nothing of a schema",
        "another's",
        "another group's",
    ],
)
async def test_only_a_schemas_job_is_deleted(
    references: list[Object],
    labels: Object | None,
    passes: bool,
    operator: Api,
    admin: Api,
    place: str,
    uids: dict[str, str],
) -> None:
    made = schema_jobs.check(place)
    made["metadata"]["ownerReferences"] = there(uids, *references)
    if labels is None:
        made["metadata"]["labels"] = {"app": "x"}  # without any it would have its pods'
    else:
        of_labels(**labels)(made)
    await admin.create("jobs", made)
    said = await refusal(delete(operator, "jobs", place, NAME, dry=True))
    assert (said == "") is passes


# --- of two policies always one -------------------------------------------------------------------

REFERENCES: dict[str, list[Object]] = {
    "nobody": [],
    "a ConfigMap": [THEIRS],
    "a drill": [OF_DRILL],
    "a schema": [OWNER],
    "both": [OWNER, OF_DRILL | {"controller": False}],
    "another group's": [OWNER | {"apiVersion": "evil.example/v1"}],
}
LABELLED: dict[str, Object] = {
    "nothing": {},
    "drill": {DRILL_UID: "d", names.DRILL_LABEL: NAME},
    "schema": {SCHEMA_UID: "s", names.SCHEMA_LABEL: NAME},
    "both": {DRILL_UID: "d", SCHEMA_UID: "s"},
}


def judges(said: str) -> list[str]:
    """Which of the two policies have refused it."""
    return [which for which, policy in POLICIES.items() if f"'{policy}'" in said]


@pytest.mark.parametrize("owner", REFERENCES)
@pytest.mark.parametrize("label", LABELLED)
async def test_a_job_is_judged_by_one_policy_whatever_it_claims(
    owner: str, label: str, operator: Api, admin: Api, place: str, uids: dict[str, str]
) -> None:
    """A Job like neither kind's is created, changed and deleted by nobody with that account."""
    labels = {names.MANAGED_BY_LABEL: names.FIELD_MANAGER, **LABELLED[label]}
    references = there(uids, *REFERENCES[owner])
    metadata = {"namespace": place, "name": "some", "labels": labels, "ownerReferences": references}
    expected = ["schemas" if owner in ("a schema", "both") or SCHEMA_UID in labels else "drills"]
    some = {**admission.SOME_JOB, "metadata": metadata}
    assert judges(await applied(operator, some)) == expected
    await admin.create("jobs", some)
    where = f"{path(known.JOB, place, 'some')}?{drills.DRY}"
    body: Object = {"spec": {"suspend": True}}
    assert judges(await refusal(operator.call("PATCH", where, body, MERGE))) == expected
    its = {"a drill", "drill"} if expected == ["drills"] else {"a schema", "both", "schema"}
    left = await refusal(delete(operator, "jobs", place, "some", dry=True))
    assert judges(left) == ([] if {owner, label} & its else expected)


@pytest.mark.parametrize("make", [schema_jobs.check, drills.job])
@pytest.mark.parametrize("other", ["schema", "drill"])
async def test_no_job_of_both(
    other: str, make: Callable[[str], Object], operator: Api, place: str
) -> None:
    """What one kind makes, with the other's labels or owner besides."""
    if other == ("schema" if make is schema_jobs.check else "drill"):
        other = "both"
    labelled, claimed = make(place), make(place)
    labelled["metadata"]["labels"] |= LABELLED[other]
    claimed["metadata"]["ownerReferences"] = [OWNER, OF_DRILL]
    for tried in (labelled, claimed):
        assert judges(await applied(operator, tried)) == ["schemas"]
