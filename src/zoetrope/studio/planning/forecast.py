"""When each pillar runs dry, what would fill it, and how long the engine would need for that."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from fractions import Fraction
from math import floor

from zoetrope.studio.planning.gaps import EACH_WEEK, Plan, exact, gaps

# Whoever has pictures for longer does not run dry.
_LIFETIME = 36_525


@dataclass(frozen=True)
class Forecast:
    """What is ahead of a pillar.

    `runs_dry` is the first day whose post finds no picture, None where none comes in a lifetime; `missing` is how many
    winners would fill the span; `seconds` is how long the engine would draw for them, None where nobody knows yet.
    """

    plan: Plan
    runs_dry: date | None
    missing: int
    seconds: float | None


def forecast(
    plans: Sequence[Plan],
    today: date,
    days: int,
    seconds_each: float | None,
    pictures_per_winner: float,
    each_week: float = EACH_WEEK,
) -> list[Forecast]:
    """Every pillar's forecast in the order of the gaps, which it agrees with: a gap is a pillar dry within the days.

    `seconds_each` is what the engine takes for one picture, None where it has made none; `pictures_per_winner` is how
    many are made until one wins; `each_week` is how many posts all pillars together make.
    """
    return [
        Forecast(
            plan=gap.plan,
            runs_dry=_runs_dry(gap.plan, today, each_week),
            missing=max(gap.gap, 0),
            seconds=_seconds(max(gap.gap, 0), seconds_each, pictures_per_winner),
        )
        for gap in gaps(plans, today, days, each_week)
    ]


def _runs_dry(plan: Plan, today: date, each_week: float) -> date | None:
    """The first of its days by which more posts are due than there are pictures."""
    pace = exact(each_week if plan.posts_per_week is None else plan.posts_per_week)
    lasts = _posts_until_dry(plan)
    if not pace or lasts is None:
        return None
    first, days = max(plan.starts or today, today), floor(7 * lasts / pace)
    if days > min(_LIFETIME, (date.max - first).days):
        return None
    dry = first + timedelta(days)
    return dry if plan.current(dry) else None


def _posts_until_dry(plan: Plan) -> Fraction | None:
    """How many posts go out before one finds no picture: the pillar's own, or all pillars' where it has a weight."""
    if plan.posts_per_week is not None:
        return Fraction(plan.there)
    return Fraction(100 * plan.there // plan.weight) if plan.weight else None


def _seconds(missing: int, each: float | None, per_winner: float) -> float | None:
    if not missing:
        return 0.0
    return None if each is None else missing * per_winner * each
