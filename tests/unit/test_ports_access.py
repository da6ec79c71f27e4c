"""Who may read the metrics: asked of the API server, remembered within bounds, never guessed."""

import asyncio
import secrets
from collections import Counter
from http import HTTPStatus
from typing import Any

import pytest

from daap_operator.errors import Outage
from daap_operator.kube import ACCESS_REVIEW, TOKEN_REVIEW, Kind
from daap_operator.ports import Access, access, reviewed
from daap_operator.ports.budget import MOST_PEERS

OK, WRONG, FORBIDDEN = HTTPStatus.OK, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN
BUSY, AWAY = HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE
PEER = "10.0.0.1"


class Judge:
    """Stands in for the API server, and for the clock."""

    def __init__(self, **verdicts: HTTPStatus) -> None:
        self.verdicts = verdicts
        self.asked: Counter[str] = Counter()
        self.away = False
        self.answers = asyncio.Event()
        self.answers.set()
        self.now = 1000.0

    async def review(self, token: str) -> HTTPStatus:
        self.asked[token] += 1
        await self.answers.wait()
        if self.away:
            raise Outage(f"POST /apis/…: no answer about {len(token)} characters")
        return self.verdicts.get(token, WRONG)

    def access(self, **options: Any) -> Access:
        return Access(self.review, lambda: self.now, **options)


# --- verdicts -------------------------------------------------------------------------------------


async def test_without_a_token_nobody_is_asked() -> None:
    judge = Judge()
    assert await judge.access().judge("", PEER) == WRONG
    assert not judge.asked


@pytest.mark.parametrize("verdict", [OK, WRONG, FORBIDDEN])
async def test_it_is_as_the_api_server_says(verdict: HTTPStatus) -> None:
    assert await Judge(token=verdict).access().judge("token", PEER) == verdict


async def test_an_api_server_that_cannot_be_asked_refuses_everybody(
    caplog: pytest.LogCaptureFixture,
) -> None:
    judge = Judge(token=OK)
    judge.away = True
    doors = judge.access()
    for _ in range(5):
        assert await doors.judge("token", PEER) == AWAY
    (record,) = caplog.records
    assert record.message == "Metrics refused: the API server cannot be asked who may"
    assert "token" not in str(vars(record))
    judge.away = False
    assert await doors.judge("token", PEER) == OK  # what was no answer is not remembered


async def test_an_api_server_that_does_not_answer_refuses_in_time() -> None:
    judge = Judge(token=OK)
    judge.answers.clear()
    assert await judge.access(seconds=0.01).judge("token", PEER) == AWAY


# --- memory ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("verdict", "seconds"),
    [
        (OK, access.ALLOWED_SECONDS),
        (WRONG, access.REFUSED_SECONDS),
        (FORBIDDEN, access.REFUSED_SECONDS),
    ],
)
async def test_an_answer_is_remembered_for_a_while(verdict: HTTPStatus, seconds: float) -> None:
    judge = Judge(token=verdict)
    doors = judge.access()
    for _ in range(3):
        assert await doors.judge("token", PEER) == verdict
    judge.now += seconds - 0.01
    assert await doors.judge("token", PEER) == verdict
    assert judge.asked["token"] == 1
    judge.now += 0.01
    judge.verdicts["token"] = other = FORBIDDEN if verdict == OK else OK
    assert await doors.judge("token", PEER) == other
    assert judge.asked["token"] == 2


async def test_those_who_ask_at_the_same_time_with_one_token_cost_one_question() -> None:
    judge = Judge(token=OK)
    judge.answers.clear()
    doors = judge.access()
    asking = [asyncio.create_task(doors.judge("token", PEER)) for _ in range(10)]
    await asyncio.sleep(0)
    asking[0].cancel()  # who goes takes the answer from nobody
    judge.answers.set()
    assert await asyncio.gather(*asking[1:]) == [OK] * 9
    assert judge.asked["token"] == 1


async def test_wrong_tokens_do_not_push_out_the_right_one() -> None:
    judge = Judge(token=OK)
    doors = judge.access()
    assert await doors.judge("token", PEER) == OK
    for number in range(2 * access.MOST_REFUSED):
        judge.now += 0.01
        await doors.judge(f"wrong {number}", f"10.1.0.{number}")
    assert await doors.judge("token", PEER) == OK
    assert judge.asked["token"] == 1


async def test_wrong_tokens_do_not_pile_up() -> None:
    judge = Judge()
    doors = judge.access()
    for number in range(access.MOST_REFUSED + 100):
        judge.now += 1 / access.STRANGERS.per_second
        assert await doors.judge(f"wrong {number}", f"10.1.0.{number}") == WRONG
    assert len(doors._refused) == access.MOST_REFUSED
    assert len(doors._each) == MOST_PEERS
    assert not doors._asking


async def test_allowed_tokens_do_not_pile_up_either() -> None:
    judge = Judge(**{f"token{number}": OK for number in range(2 * access.MOST_ALLOWED)})
    doors = judge.access()
    for token in judge.verdicts:
        judge.now += 1
        assert await doors.judge(token, f"10.1.0.{token}") == OK
    assert len(doors._allowed) == access.MOST_ALLOWED
    assert len(doors._known) == access.MOST_ALLOWED


async def test_no_token_is_kept() -> None:
    judge = Judge(token=OK)
    doors = judge.access()
    await doors.judge("token", PEER)
    await doors.judge("wrong", PEER)
    kept = repr((doors._allowed, doors._refused, doors._asking))
    assert "token" not in kept
    assert "wrong" not in kept


# --- how often ------------------------------------------------------------------------------------


async def test_invented_tokens_are_asked_about_a_few_times_a_second_only() -> None:
    judge = Judge(token=OK)
    doors = judge.access()
    assert await doors.judge("token", PEER) == OK
    for address in ("10.0.0.2", PEER):
        await flooded(doors, address)  # what its address may have at once
    answers = await flooded(doors, "10.0.0.2")
    assert answers == {BUSY: 500}
    judge.now += 20
    answers = await flooded(doors, "10.0.0.2")
    assert answers[WRONG] == 20 * access.EACH.per_second


async def flooded(doors: Access, *peers: str) -> Counter[HTTPStatus]:
    """What is answered to 500 invented tokens, from each address in turn."""
    asked = [(secrets.token_hex(), peer) for _ in range(500 // len(peers) or 1) for peer in peers]
    return Counter([await doors.judge(token, peer) for token, peer in asked])


async def test_all_addresses_together_ask_a_few_times_a_second_only() -> None:
    judge = Judge()
    doors = judge.access()
    crowd = [f"10.2.0.{number}" for number in range(200)]
    assert (await flooded(doors, *crowd))[WRONG] == access.STRANGERS.burst
    judge.now += 3
    assert (await flooded(doors, *crowd))[WRONG] == min(
        3 * access.STRANGERS.per_second, access.STRANGERS.burst
    )


@pytest.mark.parametrize("address", [PEER, "10.0.0.3"], ids=["as before", "another"])
async def test_a_reader_with_a_new_token_is_not_kept_out_by_invented_ones(address: str) -> None:
    """From the address of a reader, where tokens are renewed, or from one that was never seen."""
    judge = Judge(token=OK, renewed=OK)
    doors = judge.access()
    assert await doors.judge("token", PEER) == OK
    for _ in range(60):
        judge.now += 1
        await flooded(doors, "10.0.0.2")
    assert await doors.judge("renewed", address) == OK


async def test_readers_have_a_share_that_no_number_of_addresses_takes() -> None:
    judge = Judge(token=OK, renewed=OK)
    doors = judge.access()
    assert await doors.judge("token", PEER) == OK
    judge.now += 2 * access.ALLOWED_SECONDS
    await flooded(doors, *(f"10.2.0.{number}" for number in range(200)))
    assert await doors.judge("renewed", "10.3.0.1") == BUSY
    assert await doors.judge("renewed", PEER) == OK


async def test_a_token_that_stays_wrong_does_not_use_up_its_addresss_share() -> None:
    judge = Judge(renewed=OK)
    doors = judge.access()
    for _ in range(1000):
        judge.now += 1
        assert await doors.judge("expired", PEER) == WRONG
    assert await doors.judge("renewed", PEER) == OK


async def test_who_was_allowed_does_not_wait_for_strangers() -> None:
    judge = Judge(token=OK)
    doors = judge.access()
    assert await doors.judge("token", PEER) == OK
    judge.now += 2 * access.ALLOWED_SECONDS
    for number in range(500):
        await doors.judge(f"wrong {number}", PEER)
    assert await doors.judge("token", PEER) == OK
    assert judge.asked["token"] == 2


# --- the reviews ----------------------------------------------------------------------------------


class Kube:
    """Gives these answers, and keeps what was sent."""

    def __init__(self, *answers: dict[str, Any]) -> None:
        self._answers = list(answers)
        self.sent: list[tuple[Kind, dict[str, Any]]] = []

    async def get(self, kind: Kind, namespace: str, name: str) -> None:
        raise AssertionError

    async def create_plain(self, kind: Kind, manifest: dict[str, Any]) -> dict[str, Any]:
        self.sent.append((kind, manifest["spec"]))
        return {"kind": kind.name, "status": self._answers.pop(0)}


USER = {"username": "prometheus", "uid": "1", "groups": ["scrapers"], "extra": {"pod": ["p"]}}


async def test_a_token_is_reviewed_and_then_its_users_right() -> None:
    kube = Kube({"authenticated": True, "user": USER}, {"allowed": True})
    assert await reviewed(kube, "token") == OK
    assert kube.sent == [
        (TOKEN_REVIEW, {"token": "token"}),
        (
            ACCESS_REVIEW,
            {
                "user": "prometheus",
                "uid": "1",
                "groups": ["scrapers"],
                "extra": {"pod": ["p"]},
                "nonResourceAttributes": {"path": "/metrics", "verb": "get"},
            },
        ),
    ]


@pytest.mark.parametrize(
    ("answers", "verdict"),
    [
        ([{"authenticated": False, "error": "expired"}], WRONG),
        ([{}], WRONG),
        ([{"authenticated": "true", "user": USER}], WRONG),
        ([{"authenticated": True, "user": USER}, {"allowed": False}], FORBIDDEN),
        ([{"authenticated": True, "user": USER}, {"denied": True}], FORBIDDEN),
        ([{"authenticated": True}, {}], FORBIDDEN),
    ],
)
async def test_whatever_is_not_said_is_not_allowed(
    answers: list[dict[str, Any]], verdict: HTTPStatus
) -> None:
    assert await reviewed(Kube(*answers), "token") == verdict
