"""What a benchmark computes from what it measured."""

import argparse
import json
import xml.etree.ElementTree as ET
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import (
    audit,
    chart,
    figures,
    kro,
    options,
    programs,
    ratios,
    record,
    sql,
    table,
    usage,
)
from benchmarks.__main__ import caption
from benchmarks.figures import Request
from daap_operator import names

SOME = st.lists(st.floats(0, 1000), min_size=1)


def run(n: int, **figures: Any) -> dict[str, Any]:
    """A run with a few figures."""
    machine = {"cores": 2, "cpu": "Any <CPU>", "python": "3.11"}
    about = {"n": n, "at": "2026-03-01T12:00:00Z", "commit": "0a1b2c", "machine": machine}
    return about | figures


# --- figures --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("share", "value"), [(0.0, 1), (0.5, 50), (0.95, 95), (0.99, 99), (0.991, 100), (1.0, 100)]
)
def test_a_percentile_is_a_value_that_was_measured(share: float, value: int) -> None:
    assert figures.percentile(list(range(100, 0, -1)), share) == value


@given(SOME, st.floats(0, 1))
def test_no_less_than_its_share_of_values_is_at_most_a_percentile(
    values: list[float], share: float
) -> None:
    found = figures.percentile(values, share)
    assert sum(value <= found for value in values) >= share * len(values) - 1e-6
    assert sum(value < found for value in values) <= share * len(values) or found == min(values)


def test_there_is_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        figures.percentile([], 0.5)


def test_durations_are_told_in_milliseconds() -> None:
    told = figures.spread([0.001, 0.002, 0.0034])
    assert told == {"count": 3, "p50": 2.0, "p95": 3.4, "p99": 3.4, "max": 3.4}
    assert figures.spread([]) == {"count": 0}


def test_requests_are_counted_by_what_they_are() -> None:
    made = [
        Request("watch", "clusters", 200),
        Request("get", "secrets", 404),
        Request("list", "pods", 200),
        Request("patch", "clusters", 201),
        Request("patch", "clusters", 200),
        Request("create", "events", 201),
    ]
    told = figures.requests(made, 2)
    assert (told["requests"], told["writes"], told["watches"]) == (5, 3, 1)
    assert (told["per_database"], told["writes_per_database"]) == (2.5, 1.5)
    assert told["by_kind"]["patch clusters"] == 2
    assert told["by_kind_per_database"]["patch clusters"] == 1.0
    assert told["failed"] == {"get secrets 404": 1}
    assert figures.requests([], 0)["per_database"] == 0.0


def test_memory_grows_by_what_lies_between_the_sizes() -> None:
    assert figures.slope([100, 500, 1000], [80.0, 96.0, 116.0]) == 40.0
    assert figures.slope([100], [80.0]) is None
    assert figures.slope([], []) is None


def test_a_figure_that_was_not_measured_is_none() -> None:
    nested = {"create": {"cpu_ms": {"kube-apiserver": 3.0}}}
    assert figures.found(nested, "create.cpu_ms.kube-apiserver") == 3.0
    for path in ("create.cpu_ms.etcd", "edit.p50", "create.cpu_ms.kube-apiserver.more"):
        assert figures.found(nested, path) is None


# --- what is read from the world ------------------------------------------------------------------


def entry(**what: Any) -> dict[str, Any]:
    """An entry of an audit log."""
    return {"verb": "patch", "objectRef": what, "responseStatus": {"code": 200}}


def test_an_audit_entry_is_a_request_with_its_subresource() -> None:
    told = audit.request(entry(resource="daapdatabases", subresource="status", name="orders"))
    assert told == Request("patch", "daapdatabases/status", 200)
    assert audit.request(entry()) is None


def test_the_audit_log_is_read_from_where_it_ended(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    reader = audit.Audit(log)
    assert reader.read() == []
    one, two = (json.dumps(entry(resource=name)) for name in ("clusters", "poolers"))
    log.write_text(f"{one}\n{two[:20]}")
    assert [request.resource for request in reader.read()] == ["clusters"]
    log.write_text(f"{one}\n{two}\n")
    assert [request.resource for request in reader.read()] == ["poolers"]
    assert reader.read() == []


def test_only_the_operator_is_logged_and_not_its_lease() -> None:
    rules = json.loads(audit.policy("system:serviceaccount:default:daap-operator"))["rules"]
    assert [rule["level"] for rule in rules] == ["None", "Metadata", "None"]
    assert rules[0]["resources"][0]["resources"] == ["leases"]
    assert rules[1]["users"] == ["system:serviceaccount:default:daap-operator"]


LOG = b"""\
2026-03-01 12:00:00.000 UTC [7] LOG:  statement: BEGIN
2026-03-01 12:00:00.001 UTC [8] LOG:  execute <unnamed>: \n\tWITH leader AS (SELECT 1)
2026-03-01 12:00:00.001 UTC [7] LOG:  execute _pg3_0: INSERT INTO databases VALUES ($1)
2026-03-01 12:00:00.001 UTC [7] DETAIL:  parameters: $1 = 'LOG:  statement: no'
2026-03-01 12:00:00.002 UTC [7] LOG:  statement: COMMIT
2026-03-01 12:00:00.003 UTC [7] LOG:  statement: SELECT 1
2026-03-01 12:00:00.004 UTC [7] LOG:  checkpoint starting: time
"""


def test_a_statement_outside_of_a_transaction_is_one_of_its_own() -> None:
    assert sql.counted(LOG) == (5, 3)
    assert sql.counted(b"") == (0, 0)


def test_cpu_ticks_are_found_whatever_a_program_is_called() -> None:
    stat = "12 (a) b (c) S 1 2 3 4 5 6 7 8 9 10 100 20 3 4 20 0 1 0 555 0 0"
    assert usage.ticks(stat) == 120
    assert usage.ticks(stat, with_ended=True) == 127
    assert usage.busy_ticks("cpu  1 2 4 1000 2000 8 16 32 64 0\ncpu0 1 1 1") == 1 + 2 + 4 + 56


def test_memory_is_told_in_mib() -> None:
    status = "Name:\tpython\nVmHWM:\t   10240 kB\nVmRSS:\t    5120 kB\n"
    assert usage.mib(status, "VmRSS") == 5.0
    assert usage.mib(status, "VmHWM") == 10.0
    assert usage.mib("Name:\tkthreadd\n", "VmRSS") == 0.0


def test_what_others_did_is_what_is_left_of_the_machine() -> None:
    before = {"operator": 1.0, "machine": 10.0}
    told = usage.taken(before, {"operator": 1.5, "etcd": 0.25, "machine": 11.0}, 10)
    assert told["cpu_s"] == {"operator": 0.5, "etcd": 0.25, "others": 0.25, "machine": 1.0}
    assert told["cpu_ms"] == {"operator": 50.0, "etcd": 25.0, "all": 75.0}


def test_passes_are_those_over_databases_and_waiting_is_everything() -> None:
    page = (
        'daap_reconcile_total{kind="DaapDatabase",result="success"} 98.0\n'
        'daap_reconcile_total{kind="DaapDatabase",result="outage"} 2.0\n'
        'daap_reconcile_total{kind="DaapSchema",result="success"} 5.0\n'
        'daap_reconcile_active_workers{kind="DaapDatabase"} 1.0\n'
        'daap_workqueue_depth{kind="DaapSchema"} 3.0\n'
    )
    assert programs.passes(page) == (100, 4)
    assert programs.passes("") == (0, 0)


# --- options --------------------------------------------------------------------------------------


def test_sizes_stand_in_one_word() -> None:
    assert options.read(["--sizes", "100 500"]).sizes == (100, 500)
    assert options.sizes("100,500, 1000") == (100, 500, 1000)
    assert options.read([]).sizes == options.SIZES


@pytest.mark.parametrize("text", ["", "0", "-5", "1e3", "many", "100 x", "1000000"])
def test_a_wrong_size_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match='write N="100 500"'):
        options.sizes(text)


@pytest.mark.parametrize("text", ["0", "-1", "soon", "nan", "inf", "3600"])
def test_a_wrong_time_is_refused(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        options.read([f"--idle={text}"])
    assert f"'{text}' is not a number between 0 and 3600" in capsys.readouterr().err


# --- what is told ---------------------------------------------------------------------------------

RUNS = [
    run(100, create={"all_ready_s": 4.0, "rss_mib": 90.0, "to_ready_ms": {"p50": 1234.5}}),
    run(1000, create={"all_ready_s": 44.04, "rss_mib": 126.0}),
]


def test_a_table_has_a_column_for_each_run() -> None:
    lines = table.render(RUNS).splitlines()
    assert lines[0].split() == ["N", "100", "1,000"]
    (ready,) = [line for line in lines if line.startswith("first create")]
    assert ready.split()[-2:] == ["4.0", "44.0"]
    (spread,) = [line for line in lines if line.startswith("create → Ready")]
    assert "1,234 / - / -" in spread
    assert spread.endswith("- / - / -")
    assert lines[-1] == "memory for 1,000 databases more: 40.0 MiB"
    assert len({len(line) for line in lines[1:-1] if line[-1] != " "}) == 1


def test_a_single_run_has_no_slope() -> None:
    assert "1,000 databases more" not in table.render(RUNS[:1])


def test_a_line_of_json_comes_back_and_the_latest_of_a_size_counts() -> None:
    again = run(100, create={"all_ready_s": 3.0})
    lines = [record.line(one) for one in (*reversed(RUNS), again)]
    assert all(line.count("\n") == 1 for line in lines)
    assert record.latest([*lines, "\n"]) == [again, RUNS[1]]


@pytest.mark.parametrize("runs", [RUNS, RUNS[::-1], RUNS[:1], [run(3)], []], ids=str)
def test_a_picture_is_well_formed_whatever_was_measured(runs: list[dict[str, Any]]) -> None:
    drawn = ET.fromstring(chart.render(runs, "a < b"))
    texts = ["".join(text.itertext()) for text in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {each.title for each in chart.CHARTS} <= set(texts)
    assert "a < b" in texts


def test_a_picture_has_a_point_for_each_figure() -> None:
    drawn = chart.render(RUNS, "")
    known = sum(
        figures.found(each, path) is not None
        for each in RUNS
        for one in chart.CHARTS
        for path in one.lines.values()
    )
    assert known == 5
    assert drawn.count("<circle") == known


@given(SOME)
def test_an_axis_has_room_for_its_values_and_little_more(values: list[float]) -> None:
    scale = chart.Scale.of([(1, value) for value in values])
    assert scale.highest >= max(values)
    assert scale.highest <= max(2.5 * max(values), 1.0)


def test_names_beside_lines_do_not_cover_each_other() -> None:
    placed = sorted(chart._apart([(10, "a"), (11, "b"), (12, "c"), (100, "d")]).values())
    assert all(later - earlier >= 13 for earlier, later in pairwise(placed))
    assert placed[-1] == 100


def test_a_caption_says_when_and_where() -> None:
    told = caption(run(100))
    assert told == "make bench, 2026-03-01, commit 0a1b2c, 2 cores (Any <CPU>), Python 3.11"


# --- side by side ---------------------------------------------------------------------------------

NAMES = ("daap", "kro")


def side(number: int, system: str, seconds: float, writes: int) -> dict[str, Any]:
    """A run of one operator in a round."""
    figures = {
        "create": {"all_ready_s": seconds, "requests": {"per_database": 10.0}},
        "restart": {"requests": {"writes": writes}},
    }
    return run(100, system=system, round=number, **figures)


SIDES = [
    *(side(1, "daap", 4.0, 0), side(1, "kro", 10.0, 300)),
    *(side(2, "kro", 10.0, 300), side(2, "daap", 6.0, 0)),
    *(side(3, "daap", 5.0, 0), side(3, "kro", 10.0, 0)),
    side(4, "daap", 1.0, 0),
]


def test_what_was_measured_in_the_same_round_is_compared() -> None:
    pairs = ratios.rounds(SIDES, 100, NAMES)
    assert [(ours["system"], other["system"]) for ours, other in pairs] == [NAMES] * 3
    assert ratios.ratio(pairs, "create.all_ready_s") == [0.4, 0.6, 0.5]
    assert ratios.ratio(pairs, "restart.requests.writes") == [0.0, 0.0]
    assert ratios.ratio(pairs, "nobody.measures.this") == []
    assert ratios.rounds(SIDES, 1000, NAMES) == []


def test_a_ratio_is_told_with_its_spread() -> None:
    lines = ratios.render(SIDES, [100, 1000], NAMES).splitlines()
    assert lines[0].split("  ")[0] == "N = 100, rounds: 3"
    rows = {line.split("  ")[0].strip(): line.split()[-5:] for line in lines[1:]}
    assert rows["first create → all Ready, s"] == ["5.0", "10.0", "0.50", "0.40", "0.60"]
    assert rows["requests a database"] == ["10.00", "10.00", "1.00", "1.00", "1.00"]
    assert rows["share of its own floor, %"] == ["-", "-", "-", "-", "-"]


def test_rounds_are_counted_from_one() -> None:
    chosen = options.read_peers(["--rounds", "2", "--sizes", "100"])
    assert (chosen.rounds, chosen.sizes) == (2, (100,))
    assert options.read_peers([]).sizes == options.PEER_SIZES


def test_kro_makes_what_is_named_as_this_operator_names_it() -> None:
    """What is measured looks for the children by these names."""
    resources = kro.graph()["spec"]["resources"]
    made = {each["id"]: each["template"]["metadata"]["name"] for each in resources}
    text = {which: name.replace("${schema.metadata.name}", "a") for which, name in made.items()}
    cluster = names.cluster_name("a")
    assert text == {"cluster": cluster, "pooler": names.pooler_name(cluster)}
