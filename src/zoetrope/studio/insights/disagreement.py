"""Taste and audience side by side: how far their orders agree, and the posts on which they agree least."""

from dataclasses import dataclass

from zoetrope.studio.insights.outcomes import Outcome, Outcomes
from zoetrope.studio.insights.sums import Between, agreement, standings

ENOUGH = 10
"""Of fewer posts with both rewards nothing is said."""
SHOWN = 3
# A post says something of its own only where both are so far apart.
_FAR = 0.25


@dataclass(frozen=True)
class Torn:
    """A post on which both disagree: where each of them puts it, 1 being the best."""

    outcome: Outcome
    taste: int
    audience: int


@dataclass(frozen=True)
class Disagreement:
    """How both stand to each other, from `count` posts; without numbers where these are too few."""

    count: int
    agreement: Between | None = None
    torn: tuple[Torn, ...] = ()
    # The post that voters liked best, and the one that the audience did.
    yours: Outcome | None = None
    theirs: Outcome | None = None

    @property
    def says(self) -> str:
        """In words, no surer than the interval is."""
        if self.agreement is None:
            return ""
        if self.agreement.low > 0:
            return "Your votes and the audience mostly agree."
        if self.agreement.high < 0:
            return "Your votes and the audience mostly disagree."
        return "Whether your votes and the audience agree cannot be told yet."


def disagreement(found: Outcomes) -> Disagreement:
    """Both rewards of a persona's posts, set beside each other."""
    rows = found.both
    if len(rows) < ENOUGH:
        return Disagreement(len(rows))
    taste = [each.taste for each in rows if each.taste is not None]
    audience = [each.audience for each in rows if each.audience is not None]
    mine, theirs = standings(taste), standings(audience)
    apart = sorted(range(len(rows)), key=lambda place: -abs(mine[place] - theirs[place]))
    torn = [
        Torn(rows[place], _place(mine[place], len(rows)), _place(theirs[place], len(rows)))
        for place in apart[:SHOWN]
        if abs(mine[place] - theirs[place]) >= _FAR
    ]
    best = [max(range(len(rows)), key=order.__getitem__) for order in (mine, theirs)]
    return Disagreement(len(rows), agreement(taste, audience), tuple(torn), rows[best[0]], rows[best[1]])


def _place(standing: float, count: int) -> int:
    """The best is first."""
    return count - int(standing * count)
