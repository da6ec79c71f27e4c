"""Shares by address, and which connection makes room."""

import pytest

from daap_operator.ports.budget import Bucket, Rate, Requests, Shares, peer_of
from daap_operator.ports.places import Place, victim


def test_a_share_is_so_many_at_once_and_then_so_often() -> None:
    bucket = Bucket(Rate(3, 0.5), 100.0)

    def taken(now: float) -> int:
        count = 0
        while bucket.has(now):
            bucket.take()
            count += 1
        return count

    assert [taken(now) for now in (100.0, 101.0, 102.0, 106.0, 1000.0)] == [3, 0, 1, 2, 3]


def test_of_many_addresses_the_latest_are_remembered() -> None:
    shares = Shares(Rate(1, 0.0), lambda: 0.0, most=3)
    for peer in "abcad":
        shares.of(peer).take()
    assert len(shares) == 3
    assert not shares.of("a").has(0.0)
    assert shares.of("b").has(0.0)


def test_beyond_its_own_an_address_has_what_is_common() -> None:
    now = 0.0
    requests = Requests(Rate(2, 1.0), Rate(3, 1.0), lambda: now)

    def answered(peer: str) -> int:
        count = 0
        while share := requests.of(peer):
            share.take()
            count += 1
        return count

    assert [answered("greedy"), answered("greedy"), answered("kubelet")] == [5, 0, 2]
    now = 10.0
    assert [answered("greedy"), answered("kubelet")] == [5, 2]


@pytest.mark.parametrize(
    ("host", "peer"),
    [
        ("10.1.2.3", "10.1.2.3"),
        ("::ffff:10.1.2.3", "10.1.2.3"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("fe80::1%eth0", "fe80::"),
        ("::1", "::"),
        ("", ""),
    ],
)
def test_who_is_at_an_address(host: str, peer: str) -> None:
    assert peer_of(host) == peer


def pick(places: list[Place], newcomer: str) -> Place | None:
    return victim(places, newcomer, share=2, patience=2.0, now=10.0)


def test_who_says_nothing_makes_room_first() -> None:
    places = [Place("a", 9.0), Place("b"), Place("c"), Place("d", 1.0)]
    assert pick(places, "e") is places[1]


def test_an_address_with_more_than_its_share_gives_even_what_is_being_answered() -> None:
    places = [Place("kubelet"), Place("a", 9.9), Place("a", 9.8), Place("a", 9.7)]
    assert pick(places, "b") is places[1]
    assert pick([*places, Place("a")], "b") is not places[0]


def test_a_newcomer_of_the_greedy_address_takes_its_own_places_alone() -> None:
    places = [Place("kubelet"), Place("a", 7.0), Place("a", 9.0), Place("a", 9.5)]
    assert pick(places, "a") is places[1]
    places[1].spoke = 9.0
    assert pick(places, "a") is None


def test_when_all_are_answered_and_nobody_is_greedy_the_oldest_goes_after_a_while() -> None:
    places = [Place("a", 9.0), Place("b", 7.0), Place("c", 9.0)]
    assert pick(places, "d") is places[1]
    places[1].spoke = 8.5
    assert pick(places, "d") is None
