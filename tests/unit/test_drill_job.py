"""What the containers of a checking Job get to see, as the kubelet hands it to them."""

import json
import re
from typing import Any

import pytest

from daap_operator import names
from daap_operator.api.v1alpha1 import DrillQuery
from daap_operator.api.v1alpha1.queries import MOST_QUERIES, SQL_LENGTH, VALUE_LENGTH
from daap_operator.kinds.drill import checking

LARGEST = 128 * 1024
"""Bytes of one variable that Linux takes, with its name: MAX_ARG_STRLEN."""

PASSWORD = "the superuser's"


def environment(*queries: DrillQuery) -> dict[str, str]:
    """The variables of the container that asks the queries."""
    spec = checking.job_spec(
        cluster="drill-proof-00000000",
        database="orders",
        images=("postgres:17", "operator:1"),
        queries=queries,
        seconds=60,
    )
    (check,) = spec["template"]["spec"]["containers"]
    found: dict[str, str] = {}
    for variable in check["env"]:
        found[variable["name"]] = _as_the_kubelet_has_it(variable, found)
    return found


def _as_the_kubelet_has_it(variable: dict[str, Any], before: dict[str, str]) -> str:
    """https://github.com/kubernetes/kubernetes/blob/master/third_party/forked/golang/expansion"""
    if "valueFrom" in variable:
        return PASSWORD

    def expanded(found: re.Match[str]) -> str:
        return "$" if found[0] == "$$" else before.get(found[1], found[0])

    return re.sub(r"\$\$|\$\(([^)]*)\)", expanded, variable["value"])


def asked(*queries: DrillQuery) -> list[dict[str, str]]:
    found = environment(*queries)
    return [json.loads(found[f"{names.DRILL_QUERY}{n}"]) for n in range(1, len(queries) + 1)]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT '$(PGPASSWORD)'",
        "SELECT '$$(DRILL_OWNER_PASSWORD)', '$$$(PGPASSWORD)'",
        "SELECT $$it's$$ || $a$b$a$",
        "SELECT '$(' || ')' || '$'",
        "SELECT '\\', '\N{SNOWMAN}\N{GRINNING FACE}', '\x01'",
    ],
)
def test_a_query_reaches_the_check_as_it_was_written(sql: str) -> None:
    query = DrillQuery(name="q", sql=sql, expect=sql)
    assert PASSWORD not in json.dumps(asked(query))
    assert asked(query) == [{"name": "q", "sql": sql, "expect": sql}]


@pytest.mark.parametrize("character", ["x", "$", "\N{GRINNING FACE}", "\x01"])
def test_the_largest_queries_fit_into_an_environment(character: str) -> None:
    query = DrillQuery(sql=character * (SQL_LENGTH - 1) + "x", expect=character * VALUE_LENGTH)
    found = environment(*[query] * MOST_QUERIES)
    assert max(len(f"{name}={value}\0".encode()) for name, value in found.items()) < LARGEST
    assert asked(*[query] * MOST_QUERIES)[-1]["sql"] == query.sql


def test_each_query_is_asked_in_its_place() -> None:
    queries = [DrillQuery(sql=f"SELECT {number}") for number in range(MOST_QUERIES)]
    assert [each["sql"] for each in asked(*queries)] == [each.sql for each in queries]
