"""Curator's choice: the highest rated picture, whatever its pillar."""

from collections.abc import Sequence
from datetime import datetime

from zoetrope.studio.planning.strategies.seam import Choice, Option, Past, Settings
from zoetrope.studio.planning.strategies.stage import best, highest, second, stage


class CuratorsChoice:
    """What the votes like best."""

    name = "curators_choice"
    about = "The highest rated picture, whatever its pillar; the rules about clusters still hold."

    def choose(
        self, options: Sequence[Option], past: Sequence[Past], now: datetime, seed: int, settings: Settings
    ) -> Choice | None:
        """The next post."""
        ground = stage(options, past, now, settings)
        if ground is None:
            return None
        chosen = best(ground.options)
        why = highest("of all that the rules leave", chosen)
        return ground.choice(chosen, [why], second(ground.options, chosen))
