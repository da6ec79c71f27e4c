"""What a schema's Job is known by: nobody passes off a Job or a pod of theirs as one of these."""

from collections.abc import Callable
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import known
from tests.fix_admission import As
from tests.integration import test_admission_drill_marks as marks
from tests.integration.schema_attacks import OWNER
from tests.integration.test_admission_drill_marks import JOBS, PEOPLE, bare, create
from tests.integration.test_admission_drills import DRY
from tests.support import admission, schema_jobs
from tests.support.admission import MARKS_OF_SCHEMAS, refusal
from tests.support.api import MERGE, Api, Object, path
from tests.support.schema_jobs import NAME, UID

SCHEMA_UID = known.DAAP_SCHEMA.uid_label
LABELS = {names.SCHEMA_LABEL: NAME}
FORGERS = [*PEOPLE, admission.CNPG]
STRATEGIC = "application/strategic-merge-patch+json"
CRON_JOBS = admission.account("kube-system", "cronjob-controller")


def job(place: str, **metadata: Any) -> Object:
    """What a schema makes, as far as its marks are left in it."""
    return bare(schema_jobs.check(place), **metadata)


def templated(place: str, **labels: str) -> Object:
    made = job(place, labels={"app": "x"})  # without any it would have its pods'
    made["spec"]["template"]["metadata"] = {"labels": labels}
    return made


def pod(place: str, **metadata: Any) -> Object:
    return bare(marks.pod(place), **metadata)


FORGED: dict[str, tuple[Callable[[str], Object], str]] = {
    "a Job by its label": (lambda at: job(at, labels=LABELS), "labels['daap.io/schema']"),
    "a Job by its uid": (
        lambda at: job(at, labels={SCHEMA_UID: UID}),
        "labels['daap.io/schema-uid']",
    ),
    "a Job by its owner": (
        lambda at: job(at, ownerReferences=[OWNER]),
        "metadata.ownerReferences (of the DaapSchema orders)",
    ),
    "a Job's pods": (
        lambda at: templated(at, **LABELS),
        "spec.template.metadata.labels['daap.io/schema']",
    ),
    "a Job's pods by its uid": (
        lambda at: templated(at, **{SCHEMA_UID: UID}),
        "spec.template.metadata.labels['daap.io/schema-uid']",
    ),
    "a pod": (lambda at: pod(at, labels=LABELS), "labels['daap.io/schema']"),
    "a pod by its uid": (
        lambda at: pod(at, labels={SCHEMA_UID: UID}),
        "labels['daap.io/schema-uid']",
    ),
    "a pod by its owner": (
        lambda at: pod(at, ownerReferences=[OWNER]),
        "metadata.ownerReferences (of the DaapSchema orders)",
    ),
}


@pytest.mark.parametrize("person", [*FORGERS, CRON_JOBS], ids=lambda person: person.name)
@pytest.mark.parametrize("forged", FORGED)
async def test_nobody_makes_a_part_of_a_schema(
    forged: str, person: admission.Person, as_person: As, place: str
) -> None:
    """Not even CloudNativePG, which makes parts of drills."""
    make, field = FORGED[forged]
    said = await create(await as_person(person), make(place))
    assert f"'{MARKS_OF_SCHEMAS}'" in said
    assert f"{field} is how the operator knows what a DaapSchema has made" in said
    assert "only the operator and Kubernetes set or change it: leave it out, or have" in said


async def test_what_has_no_mark_is_everybodys(as_person: As, place: str) -> None:
    others = {"labels": {"app": "x", "daap.io/schema-files": "yes"}}
    owner = OWNER | {"apiVersion": "example.com/v1"}
    for person in FORGERS:
        they = await as_person(person)
        for make in (job, pod):
            assert await create(they, make(place, **others)) == ""
            assert await create(they, make(place, ownerReferences=[owner])) == ""


async def test_an_administrator_may(as_person: As, place: str) -> None:
    they = await as_person(admission.ADMIN)
    for make, _ in FORGED.values():
        assert await create(they, make(place)) == ""


async def test_kubernetes_makes_a_jobs_pods(as_person: As, place: str) -> None:
    they = await as_person(JOBS)
    assert await create(they, pod(place, labels=LABELS)) == ""


@pytest.mark.parametrize("person", FORGERS, ids=lambda person: person.name)
async def test_marks_are_neither_put_on_nor_taken_off(
    person: admission.Person, as_person: As, admin: Api, place: str
) -> None:
    they = await as_person(person)
    labels = {**LABELS, SCHEMA_UID: UID}
    await admin.create("jobs", job(place, labels=labels))
    await admin.create("pods", pod(place))

    async def labelled(kind: Any, name: str, label: str, value: str | None) -> str:
        where = f"{path(kind, place, name)}?{DRY}"
        body = {"metadata": {"labels": {label: value}}}
        return await refusal(they.call("PATCH", where, body, MERGE))

    for kind, name, values in ((known.JOB, NAME, (None, "another")), (known.POD, "x", (NAME,))):
        for label in labels:
            for value in values:
                said = await labelled(kind, name, label, value)
                assert f"labels['{label}'] is how the operator knows" in said
                assert "leave it as it is" in said
        assert await labelled(kind, name, "app", "x") == ""


@pytest.mark.parametrize("person", FORGERS, ids=lambda person: person.name)
async def test_the_image_of_its_pod_stays(
    person: admission.Person, as_person: As, admin: Api, place: str
) -> None:
    """Before the pod starts it would have the owner's Secret, and the report would be theirs."""
    they = await as_person(person)
    await admin.create("pods", pod(place, labels=LABELS))
    await admin.create("pods", pod(place) | {"metadata": {"name": "other", "namespace": place}})
    for name, marked in (("x", True), ("other", False)):
        where = f"{path(known.POD, place, name)}?{DRY}"
        body: Object = {"spec": {"containers": [{"name": "check", "image": "evil.example/x"}]}}
        said = await refusal(they.call("PATCH", where, body, STRATEGIC))
        told = "spec.containers (check).image is how the operator knows what a DaapSchema has made"
        assert (told in said, said == "") == (marked, not marked)
        body = {"metadata": {"labels": {"app": "x"}}}
        assert await refusal(they.call("PATCH", where, body, MERGE)) == ""


async def test_whose_files_are_a_schemas_is_the_teams_to_say(
    as_person: As, admin: Api, place: str
) -> None:
    """The label of a ConfigMap: set, changed and taken off by whoever may write it."""
    made: Object = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "files", "namespace": place},
        "data": {"001_a.sql": "SELECT 1;"},
    }
    where = f"{path(known.CONFIG_MAP, place, 'files')}?{DRY}"
    await admin.create(known.CONFIG_MAP, made)
    for person in (admission.MEMBER, admission.STRANGER, admission.GITOPS, admission.CNPG):
        they = await as_person(person)
        for value in ("orders", "", None):
            labels = {names.SCHEMA_FILES_LABEL: value}
            body: Object = {"metadata": {"labels": labels}}
            assert await refusal(they.call("PATCH", where, body, MERGE)) == ""
        metadata = {"namespace": place, "labels": {names.SCHEMA_FILES_LABEL: "orders"}}
        named = {**made, "metadata": metadata | {"name": "others"}}
        others = f"{path(known.CONFIG_MAP, place)}?{DRY}"
        assert await refusal(they.call("POST", others, named)) == ""
