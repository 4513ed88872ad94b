"""The calendar's days and times, held against counting hour by hour; and what a persona's strategy fills them with."""

import calendar as plain
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from tests.studio.conftest import Cast
from tests.studio.publishing.test_outbox import keep
from zoetrope.errors import UserError
from zoetrope.studio.planning import uses
from zoetrope.studio.planning.models import Cluster, Pillar, Rhythm, Use
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.publishing import desk, strategy
from zoetrope.studio.publishing.agenda import agenda
from zoetrope.studio.publishing.calendar import FIRST, LAST, View, bounds, by_day, read_day, read_time, span, wall
from zoetrope.studio.publishing.checks import crowded
from zoetrope.studio.publishing.models import Post
from zoetrope.studio.publishing.strategy import cadence_of
from zoetrope.studio.publishing.times import next_time, weekly

# With half-hour zones, one that changes its clocks at midnight, and one that once left a day out.
ZONES = ["UTC", "Europe/Rome", "Asia/Kolkata", "Australia/Lord_Howe", "America/Havana", "Africa/Cairo", "Pacific/Apia"]
zones = st.sampled_from(ZONES).map(ZoneInfo)
days = st.dates(date(1990, 1, 1), date(2090, 12, 31))


@given(days)
def test_a_month_is_whole_weeks_that_hold_it(day: date) -> None:
    shown = span(View.MONTH, day)
    inside = [each for each in shown.days if shown.inside(each)]
    assert [each.day for each in inside] == [*range(1, plain.monthrange(day.year, day.month)[1] + 1)]
    assert {each.month for each in inside} == {day.month}
    assert [week[0].weekday() for week in shown.weeks] == [0] * len(shown.weeks)
    assert [len(week) for week in shown.weeks] == [7] * len(shown.weeks)
    assert list(shown.days) == sorted(set(shown.days))
    for other, way in ((shown.previous, -1), (shown.following, 1)):
        assert (other.year * 12 + other.month) - (day.year * 12 + day.month) == way


@given(days, st.sampled_from([View.WEEK, View.LIST]))
def test_spans_follow_each_other_without_a_gap(day: date, view: View) -> None:
    shown = span(view, day)
    assert day in shown.days
    assert all(shown.inside(each) for each in shown.days)
    after, before = span(view, shown.following), span(view, shown.previous)
    assert after.days[0] - shown.days[-1] == shown.days[0] - before.days[-1] == timedelta(1)


def test_the_calendar_has_ends() -> None:
    for day in (FIRST, LAST):
        assert span(View.MONTH, day).inside(day)
    for day in (FIRST - timedelta(1), LAST + timedelta(1)):
        with pytest.raises(UserError, match="reaches from"):
            span(View.MONTH, day)


@given(zones, days)
def test_each_hour_lies_on_the_day_that_the_clocks_show(zone: ZoneInfo, day: date) -> None:
    opens, closes = bounds(day, day + timedelta(1), zone)
    at = datetime.combine(day, time(), UTC) - timedelta(hours=30)
    hours = [at + timedelta(minutes=30 * number) for number in range(2 * 84)]
    there = [each for each in hours if each.astimezone(zone).date() == day]
    assert there == [each for each in hours if opens <= each < closes]
    found = by_day(((each, each) for each in hours), zone)
    assert [each for _, each in found.get(day, [])] == there


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Rome", date(2026, 3, 29), 23.0),
        ("Europe/Rome", date(2026, 10, 25), 25.0),
        ("Australia/Lord_Howe", date(2026, 4, 5), 24.5),
        ("Asia/Kolkata", date(2028, 2, 29), 24.0),
        # Its clocks go from midnight to one.
        ("Africa/Cairo", date(2026, 4, 24), 23.0),
    ],
)
def test_days_are_as_long_as_their_clocks_make_them(zone: str, day: date, hours: float) -> None:
    opens, closes = bounds(day, day + timedelta(1), ZoneInfo(zone))
    assert (closes - opens).total_seconds() / 3600 == hours


def test_what_is_no_day_or_time_is_said_so() -> None:
    assert read_day("", date(2026, 1, 2)) == date(2026, 1, 2)
    assert read_time("14:30") == time(14, 30)
    for read in (lambda: read_day("2026-02-30", date(2026, 1, 2)), lambda: read_time("24:61")):
        with pytest.raises(UserError, match="is no"):
            read()
    assert wall(datetime(2026, 7, 1, 12, tzinfo=UTC), ZoneInfo("Europe/Rome")) == datetime(2026, 7, 1, 14)
    assert wall(None, ZoneInfo("UTC")) is None


@given(st.floats(0.1, 21))
def test_a_weeks_slots_are_as_many_as_posts_and_spread_over_it(often: float) -> None:
    slots = weekly(often)
    assert len(slots) == len(set(slots)) == -int(-often // 1)
    each_day = [sum(slot.weekday == day for slot in slots) for day in range(7)]
    assert max(each_day) - min(each_day) <= 1
    assert all(5 <= slot.clock.hour < 8 or 10 <= slot.clock.hour < 15 for slot in slots)


def test_a_picture_takes_the_days_next_slot_or_the_hour_nearest_to_noon() -> None:
    zone, slots = ZoneInfo("Europe/Rome"), [Slot(0, time(11)), Slot(0, time(7))]
    monday, before = date(2026, 11, 23), datetime(2026, 11, 20, tzinfo=UTC)

    def hour(day: date, taken: list[datetime], now: datetime = before) -> str:
        return f"{next_time(day, slots, taken, zone, now).astimezone(zone):%a %H:%M}"

    seven, eleven = (datetime(2026, 11, 23, each, tzinfo=zone) for each in (7, 11))
    assert hour(monday, []) == "Mon 07:00"
    assert hour(monday, [seven]) == "Mon 11:00"
    assert hour(monday, [seven, eleven]) == "Mon 12:00", "no slot is left"
    assert hour(monday, [seven + timedelta(minutes=20)]) == "Mon 11:00", "too close to another"
    assert hour(monday, [], datetime(2026, 11, 23, 9, 30, tzinfo=zone)) == "Mon 11:00", "the first has passed"
    assert hour(monday + timedelta(1), []) == "Tue 12:00", "a day without slots"
    with pytest.raises(UserError, match="has passed"):
        hour(monday, [], datetime(2026, 11, 24, 1, tzinfo=zone))
    with pytest.raises(UserError, match="no full hour left"):
        hour(monday, [], datetime(2026, 11, 23, 22, 30, tzinfo=zone))


def test_posts_close_to_each_other_are_told_by_channel() -> None:
    at = datetime(2026, 11, 22, 12, tzinfo=UTC)
    rows = [(1, 1, at), (2, 1, at + timedelta(minutes=29)), (3, 1, at + timedelta(minutes=59)), (4, 2, at)]
    assert crowded(rows) == {1, 2}
    assert crowded(reversed(rows)) == {1, 2}


def test_the_agenda_reads_what_is_shown_and_no_more(cast: Cast) -> None:
    zone = ZoneInfo("Europe/Rome")
    for day, hour in ((1, 0), (15, 9), (15, 10), (15, 11), (31, 23)):
        desk.draft(cast.ada, [], None, due=datetime(2026, 7, day, hour, 15, tzinfo=zone), caption=f"{day}")
    # In UTC this is in July, where the persona lives it is not.
    desk.draft(cast.ada, [], None, due=datetime(2026, 7, 31, 22, 30, tzinfo=UTC), caption="August")
    timeless = desk.draft(cast.ada, [keep(cast)], None)
    desk.draft(cast.ada, [], None, due=datetime(2026, 12, 1, tzinfo=UTC))
    shown = agenda(cast.ada, span(View.MONTH, date(2026, 7, 9)), zone, date(2026, 7, 9), most=2)
    told = {str(cell.day): [tile.title for tile in cell.tiles] for cell in shown.days}
    assert told == {"2026-07-01": ["1"], "2026-07-15": ["15"], "2026-07-31": ["31"], "2026-08-01": ["August"]}
    crowd = next(cell for cell in shown.days if cell.day.day == 15)
    assert (crowd.more, crowd.tiles[0].near, crowd.tiles[0].when) == (2, False, datetime(2026, 7, 15, 9, 15))
    assert [(tile.key, tile.title) for tile in shown.tray] == [(timeless.pk, str(timeless))]
    assert shown.tray[0].picture.endswith("/160")
    assert [cell.today for cell in shown.weeks[1]] == [False, False, False, True, False, False, False]
    assert not shown.cut


def gathered(cast: Cast, each: int = 4) -> list[Pillar]:
    """Two pillars, each with a cluster of so many free pictures."""
    pillars: list[Pillar] = []
    for name, weight in (("Sea", 60), ("City", 40)):
        pillar = Pillar.objects.create(space=cast.space, persona=cast.ada, name=name, weight=weight)
        cluster = Cluster.objects.create(space=cast.space, persona=cast.ada, name=name)
        cluster.pillars.add(pillar)
        cluster.kept.add(*(keep(cast, f"#{len(pillars)}{number}{number}888") for number in range(each)))
        pillars.append(pillar)
    return pillars


def test_the_next_posts_are_planned_with_their_reasons(cast: Cast) -> None:
    sea, city = gathered(cast)
    Rhythm.objects.create(persona=cast.ada, zone="Europe/Rome", posts_per_week=3)
    now = datetime(2026, 11, 23, 3, tzinfo=UTC)
    posts = strategy.plan(cast.ada, cast.user("rui"), 14, now)
    assert {post.pillar for post in posts} == {sea, city}
    assert all(post.state == Post.State.DRAFT and post.pictures.count() == 1 for post in posts)
    times = [post.due for post in posts if post.due]
    weeks = [at.astimezone(ZoneInfo("Europe/Rome")).isocalendar()[1] for at in times]
    assert weeks == [48, 48, 48, 49, 49, 49], "three a week"
    assert all(later - earlier >= timedelta(days=1) for earlier, later in pairwise(times))
    first = posts[0].why
    assert (first["strategy"], first["kept"]) == ("thematic_rotation", Use.objects.get(post=posts[0].pk).kept_id)
    assert any("weight is 60%" in rule for rule in first["rules"])
    assert first["next"][0]["kept"] != first["kept"]
    assert Use.objects.count() == len(posts) == len({use.made_id for use in Use.objects.all()})
    assert strategy.plan(cast.ada, None, 14, now) == [], "those days have their posts"


@pytest.mark.parametrize(("often", "most"), [(7, 7), (9, 9), (21, 21)])
def test_who_posts_daily_or_more_often_gets_a_plan_for_just_that(cast: Cast, often: int, most: int) -> None:
    gathered(cast, each=14)
    Rhythm.objects.create(persona=cast.ada, zone="Europe/Rome", posts_per_week=often)
    posts = strategy.plan(cast.ada, None, 7, datetime(2026, 11, 23, 1, tzinfo=UTC))
    due = [post.due.astimezone(ZoneInfo("Europe/Rome")) for post in posts if post.due]
    each_day = Counter(at.weekday() for at in due)
    assert (len(posts), len(each_day)) == (most, 7)
    assert max(each_day.values()) - min(each_day.values()) <= 1
    assert "the first day with a slot at least an hour from any other post" in " ".join(posts[0].why["rules"])


def test_who_posts_every_other_week_gets_a_plan_for_that(cast: Cast) -> None:
    gathered(cast)
    Rhythm.objects.create(persona=cast.ada, posts_per_week=0.5)
    assert len(strategy.plan(cast.ada, None, 28, datetime(2026, 11, 23, 3, tzinfo=UTC))) == 2


def test_chance_rolls_anew_for_every_post_also_when_years_are_forgotten(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A seed that counted the posts remembered would come again as soon as as many are forgotten as are made."""
    monkeypatch.setattr(strategy, "_MEMORY", timedelta(0))
    gathered(cast)
    now, seeds = datetime(2026, 11, 23, 3, tzinfo=UTC), []
    for week in range(3):
        posts = strategy.plan(cast.ada, None, 7, now + timedelta(weeks=week))
        seeds += [post.why["seed"] for post in posts]
        for post in posts:
            uses.posted(post.pk, now)
        Post.objects.update(due=None)
    assert len(set(seeds)) == len(seeds) > 3


def test_what_nobody_voted_on_has_no_rating(cast: Cast) -> None:
    keep(cast)
    assert [each.rating for each in strategy.options(cast.ada, {})] == [None]


def test_planning_stops_where_pictures_do(cast: Cast) -> None:
    assert strategy.plan(cast.ada, None) == []
    gathered(cast, each=1)
    assert len(strategy.plan(cast.ada, None, 28)) == 2
    assert strategy.plan(cast.ada, None, 28) == []


def test_what_was_measured_reaches_the_strategy(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = keep(cast)
    post = desk.draft(cast.ada, [kept], None, due=timezone.now() - timedelta(days=1))
    desk.draft(cast.ada, [keep(cast, "red")], None)
    monkeypatch.setattr(strategy, "REWARDS", [lambda persona: {post.pk: 0.7}])
    ground = strategy.ground_of(cast.ada, timezone.now())
    assert [(past.kept, past.reward, past.rating) for past in ground.past] == [(kept.pk, 0.7, None)]
    assert ground.options == [], "both pictures are taken"


@pytest.mark.parametrize(("often", "least", "most", "apart"), [(3, 3, 3, 24), (0.5, 0, 1, 336), (14, 14, 14, 1)])
def test_a_rhythm_is_a_cadence(often: float, least: int, most: int, apart: float) -> None:
    cadence = cadence_of(Rhythm(posts_per_week=often))
    assert (cadence.at_least, cadence.at_most, cadence.hours_apart) == (least, most, apart)
