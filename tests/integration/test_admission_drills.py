"""What the operator's account may make for drills, and what nobody gets by its token."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from daap_operator import __version__, names
from daap_operator.api.v1alpha1 import DaapDrillStatus, DrillQuery
from daap_operator.engine.child import Owner
from daap_operator.engine.ownership import OWNED
from daap_operator.kinds import known
from daap_operator.kinds.drill import checking, desired
from tests.support.admission import refusal
from tests.support.api import APPLY, Api, path
from tests.support.bounds import barman, completed, made
from tests.support.kinds import kind_of

Object = dict[str, Any]
Change = Callable[[Object], object]

NAME = "drill-proof-5e1ec7ab"
UID = "5e1ec7ab-0000-4000-8000-000000000000"
DRY = "dryRun=All"
IMAGES = (
    "ghcr.io/cloudnative-pg/postgresql:17-standard-trixie",
    f"ghcr.io/daap-io/daap-operator:{__version__}",
)


def scratch(place: str) -> Object:
    """The scratch Cluster of a drill of the database that was retained."""
    status = DaapDrillStatus(conditions=[], store="backups", archive="a", cluster_name=NAME)
    cluster = {OWNED: made("Cluster", place)}
    return child(place, known.CLUSTER, desired.scratch_spec(cluster, status, "archive"))


def policy(place: str) -> Object:
    return child(place, known.NETWORK_POLICY, desired.policy_spec(NAME, (443,)))


def job(place: str) -> Object:
    queries = [DrillQuery(name="q", sql=sql, expect="$") for sql in ("SELECT 1", "SELECT $$a$$")]
    spec = checking.job_spec(
        cluster=NAME, database="archive", images=IMAGES, queries=queries, seconds=60
    )
    return child(place, known.JOB, spec)


def child(place: str, kind: Any, spec: Object | None) -> Object:
    owner = Owner(known.DAAP_DRILL, place, "proof", UID)
    manifest = desired.child(kind, owner, NAME, spec).manifest
    assert manifest
    found = copy.deepcopy(manifest)
    found["metadata"]["ownerReferences"] = []
    return found


async def applied(api: Api, obj: Object) -> str:
    """The refusal of what is applied as the operator applies it."""
    metadata = obj["metadata"]
    where = path(kind_of(obj), metadata["namespace"], metadata["name"])
    query = f"fieldManager=daap-operator&force=true&{DRY}"
    return await refusal(api.call("PATCH", f"{where}?{query}", obj, APPLY))


@pytest.mark.parametrize("make", [scratch, policy, job])
async def test_all_that_a_drill_makes_passes(
    make: Callable[[str], Object], operator: Api, place: str
) -> None:
    assert await applied(operator, make(place)) == ""


async def test_what_cloudnativepg_completes_passes(operator: Api, place: str) -> None:
    assert await applied(operator, completed(scratch(place))) == ""


@pytest.mark.parametrize("make", [scratch, policy, job])
async def test_only_for_drills_and_under_their_names(
    make: Callable[[str], Object], operator: Api, place: str
) -> None:
    bare, named = make(place), make(place)
    del bare["metadata"]["labels"]["daap.io/drill-uid"]
    assert "a DaapDrill's" in await applied(operator, bare)
    named["metadata"]["name"] = "daap-orders"
    assert await applied(operator, named)


def of_pod(change: Change) -> Change:
    def edit(obj: Object) -> None:
        change(obj["spec"]["template"]["spec"])

    return edit


def of_check(**fields: Any) -> Change:
    return of_pod(lambda pod: pod["containers"][0].update(fields))


def of_both(change: Change) -> Change:
    def edit(pod: Object) -> None:
        change(pod["initContainers"][0])
        change(pod["containers"][0])

    return of_pod(edit)


def variable(name: str, value: str) -> Change:
    """A variable of both containers, in place of the one of that name."""

    def edit(container: Object) -> None:
        rest = [each for each in container["env"] if each["name"] != name]
        container["env"] = [*rest, {"name": name, "value": value}]

    return of_both(edit)


def of_template(**metadata: Any) -> Change:
    return lambda obj: obj["spec"]["template"]["metadata"].update(metadata)


SECRET_ENV = [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "theirs", "key": "k"}}}]

CLUSTER_ATTACKS: dict[str, tuple[Change, str]] = {
    "that archives": (
        lambda obj: obj["spec"].update(plugins=[barman()]),
        "spec.plugins must be empty",
    ),
    "that begins empty": (
        lambda obj: obj["spec"].update(
            bootstrap={"initdb": {"database": "a", "owner": "a"}}, externalClusters=[]
        ),
        "spec.enableSuperuserAccess must be false",
    ),
    "with another image": (
        lambda obj: obj["spec"].update(imageName="evil.example/x:17"),
        "spec.imageName must be",
    ),
    "with a superuser of its own": (
        lambda obj: obj["spec"].update(superuserSecret={"name": "mine"}),
        "spec.superuserSecret is not",
    ),
}
JOB_ATTACKS: dict[str, Change] = {
    "with a token": of_pod(lambda pod: pod.update(automountServiceAccountToken=True)),
    "as another account": of_pod(lambda pod: pod.update(serviceAccountName="admin")),
    "on the host's network": of_pod(lambda pod: pod.update(hostNetwork=True)),
    "with the host's files": of_pod(
        lambda pod: pod["volumes"].append({"name": "host", "hostPath": {"path": "/"}})
    ),
    "with another Secret's files": of_pod(
        lambda pod: pod["volumes"][1]["secret"].update(secretName="theirs")
    ),
    "with the authority's key": of_pod(
        lambda pod: pod["volumes"][1]["secret"].update(items=[{"key": "ca.key", "path": "ca.crt"}])
    ),
    "with another Secret's values": of_check(env=SECRET_ENV),
    "with all of a Secret": of_check(envFrom=[{"secretRef": {"name": "theirs"}}]),
    "from another image": of_check(image="evil.example/x:1"),
    "with another command": of_check(args=["run"]),
    "with privileges": of_check(securityContext={"privileged": True}),
    "with capabilities": of_both(
        lambda each: each["securityContext"].update(capabilities={"add": ["SYS_ADMIN"]})
    ),
    "as root": of_pod(lambda pod: pod["containers"][0]["securityContext"].update(runAsUser=0)),
    "without a profile": of_pod(
        lambda pod: pod["securityContext"].update(seccompProfile={"type": "Unconfined"})
    ),
    "with files of a Secret as Python code": of_pod(
        lambda pod: pod["volumes"][1]["secret"].update(
            items=[{"key": "ca.crt", "path": "sitecustomize.py"}]
        )
    ),
    "with a Secret that can be executed": of_pod(
        lambda pod: pod["volumes"][1]["secret"].update(
            items=[{"key": "ca.crt", "path": "ca.crt", "mode": 0o755}]
        )
    ),
    "with another way to Python code": variable("PYTHONPATH", "/ca"),
    "with a variable that is none of its own": variable("LD_LIBRARY_PATH", "="),
    "with another way to programs": variable("PATH", "/ca"),
    "with a library": variable("LD_PRELOAD", "/ca/ca.crt"),
    "of another server": variable("PGHOST", "evil.example"),
    "of another server by a database's name": variable("DRILL_DATABASE", "host=evil.example"),
    "of another server by a URL": variable("DRILL_DATABASE", "postgresql://evil.example"),
    "without verifying the server": variable("PGSSLMODE", "disable"),
    "with another password": of_check(
        env=[
            {
                "name": "DRILL_QUERY_1",
                "valueFrom": {"secretKeyRef": {"name": f"{NAME}-app", "key": "password"}},
            }
        ]
    ),
    "with files in other places": of_pod(
        lambda pod: pod["containers"][0]["volumeMounts"].append(
            {"name": "ca", "mountPath": "/opt/daap"}
        )
    ),
    "with last words from elsewhere": of_check(terminationMessagePath="/ca/ca.crt"),
    "with annotations that others act on": of_template(
        annotations={"vault.hashicorp.com/agent-inject": "true"}
    ),
    "with labels of others' pods": of_template(labels={names.DRILL_LABEL: NAME, "app": "theirs"}),
    "with labels of a database's pods": of_template(
        labels={names.DRILL_LABEL: NAME, "cnpg.io/cluster": NAME}
    ),
    "with pods of others": lambda obj: obj["spec"].update(
        manualSelector=True, selector={"matchLabels": {names.DRILL_LABEL: NAME}}
    ),
    "with many pods": lambda obj: obj["spec"].update(parallelism=100, completions=100),
    "with another script": of_pod(
        lambda pod: pod["initContainers"][0].update(command=["/bin/sh", "-c", "id"])
    ),
    "with a third container": of_pod(
        lambda pod: pod["containers"].append({"name": "x", "image": IMAGES[1]})
    ),
}


@pytest.mark.parametrize("attack", CLUSTER_ATTACKS)
async def test_no_scratch_cluster(attack: str, operator: Api, place: str) -> None:
    change, said = CLUSTER_ATTACKS[attack]
    tried = scratch(place)
    change(tried)
    assert said in await applied(operator, tried)


@pytest.mark.parametrize("attack", JOB_ATTACKS)
async def test_no_job(attack: str, operator: Api, place: str) -> None:
    tried = job(place)
    JOB_ATTACKS[attack](tried)
    assert "find out who acts with the operator's account" in await applied(operator, tried)


async def test_no_policy_that_opens_what_is_anothers(operator: Api, place: str) -> None:
    for selector in ({}, {"matchLabels": {"app": "theirs"}}):
        tried = policy(place)
        tried["spec"]["podSelector"] = selector
        assert "about the pods of its drill alone" in await applied(operator, tried)


OPENED: dict[str, Change] = {
    "to whoever asks": lambda obj: obj["spec"]["ingress"].append({}),
    "to a namespace": lambda obj: obj["spec"]["ingress"][0]["from"].append(
        {"namespaceSelector": {}}
    ),
    "to other ports": lambda obj: obj["spec"]["ingress"][1].pop("ports"),
    "outwards": lambda obj: obj["spec"]["egress"].append({}),
    "outwards to another port": lambda obj: obj["spec"]["egress"][0]["ports"].append(
        {"protocol": "TCP", "port": 25}
    ),
    "outwards to many ports": lambda obj: obj["spec"]["egress"][0]["ports"].append(
        {"protocol": "TCP", "port": 443, "endPort": 65535}
    ),
}


@pytest.mark.parametrize("opened", OPENED)
async def test_no_policy_that_opens_its_own(opened: str, operator: Api, place: str) -> None:
    tried = policy(place)
    OPENED[opened](tried)
    assert "let in nothing but the checks" in await applied(operator, tried)


async def test_what_is_there_is_not_changed(operator: Api, admin: Api, place: str) -> None:
    for obj in (policy(place), scratch(place)):
        await admin.create(kind_of(obj), obj)
    body: Object = {"spec": {"ingress": [{}]}}
    where = f"{path(known.NETWORK_POLICY, place, NAME)}?{DRY}"
    said = await refusal(operator.call("PATCH", where, body, "application/merge-patch+json"))
    assert "it is created once" in said
    body = {"spec": {"plugins": [barman(serverName=f"{NAME}-12345678")]}}
    where = f"{path(known.CLUSTER, place, NAME)}?{DRY}"
    said = await refusal(operator.call("PATCH", where, body, "application/merge-patch+json"))
    assert "spec.plugins must be empty" in said
