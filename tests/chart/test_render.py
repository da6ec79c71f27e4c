"""The chart as it is rendered: every switch, and what holds for all objects."""

from daap_operator import crd
from tests.support.helm import CHART, helm, only, render


def test_lint() -> None:
    helm("lint", "--strict", str(CHART))


def test_the_crd_is_the_generated_one() -> None:
    found = only(render(), "CustomResourceDefinition")
    assert found["spec"] == crd.definition()["spec"]
