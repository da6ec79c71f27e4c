"""Recovery windows in little room: what comes out is what went in, as far as there is room."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daap_operator.engine.bounds import KEPT_BYTES, weight
from daap_operator.kinds.database.trim_backup import object_store
from daap_operator.kinds.windows import (
    MOST_BYTES,
    NOTHING,
    Window,
    changed,
    packed,
    utc,
    window_of,
)
from tests.unit import backups, strategies

Object = dict[str, Any]

ARCHIVES = st.text("abcdefghijklmnopqrstuvwxyz0123456789-", min_size=1, max_size=63)
MOMENTS = st.none() | strategies.moments(
    datetime(1971, 1, 2, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)
).map(utc)
WINDOWS = st.builds(Window, MOMENTS, MOMENTS, MOMENTS)


def told(window: Window) -> Object:
    """The window as an ObjectStore has it."""
    first, last, failed = ("" if each is None else each.isoformat() for each in window)
    return backups.window(last, first, failed)


def packed_of(windows: dict[str, Window]) -> str:
    return packed({archive: told(window) for archive, window in windows.items()})


@given(st.dictionaries(ARCHIVES, WINDOWS, max_size=8))
def test_each_window_is_found_again_and_no_other(windows: dict[str, Window]) -> None:
    text = packed_of(windows)
    for archive, window in windows.items():
        assert window_of(text, archive) == window
        if f"{archive}x" not in windows:
            assert window_of(text, f"{archive}x") == NOTHING
    assert window_of(text, "") == NOTHING


@given(st.dictionaries(ARCHIVES, WINDOWS, max_size=4), st.dictionaries(ARCHIVES, WINDOWS))
def test_what_differs_is_what_has_changed(
    before: dict[str, Window], now: dict[str, Window]
) -> None:
    differ = {a for a in {*before, *now} if before.get(a, NOTHING) != now.get(a, NOTHING)}
    assert changed(packed_of(before), packed_of(now)) == differ


@given(st.dictionaries(strategies.plain_texts, strategies.json_values))
def test_nothing_is_too_odd_to_be_packed(windows: Object) -> None:
    assert packed(windows) == ""


def test_of_too_many_windows_the_newest_are_kept() -> None:
    start = datetime(2026, 1, 1, tzinfo=UTC)
    windows = {
        f"{number:04}-{'x' * 58}": Window(start, start + timedelta(hours=number))
        for number in range(1500)
    }
    text = packed_of(windows)
    kept = [archive for archive in windows if window_of(text, archive) != NOTHING]
    assert kept == list(windows)[-len(kept) :]
    assert 480 < len(kept) < 1500
    assert len(text) <= MOST_BYTES
    stored = object_store(
        backups.object_store({archive: told(window) for archive, window in windows.items()})
    )
    assert weight(stored, KEPT_BYTES) <= KEPT_BYTES


@pytest.mark.parametrize("archive", ["x" * 254, "größe", "two words"])
def test_what_is_no_archive_of_ours_takes_no_room(archive: str) -> None:
    text = packed({archive: backups.window()})
    assert "x" * 254 not in text
    assert text.isascii()
    assert window_of(text, archive) == NOTHING


@pytest.mark.parametrize("odd", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59-14:00", "yesterday"])
def test_a_moment_that_cannot_be_meant_is_none(odd: str) -> None:
    assert packed({"a": {"lastSuccessfulBackupTime": odd}}) == ""


def test_a_moment_of_another_zone_is_told_in_utc_to_the_second() -> None:
    there = datetime(2026, 3, 1, 12, 0, 0, 999, tzinfo=timezone(timedelta(hours=9)))
    assert utc(there) == datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
    text = packed({"a": {"lastFailedBackupTime": there.isoformat()}})
    assert window_of(text, "a").last_failed == datetime(2026, 3, 1, 3, 0, tzinfo=UTC)
