"""Theme of the week: a week's first post says its pillar, and the others follow."""

from collections.abc import Sequence
from datetime import datetime

from zoetrope.studio.planning.cadence import local_day, week_of
from zoetrope.studio.planning.gaps import Plan
from zoetrope.studio.planning.strategies.seam import Choice, Option, Past, Settings
from zoetrope.studio.planning.strategies.stage import Stage, best, second, stage
from zoetrope.studio.planning.strategies.thematic_rotation import by_rotation, of_next_pillar

THEME = "theme of the week"
"""The name of the rule that gives way where the theme has no picture left."""


class ThemeOfWeek:
    """One pillar a week; which one is found by rotation."""

    name = "theme_of_week"
    about = "One pillar for all posts of a week; from week to week, each as often as its weight says."

    def choose(
        self, options: Sequence[Option], past: Sequence[Past], now: datetime, seed: int, settings: Settings
    ) -> Choice | None:
        """The next post."""
        ground = stage(options, past, now, settings)
        if ground is None:
            return None
        theme = _theme(ground)
        if theme is None:
            return by_rotation(ground, ["The first post of its week says the theme of the week."])
        if not theme.available:
            return by_rotation(ground, [f"The theme of the week, {theme.name}, has no picture for that day."], [THEME])
        chosen = best(ground.of(theme))
        runners_up = [*second(ground.of(theme), chosen), *of_next_pillar(ground, theme)]
        return ground.choice(chosen, [f"The theme of the week is {theme.name}, as its first post says."], runners_up)


def _theme(ground: Stage) -> Plan | None:
    """The pillar of the week's first post that has a current one."""
    zone, plans = ground.settings.cadence.zone, {plan.key: plan for plan in ground.plans}
    week = week_of(local_day(ground.times[0], zone))
    near = (post for post in ground.past if abs(post.at - ground.times[0]).days < 8 and post.pillar in plans)
    first = min((post for post in near if week_of(local_day(post.at, zone)) == week), key=_when, default=None)
    return plans[first.pillar] if first and first.pillar is not None else None


def _when(post: Past) -> datetime:
    return post.at
