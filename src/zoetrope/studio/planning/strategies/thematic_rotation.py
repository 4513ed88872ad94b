"""Thematic rotation: the pillar that is furthest behind its weight, and its best picture."""

from collections.abc import Sequence
from datetime import datetime

from zoetrope.studio.planning.gaps import Plan
from zoetrope.studio.planning.strategies.seam import Choice, Option, Past, Settings
from zoetrope.studio.planning.strategies.stage import Stage, best, highest, rotated, second, stage, turn


class ThematicRotation:
    """Every pillar in its turn, as often as its weight says."""

    name = "thematic_rotation"
    about = "Each pillar as often as its weight says, and of each its best picture."

    def choose(
        self, options: Sequence[Option], past: Sequence[Past], now: datetime, seed: int, settings: Settings
    ) -> Choice | None:
        """The next post."""
        ground = stage(options, past, now, settings)
        return by_rotation(ground) if ground else None


def by_rotation(ground: Stage, because: Sequence[str] = (), relaxed: Sequence[str] = ()) -> Choice:
    """The choice of rotation; `because` and `relaxed` are what led to rotation first."""
    plan = rotated(ground)
    if plan is None:
        return _without_pillars(ground, because, relaxed)
    chosen = best(ground.of(plan))
    why = f"No pillar with a picture for that day is further behind. {turn(plan, ground.shares)}"
    runners_up = [*second(ground.of(plan), chosen), *of_next_pillar(ground, plan)]
    return ground.choice(chosen, (*because, why), runners_up, relaxed)


def of_next_pillar(ground: Stage, plan: Plan) -> list[tuple[Option, str]]:
    """The best picture of the pillar whose turn is next, if there is one."""
    following = rotated(ground, leave_out={plan.key})
    if following is None:
        return []
    return [(best(ground.of(following)), f"Its pillar comes next. {turn(following, ground.shares)}")]


def _without_pillars(ground: Stage, because: Sequence[str], relaxed: Sequence[str]) -> Choice:
    chosen = best(ground.options)
    why = ("No pillar has a picture for that day.", highest("of all", chosen))
    return ground.choice(chosen, (*because, *why), second(ground.options, chosen), relaxed)
