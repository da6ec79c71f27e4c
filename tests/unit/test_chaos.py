"""The invariants of the random interleavings notice what they are for; a seed fixes the plans."""

from base64 import b64encode
from collections.abc import Callable
from copy import deepcopy
from itertools import combinations
from typing import Any

import pytest

from tests.chaos import invariants
from tests.chaos.drawing import drawn
from tests.chaos.lives import Lives
from tests.chaos.machine import are_alike
from tests.chaos.seen import PLURALS, Seen, moves
from tests.standin.bucket import Bucket

Object = dict[str, Any]

READY: Object = {"type": "Ready", "status": "True", "reason": "Ready", "observedGeneration": 1}
SYNCED: Object = {"type": "MetadataSynced", "status": "True"}


def metadata(name: str, uid: str, owner: tuple[str, str] | None = None) -> Object:
    made: Object = {"namespace": "a", "name": name, "uid": uid, "resourceVersion": "1"}
    if owner:
        made["ownerReferences"] = [{"kind": owner[0], "name": "x", "uid": owner[1]}]
    if owner and owner[0] == "DaapDatabase":
        made["labels"] = {"daap.io/database": "orders", "daap.io/database-uid": owner[1]}
    return made


def data(**entries: str) -> Object:
    return {key: b64encode(text.encode()).decode() for key, text in entries.items()}


def database(uid: str = "u", namespace: str = "a") -> Object:
    status = {
        "observedGeneration": 1,
        "phase": "Ready",
        "host": "h",
        "port": 5432,
        "secretName": "daap-orders-connection",
        "clusterName": "daap-orders",
        "poolerName": "daap-orders-pooler",
        "conditions": [READY, SYNCED],
    }
    made = metadata("orders", uid) | {"generation": 1, "namespace": namespace}
    spec = {
        "ownerTeam": "t",
        "instances": 1,
        "storage": {"size": "1Gi"},
        "pooler": {"instances": 1},
    }
    return {"metadata": made, "spec": spec, "status": status}


def whole() -> Seen:
    """One database, and everything as it should be."""
    ours = ("DaapDatabase", "u")
    cluster = {"instances": 1, "storage": {"size": "1Gi"}, "smartShutdownTimeout": 10}
    pooler = {"instances": 1, "cluster": {"name": "daap-orders"}}
    secret = {"data": data(host="h", password="p")}
    app = {"data": data(password="p")}
    objects: dict[str, list[Object]] = {
        **{plural: [] for plural in PLURALS},
        "daapdatabases": [database()],
        "clusters": [{"metadata": metadata("daap-orders", "c", ours), "spec": cluster}],
        "poolers": [{"metadata": metadata("daap-orders-pooler", "p", ours), "spec": pooler}],
        "secrets": [
            {"metadata": metadata("daap-orders-connection", "s", ours)} | secret,
            {"metadata": metadata("daap-orders-app", "s2", ("Cluster", "c"))} | app,
        ],
        "deployments": [{"metadata": metadata("daap-orders-pooler", "d", ("Pooler", "p"))}],
        "persistentvolumeclaims": [{"metadata": metadata("daap-orders-1", "v", ("Cluster", "c"))}],
    }
    for plural in PLURALS:
        for obj in objects[plural]:
            obj["plural"] = plural
    row = {
        "id": "u",
        "namespace": "a",
        "name": "orders",
        "owner_team": "t",
        "cluster_name": "daap-orders",
        "pooler_name": "daap-orders-pooler",
        "status": "ready",
        "host": "h",
        "port": 5432,
        "secret_name": "daap-orders-connection",
        "generation": 1,
        "deleted_at": None,
    }
    return Seen(deepcopy(objects), [row])


def violations(lives: Lives, seen: Seen, bucket: Bucket | None = None) -> list[str]:
    kept = bucket or Bucket()
    for cluster in seen.objects["clusters"]:
        kept.saw(cluster)
    return invariants.violations(lives, seen, kept)


def lives(*uids: str) -> Lives:
    made = Lives()
    for uid in uids:
        made.created({"metadata": {"uid": uid, "name": "orders"}}, 0)
    return made


def rival(seen: Seen, *, told: bool) -> None:
    """Another one of the same name."""
    obj = database("u2", "b") | {"plural": "daapdatabases"}
    stalled = {"type": "Stalled", "status": "True", "reason": "NameTaken"}
    obj["status"] = {"conditions": [stalled] if told else []}
    seen.objects["daapdatabases"].append(obj)


@pytest.mark.parametrize("source", [None, {"database": "ledger"}])
def test_only_what_asks_for_anothers_data_is_taken_on_before_its_name_is_certain(
    source: Object | None,
) -> None:
    seen = whole()
    rival(seen, told=True)
    seen.objects["daapdatabases"][1]["metadata"]["finalizers"] = ["daap.io/cleanup"]
    seen.objects["daapdatabases"][1]["spec"]["source"] = source
    found = violations(lives("u", "u2"), seen)
    assert any("has finalizers" in told for told in found) is (source is None)


def gone(seen: Seen) -> None:
    seen.objects["daapdatabases"].clear()
    seen.rows[0] |= {"status": "deleted", "deleted_at": "now"}


def another(seen: Seen, plural: str) -> None:
    """A second child of the same database."""
    copy = deepcopy(seen.objects[plural][0])
    copy["metadata"] |= {"name": "second", "uid": "second"}
    seen.objects[plural].append(copy)


def test_what_is_whole_violates_nothing() -> None:
    assert violations(lives("u"), whole()) == []


def test_credentials_that_were_kept_for_a_restore_violate_nothing() -> None:
    seen = whole()
    another(seen, "secrets")
    seen.objects["secrets"][-1]["metadata"]["name"] = "daap-orders-app"
    assert violations(lives("u"), seen) == []


def archives(seen: Seen, told: str = "archive") -> None:
    """The database is backed up, though not well, under a name that its status tells or not."""
    obj, cluster = seen.objects["daapdatabases"][0], seen.objects["clusters"][0]
    parameters = {"barmanObjectName": "backups", "serverName": "archive"}
    cluster["spec"]["plugins"] = [{"name": "x", "parameters": parameters}]
    obj["status"]["backup"] = {"archive": told, "schedule": "0 0 0 * * *"}
    obj["status"]["conditions"].append({"type": "BackupHealthy", "status": "False"})


def unjudgeable(seen: Seen) -> None:
    archives(seen)
    del seen.objects["daapdatabases"][0]["status"]["backup"]["schedule"]


def test_backups_that_are_not_healthy_violate_nothing() -> None:
    seen = whole()
    archives(seen)
    assert violations(lives("u"), seen) == []


def test_a_rival_that_says_so_violates_nothing() -> None:
    seen = whole()
    rival(seen, told=True)
    assert violations(lives("u", "u2"), seen) == []


WRONGS: dict[str, Callable[[Seen], object]] = {
    "is gone, and nobody asked": gone,
    "was made by nobody": lambda seen: rival(seen, told=True),
    "does not say NameTaken": lambda seen: rival(seen, told=False),
    "is not ready": lambda seen: seen.objects["daapdatabases"][0]["status"].update(conditions=[]),
    "is not synced": lambda seen: seen.objects["daapdatabases"][0]["status"].update(conditions=[]),
    "clusters a/second is one too many": lambda seen: another(seen, "clusters"),
    "secrets a/second is one too many": lambda seen: another(seen, "secrets"),
    "lacks its Pooler": lambda seen: seen.objects["poolers"].clear(),
    "its Secret is missing": lambda seen: seen.objects["secrets"].pop(0),
    "its Secret does not connect": lambda seen: seen.objects["secrets"][0].update(
        data=data(host="h", password="old")
    ),
    "its children are": lambda seen: seen.objects["clusters"][0]["spec"].update(instances=2),
    "its Cluster archives as": lambda seen: archives(seen, "another"),
    "is judged by backups that it has not": unjudgeable,
    "has the owners": lambda seen: seen.objects["poolers"][0]["metadata"].update(
        ownerReferences=[]
    ),
    "has the labels": lambda seen: seen.objects["clusters"][0]["metadata"].update(labels={}),
    "is Terminating": lambda seen: seen.objects["clusters"][0]["metadata"].update(
        deletionTimestamp="now"
    ),
    "persistentvolumeclaims a/daap-orders-1 is an orphan": lambda seen: seen.objects[
        "clusters"
    ].clear(),
    "secrets a/daap-orders-connection is an orphan": gone,
    "has no row": lambda seen: seen.rows.clear(),
    "its object is gone": lambda seen: seen.objects["daapdatabases"].clear(),
    "row of daapdatabases a/orders is": lambda seen: seen.rows[0].update(owner_team="other"),
}


@pytest.mark.parametrize("told", WRONGS)
def test_what_is_wrong_is_told(told: str) -> None:
    seen = whole()
    WRONGS[told](seen)
    found = violations(lives("u"), seen)
    assert any(told in violation for violation in found), found


@pytest.mark.parametrize("protected", [False, True])
def test_a_deletion_must_end_unless_it_is_held(protected: bool) -> None:
    seen = whole()
    obj, children = seen.objects["daapdatabases"][0], seen.objects["clusters"]
    obj["spec"]["deletionProtection"] = protected
    asked = lives("u")
    asked.deletion_asked(obj, children)
    assert any("hangs" in found for found in violations(asked, seen)) is not protected
    gone(seen)
    held = any("although it was protected" in found for found in violations(asked, seen))
    assert held is protected


def test_what_is_retained_must_stay_and_what_is_not_must_go() -> None:
    for policy, told in (("Retain", "children some are gone"), ("Delete", "is an orphan")):
        seen = whole()
        obj = seen.objects["daapdatabases"][0]
        children = [c for p in ("clusters", "poolers", "secrets") for c in seen.objects[p]]
        obj["spec"]["deletionPolicy"] = policy
        asked = lives("u")
        asked.deletion_asked(obj, children)
        gone(seen)
        for child in children:
            if (owner := child["metadata"]["ownerReferences"][0])["kind"] == "DaapDatabase":
                assert owner["uid"] == "u"
                child["metadata"]["ownerReferences"] = []
        if policy == "Retain":
            assert violations(asked, seen) == []
            seen.objects["clusters"].clear()
        assert any(told in found for found in violations(asked, seen))


def left_behind() -> tuple[Lives, Seen, list[Object]]:
    """One that was deleted, and its children, which were to stay and have."""
    seen, asked = whole(), lives("u")
    obj = seen.objects["daapdatabases"][0]
    obj["spec"]["deletionPolicy"] = "Retain"
    children = [c for p in ("clusters", "poolers", "secrets") for c in seen.objects[p]]
    asked.deletion_asked(obj, children)
    gone(seen)
    own = [c for c in children if c["metadata"].get("labels")]
    for child in own:
        child["metadata"]["ownerReferences"] = []
    return asked, seen, own


def taken_over(asked: Lives, seen: Seen, own: list[Object], by: Object) -> None:
    """The Cluster and the Pooler have another database, which asked for another Secret's name."""
    by["spec"] |= {"deletionPolicy": "Retain", "connectionSecretName": "another"}
    asked.created(by, 0)
    seen.objects["daapdatabases"].append(by | {"plural": "daapdatabases"})
    for child in own:
        child["metadata"]["labels"]["daap.io/database-uid"] = by["metadata"]["uid"]
        if child["plural"] == "secrets":
            child["metadata"] |= {"name": "another", "uid": "s3"}
    by["status"]["secretName"] = "another"
    seen.rows.append(seen.rows[0] | {"id": "w", "secret_name": "another"})
    seen.rows[-1] |= {"status": "ready", "deleted_at": None}


def test_a_successor_may_have_another_secret() -> None:
    asked, seen, own = left_behind()
    taken_over(asked, seen, own, database("w"))
    assert violations(asked, seen) == []


def test_what_nobody_took_over_keeps_its_secret() -> None:
    asked, seen, own = left_behind()
    seen.objects["secrets"] = [c for c in seen.objects["secrets"] if c not in own]
    assert any("its Secret is gone" in found for found in violations(asked, seen))
    stranger = database("w", namespace="b")
    asked.created(stranger, 1)
    own[0]["metadata"]["labels"]["daap.io/database-uid"] = "w"
    assert any("its Secret is gone" in found for found in violations(asked, seen))


def test_what_was_taken_over_is_the_successors_to_lose() -> None:
    asked, seen, own = left_behind()
    heir = database("w")
    taken_over(asked, seen, own, heir)
    heir["spec"]["deletionPolicy"] = "Delete"
    asked.deletion_asked(heir, own)
    for plural in ("daapdatabases", "clusters", "poolers", "secrets"):
        seen.objects[plural].clear()
    seen.objects["deployments"].clear()
    seen.objects["persistentvolumeclaims"].clear()
    seen.rows[-1] |= {"status": "deleted", "deleted_at": "now"}
    assert violations(asked, seen) == []


def test_no_plan_is_another_one_varied() -> None:
    made = drawn(16, 1)
    first = made[0]
    assert are_alike(first, first[1:])
    assert not any(are_alike(one, other) for one, other in combinations(made, 2))


def test_a_seed_tells_it_all() -> None:
    """Whatever this process has loaded: here that is more than where plans are drawn."""
    few, more = drawn(3, 1), drawn(5, 1)
    assert more[:3] == few
    assert drawn(3, 2) != few


@pytest.mark.parametrize(
    ("changed", "moving"),
    [
        ({}, False),
        ({"metadata": {"generation": 2}}, True),
        ({"metadata": {"generation": 1, "deletionTimestamp": "now"}}, True),
        ({"status": {}}, True),
        ({"status": {"observedGeneration": 1, "conditions": [{"type": "Reconciling"}]}}, True),
    ],
)
def test_what_the_operator_is_not_done_with_is_told_at_a_glance(
    changed: Object, moving: bool
) -> None:
    assert moves(database() | changed) is moving
