"""Gaps and the next pillar, held against counting on one's fingers."""

from dataclasses import replace
from datetime import date, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from zoetrope.studio.planning.gaps import Gap, Plan, Status, gaps, next_pillar

TODAY = date(2028, 2, 20)
TENTHS = st.integers(0, 140)
# Some have begun, some are over before they begin.
DAYS = st.none() | st.integers(-40, 160).map(lambda days: TODAY + timedelta(days))
PLANS = st.lists(
    st.builds(
        Plan,
        key=st.integers(1, 99),
        name=st.sampled_from(["Art", "Food", "Home", "Sea"]),
        weight=st.integers(0, 100),
        priority=st.integers(1, 5),
        posts_per_week=st.none() | TENTHS.map(lambda tenths: tenths / 10),
        available=st.integers(0, 12),
        planned=st.integers(0, 3),
        starts=DAYS,
        ends=DAYS,
    ),
    max_size=6,
    unique_by=lambda plan: plan.key,
)
ART = Plan(1, "Art", 40, 1, None, 3)


def counted(tenths: int, days: int) -> int:
    """Posts until there are at least so many tenths a week."""
    posts = 0
    while posts * 10 * 7 < tenths * days:
        posts += 1
    return posts


def plainly(plan: Plan, span: int, tenths: int) -> tuple[int, str]:
    """What a pillar needs and how it stands, as the predecessor's page says it of the days that are its own."""
    every = [TODAY + timedelta(day) for day in range(span)]
    days = sum((plan.starts or day) <= day <= (plan.ends or day) for day in every)
    there = plan.available + plan.planned
    if plan.posts_per_week is not None:
        wanted = counted(round(plan.posts_per_week * 10), days)
    else:
        wanted = 0
        while wanted * 100 < counted(tenths, days) * plan.weight:
            wanted += 1
    if not there:
        return wanted, "exhausted"
    if wanted > there + 5:
        return wanted, "critical"
    if wanted > there:
        return wanted, "low"
    return wanted, "ready" if there > 2 else "minimal"


@given(PLANS, st.integers(0, 120), TENTHS)
def test_every_gap_is_the_formula_by_hand(plans: list[Plan], days: int, tenths: int) -> None:
    found = gaps(plans, TODAY, days, tenths / 10)
    assert sorted(gap.plan.key for gap in found) == sorted(plan.key for plan in plans)
    for gap in found:
        wanted, status = plainly(gap.plan, days, tenths)
        assert (gap.needed, gap.gap, gap.status) == (wanted, wanted - gap.plan.available - gap.plan.planned, status)


@given(PLANS, st.integers(0, 120))
def test_no_gap_stands_before_one_that_matters_more(plans: list[Plan], days: int) -> None:
    found = gaps(plans, TODAY, days)
    for before, after in pairwise(found):
        assert before.gap >= after.gap
        if before.gap == after.gap:
            assert before.plan.priority <= after.plan.priority
            if before.plan.priority == after.plan.priority:
                assert before.plan.name <= after.plan.name


@given(PLANS, st.lists(st.integers(1, 99), max_size=20))
def test_the_next_pillar_has_pictures_and_none_with_pictures_is_further_behind(
    plans: list[Plan], posts: list[int]
) -> None:
    shares = {key: posts.count(key) / len(posts) for key in posts}
    behind = {plan.key: plan.weight / 100 - shares.get(plan.key, 0) for plan in plans if plan.available}
    found = next_pillar(plans, shares)
    if found is None:
        assert not behind
    else:
        assert found.key in behind
        assert behind[found.key] == max(behind.values())
        tied = [plan for plan in plans if behind.get(plan.key) == behind[found.key]]
        assert found.priority == min(plan.priority for plan in tied)


def test_the_predecessors_own_example() -> None:
    plans = [ART, Plan(2, "Food", 60, 2, None, 0), Plan(3, "Sea", 0, 3, 7.0, 1), Plan(4, "Home", 0, 4, None, 2)]
    assert gaps(plans, TODAY, 14) == [
        Gap(plans[2], 14, 13, Status.CRITICAL),
        Gap(plans[1], 4, 4, Status.EXHAUSTED),
        Gap(plans[0], 3, 0, Status.READY),
        Gap(plans[3], 0, -2, Status.MINIMAL),
    ]


def test_of_equals_the_more_important_pillar_is_next() -> None:
    other = replace(ART, key=2, name="Food", priority=2)
    assert next_pillar([other, ART], {}) == ART
    assert next_pillar([other, replace(ART, available=0)], {}) == other
    assert next_pillar([other, ART], {1: 0.5}) == other
    assert next_pillar([replace(ART, available=0)], {}) is None


def test_a_whole_number_of_posts_is_not_rounded_up() -> None:
    # 0.7 a week for thirty days is three posts to the last digit only where the seven is counted exactly.
    assert gaps([replace(ART, posts_per_week=0.7)], TODAY, 30)[0].needed == 3
    assert gaps([replace(ART, posts_per_week=1.1)], TODAY, 70)[0].needed == 11
