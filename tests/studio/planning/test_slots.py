"""Slots and moves in every kind of zone, held against a clock on the wall that is read every minute."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoetrope.studio.planning.slots import Slot, at_local, local, moved, on_day, upcoming

MINUTE = timedelta(minutes=1)
# Ordinary zones; half hours and quarters; changes of half an hour, at midnight, of a whole day, and none.
ZONES = (
    "Europe/Lisbon",
    "America/New_York",
    "America/St_Johns",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
    "Pacific/Chatham",
    "America/Sao_Paulo",
    "Pacific/Apia",
    "UTC",
)
# Days around which clocks are changed somewhere, or February has a day more.
DAYS = (
    date(2026, 3, 29),
    date(2026, 10, 25),
    date(2026, 3, 8),
    date(2026, 11, 1),
    date(2026, 4, 5),
    date(2026, 10, 4),
    date(2026, 9, 27),
    date(2018, 2, 18),
    date(2018, 11, 4),
    date(2011, 12, 30),
    date(2028, 2, 29),
    date(2027, 2, 28),
)
NEAR = st.builds(lambda day, apart: day + timedelta(apart), st.sampled_from(DAYS), st.integers(-2, 2))
# Mostly in the night, when clocks are changed.
CLOCKS = st.builds(time, st.sampled_from([0, 1, 1, 2, 2, 3, 9, 23]), st.integers(0, 59))
SLOTS = st.lists(st.builds(Slot, st.integers(0, 6), CLOCKS), min_size=2, max_size=6)
LISBON = ZoneInfo("Europe/Lisbon")


def wall(start: datetime, zone: ZoneInfo, step: timedelta = MINUTE) -> Iterator[tuple[datetime, datetime]]:
    """Every minute from one on, with what the wall shows then."""
    while True:
        yield start, start.astimezone(zone).replace(tzinfo=None)
        start += step


def read_off(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The first minute at which the wall shows a time, or has left it out."""
    wanted = datetime.combine(day, clock)
    # No wall anywhere is further ahead.
    start = datetime.combine(day, time(), UTC) - timedelta(hours=15)
    return next(at for at, shown in wall(start, zone) if shown >= wanted)


def waited_for(slots: list[Slot], zone: ZoneInfo, after: datetime) -> Iterator[datetime]:
    """Each minute at which the wall comes to a slot that it has not come to before, or leaves it out."""
    wanted = {(slot.weekday, slot.clock.hour, slot.clock.minute) for slot in slots}
    # What an earlier reading of the same hour has shown counts as seen.
    latest = max(shown for _, shown in islice(wall(after - timedelta(hours=3), zone), 3 * 60 + 1))
    for at, shown in wall(after + MINUTE, zone):
        due = False
        while latest < shown:
            latest += MINUTE
            due = due or (latest.weekday(), latest.hour, latest.minute) in wanted
        if due:
            yield at


@settings(max_examples=150)
@given(NEAR, CLOCKS, st.sampled_from(ZONES))
def test_a_local_time_is_when_the_wall_first_shows_it(day: date, clock: time, zone: str) -> None:
    found = at_local(day, clock, ZoneInfo(zone))
    assert found.tzinfo is UTC
    assert found == read_off(day, clock, ZoneInfo(zone))


@settings(max_examples=25)
@given(SLOTS, NEAR, CLOCKS, st.sampled_from(ZONES), st.integers(0, 5))
def test_the_next_times_are_when_the_wall_comes_to_the_slots(
    slots: list[Slot], day: date, clock: time, zone: str, count: int
) -> None:
    after = datetime.combine(day, clock, UTC)
    expected = list(islice(waited_for(slots, ZoneInfo(zone), after), count))
    assert upcoming(slots, ZoneInfo(zone), after, count) == expected
    assert upcoming(slots, ZoneInfo(zone), after.astimezone(ZoneInfo("Asia/Tokyo")), count) == expected


@settings(max_examples=100)
@given(NEAR, CLOCKS, NEAR, st.sampled_from(ZONES))
def test_a_moved_post_keeps_the_time_that_the_wall_showed(day: date, clock: time, to_day: date, zone: str) -> None:
    at = datetime.combine(day, clock, UTC)
    shown = at.astimezone(ZoneInfo(zone)).time()
    assert moved(at, to_day, ZoneInfo(zone)) == read_off(to_day, shown, ZoneInfo(zone))


@pytest.mark.parametrize(
    ("zone", "day", "clock", "utc"),
    [
        pytest.param("Europe/Lisbon", date(2026, 3, 29), time(1, 30), "2026-03-29T01:00Z", id="does not exist"),
        pytest.param("Europe/Lisbon", date(2026, 10, 25), time(1, 30), "2026-10-25T00:30Z", id="comes twice"),
        pytest.param("America/New_York", date(2026, 3, 8), time(2, 30), "2026-03-08T07:00Z", id="west, spring"),
        pytest.param("Australia/Lord_Howe", date(2026, 10, 4), time(2, 10), "2026-10-03T15:30Z", id="half an hour"),
        pytest.param("America/Sao_Paulo", date(2018, 11, 4), time(0, 15), "2018-11-04T03:00Z", id="at midnight"),
        pytest.param("Pacific/Apia", date(2011, 12, 30), time(9, 0), "2011-12-30T10:00Z", id="no such day"),
        pytest.param("Asia/Kathmandu", date(2028, 2, 29), time(6, 0), "2028-02-29T00:15Z", id="quarter, leap day"),
    ],
)
def test_known_nights(zone: str, day: date, clock: time, utc: str) -> None:
    assert at_local(day, clock, ZoneInfo(zone)) == datetime.fromisoformat(utc)


def test_two_slots_that_the_spring_night_leaves_out_are_one() -> None:
    slots = [Slot(6, time(1, 15)), Slot(6, time(1, 45)), Slot(6, time(9))]
    assert [f"{at:%H:%M}" for at in on_day(slots, date(2026, 3, 29), LISBON)] == ["01:00", "08:00"]
    assert [f"{at:%H:%M}" for at in on_day(slots, date(2026, 3, 22), LISBON)] == ["01:15", "01:45", "09:00"]


def test_the_second_hour_of_an_autumn_night_has_no_slot_left() -> None:
    second = datetime(2026, 10, 25, 1, 10, tzinfo=UTC)
    assert local(second, LISBON).hour == 1
    assert upcoming([Slot(6, time(1, 30))], LISBON, second, 1) == [datetime(2026, 11, 1, 1, 30, tzinfo=UTC)]


def test_a_slot_that_has_just_come_is_upcoming_a_week_later() -> None:
    monday = datetime(2026, 1, 5, 9, tzinfo=UTC)
    assert upcoming([Slot(0, time(9))], LISBON, monday, 1) == [monday + timedelta(days=7)]


def test_a_day_that_was_left_out_and_the_next_are_one_moment() -> None:
    thursday = datetime(2011, 12, 29, 12, tzinfo=UTC)
    found = upcoming([Slot(4, time(9)), Slot(5, time(0)), Slot(5, time(8))], ZoneInfo("Pacific/Apia"), thursday, 2)
    assert [f"{at:%d %H:%M}" for at in found] == ["30 10:00", "30 18:00"]


def test_the_leap_day_is_a_day_like_others() -> None:
    every = [Slot(weekday, time(12)) for weekday in range(7)]
    found = upcoming(every, ZoneInfo("Asia/Kolkata"), datetime(2028, 2, 28, tzinfo=UTC), 3)
    assert [f"{at:%m-%d %H:%M}" for at in found] == ["02-28 06:30", "02-29 06:30", "03-01 06:30"]


def test_without_slots_nothing_is_upcoming() -> None:
    assert upcoming([], LISBON, datetime(2026, 1, 1, tzinfo=UTC), 3) == []
    assert upcoming([Slot(0, time(9))], LISBON, datetime(2026, 1, 1, tzinfo=UTC), -1) == []


def test_a_time_without_a_zone_is_no_moment() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        local(datetime(2026, 1, 1), LISBON)
