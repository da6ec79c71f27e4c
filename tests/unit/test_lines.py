"""Whatever others have written, what is passed on is a line that shows all it holds."""

import unicodedata
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator import logs, names
from daap_operator.engine.announce import Announcement, event
from daap_operator.findings import Finding
from daap_operator.kinds import known
from daap_operator.kinds.database import trim, trim_pod
from daap_operator.kinds.database.adoption import objections
from daap_operator.kinds.database.causes import cause
from daap_operator.kinds.database.naming import ref
from daap_operator.kinds.database.observed import observe
from daap_operator.kinds.database.reasons import DatabaseReason
from daap_operator.kinds.database.row import row
from daap_operator.kinds.database.seen import Children
from daap_operator.kinds.database.subject import database, subject
from daap_operator.kube import ApiError
from daap_operator.lines import LONGEST, all_quoted, line, quoted, visible
from tests.unit import builders, strategies
from tests.unit.test_logs import record
from tests.wrong_objects import HIDDEN

texts = st.text(st.characters(), max_size=40) | st.lists(
    st.sampled_from([*HIDDEN.values(), "a", " ", "e", "\u0301", "\ud800"]), max_size=40
).map("".join)


def hides(text: str) -> bool:
    return any(unicodedata.category(each) in ("Cc", "Cf", "Cs", "Zl", "Zp") for each in text)


@given(texts)
def test_a_line_hides_nothing_and_is_the_same_when_it_is_made_again(text: str) -> None:
    for made in (visible(text), line(text), quoted(text)):
        assert not hides(made)
    assert visible(visible(text)) == visible(text)
    assert line(line(text)) == line(text)
    assert quoted(quoted(text)) == quoted(text)


@given(st.text(st.characters(categories=["L", "N", "P", "S"]), max_size=40))
def test_what_hides_nothing_stays_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert quoted(text) == text
    assert line(text) == unicodedata.normalize("NFC", text) or len(text) < len(
        unicodedata.normalize("NFC", text)
    )


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_a_text_that_hides_something_equals_none_that_does_not(hidden: str) -> None:
    """Or the team `check\u200bout` would be paged for what somebody else has made."""
    made = line(f"check{hidden}out")
    assert made != "checkout"
    assert not hides(made)


def test_line_breaks_become_one_space_and_what_looks_the_same_is_the_same() -> None:
    assert line("Orders\r\n\tof the shop\u2028now") == "Orders of the shop now"
    assert line("cafe\u0301") == "café"
    assert line("\x1b[31mred\u202e") == "\ufffd[31mred\ufffd"


@pytest.mark.parametrize("size", [LONGEST, LONGEST + 1, 2 * LONGEST + 1, 1_000_000])
@pytest.mark.parametrize("unit", ["x", "x y", "\n", "x\u200b"])
def test_so_much_is_quoted_and_no_more(size: int, unit: str) -> None:
    made = quoted((unit * size)[:size])
    assert len(made) <= LONGEST + 1
    assert quoted(made) == made
    assert unit != "x" or made.endswith("…") == (size > LONGEST)


def test_all_texts_of_a_status_are_quoted() -> None:
    given_status = {"a\n": ["b\x1b", {"c": "d\u202e"}], "e": 1, "f": True, "g": None}
    assert all_quoted(given_status) == {
        "a": ["b\ufffd", {"c": "d\ufffd"}],
        "e": 1,
        "f": True,
        "g": None,
    }


# --- everywhere ---------------------------------------------------------------------------------

FORGED = "FORGED \n" + "".join(HIDDEN.values()) + " <script>" + "x" * 5000


def children() -> Children:
    """What CloudNativePG and Kubernetes say, all of which a tenant may write in his namespace."""
    phase = {"phase": FORGED, "phaseReason": FORGED}
    waiting = {
        "name": "postgres",
        "state": {"waiting": {"reason": "CreateContainerError", "message": FORGED}},
    }
    failure = {"type": "ReplicaFailure", "status": "True", "message": FORGED, "reason": FORGED}
    return Children(
        cluster=trim.cluster(builders.cluster(phase)),
        pooler=trim.pooler(builders.pooler({"phaseReason": FORGED})),
        deployment=trim.deployment(builders.deployment({"conditions": [failure]})),
        pods=(trim_pod.pod(builders.pod({"containerStatuses": [waiting]})),),
        claims=(trim.claim(builders.claim("20Gi", "10Gi", ("Resizing", FORGED))),),
    )


def findings() -> Iterator[Finding]:
    seen = observe(children(), instances=1, poolers=1, image=builders.IMAGE)
    assert seen.awaited
    yield seen.awaited
    for of_pooler in (True, False):
        found = cause(children(), [], of_pooler=of_pooler)
        assert found
        yield found
    told = {"reason": "FailedScheduling", "note": FORGED}
    regarding = {"regarding": {"kind": "Pod", "name": "daap-orders-1"}}
    waiting = {"metadata": {"name": "daap-orders-1"}, "status": {"phase": "Pending"}}
    of_event = cause(Children(pods=(waiting,)), [told | regarding], of_pooler=None)
    assert of_event
    yield of_event
    refusal = ApiError(422, {"message": FORGED}, what="PATCH x")
    yield Finding(DatabaseReason.REJECTED, f"CloudNativePG refuses it: {refusal.message}")
    annotations = {names.RETAINED_TEAM: FORGED}
    locale = {"initdb": {"database": FORGED}}
    left = {"metadata": {"annotations": annotations}, "spec": {"bootstrap": locale}}
    told_left = objections(left, builders.resolved())
    yield Finding(DatabaseReason.OBJECT_CONFLICT, "; ".join(told_left))


def test_words_of_others_reach_a_finding_cut_and_to_be_seen() -> None:
    for found in findings():
        assert not hides(found.message)
        assert found.message.count("x" * (LONGEST + 1)) == 0
        assert len(found.message) < 6 * LONGEST
        assert "FORGED" in found.message


@given(texts)
def test_no_finding_event_or_log_line_hides_anything(text: str) -> None:
    """Whatever a text has come through on its way."""
    assert not hides(Finding(DatabaseReason.REJECTED, text).message)
    metadata = subject(builders.database()).metadata
    announced = Announcement(warning=True, reason="Because", note=text)
    note = event(known.DATABASE, metadata, announced, now=builders.NOW, number=1)["note"]
    assert not hides(note)
    for form in (logs.TextFormatter(), logs.JsonFormatter()):
        assert not hides(form.format(record(told=text, key=ref("shop", text))))


def old(**spec: Any) -> dict[str, Any]:
    """A database from before the rule, as the store has it."""
    return trim.database(builders.database(spec, {"clusterName": "daap-orders"}))


@pytest.mark.parametrize("hidden", HIDDEN.values(), ids=HIDDEN)
def test_a_database_from_before_the_rule_goes_on_and_its_row_hides_nothing(hidden: str) -> None:
    seen = old(ownerTeam=f"check{hidden}out", purpose=f"a{hidden}b")
    assert database(seen).spec.owner_team == seen["spec"]["ownerTeam"]
    found = subject(seen)
    made = row(found.metadata, found.spec, found.status)
    assert made
    assert not hides(made.owner_team + made.purpose)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=255))
def test_the_models_take_whatever_the_schema_has_once_let_pass(owner: str) -> None:
    """A visible character at both ends, no control character in between: no more was asked."""
    assert database(old(ownerTeam=f"a{owner}z"[:255], purpose=owner)).spec.owner_team


@given(strategies.json_values)
def test_a_spec_of_any_shape_is_kept(spec: Any) -> None:
    kept = trim.database({"metadata": {}, "spec": spec})["spec"]
    assert trim.database({"metadata": {}, "spec": kept})["spec"] == kept
