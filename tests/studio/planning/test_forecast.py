"""The forecast, held against living through it day by day."""

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.studio.planning.test_gaps import ART, PLANS, TENTHS, TODAY, plainly
from zoetrope.studio.planning.forecast import Forecast, forecast
from zoetrope.studio.planning.gaps import Plan, gaps


@given(PLANS, TENTHS, st.integers(0, 60))
def test_a_pillar_runs_dry_on_the_day_on_which_more_is_due_than_there_is(
    plans: list[Plan], tenths: int, days: int
) -> None:
    for found in forecast(plans, TODAY, days, 10.0, 3.0, tenths / 10):
        lived = next(
            (
                day
                for day in range(300)
                if plainly(found.plan, day + 1, tenths)[0] > found.plan.available + found.plan.planned
            ),
            None,
        )
        if lived is None:
            assert found.runs_dry is None or found.runs_dry >= TODAY + timedelta(300)
        else:
            assert found.runs_dry == TODAY + timedelta(lived)


@given(PLANS, st.integers(0, 60))
def test_a_pillar_lacks_pictures_exactly_where_it_runs_dry_within_the_days(plans: list[Plan], days: int) -> None:
    found = forecast(plans, TODAY, days, None, 3.0)
    assert [each.plan for each in found] == [gap.plan for gap in gaps(plans, TODAY, days)]
    for each in found:
        dry = each.runs_dry is not None and each.runs_dry < TODAY + timedelta(days)
        assert dry == (each.missing > 0)


def test_the_engine_draws_several_pictures_for_each_winner() -> None:
    plan = replace(ART, posts_per_week=7.0, available=9)
    assert forecast([plan], TODAY, 14, 20.0, 4.0) == [Forecast(plan, date(2028, 2, 29), 5, 5 * 4 * 20.0)]


@pytest.mark.parametrize(("available", "seconds"), [(9, None), (14, 0.0)])
def test_nobody_knows_how_long_before_the_first_picture_but_nothing_takes_no_time(
    available: int, seconds: float | None
) -> None:
    plan = replace(ART, posts_per_week=7.0, available=available)
    assert forecast([plan], TODAY, 14, None, 4.0)[0].seconds == seconds


@pytest.mark.parametrize(
    "plan", [replace(ART, weight=0), replace(ART, posts_per_week=0.0), replace(ART, posts_per_week=0.001, available=99)]
)
def test_a_pillar_that_posts_nothing_or_next_to_nothing_never_runs_dry(plan: Plan) -> None:
    assert forecast([plan], TODAY, 14, 20.0, 4.0)[0].runs_dry is None


def test_an_empty_pillar_is_dry_today() -> None:
    assert forecast([replace(ART, available=0)], TODAY, 14, 20.0, 4.0)[0].runs_dry == TODAY
    assert forecast([replace(ART, available=0)], date.max, 14, 20.0, 4.0)[0].runs_dry == date.max
