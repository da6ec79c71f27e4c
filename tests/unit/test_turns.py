"""All of whom something waits for take turns."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from daap_operator.engine.turns import Turns


def share(item: tuple[str, int]) -> str:
    return item[0]


def emptied(turns: Turns[tuple[str, int]]) -> list[tuple[str, int]]:
    made = []
    while (item := turns.take()) is not None:
        made.append(item)
    return made


items = st.lists(st.sampled_from("abcd"), max_size=40)


@given(items)
def test_nothing_is_lost_and_each_share_keeps_its_order(shares: list[str]) -> None:
    turns = Turns(share)
    put = [(each, number) for number, each in enumerate(shares)]
    assert all(turns.put(item) for item in put)
    assert len(turns) == len(put)
    taken = emptied(turns)
    assert sorted(taken) == sorted(put)
    for each in "abcd":
        numbers = [number for whose, number in taken if whose == each]
        assert numbers == sorted(numbers)
    assert len(turns) == 0


@given(items)
def test_nobody_gets_two_turns_while_another_waits(shares: list[str]) -> None:
    turns = Turns(share)
    for number, each in enumerate(shares):
        turns.put((each, number))
    taken = [whose for whose, _ in emptied(turns)]
    left = Counter(taken)
    for whose, following in pairwise(taken):
        left[whose] -= 1
        if whose == following:
            assert set(+left) == {whose}


def test_a_full_share_takes_no_more_and_the_others_do() -> None:
    turns = Turns(share, most=2)
    assert [turns.put((whose, 1)) for whose in "aaabb"] == [True, True, False, True, True]
    assert turns.take() == ("a", 1)
    assert turns.put(("a", 2))


def test_a_share_that_is_passed_over_keeps_its_turn() -> None:
    turns = Turns(share)
    for item in (("a", 1), ("b", 1), ("b", 2)):
        turns.put(item)
    assert turns.take(but=lambda whose: whose == "a") == ("b", 1)
    assert turns.take() == ("a", 1)
    assert turns.take(but=lambda whose: whose == "b") is None


def test_a_share_may_be_called_anything() -> None:
    turns: Turns[int] = Turns(lambda _: None)
    turns.put(1)
    assert turns.take() == 1
