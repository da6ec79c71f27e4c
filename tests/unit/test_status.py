"""What the user is told in each situation, by kstatus's rules."""

from datetime import UTC, datetime, timedelta, timezone
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.api.reasons import CommonReason, InventoryReason
from daap_operator.api.v1alpha1 import DaapDatabaseStatus, Phase
from daap_operator.engine.conditions import Inventory, Moment, dumped, merge_patch, with_inventory
from daap_operator.errors import Problem, Stalled, Waiting
from daap_operator.findings import Finding
from daap_operator.kinds.database import trim
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.phases import PHASES, Meaning
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.seen import Children, Observed
from daap_operator.kinds.database.status import (
    Published,
    deleting_status,
    first_status,
    observed_status,
    refused_status,
)
from tests.unit import builders, golden, strategies
from tests.unit.fake_kube import merged
from tests.unit.kstatus import kstatus

Object = dict[str, Any]

RESOLVED = builders.resolved()
HOST = "daap-orders-pooler.shop.svc.cluster.local"
PUBLISHED = Published(HOST, "daap-orders-connection", "0123", "orders")
SERVED: Object = {"host": RESOLVED.host, "clusterName": "daap-orders"}


def moment(status: Object | None = None, **metadata: Any) -> Moment[DaapDatabaseStatus]:
    previous = DaapDatabaseStatus.model_validate(status or {})
    return Moment(previous, builders.model(**metadata).metadata, builders.NOW)


def seen(cluster: Object | None = None, *, poolers: int = 1, instances: int = 1) -> Observed:
    """What is observed of a healthy database but for these."""
    children = Children(
        trim.cluster(builders.cluster(cluster)),
        trim.pooler(builders.pooler()),
        trim.deployment(builders.deployment({"availableReplicas": poolers})),
        claims=(trim.claim(builders.claim()),),
    )
    return observe(children, instances=instances, poolers=1, image=RESOLVED.image)


WELL, DOWN = seen(), seen({"instancesStatus": {"healthy": []}})


def told_(
    observed: Observed,
    problem: Problem | None = None,
    *,
    published: Published | None = PUBLISHED,
    status: Object | None = None,
) -> Object:
    return dumped(observed_status(moment(status), RESOLVED, observed, problem, published))


def conditions(status: Object) -> Object:
    """Status and reason of each condition."""
    return {c["type"]: (c["status"], c["reason"]) for c in status["conditions"]}


def result(status: Object, generation: int = 1) -> str:
    return kstatus({"metadata": {"generation": generation}, "status": status})


# --- the table ------------------------------------------------------------------------------------


@pytest.mark.parametrize("phase", [*PHASES, golden.UNKNOWN_PHASE])
@pytest.mark.parametrize("before", [True, False], ids=["served before", "never served"])
def test_every_phase_of_cloudnativepg_keeps_the_rules(phase: str, before: bool) -> None:
    for primary, pooler in product((True, False), repeat=2):
        status = golden.situation(phase, primary=primary, pooler=pooler, before=before)
        assert_rules(status)
        assert status["observedGeneration"] == 1
        if status["phase"] == "Ready":
            assert primary
            assert pooler
        if phase == golden.UNKNOWN_PHASE:
            assert status["phase"] == "Provisioning"
        elif status["phase"] == "Error":
            assert before or PHASES[phase].meaning in (Meaning.BLOCKED, Meaning.ACTION)


def assert_rules(status: Object) -> None:
    """What holds of every status of a database that is not being deleted."""
    found = conditions(status)
    ready, stalled = found["Ready"], "Stalled" in found
    assert not (stalled and "Reconciling" in found)
    assert found.get("Stalled", ("True", ""))[0] == "True"
    assert found.get("Reconciling", ("True", ""))[0] == "True"
    assert (ready[0] == "True") == (status["phase"] == "Ready")
    if stalled:
        assert ready[0] == "True" or ready[1] in (found["Stalled"][1], "NotServing")
        assert status["phase"] in ("Ready", "Error")
        assert result(status) == "Failed"
    elif "Reconciling" in found:
        assert result(status) == "InProgress"
    else:
        assert result(status) == "Current"
        assert ready == ("True", "Ready")
    assert all(c["reason"].isalpha() for c in status["conditions"])
    assert all(c["observedGeneration"] == 1 for c in status["conditions"])


# --- serving --------------------------------------------------------------------------------------


def test_a_database_that_serves_tells_how_to_connect() -> None:
    status = told_(WELL)
    host = "daap-orders-pooler.shop.svc.cluster.local"
    ready = status.pop("conditions")
    assert [c["message"] for c in ready] == [f"Clients can connect to {host}:5432"]
    assert status == {
        "observedGeneration": 1,
        "phase": "Ready",
        "defaultsRevision": 3,
        "locale": "builtin/C.UTF-8",
        "host": host,
        "port": 5432,
        "databaseName": "orders",
        "username": "orders",
        "secretName": "daap-orders-connection",
        "secretRevision": "0123",
        "binding": {"name": "daap-orders-connection"},
        "clusterName": "daap-orders",
        "poolerName": "daap-orders-pooler",
        "postgresVersion": 17,
        "instances": 1,
        "readyInstances": 1,
        "storage": "10Gi",
    }


def test_the_version_told_is_the_one_of_the_data() -> None:
    versions = {"pgDataImageInfo": {"majorVersion": 16}}
    assert told_(seen(versions))["postgresVersion"] == 16
    absent = seen({"pgDataImageInfo": {}})
    assert told_(absent)["postgresVersion"] == 17
    assert told_(absent, status={"postgresVersion": 15})["postgresVersion"] == 15


CHANGING: dict[str, tuple[Observed, Problem | None, str]] = {
    "instances are added": (seen(instances=3), None, "Updating"),
    "CloudNativePG rolls out": (seen({"phase": "Upgrading cluster"}), None, "RollingOut"),
    "volumes are resized": (seen({"resizingPVC": ["x"]}), None, "Updating"),
    "the Cluster is just being changed": (
        WELL,
        Waiting(DatabaseReason.CLUSTER_PENDING, "soon"),
        "ClusterPending",
    ),
}


@pytest.mark.parametrize(("observed", "problem", "reason"), CHANGING.values(), ids=CHANGING)
def test_a_change_under_way_leaves_ready_true_while_clients_are_served(
    observed: Observed, problem: Problem | None, reason: str
) -> None:
    status = told_(observed, problem)
    assert conditions(status) == {"Ready": ("True", "Ready"), "Reconciling": ("True", reason)}
    assert_rules(status)


def test_a_database_does_not_serve_before_its_secret_is_there() -> None:
    status = told_(WELL, published=None)
    assert status["phase"] == "Provisioning"
    assert conditions(status)["Ready"] == ("False", "CredentialsPending")
    assert "host" not in status


def test_what_was_published_once_stays_told() -> None:
    before = told_(WELL)
    status = told_(DOWN, published=None, status=before)
    same = ("host", "port", "username", "secretName", "secretRevision", "binding")
    assert {field: status[field] for field in same} == {field: before[field] for field in same}


# --- not serving ----------------------------------------------------------------------------------

PENDING = Waiting(CommonReason.NAMESPACE_TERMINATING, "The namespace is being deleted")

NOT_SERVING: dict[str, tuple[Observed, Problem | None, Object | None, str, str, str]] = {
    "never served": (DOWN, None, None, "Provisioning", "PrimaryDown", "PrimaryDown"),
    "served before": (DOWN, None, SERVED, "Error", "NotServing", "PrimaryDown"),
    "never served, something waits": (
        DOWN,
        PENDING,
        None,
        "Provisioning",
        "NamespaceTerminating",
        "NamespaceTerminating",
    ),
    "served before, something waits": (
        DOWN,
        PENDING,
        SERVED,
        "Error",
        "NotServing",
        "NamespaceTerminating",
    ),
    "never served and blocked": (
        seen({"phase": "Unable to create required cluster objects"} | {"instancesStatus": {}}),
        None,
        None,
        "Error",
        "ObjectsNotCreated",
        "ObjectsNotCreated",
    ),
    "unknown phase, never served": (
        seen({"phase": "Dreaming"}),
        None,
        None,
        "Provisioning",
        "UnknownClusterPhase",
        "UnknownClusterPhase",
    ),
    "unknown phase, served before": (
        seen({"phase": "Dreaming"}),
        None,
        SERVED,
        "Provisioning",
        "UnknownClusterPhase",
        "UnknownClusterPhase",
    ),
}


@pytest.mark.parametrize(
    ("observed", "problem", "before", "phase", "reason", "reconciling"),
    NOT_SERVING.values(),
    ids=NOT_SERVING,
)
def test_not_serving_is_told_with_why(
    observed: Observed,
    problem: Problem | None,
    before: Object | None,
    phase: str,
    reason: str,
    reconciling: str,
) -> None:
    status = told_(observed, problem, published=None, status=before)
    assert status["phase"] == phase
    assert conditions(status) == {"Ready": ("False", reason), "Reconciling": ("True", reconciling)}
    messages = {c["message"] for c in status["conditions"]}
    assert len(messages) == 1
    assert_rules(status)


ACTIONS = [text for text, known in PHASES.items() if known.meaning is Meaning.ACTION]


@pytest.mark.parametrize("phase", ACTIONS)
@pytest.mark.parametrize("before", [None, SERVED], ids=["never served", "served before"])
def test_what_only_a_person_can_mend_is_stalled(phase: str, before: Object | None) -> None:
    observed = seen({"phase": phase, "instancesStatus": {"healthy": []}})
    status = told_(observed, published=None, status=before)
    reason = PHASES[phase].reason
    assert conditions(status) == {"Ready": ("False", reason), "Stalled": ("True", reason)}
    assert phase in status["conditions"][0]["message"]
    assert_rules(status)


NO = Stalled(DatabaseReason.REJECTED, "spec.storage.size: no")
FULL = seen({"phase": "Not enough disk space", "instancesStatus": {"healthy": []}})

REFUSED: dict[str, tuple[Observed, Published | None, Object | None, str, str, str, str]] = {
    "serves": (WELL, PUBLISHED, SERVED, "Ready", "True", "Ready", "Clients can connect"),
    "just begins to serve": (WELL, PUBLISHED, None, "Ready", "True", "Ready", "Clients can"),
    "served before": (DOWN, PUBLISHED, SERVED, "Error", "False", "NotServing", "primary of"),
    "served before, no pooler": (
        seen(poolers=0),
        PUBLISHED,
        SERVED,
        "Error",
        "False",
        "NotServing",
        "No pod of Pooler",
    ),
    "served before, its disk full": (
        FULL,
        PUBLISHED,
        SERVED,
        "Error",
        "False",
        "NotServing",
        "a volume is full",
    ),
    "never served": (DOWN, None, None, "Error", "False", "Rejected", "spec.storage.size: no"),
    "never served, all but the Secret is there": (
        WELL,
        None,
        None,
        "Error",
        "False",
        "Rejected",
        "spec.storage.size: no",
    ),
}


@pytest.mark.parametrize(
    ("observed", "published", "before", "phase", "ready", "reason", "said"),
    REFUSED.values(),
    ids=REFUSED,
)
def test_a_refusal_stalls_and_ready_speaks_of_serving_alone(
    observed: Observed,
    published: Published | None,
    before: Object | None,
    phase: str,
    ready: str,
    reason: str,
    said: str,
) -> None:
    status = told_(observed, NO, published=published, status=before)
    assert conditions(status) == {"Ready": (ready, reason), "Stalled": ("True", "Rejected")}
    assert status["phase"] == phase
    told_of = {c["type"]: c["message"] for c in status["conditions"]}
    assert said in told_of["Ready"]
    assert told_of["Stalled"] == "spec.storage.size: no"
    assert_rules(status)


@pytest.mark.parametrize("phase", ACTIONS)
def test_what_only_a_person_can_mend_is_stalled_while_clients_are_served(phase: str) -> None:
    status = told_(seen({"phase": phase}), Waiting(DatabaseReason.CLUSTER_PENDING, "soon"))
    reason = PHASES[phase].reason
    assert conditions(status) == {"Ready": ("True", "Ready"), "Stalled": ("True", reason)}
    assert status["phase"] == "Ready"
    assert_rules(status)


@pytest.mark.parametrize("phase", ACTIONS)
def test_nobody_has_to_act_on_a_cluster_that_is_on_its_way_out(phase: str) -> None:
    cluster = builders.cluster({"phase": phase})
    cluster["metadata"]["deletionTimestamp"] = "2026-03-01T12:00:00Z"
    children = Children(trim.cluster(cluster), trim.pooler(builders.pooler()))
    observed = observe(children, instances=1, poolers=1, image=RESOLVED.image)
    status = told_(observed, published=None, status=SERVED)
    assert conditions(status) == {
        "Ready": ("False", "NotServing"),
        "Reconciling": ("True", "ClusterDeleted"),
    }


# --- the other statuses ---------------------------------------------------------------------------


def test_the_first_status_names_what_was_allotted() -> None:
    status = dumped(first_status(moment(), RESOLVED))
    allotted = ("clusterName", "poolerName", "databaseName", "postgresVersion")
    assert [status[field] for field in allotted] == [
        "daap-orders",
        "daap-orders-pooler",
        "orders",
        17,
    ]
    assert status["phase"] == "Provisioning"
    assert_rules(status)


def test_a_refused_object_keeps_what_it_had() -> None:
    before = told_(WELL)
    problem = Stalled(CommonReason.INVALID_SPEC, "spec.instances '0'")
    status = dumped(refused_status(moment(before), WELL, problem))
    assert {**status, "conditions": []} == {**before, "conditions": []}
    assert conditions(status) == {"Ready": ("True", "Ready"), "Stalled": ("True", "InvalidSpec")}
    assert_rules(status)


def test_a_refused_object_is_looked_at_all_the_same() -> None:
    before = told_(WELL)
    problem = Stalled(CommonReason.INVALID_SPEC, "spec.instances '0'")
    observed = seen({"instancesStatus": {"healthy": []}, "readyInstances": 0})
    status = dumped(refused_status(moment(before), observed, problem))
    assert status["phase"] == "Error"
    assert status["readyInstances"] == 0
    assert conditions(status) == {
        "Ready": ("False", "NotServing"),
        "Stalled": ("True", "InvalidSpec"),
    }
    assert_rules(status)


def test_a_refused_object_that_was_never_served_has_nothing_else_to_tell() -> None:
    nothing = observe(Children(), instances=0, poolers=0, image="")
    status = dumped(refused_status(moment(), nothing, Stalled(DatabaseReason.NAME_TAKEN, "taken")))
    assert status["phase"] == "Error"
    assert conditions(status) == {
        "Ready": ("False", "NameTaken"),
        "Stalled": ("True", "NameTaken"),
    }


def test_a_deletion_is_told_with_what_it_waits_for() -> None:
    before = told_(WELL)
    why = Finding(CommonReason.DELETING, "Waiting for Cluster x to be gone")
    status = dumped(deleting_status(moment(before), why))
    assert status["phase"] == "Deleting"
    assert conditions(status) == {
        "Ready": ("False", "Deleting"),
        "Reconciling": ("True", "Deleting"),
    }
    assert status["host"] == before["host"]


def test_the_generation_told_is_the_one_that_was_looked_at() -> None:
    status = dumped(observed_status(moment(SERVED, generation=7), RESOLVED, WELL, None, PUBLISHED))
    assert status["observedGeneration"] == 7
    assert [c["observedGeneration"] for c in status["conditions"]] == [7]
    assert result(status, generation=7) == "Current"
    assert result(status, generation=8) == "InProgress"


@pytest.mark.parametrize(
    ("inventory", "expected"),
    [
        (None, None),
        (Inventory(synced=True, why=Finding(InventoryReason.SYNCED, "")), ("True", "Synced")),
        (
            Inventory(synced=False, why=Finding(InventoryReason.UNREACHABLE, "")),
            ("False", "Unreachable"),
        ),
    ],
    ids=["no row", "synced", "not synced"],
)
def test_whether_the_inventory_follows_is_a_condition_of_its_own(
    inventory: Inventory | None, expected: object
) -> None:
    status = dumped(with_inventory(first_status(moment(), RESOLVED), moment(), inventory))
    assert conditions(status).get("MetadataSynced") == expected
    assert_rules(status)


# --- time -----------------------------------------------------------------------------------------


def since(status: Object) -> Object:
    return {c["type"]: c["lastTransitionTime"] for c in status["conditions"]}


def test_a_conditions_time_moves_only_with_its_status() -> None:
    later = builders.NOW + timedelta(hours=1)
    first = observed_status(moment(), RESOLVED, DOWN, None, None)
    metadata = builders.model().metadata
    second = observed_status(Moment(first, metadata, later), RESOLVED, seen(poolers=0), None, None)
    third = observed_status(Moment(second, metadata, later), RESOLVED, WELL, None, PUBLISHED)
    assert since(dumped(first)) == since(dumped(second))
    assert conditions(dumped(first)) != conditions(dumped(second))
    assert since(dumped(third)) == {"Ready": "2026-03-01T13:00:00Z"}


def test_a_condition_that_turns_or_comes_is_new() -> None:
    later = builders.NOW + timedelta(hours=1)
    status: Object = {"conditions": [builders.condition("Ready", "True")]}
    previous = DaapDatabaseStatus.model_validate(status)
    made = observed_status(
        Moment(previous, builders.model().metadata, later), RESOLVED, DOWN, None, None
    )
    assert since(dumped(made)) == dict.fromkeys(("Ready", "Reconciling"), "2026-03-01T13:00:00Z")


def test_times_are_told_in_utc_to_the_second() -> None:
    now = datetime(2026, 3, 1, 14, 0, 0, 987654, tzinfo=timezone(timedelta(hours=2)))
    before = Moment(DaapDatabaseStatus(conditions=[]), builders.model().metadata, now)
    made = refused_status(before, DOWN, Stalled(DatabaseReason.REJECTED, ""))
    assert set(since(dumped(made)).values()) == {"2026-03-01T12:00:00Z"}
    assert made.conditions[0].last_transition_time.tzinfo is UTC


def test_a_status_survives_the_wire() -> None:
    status = told_(WELL)
    again = DaapDatabaseStatus.model_validate(status)
    assert dumped(again) == status
    assert dumped(observed_status(moment(status), RESOLVED, WELL, None, PUBLISHED)) == status


def test_a_message_is_cut_to_what_the_api_server_takes() -> None:
    made = refused_status(moment(), DOWN, Stalled(DatabaseReason.REJECTED, "é" * 40_000))
    assert {len(c.message) for c in made.conditions} == {32768}


# --- whatever comes -------------------------------------------------------------------------------

problems = st.none() | st.sampled_from(
    [Stalled(DatabaseReason.REJECTED, "no"), Waiting(DatabaseReason.CLUSTER_PENDING, "soon")]
)


@given(
    strategies.objects_with(
        {
            "phase": [*PHASES, "Dreaming"],
            "instancesStatus": [{"healthy": ["daap-orders-1"]}, {"healthy": []}],
            "currentPrimary": ["daap-orders-1"],
            "phaseReason": ["why"],
            "image": [RESOLVED.image],
            "conditions": [],
        }
    ),
    strategies.objects_with({"status": [{"availableReplicas": 1}], "metadata": [{}]}),
    problems,
    st.booleans(),
    st.booleans(),
)
def test_any_children_give_a_status_that_keeps_the_rules(
    cluster: Object, deployment: Object, problem: Problem | None, served: bool, published: bool
) -> None:
    children = Children(
        trim.cluster(builders.cluster(cluster)),
        trim.pooler(builders.pooler()),
        trim.deployment(deployment),
    )
    observed = observe(children, instances=1, poolers=1, image=RESOLVED.image)
    status = told_(
        observed,
        problem,
        published=PUBLISHED if published else None,
        status=SERVED if served else None,
    )
    assert_rules(status)
    assert (status["phase"] == "Ready") <= observed.serving
    if observed.phase.meaning is Meaning.UNKNOWN:
        assert status["phase"] != "Ready"
        assert problem or status["phase"] != "Error"


# --- the patch ------------------------------------------------------------------------------------

flat = st.dictionaries(
    st.sampled_from("abcd"), st.integers(0, 2) | st.text("xy", max_size=2) | st.lists(st.integers())
)


@given(flat, flat)
def test_a_merge_patch_turns_one_status_into_the_other(before: Object, after: Object) -> None:
    assert merged(before, merge_patch(before, after)) == after


@given(flat)
def test_nothing_changed_is_an_empty_patch(status: Object) -> None:
    assert merge_patch(status, dict(status)) == {}


@pytest.mark.parametrize("before", [None, WELL, DOWN], ids=["new", "well", "down"])
@pytest.mark.parametrize("after", [WELL, DOWN], ids=["well", "down"])
def test_the_patch_between_two_statuses_gives_the_second(
    before: Observed | None, after: Observed
) -> None:
    first: Object = {"observedGeneration": -1} if before is None else told_(before)
    second = told_(after, published=None)
    assert merged(first, merge_patch(first, second)) == second


def test_phases_are_the_words_of_the_api() -> None:
    assert [str(phase) for phase in Phase] == ["Provisioning", "Ready", "Error", "Deleting"]
