"""The table of CloudNativePG's phases; tests/integration holds it against their source."""

import re

import pytest

from daap_operator.kinds.database.phases import HEALTHY, PHASES, Meaning, cluster_phase


@pytest.mark.parametrize("text", PHASES)
def test_a_phase_has_a_reason_and_words_for_people(text: str) -> None:
    known = cluster_phase(text)
    assert known is PHASES[text]
    assert re.fullmatch(r"[A-Z][A-Za-z]+", known.reason)
    assert known.text
    assert not known.text.endswith(".")


def test_only_the_healthy_phase_is_settled() -> None:
    settled = [text for text, known in PHASES.items() if known.meaning is Meaning.SETTLED]
    assert settled == [HEALTHY]


def test_a_phase_that_waits_for_somebody_says_who_must_act_and_how() -> None:
    for known in PHASES.values():
        if known.meaning is Meaning.ACTION:
            assert re.search(r"must|change the fields|raise", known.text), known.reason


@pytest.mark.parametrize("text", ["Ready", HEALTHY.lower(), f"{HEALTHY} ", "Failed"])
def test_a_phase_never_heard_of_is_unknown(text: str) -> None:
    assert cluster_phase(text).meaning is Meaning.UNKNOWN
    assert Meaning.UNKNOWN not in {known.meaning for known in PHASES.values()}


def test_reasons_tell_phases_apart() -> None:
    reasons = [known.reason for known in PHASES.values()]
    assert {reason for reason in reasons if reasons.count(reason) > 1} == {"PrimaryRestarting"}
