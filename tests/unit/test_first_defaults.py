"""A database made before the defaults had revisions: its children stay as they are."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from daap_operator.kinds.database.desired import locales
from daap_operator.kinds.database.desired.cluster import cluster
from daap_operator.kinds.database.desired.mark import unmarked
from daap_operator.kinds.database.desired.pooler import pooler
from tests.unit import builders

Object = dict[str, Any]

BEFORE: dict[str, Object] = yaml.safe_load(
    (Path(__file__).parent / "first_defaults.yaml").read_text()
)
STATUS = {"clusterName": "daap-orders", "databaseName": "orders", "postgresVersion": 16}


def restarted(of_cluster: Object, of_pooler: Object) -> list[Object]:
    """All of the Cluster, and of the Pooler what its pods are made from.

    Marks go to objects that no pod is made from, and PgBouncer reads its parameters again.
    """
    spec = of_pooler["spec"]
    return [unmarked(of_cluster), of_pooler["metadata"], spec["template"], spec["instances"]]


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_its_children_are_those_of_before(before: Object) -> None:
    made = builders.resolved(before["spec"], STATUS)
    assert restarted(cluster(made), pooler(made)) == restarted(*before["children"])


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_telling_its_locale_changes_nothing(before: Object) -> None:
    made = builders.resolved(before["spec"], STATUS | {"locale": "libc/C"})
    assert made.locale == locales.PLAIN
    assert restarted(cluster(made), pooler(made)) == restarted(*before["children"])


@pytest.mark.parametrize("before", BEFORE.values(), ids=BEFORE)
def test_newer_defaults_leave_its_locale_alone(before: Object) -> None:
    made = builders.resolved(before["spec"], STATUS | {"defaultsRevision": 2})
    assert cluster(made)["spec"]["bootstrap"] == before["children"][0]["spec"]["bootstrap"]
