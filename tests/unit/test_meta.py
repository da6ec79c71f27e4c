"""What the objects of all kinds have in common."""

from typing import Any

import pytest

from daap_operator.api.meta import Metadata

Object = dict[str, Any]

GIVEN: Object = {
    "name": "gold",
    "uid": "5e1ec7ab-1e00-4000-8000-000000000001",
    "resourceVersion": "7",
    "creationTimestamp": "2026-03-01T11:00:00Z",
}


def test_an_object_of_a_cluster_scoped_kind_has_no_namespace() -> None:
    assert Metadata.model_validate(GIVEN).namespace == ""


@pytest.mark.parametrize(
    ("annotations", "read"),
    [
        ({"example.org/a": "x", "daap.io/b": "y"}, {"daap.io/b": "y"}),
        ({"daap.io/a": "", "daap.io/b": 1, "daap.io/c": ["x"], "daap.io/d": None}, {}),
        ({1: "x"}, {}),
        (["x"], {}),
        (None, {}),
    ],
    ids=str,
)
def test_annotations_are_read_leniently(annotations: object, read: Object) -> None:
    assert Metadata.model_validate(GIVEN | {"annotations": annotations}).annotations == read
