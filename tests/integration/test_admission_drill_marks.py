"""What a drill is made of, and its marks: nobody passes off an object of theirs as one of these."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from daap_operator import names
from daap_operator.kinds import known
from tests.fix_admission import As
from tests.integration.test_admission_drills import DRY, NAME, UID, job, policy
from tests.support import admission
from tests.support.admission import account, refusal
from tests.support.api import Api, Object, path
from tests.support.kinds import kind_of

OWNER: Object = {
    "apiVersion": known.DAAP_DRILL.api_version,
    "kind": known.DAAP_DRILL.name,
    "name": "proof",
    "uid": UID,
}
LABELS = {names.DRILL_LABEL: NAME}
RESTORES = {names.CNPG_CLUSTER_LABEL: NAME, names.CNPG_JOB_ROLE_LABEL: "full-recovery"}
"""CloudNativePG's labels on the pods that restore the scratch Cluster."""
DEPLOYMENTS = account("kube-system", "replicaset-controller")
JOBS = account("kube-system", "job-controller")
PEOPLE = [admission.MEMBER, admission.STRANGER, DEPLOYMENTS]


def pod(place: str) -> Object:
    spec = {"containers": [{"name": "check", "image": "x"}]}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": "x", "namespace": place, "labels": LABELS},
        "spec": spec,
    }


def bare(obj: Object, **metadata: Any) -> Object:
    """The same without any mark but these."""
    made = copy.deepcopy(obj)
    place = {key: made["metadata"][key] for key in ("name", "namespace")}
    made["metadata"] = place | metadata
    if "template" in made["spec"]:
        made["spec"]["template"]["metadata"] = {}
    return made


async def create(api: Api, obj: Object) -> str:
    where = path(kind_of(obj), obj["metadata"]["namespace"])
    return await refusal(api.call("POST", f"{where}?{DRY}", obj))


def templated(place: str) -> Object:
    made = bare(job(place), labels={"app": "x"})  # without any it would have its pods'
    made["spec"]["template"]["metadata"] = {"labels": LABELS}
    return made


def restoring_job(place: str) -> Object:
    made = templated(place)
    made["spec"]["template"]["metadata"] = {"labels": RESTORES}
    return made


def restoring_pod(place: str) -> Object:
    return bare(pod(place), labels=RESTORES)


def drill(place: str, **metadata: Any) -> Object:
    return {
        "apiVersion": known.DAAP_DRILL.api_version,
        "kind": known.DAAP_DRILL.name,
        "metadata": {"name": "proof", "namespace": place, **metadata},
        "spec": {"databaseRef": {"name": "orders"}},
    }


FORGED: dict[str, tuple[Callable[[str], Object], str]] = {
    "a Job by its label": (lambda at: bare(job(at), labels=LABELS), "labels['daap.io/drill']"),
    "a Job by its uid": (
        lambda at: bare(job(at), labels={"daap.io/drill-uid": UID}),
        "labels['daap.io/drill-uid']",
    ),
    "a Job by its owner": (lambda at: bare(job(at), ownerReferences=[OWNER]), "ownerReferences"),
    "a Job's pods": (templated, "spec.template.metadata.labels['daap.io/drill']"),
    "a Job that restores": (restoring_job, "spec.template.metadata.labels['cnpg.io/jobRole']"),
    "a pod that restores": (restoring_pod, "metadata.labels['cnpg.io/jobRole']"),
    "a NetworkPolicy": (lambda at: bare(policy(at), labels=LABELS), "labels['daap.io/drill']"),
    "a pod": (pod, "labels['daap.io/drill']"),
    "a drill of the schedule": (
        lambda at: drill(at, labels={names.SCHEDULED_LABEL: "true"}),
        "labels['daap.io/scheduled']",
    ),
    "a drill of a database": (
        lambda at: drill(at, labels={known.DATABASE.uid_label: UID}),
        "labels['daap.io/database-uid']",
    ),
}


@pytest.mark.parametrize("person", PEOPLE, ids=lambda person: person.name)
@pytest.mark.parametrize("forged", FORGED)
async def test_nobody_makes_a_part_of_a_drill(
    forged: str, person: admission.Person, as_person: As, place: str
) -> None:
    make, field = FORGED[forged]
    said = await create(await as_person(person), make(place))
    assert field in said
    assert "leave it out" in said


async def test_what_has_no_mark_is_everybodys(as_person: As, place: str) -> None:
    they = await as_person(admission.MEMBER)
    for obj in (job(place), policy(place), pod(place)):
        assert await create(they, bare(obj, labels={"app": "x"})) == ""
    of_another = RESTORES | {names.CNPG_CLUSTER_LABEL: "theirs"}
    assert await create(they, bare(pod(place), labels=of_another)) == ""
    assert await create(they, drill(place, labels={"app": "x"})) == ""


@pytest.mark.parametrize("person", [admission.CNPG, admission.ADMIN], ids=lambda p: p.name)
async def test_cloudnativepg_passes_a_clusters_label_on(
    person: admission.Person, as_person: As, place: str
) -> None:
    they, made = await as_person(person), bare(job(place), labels=LABELS)
    made["spec"]["template"]["metadata"] = {"labels": LABELS}
    assert await create(they, made) == ""
    assert await create(they, pod(place)) == ""
    assert await create(they, restoring_job(place)) == ""
    assert await create(they, restoring_pod(place)) == ""


async def test_kubernetes_makes_a_jobs_pods(as_person: As, place: str) -> None:
    they = await as_person(JOBS)
    assert await create(they, pod(place)) == ""
    assert await create(they, restoring_pod(place)) == ""


async def test_marks_are_neither_put_on_nor_taken_off(
    as_person: As, admin: Api, place: str
) -> None:
    they = await as_person(admission.MEMBER)
    await admin.create(known.NETWORK_POLICY, policy(place))
    await admin.create("pods", bare(pod(place)))
    for kind, name, value in (
        (known.NETWORK_POLICY, NAME, None),
        (known.NETWORK_POLICY, NAME, "another"),
        (known.POD, "x", NAME),
    ):
        body = {"metadata": {"labels": {names.DRILL_LABEL: value}}}
        where = f"{path(kind, place, name)}?{DRY}"
        said = await refusal(they.call("PATCH", where, body, "application/merge-patch+json"))
        assert "labels['daap.io/drill'] is how the operator knows" in said
        assert "leave it as it is" in said
    marked = bare(pod(place), labels=LABELS)
    marked["metadata"]["name"] = "y"
    await admin.create("pods", marked)
    where = f"{path(known.POD, place, 'y')}?{DRY}"
    image = {"spec": {"containers": [{"name": "check", "image": "evil.example/x"}]}}
    said = await refusal(they.call("PATCH", where, image, "application/strategic-merge-patch+json"))
    assert "spec.containers (check).image is how the operator knows" in said
    body = {"metadata": {"labels": {"app": "x"}}}
    where = f"{path(known.NETWORK_POLICY, place, NAME)}?{DRY}"
    said = await refusal(they.call("PATCH", where, body, "application/merge-patch+json"))
    assert said == ""
