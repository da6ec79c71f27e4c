"""`daap-operator try` against an API server that does not always answer."""

from typing import Any

import pytest

from daap_operator.cli import main
from daap_operator.errors import Outage
from daap_operator.kinds.database import trial
from daap_operator.kinds.database.trial import LABEL, TrialError, Wish, try_out
from daap_operator.kube import Kind, Unreachable
from tests.unit import virtual_time
from tests.unit.fakes import refused

Object = dict[str, Any]

WISH = Wish("shop", "trial", "platform")
READY = {"phase": "Ready", "conditions": [{"type": "Ready", "status": "True", "message": "well"}]}

OUTAGES: dict[str, Outage] = {
    "no answer": Unreachable("GET /: Connection refused"),
    "internal error": refused(500),
    "unavailable": refused(503),
    "too many requests": refused(429),
}


class Api:
    """One DaapDatabase, Ready as soon as it is there; requests fail as they are told to."""

    def __init__(self, there: Object | None = None) -> None:
        self.there = there
        self.asked: list[str] = []
        self.fails: dict[int, Outage] = {}
        """By the request's number."""
        self.gone_from: int | None = None
        """No request is answered from this one on."""
        self.with_effect = False
        """Whether a request that fails has taken effect."""
        self.meanwhile: Object | None = None
        """What somebody creates after the first look."""

    async def get(self, kind: Kind, namespace: str, name: str) -> Object | None:
        self._ask("get")
        found, self.there = self.there, self.there or self.meanwhile
        return found

    async def create_plain(self, kind: Kind, manifest: Object) -> Object:
        def create() -> None:
            if self.there is not None:
                raise refused(409, "already exists", "AlreadyExists")
            metadata = manifest["metadata"] | {"uid": "u-1"}
            self.there = manifest | {"metadata": metadata, "status": READY}

        self._ask("create", create)
        assert self.there
        return self.there

    async def delete(
        self, kind: Kind, namespace: str, name: str, *, uid: str, **_: Any
    ) -> Object | None:
        def delete() -> None:
            if self.there is not None:
                assert self.there["metadata"]["uid"] == uid
            self.there = None

        self._ask("delete", delete)
        return None

    def _ask(self, what: str, effect: Any = lambda: None) -> None:
        number = len(self.asked)
        self.asked.append(what)
        outage = self.fails.get(number)
        if self.gone_from is not None and number >= self.gone_from:
            outage = OUTAGES["no answer"]
        if outage is None or self.with_effect:
            effect()
        if outage is not None:
            raise outage


def tried(api: Api, seconds: float = 60.0) -> list[str]:
    said: list[str] = []
    virtual_time.run(try_out(api, WISH, seconds=seconds, say=said.append))
    return said


def requests_of_a_trial() -> list[str]:
    api = Api()
    tried(api)
    return api.asked


REQUESTS = requests_of_a_trial()


@pytest.mark.parametrize("with_effect", [False, True], ids=["without effect", "with effect"])
@pytest.mark.parametrize("outage", OUTAGES.values(), ids=OUTAGES)
@pytest.mark.parametrize("number", range(len(REQUESTS)), ids=lambda n: f"{n}-{REQUESTS[n]}")
def test_whatever_request_has_no_answer_once_the_trial_goes_on(
    number: int, outage: Outage, with_effect: bool
) -> None:
    api = Api()
    api.fails, api.with_effect = {number: outage}, with_effect
    said = tried(api)
    assert said[-1] == f"{WISH} is gone"
    assert f"The API server does not answer, trying again: {outage}" in said
    assert api.there is None


@pytest.mark.parametrize("number", range(len(REQUESTS)), ids=lambda n: f"{n}-{REQUESTS[n]}")
def test_an_api_server_that_stays_away_is_named_when_the_time_is_over(number: int) -> None:
    api = Api()
    api.gone_from = number
    with pytest.raises(TrialError, match=r"after 60 s\. The API server does not answer: ") as told:
        tried(api)
    left = api.there is not None
    by_hand = "could not be deleted: kubectl delete daapdatabases --namespace shop trial"
    assert (by_hand in str(told.value)) >= left


@pytest.mark.parametrize("number", range(len(REQUESTS)), ids=lambda n: f"{n}-{REQUESTS[n]}")
def test_a_refusal_ends_the_trial_at_once(number: int) -> None:
    api = Api()
    api.fails = {number: refused(403, "is forbidden: User x cannot")}
    with pytest.raises(TrialError, match=r"is forbidden: User x cannot"):
        tried(api)
    assert api.there is None


def test_a_database_of_somebody_that_came_meanwhile_is_left_alone() -> None:
    theirs: Object = {"metadata": {"uid": "u-9", "labels": {LABEL: "true"}}}
    api = Api()
    api.meanwhile = theirs
    with pytest.raises(TrialError, match="already exists"):
        tried(api)
    assert api.there is theirs


def test_the_command_says_that_the_api_server_does_not_answer(
    tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nobody listens at port 1."""
    path = tmp_path / "kubeconfig"
    path.write_text(
        "{current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],"
        " clusters: [{name: a, cluster: {server: 'http://127.0.0.1:1'}}],"
        " users: [{name: a, user: {token: any}}]}"
    )
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setattr(trial, "END_SECONDS", 0.1)
    words = ["try", "--namespace=shop", "--name=trial", "--owner-team=platform", "--timeout=0.2"]
    assert main(words) == 1
    out, err = capsys.readouterr()
    assert out.startswith("The API server does not answer, trying again: GET /apis/daap.io/")
    assert err.startswith("error: DaapDatabase shop/trial is not made after 0.2 s. The API server ")
    assert "Traceback" not in err
