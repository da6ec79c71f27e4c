"""What the operator's own account may write, and what it may not: attacks with a stolen token."""

import copy

import pytest

from tests.support.admission import delete, refusal
from tests.support.api import APPLY, MERGE, Api, Object, path
from tests.support.bounds import (
    CLUSTER_ATTACKS,
    PLURALS,
    POOLER_ATTACKS,
    SCHEDULE_ATTACKS,
    barman,
    by_hand,
    completed,
    examples,
    made,
    merged,
    token,
)
from tests.support.databases import Databases, database

DRY = "dryRun=All"


def apply_path(child: Object) -> str:
    metadata = child["metadata"]
    where = path(PLURALS[child["kind"]], metadata["namespace"], metadata["name"])
    return f"{where}?fieldManager=daap-operator&force=true"


async def create(api: Api, obj: Object) -> str:
    """The refusal of a creation, of which nothing stays."""
    return await refusal(
        api.call("POST", f"{path(plural(obj), obj['metadata']['namespace'])}?{DRY}", obj)
    )


async def patch(api: Api, obj: Object, body: Object) -> str:
    """The refusal of a patch, of which nothing stays."""
    metadata = obj["metadata"]
    where = path(plural(obj), metadata["namespace"], metadata["name"])
    return await refusal(api.call("PATCH", f"{where}?{DRY}", body, MERGE))


def plural(obj: Object) -> str:
    return PLURALS[obj["kind"]]


# --- what it does ---------------------------------------------------------------------------------


@pytest.mark.parametrize("child", examples())
async def test_all_that_it_makes_passes(child: Object, operator: Api, place: str) -> None:
    child["metadata"] |= {"namespace": place, "ownerReferences": []}
    where = f"{apply_path(child)}&{DRY}"
    assert await refusal(operator.call("PATCH", where, child, APPLY)) == ""


async def test_what_cloudnativepg_completes_passes(operator: Api, admin: Api, place: str) -> None:
    """Its webhook comes first, on creation and on every change."""
    cluster = completed(made("Cluster", place))
    assert await create(operator, cluster) == ""
    await admin.create("clusters", made("Cluster", place))
    assert await patch(operator, cluster, {"spec": cluster["spec"]}) == ""


@pytest.mark.parametrize("kind", PLURALS)
async def test_what_others_have_set_stands_in_no_repairs_way(
    kind: str, operator: Api, admin: Api, place: str
) -> None:
    child = made(kind, place)
    there = by_hand(child) if kind == "Cluster" else copy.deepcopy(child)
    if kind == "Pooler":
        there["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
        there["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "b"}]
        there["spec"]["pgbouncer"]["parameters"]["stats_period"] = "30"
    there["metadata"]["labels"] |= {"cost-center": "7"}
    del there["metadata"]["labels"]["daap.io/database"]
    await admin.apply(plural(there), there, manager="somebody")
    if kind == "ScheduledBackup":
        child["spec"]["suspend"] = True
    elif kind != "Secret":
        child["spec"]["instances"] = 2
    assert await refusal(operator.call("PATCH", apply_path(child), child, APPLY)) == ""
    marked = {"metadata": {"annotations": {"daap.io/retained-team": "checkout"}}}
    assert await patch(operator, child, marked) == ""
    found = await admin.get(plural(child), place, child["metadata"]["name"])
    assert found
    if kind == "Cluster":
        assert found["spec"]["managed"]["roles"][0]["name"] == "auditor"
        assert found["spec"]["imageName"] == child["spec"]["imageName"]
    await delete(operator, plural(child), place, child["metadata"]["name"])


async def test_what_lost_its_labels_is_still_ours_by_its_owner(
    operator: Api, admin: Api, place: str
) -> None:
    parent = await Databases(admin, place).create("archive")
    for kind in PLURALS:
        child = made(kind, place)
        owner = {"apiVersion": "daap.io/v1alpha1", "kind": "DaapDatabase", "controller": True}
        uid, name = parent["metadata"]["uid"], parent["metadata"]["name"]
        child["metadata"]["ownerReferences"] = [owner | {"name": name, "uid": uid}]
        bare = copy.deepcopy(child)
        bare["metadata"]["labels"] = {}
        await admin.create(plural(child), bare)
        assert await refusal(operator.call("PATCH", apply_path(child), child, APPLY)) == ""


async def test_a_copy_of_our_secret_of_another_type_may_go(
    operator: Api, admin: Api, place: str
) -> None:
    secret = made("Secret", place) | {"type": "Opaque"}
    await admin.create("secrets", secret)
    assert "of type 'Opaque'" in await create(operator, secret)
    await delete(operator, "secrets", place, secret["metadata"]["name"])


async def test_the_finalizer_and_the_status_of_a_database(
    operator: Api, admin: Api, place: str
) -> None:
    await Databases(admin, place).create("orders")
    for finalizers in (["daap.io/cleanup"], []):
        body = {"metadata": {"finalizers": finalizers}}
        assert await refusal(operator.patch("daapdatabases", place, "orders", body)) == ""
    status = {"status": {"observedGeneration": 1, "clusterName": "daap-orders"}}
    await operator.patch("daapdatabases", place, "orders", status, "status")


# --- Secrets --------------------------------------------------------------------------------------


async def test_no_token_of_a_service_account(operator: Api, admin: Api, place: str) -> None:
    labels = made("Secret", place)["metadata"]["labels"]
    assert "is not a DaapDatabase's" in await create(operator, token(place))
    said = await create(operator, token(place, labels=labels))
    assert "Secret" in said
    assert "is of type 'kubernetes.io/service-account-token'" in said
    there = token(place, labels=labels)
    await admin.create("secrets", there)
    assert "is of type" in await patch(operator, there, {"metadata": {"labels": {"a": "b"}}})
    assert "is of type" in await refusal(delete(operator, "secrets", place, "stolen", dry=True))


@pytest.mark.parametrize("kind", ["Opaque", "kubernetes.io/tls", "bootstrap.kubernetes.io/token"])
async def test_no_secret_that_is_not_ours(kind: str, operator: Api, admin: Api, place: str) -> None:
    data = {"tls.crt": "", "tls.key": ""}
    metadata = {"name": "theirs", "namespace": place}
    theirs: Object = {"apiVersion": "v1", "kind": "Secret", "type": kind, "data": data}
    theirs["metadata"] = metadata
    assert "Secret" in await create(operator, theirs)
    await admin.create("secrets", theirs)
    ours = {"metadata": {"labels": made("Secret", place)["metadata"]["labels"]}}
    for body in (ours, {"data": {"tls.crt": "AAAA"}}):
        assert "is not a DaapDatabase's" in await patch(operator, theirs, body)
    said = await refusal(delete(operator, "secrets", place, "theirs", dry=True))
    assert "is not a DaapDatabase's" in said


@pytest.mark.parametrize("kind", PLURALS)
@pytest.mark.parametrize("label", ["app.kubernetes.io/managed-by", "daap.io/database-uid"])
async def test_our_labels_stay(
    label: str, kind: str, operator: Api, admin: Api, place: str
) -> None:
    child = made(kind, place)
    await admin.create(plural(child), child)
    said = await patch(operator, child, {"metadata": {"labels": {label: None}}})
    assert f"{kind} {place}/{child['metadata']['name']} is not a DaapDatabase's" in said


@pytest.mark.parametrize("kind", PLURALS)
async def test_nothing_of_others(kind: str, operator: Api, admin: Api, place: str) -> None:
    child = made(kind, place)
    child["metadata"]["labels"] = {"app.kubernetes.io/managed-by": "daap-operator"}
    assert "is not a DaapDatabase's" in await create(operator, child)
    await admin.create(plural(child), child)
    name = child["metadata"]["name"]
    body = {"metadata": {"labels": {"daap.io/database-uid": "mine"}}}
    assert "is not a DaapDatabase's" in await patch(operator, child, body)
    said = await refusal(delete(operator, plural(child), place, name, dry=True))
    assert "is not a DaapDatabase's" in said
    assert await refusal(delete(admin, plural(child), place, name)) == ""


# --- places ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", PLURALS)
@pytest.mark.parametrize("where", ["kube-system", "kube-public", "daap-system"])
async def test_no_database_where_none_belongs(
    where: str, kind: str, operator: Api, system: str
) -> None:
    said = await create(operator, made(kind, where))
    assert "would be in a namespace where the operator creates nothing but its Lease" in said
    assert f"add '{where}' to the value admission.operatorBounds.allowedNamespaces" in said
    tried = made(kind, system)
    tried["metadata"]["labels"]["daap.io/database"] = "daap-operator-test"
    assert await create(operator, tried) == ""


async def test_no_lease_but_its_own(operator: Api, system: str, place: str) -> None:
    body: Object = {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "spec": {}}
    for namespace, name in ((system, "another"), ("kube-node-lease", "node"), (place, "x")):
        lease = body | {"metadata": {"name": name, "namespace": namespace}}
        where = f"{path('leases', namespace)}?{DRY}"
        said = await refusal(operator.call("POST", where, lease))
        assert f"Lease {namespace}/{name} is not the operator's" in said
    own = body | {"metadata": {"name": "daap-operator", "namespace": system}}
    where = f"{path('leases', system, 'daap-operator')}?fieldManager=daap-operator&{DRY}"
    assert await refusal(operator.call("PATCH", where, own, APPLY)) == ""


# --- Clusters -------------------------------------------------------------------------------------


@pytest.mark.parametrize("attack", CLUSTER_ATTACKS)
async def test_no_cluster_but_as_it_makes_them(
    attack: str, operator: Api, admin: Api, place: str
) -> None:
    """Neither made so, nor changed so."""
    spec, said = CLUSTER_ATTACKS[attack]
    cluster = made("Cluster", place)
    there = await admin.create("clusters", cluster)
    refused = await patch(operator, cluster, {"spec": spec})
    assert f"Cluster {place}/daap-archive" in refused
    assert said in refused
    tried = made("Cluster", place)
    tried["spec"] = merged(there["spec"], spec)
    tried["metadata"]["name"] = "daap-another"
    assert said in await create(operator, tried)
    assert await patch(admin, cluster, {"spec": spec}) == ""


async def test_a_cluster_may_change_its_store_and_keep_an_archive_of_another_name(
    operator: Api, admin: Api, place: str
) -> None:
    """As one does that was given its name by somebody else."""
    cluster = made("Cluster", place)
    cluster["spec"]["plugins"] = [barman(serverName="theirs")]
    await admin.create("clusters", cluster)
    spec = {"plugins": [barman(serverName="theirs", barmanObjectName="others")]}
    assert await patch(operator, cluster, {"spec": spec}) == ""
    assert await patch(operator, cluster, {"spec": {"plugins": None}}) == ""


@pytest.mark.parametrize("attack", SCHEDULE_ATTACKS)
async def test_no_schedule_but_as_it_makes_them(
    attack: str, operator: Api, admin: Api, place: str
) -> None:
    """Neither made so, nor changed so; what cannot be changed at all is not tried."""
    spec, said = SCHEDULE_ATTACKS[attack]
    schedule = made("ScheduledBackup", place)
    tried = copy.deepcopy(schedule)
    tried["spec"] = merged(schedule["spec"], spec)
    refused = await create(operator, tried)
    assert f"ScheduledBackup {place}/daap-invoices" in refused
    assert said in refused
    assert await create(admin, tried) == ""
    await admin.create("scheduledbackups", schedule)
    if "cluster" not in spec:
        assert said in await patch(operator, schedule, {"spec": spec})


@pytest.mark.parametrize("kind", ["Cluster", "Pooler", "ScheduledBackup"])
@pytest.mark.parametrize("annotation", ["cnpg.io/podPatch", "alpha.cnpg.io/unrecoverable"])
async def test_no_annotation_that_cloudnativepg_obeys(
    annotation: str, kind: str, operator: Api, admin: Api, place: str
) -> None:
    child = made(kind, place)
    await admin.create(plural(child), child)
    body = {"metadata": {"annotations": {annotation: "[]"}}}
    assert f"annotation {annotation} is not" in await patch(operator, child, body)
    tried = made(kind, place)
    tried["metadata"].setdefault("annotations", {})[annotation] = "[]"
    assert f"annotation {annotation} is not" in await create(operator, tried)
    assert await refusal(admin.patch(plural(child), place, child["metadata"]["name"], body)) == ""
    gone = {"metadata": {"annotations": {annotation: None}}}
    assert f"annotation {annotation} is not" in await patch(operator, child, gone)


async def test_what_others_have_set_is_not_its_to_change_or_remove(
    operator: Api, admin: Api, place: str
) -> None:
    cluster = by_hand(made("Cluster", place))
    await admin.create("clusters", cluster)
    role = {"name": "auditor", "login": True, "superuser": True}
    for spec, said in (
        ({"managed": None}, "spec.managed is not"),
        ({"managed": {"roles": [role]}}, "spec.managed is not"),
        ({"affinity": {"nodeSelector": None}}, "spec.affinity.nodeSelector is not"),
        ({"postgresql": {"shared_preload_libraries": []}}, "shared_preload_libraries is not"),
    ):
        assert said in await patch(operator, cluster, {"spec": spec})


async def test_no_cluster_of_another_name(operator: Api, place: str) -> None:
    cluster = made("Cluster", place)
    cluster["metadata"]["name"] = "payments"
    assert "metadata.name must begin with 'daap-'" in await create(operator, cluster)


# --- Poolers --------------------------------------------------------------------------------------


async def test_no_pooler_on_a_cluster_of_another_name(operator: Api, place: str) -> None:
    pooler = made("Pooler", place)
    pooler["metadata"]["name"] = "payments-pooler"
    pooler["spec"]["cluster"]["name"] = "payments"
    assert "metadata.name must begin with 'daap-'" in await create(operator, pooler)


@pytest.mark.parametrize("attack", POOLER_ATTACKS)
async def test_no_pooler_but_as_it_makes_them(
    attack: str, operator: Api, admin: Api, place: str
) -> None:
    """Neither made so, nor changed so; what cannot be changed at all is not tried."""
    change, said = POOLER_ATTACKS[attack]
    pooler = made("Pooler", place)
    tried = copy.deepcopy(pooler)
    change(tried["spec"])
    refused = await create(operator, tried)
    assert f"Pooler {place}/daap-archive-pooler" in refused
    assert said in refused
    assert await create(admin, tried) == ""
    there = await admin.create("poolers", pooler)
    tried["metadata"]["resourceVersion"] = there["metadata"]["resourceVersion"]
    if tried["spec"]["cluster"] == pooler["spec"]["cluster"]:
        where = f"{path('poolers', place, 'daap-archive-pooler')}?{DRY}"
        assert said in await refusal(operator.call("PUT", where, tried))


# --- DaapDatabases --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"spec": {"deletionProtection": False}}, "spec"),
        ({"spec": {"ownerTeam": "evil"}}, "spec"),
        ({"metadata": {"annotations": {"daap.io/defaults-revision": "2"}}}, "metadata.annotations"),
        ({"metadata": {"labels": {"a": "b"}}}, "metadata.labels"),
        ({"metadata": {"labels": None}}, "metadata.labels"),
        ({"metadata": {"finalizers": ["daap.io/cleanup"]}}, "metadata.finalizers"),
        ({"metadata": {"finalizers": ["evil.example/hold"]}}, "metadata.finalizers"),
        (
            {"metadata": {"ownerReferences": [{"kind": "Pod", "name": "p", "apiVersion": "v1"}]}},
            "metadata.ownerReferences",
        ),
    ],
    ids=str,
)
async def test_nothing_of_a_database_but_its_finalizer(
    body: Object, field: str, operator: Api, admin: Api, place: str
) -> None:
    obj = database(place, "orders", deletionProtection=True)
    obj["metadata"] |= {"labels": {"theirs": "yes"}, "finalizers": ["theirs.example/hold"]}
    made = await admin.create("daapdatabases", obj)
    for reference in body.get("metadata", {}).get("ownerReferences", ()):
        reference["uid"] = made["metadata"]["uid"]
    said = await refusal(operator.patch("daapdatabases", place, "orders", body))
    assert f"DaapDatabase {place}/orders: {field} is not the operator's to change" in said
    assert "'daap.io/cleanup' and nothing else" in said
