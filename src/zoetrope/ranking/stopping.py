"""How sure the pick is, and how many more choices it takes to be sure enough."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoetrope.ranking.fit import Array, Belief

# Another picture counts as better when it would be chosen over the pick more often than this.
BETTER = 0.60
SURE = 0.85
# One of few is called the better one only when this is sure: nobody has to pick, "no clear winner" is an answer.
CLEAR = 0.95
_DRAWS = 1000
# As simulated voters took who judge 70 to 90 % of random pairs right: half of them needed between half of this and
# twice as much.
_EACH, _TOGETHER = 1.4, 4 / 3


@dataclass(frozen=True)
class Verdict:
    """The pick, how sure it is that no other is better, and about how many more choices make it sure."""

    pick: int
    sure: float
    more: int

    @property
    def enough(self) -> bool:
        return self.sure >= SURE


def verdict(belief: Belief, alive: Sequence[int] | None = None, seed: int = 0) -> Verdict:
    """What the votes so far come to among those that can still be chosen; the same votes give the same answer."""
    there = np.arange(len(belief.utilities)) if alive is None else np.array(alive)
    pick = int(np.argmax(belief.utilities[there]))
    drawn, weights = belief.weighed(np.random.default_rng(seed), _DRAWS)
    drawn, weights = drawn[:, there], weights / weights.sum()
    others = np.delete(drawn, pick, axis=1)
    ahead = others.max(axis=1, initial=-np.inf) - drawn[:, pick]
    sure = float(weights @ (ahead <= np.log(BETTER / (1 - BETTER))))
    return Verdict(int(there[pick]), sure, 0 if sure >= SURE else _more(drawn, weights))


def leader(belief: Belief, seed: int = 0) -> tuple[int, float]:
    """Who is most likely the best of all, and how likely that is: of two alike it is a half."""
    drawn, weights = belief.weighed(np.random.default_rng(seed), _DRAWS)
    chances = np.bincount(drawn.argmax(axis=1), weights / weights.sum(), minlength=drawn.shape[1])
    return int(chances.argmax()), float(chances.max())


def _more(drawn: Array, weights: Array) -> int:
    """The more pictures may still be the best, the more choices it takes."""
    chances = np.bincount(drawn.argmax(axis=1), weights, minlength=drawn.shape[1])
    contenders = 1 / float(chances @ chances)
    return max(1, round(float(_EACH * contenders**_TOGETHER)))
