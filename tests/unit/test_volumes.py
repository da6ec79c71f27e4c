"""How large volumes are, and what size a Cluster may be told."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import quantity
from daap_operator.errors import Stalled, Waiting
from daap_operator.kinds.database import trim
from daap_operator.kinds.database.volumes import (
    Claim,
    Expansion,
    Sizing,
    classes_to_ask,
    data_claims,
    real_size,
    sizing,
)
from tests.unit import builders, strategies

Object = dict[str, Any]

ALLOWED = {"standard": Expansion.ALLOWED}
REFUSED = {"standard": Expansion.REFUSED}


def claims(*found: Object) -> tuple[Claim, ...]:
    return data_claims(builders.cluster(), [trim.claim(each) for each in found])


ONE_GI = claims(builders.claim("1Gi", "1Gi"))


def told(made: Sizing) -> tuple[str, str]:
    """Kind and reason of what the user is told."""
    found = made.problem
    return ("", "") if found is None else (type(found).__name__, found.finding.reason)


def test_the_size_is_that_of_the_smallest_volume_and_of_the_data_alone() -> None:
    wal = builders.claim(capacity="1Gi", number=3)
    wal["metadata"]["labels"]["cnpg.io/pvcRole"] = "PG_WAL"
    going = builders.claim(capacity="2Gi", number=4, deletionTimestamp="2026-03-01T12:00:00Z")
    foreign = builders.claim(capacity="3Gi", number=5, ownerReferences=[{"uid": "other"}])
    orphan = builders.claim(capacity="3Gi", number=6, ownerReferences=[])
    unbound = builders.claim(capacity="", number=7)
    large, small = builders.claim("20Gi", "20Gi"), builders.claim("20Gi", "10240Mi", number=2)
    assert real_size(claims(large, small, wal, going, foreign, orphan, unbound)) == "10240Mi"
    assert real_size(claims(unbound)) is None
    assert real_size(claims(builders.claim(capacity="much"))) is None


SIZES: dict[str, tuple[Sizing, tuple[str, bool, tuple[str, str]]]] = {
    "a new Cluster": (sizing("10Gi", "", (), {}), ("10Gi", True, ("", ""))),
    "a Cluster without a claim yet": (sizing("10Gi", "10Gi", (), {}), ("10Gi", True, ("", ""))),
    "all is well": (sizing("1Gi", "1Gi", ONE_GI, {}), ("1Gi", True, ("", ""))),
    "another unit": (sizing("1024Mi", "1Gi", ONE_GI, {}), ("1024Mi", True, ("", ""))),
    "volumes are to grow, and can": (
        sizing("20Gi", "1Gi", ONE_GI, ALLOWED),
        ("20Gi", True, ("Waiting", "VolumeResizing")),
    ),
    "volumes are to grow, and cannot": (
        sizing("20Gi", "1Gi", ONE_GI, REFUSED),
        ("1Gi", True, ("Stalled", "VolumesCannotGrow")),
    ),
    "their class is gone": (
        sizing("20Gi", "1Gi", ONE_GI, {"standard": Expansion.ABSENT}),
        ("1Gi", True, ("Stalled", "VolumesCannotGrow")),
    ),
    "their class may not be read": (
        sizing("20Gi", "1Gi", ONE_GI, {"standard": Expansion.UNKNOWN}),
        ("1Gi", True, ("Stalled", "Forbidden")),
    ),
    "CloudNativePG was told what cannot be had": (
        sizing("20Gi", "20Gi", ONE_GI, REFUSED),
        ("20Gi", False, ("Stalled", "VolumesCannotGrow")),
    ),
    "and that is taken back": (
        sizing("1Gi", "20Gi", ONE_GI, {}),
        ("20Gi", False, ("", "")),
    ),
    "and taken back to something between": (
        sizing("5Gi", "20Gi", ONE_GI, REFUSED),
        ("20Gi", False, ("Stalled", "VolumesCannotGrow")),
    ),
    "and then their class allows it": (
        sizing("20Gi", "20Gi", ONE_GI, ALLOWED),
        ("20Gi", True, ("Waiting", "VolumeResizing")),
    ),
    "the claim was told, and fails": (
        sizing(
            "20Gi",
            "20Gi",
            claims(builders.claim("20Gi", "1Gi", state="ControllerResizeInfeasible")),
            ALLOWED,
        ),
        ("20Gi", True, ("Stalled", "VolumeResizeFailed")),
    ),
    "the claim was told, fails, and it is taken back": (
        sizing("1Gi", "20Gi", claims(builders.claim("20Gi", "1Gi")), {}),
        ("20Gi", True, ("", "")),
    ),
    "the claim was told before its class refused": (
        sizing("20Gi", "20Gi", claims(builders.claim("20Gi", "1Gi")), REFUSED),
        ("20Gi", True, ("Waiting", "VolumeResizing")),
    ),
    "one of two has grown": (
        sizing(
            "20Gi",
            "20Gi",
            claims(builders.claim("20Gi", "20Gi"), builders.claim("20Gi", "1Gi", number=2)),
            ALLOWED,
        ),
        ("20Gi", True, ("Waiting", "VolumeResizing")),
    ),
    "a claim that is not bound takes nothing": (
        sizing(
            "20Gi",
            "1Gi",
            claims(builders.claim("1Gi", "1Gi"), builders.claim("1Gi", "", number=2)),
            ALLOWED,
        ),
        ("1Gi", True, ("Waiting", "VolumeResizing")),
    ),
    "no claim is bound yet": (
        sizing("20Gi", "1Gi", claims(builders.claim("1Gi", "")), {}),
        ("1Gi", True, ("", "")),
    ),
    "no claim is bound yet, and the Cluster was made larger by hand": (
        sizing("1Gi", "1Gi", claims(builders.claim("512Mi", "")), {}),
        ("1Gi", False, ("", "")),
    ),
    "no claim is bound yet, and less is asked for": (
        sizing("1Gi", "20Gi", claims(builders.claim("20Gi", "")), {}),
        ("20Gi", True, ("Stalled", "VolumeSizeFixed")),
    ),
    "volumes have more than was asked for": (
        sizing("1Gi", "1Gi", claims(builders.claim("1Gi", "8Gi")), {}),
        ("1Gi", True, ("", "")),
    ),
    "what is asked for is there already": (
        sizing("4Gi", "1Gi", claims(builders.claim("1Gi", "8Gi")), {}),
        ("1Gi", True, ("", "")),
    ),
    "volumes were made larger by hand": (
        sizing("8Gi", "1Gi", claims(builders.claim("8Gi", "8Gi")), {}),
        ("8Gi", True, ("", "")),
    ),
}


@pytest.mark.parametrize(("made", "expected"), SIZES.values(), ids=SIZES)
def test_a_cluster_is_told_only_what_its_volumes_can_take(
    made: Sizing, expected: tuple[str, bool, tuple[str, str]]
) -> None:
    assert (made.size, made.resize, told(made)) == expected


MESSAGES: dict[str, tuple[Sizing, tuple[str, ...]]] = {
    "the class refuses": (
        sizing("100Gi", "1Gi", ONE_GI, REFUSED),
        (
            "spec.storage.size '100Gi' is not handed to CloudNativePG: the volumes have 1Gi",
            "StorageClass standard does not let them grow",
            "Set it back to '1Gi'",
            "allowVolumeExpansion",
        ),
    ),
    "the class is gone": (
        sizing("100Gi", "1Gi", ONE_GI, {"standard": Expansion.ABSENT}),
        ("StorageClass standard is gone",),
    ),
    "no class": (
        sizing("2Gi", "1Gi", claims(builders.claim("1Gi", "1Gi", storage_class="")), {}),
        ("the operator may not read StorageClass",),
    ),
    "a claim without a class": (
        sizing(
            "2Gi",
            "1Gi",
            claims(builders.claim("1Gi", "1Gi", storage_class="")),
            {"": Expansion.ABSENT},
        ),
        ("they have no StorageClass, so they cannot grow",),
    ),
    "it grows": (
        sizing(
            "2Gi",
            "1Gi",
            claims(builders.claim("2Gi", "1Gi", ("FileSystemResizePending", "waits for a pod"))),
            ALLOWED,
        ),
        (
            "The volumes grow from 1Gi to 2Gi",
            "PersistentVolumeClaim daap-orders-1 says FileSystemResizePending: waits for a pod",
        ),
    ),
    "it grows to what was asked for before": (
        sizing("2Gi", "9Gi", claims(builders.claim("9Gi", "1Gi")), ALLOWED),
        ("The volumes grow from 1Gi to 9Gi, which was asked for before",),
    ),
    "it fails": (
        sizing(
            "2Gi",
            "1Gi",
            claims(
                builders.claim(
                    "2Gi",
                    "1Gi",
                    ("ControllerResizeError", "no space left"),
                    state="ControllerResizeInfeasible",
                )
            ),
            ALLOWED,
        ),
        (
            "spec.storage.size '2Gi' is not reached: the volumes have 1Gi",
            "says ControllerResizeInfeasible, ControllerResizeError: no space left",
            "Set it back to '1Gi'",
        ),
    ),
    "not bound": (
        sizing("1Gi", "20Gi", claims(builders.claim("20Gi", "")), {}),
        ("'1Gi' is less than the '20Gi'", "set '20Gi' again", "delete this DaapDatabase"),
    ),
}


@pytest.mark.parametrize(("made", "texts"), MESSAGES.values(), ids=MESSAGES)
def test_what_is_told_names_value_and_remedy(made: Sizing, texts: tuple[str, ...]) -> None:
    assert made.problem
    for text in texts:
        assert text in made.problem.finding.message


def test_a_condition_that_is_over_says_nothing() -> None:
    over = builders.claim("2Gi", "1Gi", ("ControllerResizeError", "was so"))
    over["status"]["conditions"][0]["status"] = "False"
    (found,) = claims(over)
    assert (found.told, found.failed) == ("", False)


def test_classes_are_asked_of_volumes_that_should_grow_alone() -> None:
    other = builders.claim("1Gi", "1Gi", number=2, storage_class="other")
    both = claims(builders.claim("9Gi", "9Gi"), other)
    assert classes_to_ask("1Gi", both) == set()
    assert classes_to_ask("2Gi", both) == {"other"}
    assert classes_to_ask("10Gi", both) == {"standard", "other"}
    assert classes_to_ask("10Gi", claims(builders.claim("1Gi", ""))) == set()


sizes = st.integers(1, 9).map("{}Gi".format)
some_claims = st.lists(
    st.builds(
        Claim,
        name=st.just("daap-orders-1"),
        requested=sizes,
        capacity=st.one_of(st.just(""), sizes),
        storage_class=st.sampled_from(["standard", "other"]),
        told=st.just(""),
        failed=st.booleans(),
    ),
    max_size=3,
).map(tuple)
some_classes = st.fixed_dictionaries(
    {name: st.sampled_from(Expansion) for name in ("standard", "other")}
)


@given(asked=sizes, had=sizes, found=some_claims, classes=some_classes)
def test_whatever_there_is_a_cluster_is_never_trapped(
    asked: str, had: str, found: tuple[Claim, ...], classes: dict[str, Expansion]
) -> None:
    """CloudNativePG takes no smaller size, and hands a larger one on to each claim."""
    made = sizing(asked, had, found, classes)
    size = quantity.parse(made.size)
    assert size >= quantity.parse(had)
    for claim in found:
        if made.resize and quantity.parse(claim.requested) < size:
            assert claim.capacity
            assert classes[claim.storage_class] is Expansion.ALLOWED
    real = real_size(found)
    if real is not None and quantity.parse(real) < quantity.parse(asked):
        assert isinstance(made.problem, Stalled | Waiting)


@given(strategies.json_values)
def test_any_claim_can_be_kept_and_read(found: Any) -> None:
    odd = {"metadata": builders.claim()["metadata"], "spec": found, "status": found}
    assert len(data_claims(builders.cluster(), [trim.claim(odd)])) == 1
