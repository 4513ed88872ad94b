"""How sure the pick is, and how many more choices it takes to be sure enough."""

from dataclasses import dataclass

import numpy as np

from zoetrope.ranking.fit import Array, Belief

# Another picture counts as better when it would be chosen over the pick more often than this.
BETTER = 0.60
SURE = 0.85
_DRAWS = 2000
_MOST = 999


@dataclass(frozen=True)
class Verdict:
    """The pick, how sure it is that no other is better, and about how many more choices make it sure."""

    pick: int
    sure: float
    more: int

    @property
    def enough(self) -> bool:
        return self.sure >= SURE


def verdict(belief: Belief, choices: int, seed: int = 0) -> Verdict:
    """What the votes so far come to; the same votes give the same answer."""
    pick = int(np.argmax(belief.utilities))
    sure = surety(belief, pick, seed)
    return Verdict(pick, sure, 0 if sure >= SURE else _more(belief, pick, choices, seed))


def surety(belief: Belief, pick: int, seed: int = 0, shrunk: float = 1.0) -> float:
    """The chance that nobody is better than the pick by more than the margin."""
    drawn = belief.draws(np.random.default_rng(seed), _DRAWS, shrunk)
    return float(np.mean(_behind(drawn, pick) <= np.log(BETTER / (1 - BETTER))))


def _behind(drawn: Array, pick: int) -> Array:
    """How far the best of the others is ahead of the pick, in each row."""
    others = np.delete(drawn, pick, axis=1)
    return np.asarray(others.max(axis=1, initial=-np.inf) - drawn[:, pick])


def _more(belief: Belief, pick: int, choices: int, seed: int) -> int:
    """Variances shrink as votes come; how far they must is found by halving."""
    low, high = 0.0, 1.0
    for _ in range(12):
        middle = (low + high) / 2
        low, high = (middle, high) if surety(belief, pick, seed, middle) >= SURE else (low, middle)
    # Before there are any, as if each picture had been shown once.
    so_far = max(choices, len(belief.utilities) / 4)
    return _MOST if low == 0 else min(_MOST, max(1, round(so_far * (1 / low - 1))))
