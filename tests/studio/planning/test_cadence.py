"""Rules about time, held against a clock and a calendar on the wall that are read every minute and every day."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import groupby, islice
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.studio.planning.test_slots import CLOCKS, LISBON, NEAR, ZONES, wall
from zoetrope.errors import UserError
from zoetrope.studio.planning.cadence import Cadence, Rule, broken, free_times, is_best, resting, used_up, wanting
from zoetrope.studio.planning.slots import Slot

HOURS = st.lists(
    st.tuples(st.integers(0, 23), st.integers(1, 24)).filter(lambda pair: pair[0] < pair[1]), max_size=2
).map(tuple)
CADENCES = st.builds(
    Cadence,
    zone=st.sampled_from(ZONES).map(ZoneInfo),
    at_least=st.just(1),
    at_most=st.integers(1, 5),
    hours_apart=st.sampled_from([0.0, 0.5, 6.0, 24.0, 36.0]),
    best_hours=HOURS,
    days_between=st.integers(0, 4),
    cluster_most=st.integers(1, 3),
)
MOMENTS = st.builds(lambda day, clock: datetime.combine(day, clock, UTC), NEAR, CLOCKS)
USUAL = Cadence(LISBON)


def around(at: datetime) -> st.SearchStrategy[list[datetime]]:
    """Posts of some days before and after."""
    hours = st.floats(-240, 240).map(lambda hours: at + timedelta(minutes=round(hours * 60)))
    return st.lists(hours, max_size=12)


def weeks_posts(at: datetime, posts: list[datetime], zone: ZoneInfo) -> int:
    """How many posts are in a moment's week, by the calendar."""
    week = at.astimezone(zone).isocalendar()[:2]
    return sum(post.astimezone(zone).isocalendar()[:2] == week for post in posts)


def breaks(at: datetime, posts: list[datetime], cadence: Cadence) -> set[str]:
    """The rules that a post breaks, read minute by minute from it."""
    found = set()
    least, this = round(cadence.hours_apart * 60), int(at.timestamp() // 60)
    taken = {int(post.timestamp() // 60) for post in posts}
    if any(minute in taken for minute in range(this + 1 - least, this + least)):
        found.add("hours apart")
    if weeks_posts(at, posts, cadence.zone) + 1 > cadence.at_most:
        found.add("posts a week")
    best = {hour for first, end in cadence.best_hours for hour in range(first, end)}
    if best and int(f"{at.astimezone(cadence.zone):%H}") not in best:
        found.add("best hours")
    return found


def new_hours(after: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Each minute at which the wall shows an hour of a day for the first time; none is changed but at a quarter."""
    start = after.replace(minute=0) - timedelta(days=1)
    seen: set[tuple[date, int]] = set()
    for at, shown in wall(start, zone, timedelta(minutes=15)):
        if (shown.date(), shown.hour) not in seen:
            seen.add((shown.date(), shown.hour))
            if at > after:
                yield at


@settings(max_examples=60)
@given(st.data(), MOMENTS, CADENCES)
def test_free_times_are_the_first_days_hours_that_break_nothing(
    data: st.DataObject, after: datetime, cadence: Cadence
) -> None:
    posts = data.draw(around(after))
    hours = islice(new_hours(after, cadence.zone), 24 * 21)
    days = groupby(hours, key=lambda at: at.astimezone(cadence.zone).date())
    fine = (tuple(at for at in times if not breaks(at, posts, cadence)) for _, times in days)
    expected = next((times for times in fine if times), ())
    assert free_times(after, posts, cadence) == expected
    elsewhere = ZoneInfo("America/New_York")
    assert free_times(after.astimezone(elsewhere), [post.astimezone(elsewhere) for post in posts], cadence) == expected


@settings(max_examples=60)
@given(st.data(), MOMENTS, CADENCES)
def test_a_post_breaks_what_it_breaks_by_hand(data: st.DataObject, at: datetime, cadence: Cadence) -> None:
    posts = data.draw(around(at))
    assert set(broken(at, posts, cadence)) == breaks(at, posts, cadence)
    same_zone = [post.astimezone(cadence.zone) for post in posts]
    assert set(broken(at.astimezone(cadence.zone), same_zone, cadence)) == breaks(at, posts, cadence)
    assert wanting(at, posts, cadence) == max(0, cadence.at_least - weeks_posts(at, posts, cadence.zone))


@settings(max_examples=100)
@given(st.data(), MOMENTS, CADENCES)
def test_clusters_rest_and_are_used_up_by_the_calendar(data: st.DataObject, at: datetime, cadence: Cadence) -> None:
    times = data.draw(around(at))
    uses = [(post, data.draw(st.frozensets(st.integers(1, 4)))) for post in times]
    today = at.astimezone(cadence.zone).date()
    too_near = {today + timedelta(days) for days in range(1 - cadence.days_between, cadence.days_between)}
    tired, done = set(), set()
    for cluster in range(1, 5):
        posts = [post for post, clusters in uses if cluster in clusters]
        if too_near & {post.astimezone(cadence.zone).date() for post in posts}:
            tired.add(cluster)
        if weeks_posts(at, posts, cadence.zone) >= cadence.cluster_most:
            done.add(cluster)
    assert resting(at, uses, cadence) == tired
    assert used_up(at, uses, cadence) == done


def test_best_hours_end_just_before_their_last() -> None:
    said = {hour: is_best(datetime(2026, 1, 5, hour, 59, tzinfo=UTC), USUAL) for hour in range(24)}
    assert [hour for hour, best in said.items() if best] == [5, 6, 7, 10, 11, 12, 13, 14]


def test_two_days_pass_before_a_cluster_repeats() -> None:
    monday = datetime(2026, 1, 5, 23, 30, tzinfo=UTC)
    uses = [(monday, frozenset({7}))]
    rests = [resting(datetime(2026, 1, day, 0, 10, tzinfo=UTC), uses, USUAL) for day in (3, 4, 5, 6, 7)]
    assert rests == [frozenset(), frozenset({7}), frozenset({7}), frozenset({7}), frozenset()]


def test_a_day_apart_is_twenty_four_hours_also_where_the_clock_says_twenty_three() -> None:
    before = datetime(2026, 3, 28, 12, tzinfo=LISBON)
    after = datetime(2026, 3, 29, 12, tzinfo=LISBON)
    assert broken(after, [before], USUAL) == (Rule.APART,)
    assert broken(after + timedelta(hours=1), [before], USUAL) == ()


def test_a_slot_is_a_time_at_whatever_hour() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    slots = [Slot(0, time(22, 15)), Slot(3, time(9))]
    assert free_times(now, [], USUAL, slots) == (datetime(2026, 1, 5, 22, 15, tzinfo=UTC),)
    assert free_times(now, [now], USUAL, slots) == (datetime(2026, 1, 8, 9, tzinfo=UTC),)


def test_a_week_that_is_full_is_passed_over_and_one_that_may_have_none_never_ends_in_a_time() -> None:
    now = datetime(2026, 1, 5, 12, tzinfo=UTC)
    week = [now + timedelta(hours=number) for number in range(5)]
    assert free_times(now, week, USUAL)[0] == datetime(2026, 1, 12, 5, tzinfo=UTC)
    assert free_times(now, [], Cadence(LISBON, at_least=0, at_most=0)) == ()


@pytest.mark.parametrize("hours", [(8, 5), (5, 5), (-1, 3), (20, 25)])
def test_best_hours_begin_before_they_end(hours: tuple[int, int]) -> None:
    with pytest.raises(UserError, match="between 0 and 24"):
        Cadence(LISBON, best_hours=(hours,))


def test_a_week_cannot_have_at_least_more_than_at_most() -> None:
    with pytest.raises(UserError, match="at least 4 and at most 3"):
        Cadence(LISBON, at_least=4, at_most=3)
