"""Settings that follow the memory: they fit into it, and the pooler fits into them."""

import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import quantity
from daap_operator.api.v1alpha1.database.texts import LEAST_MI
from daap_operator.kinds.database.desired import tuning
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.pooler import pooler
from tests.unit import builders

Object = dict[str, Any]

MIB = 2**20
memory = st.integers(LEAST_MI * MIB, 2**44)


@pytest.mark.parametrize(
    ("memory", "connections", "shared", "cache", "maintenance", "work"),
    [
        ("256Mi", "30", "64MB", "192MB", "16MB", "128kB"),
        ("512Mi", "50", "128MB", "384MB", "32MB", "1856kB"),
        ("1Gi", "100", "256MB", "768MB", "64MB", "2496kB"),
        ("4Gi", "250", "1024MB", "3072MB", "256MB", "6016kB"),
        ("64Gi", "250", "16384MB", "49152MB", "1024MB", "182208kB"),
    ],
)
def test_the_settings_for(
    memory: str, connections: str, shared: str, cache: str, maintenance: str, work: str
) -> None:
    made = cluster(builders.resolved({"resources": {"limits": {"memory": memory}}}))
    assert made["spec"]["postgresql"]["parameters"] == {
        "max_connections": connections,
        "shared_buffers": shared,
        "effective_cache_size": cache,
        "maintenance_work_mem": maintenance,
        "work_mem": work,
    }


def test_the_docs_have_the_same_settings() -> None:
    page = (Path(__file__).parents[2] / "docs/using.md").read_text()
    rows = re.findall(r"^\| (\d+[MG]i) \| (\d+) \| (\d+) \| (.*) \|$", page, re.MULTILINE)
    assert len(rows) == 6
    for memory, connections, poolers, sizes in rows:
        made = builders.resolved({"resources": {"limits": {"memory": memory}}})
        settings = tuning.of_database(made)
        assert settings
        assert tuning.server_connections(made) == int(poolers)
        names = ("shared_buffers", "effective_cache_size", "maintenance_work_mem", "work_mem")
        told = dict(zip(names, sizes.split(" | "), strict=True)) | {"max_connections": connections}
        assert told == settings.parameters()


@given(memory, memory)
def test_the_worst_case_fits_into_the_memory(limit: int, request: int) -> None:
    made = tuning.tuning(limit, min(limit, request))
    assert made.worst_case() <= limit


@given(memory, st.integers(64 * MIB, 2**44))
def test_cloudnativepg_takes_the_shared_buffers(limit: int, request: int) -> None:
    """It refuses those that are more than the request."""
    assert tuning.tuning(limit, min(limit, request)).shared_buffers <= min(limit, request)


@given(memory, memory)
def test_more_memory_is_never_less_of_anything(one: int, other: int) -> None:
    less, more = sorted((one, other))
    before, after = tuning.tuning(less, less), tuning.tuning(more, more)
    for name in ("max_connections", "shared_buffers", "maintenance_work_mem"):
        assert getattr(before, name) <= getattr(after, name)


@given(st.integers(64 * MIB, 2**70))
def test_postgresql_takes_the_settings_of_any_memory(limit: int) -> None:
    """Of less than the least, too, which may be older than that, and of far too much."""
    made = tuning.tuning(limit, limit)
    assert made.shared_buffers // 8192 < 2**30
    assert made.effective_cache_size // 8192 < 2**31
    assert made.maintenance_work_mem // 1024 < 2**31
    assert made.work_mem >= 64 * 1024
    assert made.shared_buffers >= 16 * MIB
    assert made.max_connections >= tuning.LEAST_CONNECTIONS


@given(
    st.integers(LEAST_MI, 2**20).map(lambda number: f"{number}Mi") | st.none(), st.integers(1, 10)
)
def test_the_poolers_fit_into_the_connections(limit: str | None, instances: int) -> None:
    resources = {"limits": {"memory": limit}} if limit else None
    made = builders.resolved({"resources": resources, "pooler": {"instances": instances}})
    parameters = pooler(made)["spec"]["pgbouncer"]["parameters"]
    size = int(parameters["default_pool_size"])
    assert size >= 2
    assert size * instances <= tuning.server_connections(made)
    assert tuning.server_connections(made) + 5 <= tuning.max_connections(made)


def test_of_the_first_defaults_postgresqls_own_settings_stay() -> None:
    made = builders.resolved(
        {"resources": {"limits": {"memory": "8Gi"}}}, {"clusterName": "daap-orders"}
    )
    assert cluster(made)["spec"]["postgresql"] == {"pg_hba": ["hostnossl all all all reject"]}
    assert (tuning.max_connections(made), tuning.server_connections(made)) == (100, 80)


# --- what an instance gets ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("asked", "requests", "limits"),
    [
        (None, ("100m", "1Gi"), ("2", "1Gi")),
        ({}, ("100m", "1Gi"), ("2", "1Gi")),
        ({"requests": {}, "limits": {}}, ("100m", "1Gi"), ("2", "1Gi")),
        ({"limits": {"cpu": "1", "memory": "2Gi"}}, ("1", "2Gi"), ("1", "2Gi")),
        ({"requests": {"cpu": "500m", "memory": "2Gi"}}, ("500m", "2Gi"), ("2", "2Gi")),
        ({"requests": {"cpu": "1500m"}}, ("1500m", "1Gi"), ("3000m", "1Gi")),
        ({"requests": {"cpu": 4}, "limits": {"cpu": 4}}, ("4", "1Gi"), ("4", "1Gi")),
        (
            {"requests": {"memory": "256Mi"}, "limits": {"memory": "2048Mi"}},
            ("100m", "256Mi"),
            ("2", "2048Mi"),
        ),
    ],
    ids=str,
)
def test_what_is_missing_of_the_resources_is_added(
    asked: Object | None, requests: tuple[str, str], limits: tuple[str, str]
) -> None:
    made = cluster(builders.resolved({"resources": asked}))["spec"]["resources"]
    assert (made["requests"]["cpu"], made["requests"]["memory"]) == requests
    assert (made["limits"]["cpu"], made["limits"]["memory"]) == limits


amounts = st.fixed_dictionaries(
    {},
    optional={
        "cpu": st.integers(1, 20000).map(lambda number: f"{number}m"),
        "memory": st.integers(LEAST_MI, 9999).map(lambda number: f"{number}Mi"),
    },
)


@given(amounts, amounts)
def test_every_container_has_requests_within_limits(requests: Object, limits: Object) -> None:
    try:
        made = builders.resolved({"resources": {"requests": requests, "limits": limits}})
    except ValueError:
        return  # requests above limits are refused
    given_ = cluster(made)["spec"]["resources"]
    for what in ("cpu", "memory"):
        request, limit = given_["requests"][what], given_["limits"][what]
        assert 0 < quantity.parse(request) <= quantity.parse(limit)
        assert request == requests.get(what, request)
        assert limit == limits.get(what, limit)


def test_a_poolers_containers_have_both_too() -> None:
    pod = pooler(builders.resolved())["spec"]["template"]["spec"]
    containers = pod["containers"] + pod["initContainers"]
    assert [each["name"] for each in containers] == ["pgbouncer", "bootstrap-controller"]
    for container in containers:
        for what in ("cpu", "memory"):
            request, limit = (container["resources"][kind][what] for kind in ("requests", "limits"))
            assert 0 < quantity.parse(request) <= quantity.parse(limit)
