"""What every strategy chooses, held against plain loops over all that could be chosen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from zoetrope.errors import UserError
from zoetrope.studio.planning.cadence import Cadence, Rule, broken
from zoetrope.studio.planning.gaps import Plan
from zoetrope.studio.planning.slots import Slot
from zoetrope.studio.planning.strategies import STRATEGIES, Choice, Option, Past, Settings, strategy_named

LISBON = ZoneInfo("Europe/Lisbon")
# A Monday.
NOW = datetime(2026, 3, 23, 4, tzinfo=UTC)
ART = Plan(1, "Art", 50, 1, None, 0)
FOOD = Plan(2, "Food", 30, 2, None, 0)
SEA = Plan(3, "Sea", 20, 3, None, 0)
SET = Settings(Cadence(LISBON, at_least=1), (ART, FOOD, SEA), enough=3)

OPTIONS = st.lists(
    st.builds(
        Option,
        kept=st.integers(1, 40),
        pillar=st.sampled_from([1, 2, 3, 9, None]),
        clusters=st.frozensets(st.integers(1, 4), max_size=2),
        rating=st.none() | st.integers(-3, 3).map(float),
        format=st.sampled_from(["image", "reel"]),
    ),
    max_size=12,
    unique_by=lambda option: option.kept,
)
PAST = st.lists(
    st.builds(
        Past,
        at=st.integers(-40 * 24, 10 * 24).map(lambda hours: NOW + timedelta(hours=hours)),
        kept=st.integers(30, 70),
        pillar=st.sampled_from([1, 2, 3, 9, None]),
        clusters=st.frozensets(st.integers(1, 4), max_size=2),
        format=st.sampled_from(["image", "reel"]),
        rating=st.none() | st.integers(-3, 3).map(float),
        reward=st.none() | st.integers(0, 9).map(float),
    ),
    max_size=14,
)


def option(
    kept: int, pillar: int | None = 1, *clusters: int, rating: float | None = 0.0, format: str = "image"
) -> Option:
    """A picture that may be posted."""
    return Option(kept, pillar, frozenset(clusters), rating, format)


def posted(hours: float, pillar: int | None = 1, *clusters: int, kept: int = 99) -> Past:
    """A post so many hours from now."""
    return Past(NOW + timedelta(hours=hours), kept, pillar, frozenset(clusters), "image")


def chosen(name: str, options: list[Option], past: list[Past] | None = None, how: Settings = SET) -> Choice:
    """What a strategy chooses, where there is something."""
    found = strategy_named(name).choose(options, past or [], NOW, 1, how)
    assert found is not None
    return found


def allowed(options: list[Option], past: list[Past], at: datetime, relaxed: set[str]) -> list[Option]:
    """The options that break no rule about clusters but those that gave way, post by post."""
    found = []
    day = at.astimezone(LISBON).date()
    for each in options:
        if any(post.kept == each.kept for post in past):
            continue
        fine = True
        for cluster in each.clusters:
            days = [post.at.astimezone(LISBON).date() for post in past if cluster in post.clusters]
            if Rule.REST not in relaxed and {day - timedelta(1), day, day + timedelta(1)} & set(days):
                fine = False
            same_week = [other for other in days if other.isocalendar()[:2] == day.isocalendar()[:2]]
            if Rule.MOST not in relaxed and len(same_week) >= 3:
                fine = False
        if fine:
            found.append(each)
    return found


def turn_of(options: list[Option], past: list[Past], at: datetime) -> int | None:
    """The pillar whose turn it is, by counting."""
    lately = [post.pillar for post in past if timedelta(0) <= at - post.at < timedelta(days=30)]
    found, furthest = None, -10.0
    for plan in (ART, FOOD, SEA):
        behind = plan.weight / 100 - (lately.count(plan.key) / len(lately) if lately else 0)
        if behind > furthest and any(each.pillar == plan.key for each in options):
            found, furthest = plan.key, behind
    return found


@pytest.mark.parametrize("name", list(STRATEGIES))
@settings(max_examples=30)
@given(options=OPTIONS, past=PAST, seed=st.integers(0, 5))
def test_no_choice_breaks_a_rule_that_it_does_not_name(
    name: str, options: list[Option], past: list[Past], seed: int
) -> None:
    found = strategy_named(name).choose(options, past, NOW, seed, SET)
    fresh = allowed(options, past, NOW, {Rule.REST, Rule.MOST})
    if found is None:
        assert not fresh
        return
    assert found.at > NOW
    assert broken(found.at, [post.at for post in past], SET.cadence) == ()
    relaxed = set(found.relaxed)
    assert found.option in allowed(options, past, found.at, relaxed)
    # As little gives way as can: with either rule kept as well, nothing would be left.
    for rule in relaxed & {Rule.REST, Rule.MOST}:
        assert not allowed(options, past, found.at, relaxed - {rule})
    assert found.rules
    assert all(each.kept != found.option.kept and why for each, why in found.runners_up)
    assert found == strategy_named(name).choose(options, past, NOW, seed, SET)


@settings(max_examples=50)
@given(OPTIONS, PAST)
def test_rotation_takes_the_best_picture_of_the_pillar_furthest_behind(options: list[Option], past: list[Past]) -> None:
    found = strategy_named("thematic_rotation").choose(options, past, NOW, 1, SET)
    if found is None:
        return
    left = allowed(options, past, found.at, set(found.relaxed))
    # Shares are those of the day's first free time, which may be some hours before the one taken.
    turns = {turn_of(left, past, found.at - timedelta(hours=hours)) for hours in range(11)}
    if found.option.pillar in {1, 2, 3}:
        assert found.option.pillar in turns
        left = [each for each in left if each.pillar == found.option.pillar]
    else:
        assert turns == {None}
    assert all(found.option.worth >= each.worth for each in left)


@settings(max_examples=30)
@given(OPTIONS, PAST)
def test_the_curator_takes_the_best_of_all(options: list[Option], past: list[Past]) -> None:
    found = strategy_named("curators_choice").choose(options, past, NOW, 1, SET)
    if found is not None:
        left = allowed(options, past, found.at, set(found.relaxed))
        assert found.option.worth == max(each.worth for each in left)


@settings(max_examples=50)
@given(OPTIONS, PAST)
def test_a_week_keeps_its_theme_while_there_is_a_picture_for_it(options: list[Option], past: list[Past]) -> None:
    found = strategy_named("theme_of_week").choose(options, past, NOW, 1, SET)
    if found is None:
        return
    week = found.at.astimezone(LISBON).isocalendar()[:2]
    posts = [post for post in past if post.pillar in {1, 2, 3} and post.at.astimezone(LISBON).isocalendar()[:2] == week]
    if not posts:
        assert "theme of the week" not in found.relaxed
        return
    first = min(post.at for post in posts)
    themes = {post.pillar for post in posts if post.at == first}
    if found.option.pillar not in themes:
        left = allowed(options, past, found.at, set(found.relaxed))
        assert "theme of the week" in found.relaxed
        assert any(all(each.pillar != theme for each in left) for theme in themes)


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_of_many_pictures_the_best_that_no_rule_keeps_out_and_the_second_best(name: str) -> None:
    # Every third lies in a cluster that rests; ratings go up and down.
    options = [
        option(number, 1, *([7] if number % 3 == 0 else []), rating=float(number * 37 % 101)) for number in range(101)
    ]
    found = chosen(name, options, [posted(-25, 2, 7)])
    ranked = sorted((each for each in options if not each.clusters), key=lambda each: -each.worth)
    assert found.option == ranked[0]
    if name != "sampler":
        assert found.runners_up[0][0] == ranked[1]


def test_a_year_of_rotation_gives_every_pillar_its_weight() -> None:
    options = [option(number, number % 3 + 1, rating=number / 7) for number in range(400)]
    past: list[Past] = []
    now = NOW
    for _ in range(100):
        found = strategy_named("thematic_rotation").choose(options, past, now, 1, SET)
        assert found is not None
        now = found.at
        past.append(Past(now, found.option.kept, found.option.pillar, frozenset(), "image"))
    shares = [sum(post.pillar == plan.key for post in past) / len(past) for plan in (ART, FOOD, SEA)]
    assert shares == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    weeks = [post.at.astimezone(LISBON).isocalendar()[:2] for post in past]
    assert all(weeks.count(week) == 5 for week in weeks[5:-5])
    hours = {post.at.astimezone(LISBON).hour for post in past}
    assert hours == {5, 6, 7, 10, 11, 12, 13, 14}


def test_a_choice_says_why_it_is_this_one_and_why_not_the_next() -> None:
    options = [
        option(1, 1, rating=1.5),
        option(2, 1, rating=1.25),
        option(3, 2, rating=3.0),
        option(4, 1, 7, rating=9.0),
    ]
    found = chosen("thematic_rotation", options, [posted(-25, 2, 7), posted(-100, 3)])
    assert found.option.kept == 1
    assert found.relaxed == ()
    told = " ".join(found.rules)
    assert "The pillar Art had 0% of the last 30 days' posts, and its weight is 50%." in told
    assert "2 days before a cluster repeats" in told
    assert [(each.kept, why.split(",")[0]) for each, why in found.runners_up] == [
        (2, "Rated 1.25"),
        (3, "Its pillar comes next. The pillar Food had 50% of the last 30 days' posts"),
        (4, "Rated 9.00"),
    ]


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_a_pillar_is_posted_about_on_its_own_days_only(name: str) -> None:
    """Art is over after Monday, Sea begins on Wednesday; what counts is the day of the post."""
    monday = NOW.date()
    plans = (replace(ART, ends=monday), FOOD, replace(SEA, starts=monday + timedelta(2)))
    own, best = replace(SET, plans=plans), 9.0
    options = [option(1, 1, rating=best), option(2, 2), option(3, 3, rating=best)]
    pillars = []
    for days in range(3):
        past = [posted(24 * day + 8, 9, kept=90 + day) for day in range(days)]
        found = chosen(name, options, past, own)
        assert found.at.astimezone(LISBON).date() == monday + timedelta(days)
        pillars.append(found.option.pillar)
    assert pillars[1] == 2
    assert pillars[0] in {1, 2}
    assert pillars[2] in {2, 3}
    assert strategy_named(name).choose(options[:1], [posted(8, 9)], NOW, 1, own) is None


def test_what_nobody_voted_on_comes_last_and_says_so() -> None:
    poor, unknown = option(2, 1, rating=-1.5), option(1, 1, rating=None)
    found = chosen("curators_choice", [unknown, poor])
    assert (found.option, found.runners_up) == (poor, ((unknown, "Nobody voted on it."),))
    assert "The highest rated of all that the rules leave: -1.50." in found.rules
    alone = chosen("curators_choice", [unknown, option(3, 1, rating=None)])
    assert "Nobody voted on any of all that the rules leave: it was kept first." in alone.rules
    assert (alone.option, alone.runners_up[0][1]) == (unknown, "Nobody voted on it either; kept later.")


def test_what_gives_way_is_named() -> None:
    week = [posted(hours, 1, 7, kept=90 + hours) for hours in (1, 2, 3)]
    far_apart = replace(SET, cadence=Cadence(LISBON, hours_apart=60))
    found = chosen("curators_choice", [option(1, 1, 7)], week, far_apart)
    assert found.relaxed == ("most of a cluster a week",)
    assert any(
        "Given up, because nothing else was left: at most 3 posts of a cluster a week." in each for each in found.rules
    )
    found = chosen("curators_choice", [option(1, 1, 7)], [posted(-20, 1, 7)])
    assert found.relaxed == ("days before a cluster repeats",)


def test_a_theme_without_pictures_gives_way_by_name() -> None:
    found = chosen("theme_of_week", [option(1, 3), option(2, 2)], [posted(1, 1)])
    assert (found.option.kept, found.relaxed) == (2, ("theme of the week",))
    assert "The theme of the week, Art, has no picture for that day." in found.rules


def test_another_pillar_comes_before_a_rule_gives_way() -> None:
    found = chosen("thematic_rotation", [option(1, 1, 7), option(2, 3)], [posted(-2, 2, 7)])
    assert (found.option.kept, found.relaxed) == (2, ())


def test_slots_are_kept_whatever_the_best_hours_are() -> None:
    slots = (Slot(1, NOW.time().replace(hour=22, minute=30)),)
    for name in STRATEGIES:
        assert chosen(name, [option(1)], how=replace(SET, slots=slots)).at == datetime(2026, 3, 24, 22, 30, tzinfo=UTC)


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_nothing_is_chosen_from_nothing_or_from_what_was_posted(name: str) -> None:
    assert strategy_named(name).choose([], [], NOW, 1, SET) is None
    assert strategy_named(name).choose([option(5)], [posted(-500, kept=5)], NOW, 1, SET) is None
    never = replace(SET, cadence=Cadence(LISBON, at_least=0, at_most=0))
    assert strategy_named(name).choose([option(5)], [], NOW, 1, never) is None


@pytest.mark.parametrize("name", list(STRATEGIES))
def test_a_persona_without_pillars_still_posts(name: str) -> None:
    measured = [posted(-24 * days, None, kept=90 + days)._replace(reward=1.0) for days in (2, 4, 6)]
    found = chosen(name, [option(1, None, rating=1.0), option(2, 8, rating=2.0)], measured, replace(SET, plans=()))
    assert found.option.kept in {1, 2}


def test_strategies_have_names_and_say_what_they_do() -> None:
    assert set(STRATEGIES) == {"thematic_rotation", "theme_of_week", "curators_choice", "sampler"}
    assert all(strategy.about.endswith(".") and strategy.name == name for name, strategy in STRATEGIES.items())
    with pytest.raises(UserError, match="no strategy called 'luck'"):
        strategy_named("luck")
