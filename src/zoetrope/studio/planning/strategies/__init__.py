"""Strategies by name: what is posted next, when, and why. A new one is one file and one line here."""

from zoetrope.errors import UserError
from zoetrope.studio.planning.strategies.curators_choice import CuratorsChoice
from zoetrope.studio.planning.strategies.sampler import Sampler
from zoetrope.studio.planning.strategies.seam import Choice, Option, Past, Settings, Strategy
from zoetrope.studio.planning.strategies.thematic_rotation import ThematicRotation
from zoetrope.studio.planning.strategies.theme_of_week import ThemeOfWeek

__all__ = ["STRATEGIES", "Choice", "Option", "Past", "Settings", "Strategy", "strategy_named"]

STRATEGIES: dict[str, Strategy] = {
    strategy.name: strategy for strategy in (ThematicRotation(), ThemeOfWeek(), CuratorsChoice(), Sampler())
}


def strategy_named(name: str) -> Strategy:
    """The strategy of a name."""
    if name not in STRATEGIES:
        raise UserError(f"There is no strategy called {name!r}; there are {', '.join(STRATEGIES)}.")
    return STRATEGIES[name]
