"""What Prometheus is told."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client.parser import text_string_to_metric_families

from daap_operator.engine.workqueue import Load, Result
from daap_operator.kinds.backup import metrics as backup_metrics
from daap_operator.kinds.database import metrics as database_metrics
from daap_operator.kinds.database.reasons import BackupHealthReason
from daap_operator.kinds.drill import metrics as drill_metrics
from daap_operator.kinds.restore import metrics as restore_metrics
from daap_operator.kinds.schema import metrics as schema_metrics
from daap_operator.kinds.served import METRICS
from daap_operator.kube import Request
from daap_operator.metrics import CATALOGUE, Known, Metric, Metrics, Seen, objects
from tests.unit.builders import condition, database

Object = dict[str, Any]
Found = dict[str, list[tuple[dict[str, str], float]]]

STANDBY = Seen("1.2.3")
KIND = "DaapDatabase"
OURS = {"kind": KIND}
ALL = (*CATALOGUE, *METRICS)


def leader(*databases: Object, metadata_up: bool = True, rows_behind: int = 0) -> Seen:
    of_kinds = [
        *database_metrics.measured(databases),
        *backup_metrics.measured([]),
        *restore_metrics.measured([]),
        *drill_metrics.measured([]),
        *schema_metrics.measured([]),
    ]
    known = Known(of_kinds, metadata_up, {KIND: rows_behind}, {("shop", KIND): 1})
    return Seen("1.2.3", leader=True, known=known)


async def text(seen: Seen, metrics: Metrics | None = None) -> str:
    body, content_type = await (metrics or Metrics([KIND])).page("", seen)
    assert content_type == "text/plain; version=0.0.4; charset=utf-8"
    return body.decode()


async def told(seen: Seen, metrics: Metrics | None = None) -> Found:
    samples: Found = {}
    for family in text_string_to_metric_families(await text(seen, metrics)):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return samples


def ready(**metadata: Any) -> Object:
    conditions = [condition("Ready", "True"), condition("MetadataSynced", "False")]
    status = {"phase": "Ready", "postgresVersion": 17, "conditions": conditions}
    return database(status=status, **metadata)


def backed_up(**metadata: Any) -> Object:
    return database(status=BACKED_UP, **metadata)


# --- the catalogue --------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", ALL, ids=lambda metric: metric.name)
def test_a_name_tells_prefix_and_unit_and_the_help_is_a_sentence(metric: Metric) -> None:
    assert re.fullmatch(r"daap_[a-z][a-z_]+[a-z]", metric.name)
    assert metric.name.endswith("_total") == (metric.type == "counter")
    assert metric.name.endswith("_seconds") == (metric.type == "histogram")
    assert re.fullmatch(r"[A-Z1].{15,}\.", metric.help)


async def test_the_page_of_a_leader_has_the_catalogue_and_nothing_else_of_ours() -> None:
    metrics = Metrics([KIND])
    metrics.count_pass(KIND, Result.SUCCESS, 0.1)
    metrics.count_request(Request("get", "secrets", 200, 0.1))
    page = await text(leader(ready(), backed_up(name="kept")), metrics)
    families = {f.name: f for f in text_string_to_metric_families(page) if "process_" not in f.name}
    told_of = {metric.name.removesuffix("_total"): metric for metric in ALL}
    assert families.keys() == told_of.keys()
    for name, metric in told_of.items():
        assert families[name].type == metric.type
        assert families[name].documentation == metric.help
        labels = {label for sample in families[name].samples for label in sample.labels}
        assert labels - {"le"} == set(metric.labels), name


async def test_what_is_told_by_the_leader_only_is_marked_so() -> None:
    page = await text(STANDBY)
    missing = {metric.name for metric in ALL if f"# HELP {metric.name} " not in page}
    assert missing == {metric.name for metric in ALL if metric.leader_only}


# --- what is --------------------------------------------------------------------------------------


async def test_a_standby_says_that_it_is_one() -> None:
    seen = await told(STANDBY)
    assert seen["daap_leader"] == [({}, 0)]
    assert seen["daap_build_info"] == [({"version": "1.2.3"}, 1)]


async def test_a_leader_tells_how_it_is_doing() -> None:
    busy = Seen("1", leader=True, loads={KIND: Load(3, 2, 4)}, watch_restarts=5)
    seen = await told(busy)
    assert seen["daap_leader"] == [({}, 1)]
    assert seen["daap_reconcile_active_workers"] == [(OURS, 2)]
    assert seen["daap_workqueue_depth"] == [(OURS, 3)]
    assert seen["daap_workqueue_retries_total"] == [(OURS, 4)]
    assert seen["daap_watch_restarts_total"] == [({}, 5)]


async def test_a_metadata_database_that_is_away() -> None:
    seen = await told(leader(metadata_up=False, rows_behind=7))
    assert seen["daap_metadata_up"] == [({}, 0)]
    assert seen["daap_metadata_rows_behind"] == [(OURS, 7)]


async def test_a_database_is_described_with_the_conditions_that_hold() -> None:
    seen = await told(leader(ready()))
    key = {"namespace": "shop", "name": "orders"}
    assert seen["daap_database_info"] == [
        (key | {"owner_team": "checkout", "postgres_version": "17"}, 1)
    ]
    assert seen["daap_database_condition"] == [
        (key | {"type": "Ready", "status": "True"}, 1),
        (key | {"type": "MetadataSynced", "status": "False"}, 1),
    ]


async def test_the_end_of_a_databases_version_is_told_where_it_is_known() -> None:
    key = {"namespace": "shop", "name": "orders", "postgres_version": "17"}
    end = datetime(2029, 11, 8, tzinfo=UTC).timestamp()
    seen = await told(leader(ready(), database(name="new")))
    assert seen["daap_database_postgres_eol"] == [(key, end)]


BACKED_UP: Object = {
    "conditions": [condition("BackupHealthy", "True", reason="Recoverable")],
    "backup": {
        "lastSuccessful": "2026-03-01T03:12:30Z",
        "firstRecoverable": "2026-02-20T09:01:00Z",
        "lastVerified": "2026-03-01T05:07:00Z",
        "measuredRestoreSeconds": 77,
    },
}
KEY = {"namespace": "shop", "name": "orders"}


async def test_of_backups_it_is_told_whether_they_are_healthy_and_how_far_they_reach() -> None:
    seen = await told(leader(database(status=BACKED_UP), ready(name="without")))
    last = datetime(2026, 3, 1, 3, 12, 30, tzinfo=UTC).timestamp()
    first = datetime(2026, 2, 20, 9, 1, tzinfo=UTC).timestamp()
    assert seen["daap_database_backup_healthy"] == [(KEY | {"reason": "Recoverable"}, 1)]
    assert seen["daap_database_backup_last_success"] == [(KEY, last)]
    assert seen["daap_database_backup_first_recoverable"] == [(KEY, first)]


PASSED, BROKEN = "2026-03-01T05:07:00Z", "2026-03-02T05:07:00Z"


@pytest.mark.parametrize(
    ("backup", "failed"),
    [
        ({"lastVerified": PASSED}, 0),
        ({"lastVerified": PASSED, "lastVerificationFailed": BROKEN}, 1),
        ({"lastVerified": BROKEN, "lastVerificationFailed": PASSED}, 0),
        ({"lastVerificationFailed": BROKEN}, 1),
    ],
    ids=["passed", "failed since", "passed since", "never passed"],
)
async def test_of_drills_it_is_told_what_the_last_one_showed(backup: Object, failed: int) -> None:
    status = {"backup": backup | {"measuredRestoreSeconds": 77}}
    seen = await told(leader(database(status=status)))
    assert seen["daap_database_backup_verification_failed"] == [(KEY, failed)]
    assert seen["daap_database_backup_restore_duration"] == [(KEY, 77)]
    assert ("daap_database_backup_last_verified" in seen) == ("lastVerified" in backup)


@pytest.mark.parametrize("reason", [each for each in BackupHealthReason if each != "Recoverable"])
async def test_backups_that_are_not_healthy_are_told_with_the_reason(reason: str) -> None:
    status = {"conditions": [condition("BackupHealthy", "False", reason=reason)]}
    seen = await told(leader(database(status=status)))
    assert seen["daap_database_backup_healthy"] == [(KEY | {"reason": reason}, 0)]
    assert "daap_database_backup_last_success" not in seen


@pytest.mark.parametrize(
    "odd",
    [
        condition("BackupHealthy", "True", reason="Vandalised"),
        condition("BackupHealthy", "Unknown", reason="Recoverable"),
        condition("BackupHealthy", "False", reason="Recoverable") | {"type": "Theirs"},
    ],
)
async def test_there_is_no_series_of_a_reason_or_status_that_we_do_not_write(odd: Object) -> None:
    status = {"conditions": [odd], "backup": {"lastSuccessful": "soon", "firstRecoverable": 3}}
    seen = await told(leader(database(status=status)))
    assert not [name for name in seen if name.startswith("daap_database_backup")]


async def test_databases_are_counted_by_phase_with_zeros() -> None:
    new = database(name="new")
    seen = await told(leader(ready(), ready(name="other"), new))
    counts = {labels["phase"]: value for labels, value in seen["daap_databases"]}
    assert counts == {"Provisioning": 0, "Ready": 2, "Error": 0, "Deleting": 0, "None": 1}


async def test_a_database_that_is_gone_leaves_nothing() -> None:
    metrics = Metrics([KIND])
    assert "orders" in await text(leader(ready()), metrics)
    assert "orders" not in await text(leader(), metrics)


VANDALISM: Iterable[Object] = (
    {},
    {"metadata": {"name": 1, "namespace": []}, "spec": "x", "status": [1]},
    database({"ownerTeam": "half a \ud800 character"}),
    database({"ownerTeam": 'quote " line \n back \\'}),
    database(status={"phase": "Vandalised", "postgresVersion": 2**80, "conditions": "none"}),
    database(status={"conditions": [None, 1, condition("Ready", "Maybe"), {"type": []}]}),
    database(status={"conditions": [condition("Theirs", "True")] * 100}),
)


@pytest.mark.parametrize("odd", VANDALISM)
async def test_whatever_stands_in_an_object_the_page_is_written(odd: Object) -> None:
    seen = await told(leader(odd, ready(name="other")))
    assert len(seen["daap_database_info"]) == 2
    held = [(labels["type"], labels["status"]) for labels, _ in seen["daap_database_condition"]]
    assert held == [("Ready", "True"), ("MetadataSynced", "False")]
    assert len(seen["daap_databases"]) == 5


async def test_a_condition_that_stands_there_twice_is_one_series() -> None:
    twice = [condition("Ready", "False"), condition("Ready", "True")]
    seen = await told(leader(database(status={"conditions": twice})))
    assert len(seen["daap_database_condition"]) == 1


async def test_a_password_in_a_message_is_not_passed_on() -> None:
    bad = condition("Ready", "False", reason="hunter2", message="password=hunter2")
    spec = {"purpose": "hunter2"}
    assert "hunter2" not in await text(leader(database(spec, status={"conditions": [bad]})))


# --- several kinds --------------------------------------------------------------------------------

OFFERS = Metric("daap_offers", "gauge", "Offers by phase; 'None' before.", ("phase",), True)


def labelled(seen: Found, metric: str) -> dict[str, float]:
    """The values of a metric's series by kind."""
    return {labels["kind"]: value for labels, value in seen[metric]}


async def test_every_kind_is_reported_on_its_own_and_before_its_first_time() -> None:
    metrics = Metrics([KIND, "Offer"])
    metrics.count_pass("Offer", Result.ERROR, 2.0)
    offers = [{"status": {"phase": "On"}}, {"status": {"phase": "Odd"}}]
    known = Known(
        [objects.by_phase(OFFERS, offers, ("On", "Off")), *database_metrics.measured([ready()])],
        metadata_up=True,
        rows_behind={KIND: 1, "Offer": 2},
    )
    seen = await told(Seen("1", leader=True, loads={"Offer": Load(1, 2, 3)}, known=known), metrics)
    assert labelled(seen, "daap_workqueue_depth") == {KIND: 0, "Offer": 1}
    assert labelled(seen, "daap_reconcile_active_workers") == {KIND: 0, "Offer": 2}
    assert labelled(seen, "daap_workqueue_retries_total") == {KIND: 0, "Offer": 3}
    assert labelled(seen, "daap_metadata_rows_behind") == {KIND: 1, "Offer": 2}
    assert labelled(seen, "daap_reconcile_duration_seconds_sum") == {KIND: 0, "Offer": 2}
    errors = [(labels, n) for labels, n in seen["daap_reconcile_total"] if n]
    assert errors == [({"kind": "Offer", "result": "error"}, 1)]
    assert seen["daap_offers"] == [
        ({"phase": p}, n) for p, n in (("On", 1), ("Off", 0), ("None", 1))
    ]
    assert {labels["phase"]: n for labels, n in seen["daap_databases"]}["Ready"] == 1


def test_no_kind_has_a_metric_of_anothers_name() -> None:
    names = [metric.name for metric in ALL]
    assert len(set(names)) == len(names)


# --- what was counted -----------------------------------------------------------------------------


async def test_every_result_is_told_before_its_first_time() -> None:
    seen = await told(STANDBY)
    assert seen["daap_reconcile_total"] == [(OURS | {"result": str(r)}, 0) for r in Result]
    assert seen["daap_reconcile_duration_seconds_count"] == [(OURS, 0)]


async def test_passes_are_counted_and_timed() -> None:
    metrics = Metrics([KIND])
    metrics.count_pass(KIND, Result.SUCCESS, 0.3)
    metrics.count_pass(KIND, Result.OUTAGE, 119.0)
    seen = await told(STANDBY, metrics)
    counts = {labels["result"]: value for labels, value in seen["daap_reconcile_total"]}
    assert counts == {"success": 1, "outage": 1, "timeout": 0, "error": 0}
    assert seen["daap_reconcile_duration_seconds_sum"] == [(OURS, 119.3)]
    at_most = {labels["le"]: v for labels, v in seen["daap_reconcile_duration_seconds_bucket"]}
    assert (at_most["0.25"], at_most["0.5"], at_most["60.0"], at_most["120.0"]) == (0, 1, 1, 2)


async def test_requests_are_counted_and_timed() -> None:
    metrics = Metrics([KIND])
    metrics.count_request(Request("patch", "daapdatabases/status", 409, 0.2))
    metrics.count_request(Request("get", "secrets", 0, 15.0))
    seen = await told(STANDBY, metrics)
    assert seen["daap_kube_requests_total"] == [
        ({"verb": "patch", "resource": "daapdatabases/status", "code": "409"}, 1),
        ({"verb": "get", "resource": "secrets", "code": "none"}, 1),
    ]
    assert seen["daap_kube_request_duration_seconds_sum"] == [
        ({"verb": "patch"}, 0.2),
        ({"verb": "get"}, 15.0),
    ]


async def test_two_operators_in_one_process_count_apart() -> None:
    one, other = Metrics([KIND]), Metrics([KIND])
    one.count_pass(KIND, Result.ERROR, 1.0)
    seen = await told(STANDBY, other)
    assert all(value == 0 for _, value in seen["daap_reconcile_total"])


async def test_openmetrics_for_those_who_ask_for_it() -> None:
    accept = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
    body, content_type = await Metrics([KIND]).page(accept, leader(ready()))
    assert content_type.startswith("application/openmetrics-text; version=1.0.0")
    names = {f.name for f in openmetrics.text_string_to_metric_families(body.decode())}
    assert "daap_database_info" in names
