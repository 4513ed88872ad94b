"""Means with intervals, differences that may be chance, and how far two orders agree: numpy and plain sums alone.

Nothing in here knows posts. A value that is missing is left out by whoever calls.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import atan, atanh, ceil, cos, pi, sin, sqrt, tanh
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

SURE = 0.95
"""Of a hundred intervals that are shown, so many hold what they are about."""
# Beyond it Student's t is the normal distribution, as far as anybody sees.
_MOST_DEGREES = 500
_LARGEST_T = 1e6
# So many shuffles a piece, so that memory stays small.
_A_PIECE = 1000
_OFTEN = 20
MOST_SHUFFLES = 100_000


@dataclass(frozen=True)
class Mean:
    """A mean, where it may well be, and of how many values."""

    mean: float
    low: float
    high: float
    count: int


@dataclass(frozen=True)
class Between:
    """A number with the interval that holds it as sure as it was asked to be."""

    value: float
    low: float
    high: float

    @property
    def excludes_nothing(self) -> bool:
        """Whether no difference at all lies within."""
        return self.low <= 0 <= self.high


def mean_of(values: Sequence[float], sure: float = SURE) -> Mean:
    """The mean of two values or more, with Student's interval."""
    seen = np.asarray(values, np.float64)
    middle, wide = float(seen.mean()), student(sure, len(seen) - 1) * sqrt(float(seen.var(ddof=1)) / len(seen))
    return Mean(middle, middle - wide, middle + wide, len(seen))


def difference(one: Sequence[float], other: Sequence[float], sure: float = SURE) -> Between:
    """How much more one's mean is than the other's, with Welch's interval."""
    first, second = np.asarray(one, np.float64), np.asarray(other, np.float64)
    parts = [float(each.var(ddof=1)) / len(each) for each in (first, second)]
    apart, variance = float(first.mean() - second.mean()), sum(parts)
    if variance == 0:
        return Between(apart, apart, apart)
    degrees = variance**2 / sum(part**2 / (len(each) - 1) for part, each in zip(parts, (first, second), strict=True))
    # Whole degrees, and fewer rather than more: the interval is wider rather than narrower.
    wide = student(sure, int(degrees)) * sqrt(variance)
    return Between(apart, apart - wide, apart + wide)


def drawn_in(groups: Sequence[Sequence[float]]) -> list[float]:
    """The mean of each group, drawn towards the mean of all: the further, the fewer it has and the less groups differ.

    What few posts say by chance is not taken for what the next ones will do. How far groups differ at all is worked
    out from their means and from how far values lie apart within them.
    """
    counts = np.array([len(each) for each in groups], np.float64)
    means = np.array([np.mean(each) for each in groups])
    total, middle = counts.sum(), float((counts * means).sum() / counts.sum())
    within = sum(float(((np.asarray(each) - mean) ** 2).sum()) for each, mean in zip(groups, means, strict=True))
    noise = within / max(total - len(groups), 1.0)
    spread = float((counts * (means - middle) ** 2).sum()) - (len(groups) - 1) * noise
    room = float(total - (counts**2).sum() / total)
    real = max(0.0, spread / room) if room > 0 else 0.0
    if real == 0:
        return [middle] * len(groups)
    weights = real / (real + noise / counts)
    return [float(each) for each in weights * means + (1 - weights) * middle]


def shuffled(values: Sequence[float], members: NDArray[np.bool_], level: float, seed: int) -> list[float]:
    """For each group of values, how often chance alone would set its mean as far apart from the others' as it is.

    Whose value is whose is shuffled: that takes no distribution for granted. `members` has a row for each group.
    """
    seen = np.asarray(values, np.float64)
    seen = seen - seen.mean()
    inside = members.astype(np.float64).T
    counts = inside.sum(axis=0)
    apart = np.abs(seen @ inside) / counts
    rng, most, done = np.random.default_rng(seed), shuffles(level, len(members)), 0
    further, chances = np.zeros(len(members)), np.ones(len(members))
    open_, left = np.ones(len(members), np.bool_), True
    while left:
        mixed = rng.permuted(np.broadcast_to(seen, (_A_PIECE, len(seen))), axis=1)
        # As far is further, but for what rounding does.
        further += (np.abs(mixed @ inside) / counts >= apart * (1 - 1e-12)).sum(axis=0)
        done += _A_PIECE
        chances = np.where(open_, (further + 1) / (done + 1), chances)
        # Of what chance does often, as Besag and Clifford say, enough is known early.
        open_ &= further < _OFTEN
        left = done < most and bool(open_.any())
    return [float(each) for each in chances]


def shuffles(level: float, groups: int) -> int:
    """Enough that the strictest of so many comparisons can come out."""
    return min(MOST_SHUFFLES, ceil(10 * groups / level))


def holm(chances: Sequence[float], level: float) -> list[float | None]:
    """By Holm's rule, the level at which each difference is no chance; None where it may be.

    Whatever is named so, the chance that any of it is chance is at most `level`.
    """
    order = sorted(range(len(chances)), key=lambda place: chances[place])
    found: list[float | None] = [None] * len(chances)
    for rank, place in enumerate(order):
        own = level / (len(chances) - rank)
        if chances[place] > own:
            break
        found[place] = own
    return found


def agreement(one: Sequence[float], other: Sequence[float], sure: float = SURE) -> Between:
    """Spearman's rank correlation of four pairs or more, with the interval of Bonett and Wright."""
    first, second = ranks(one), ranks(other)
    spread = float(first.std() * second.std())
    value = float(((first - first.mean()) * (second - second.mean())).mean() / spread) if spread else 0.0
    value = min(max(value, -1.0), 1.0)
    if abs(value) == 1.0:
        return Between(value, value, value)
    wide = NormalDist().inv_cdf((1 + sure) / 2) * sqrt((1 + value**2 / 2) / (len(first) - 3))
    return Between(value, tanh(atanh(value) - wide), tanh(atanh(value) + wide))


def ranks(values: Sequence[float]) -> NDArray[np.float64]:
    """The least has rank 1; those alike share theirs."""
    seen = np.asarray(values, np.float64)
    _, places, counts = np.unique(seen, return_inverse=True, return_counts=True)
    return np.asarray((np.cumsum(counts) - (counts - 1) / 2)[places], np.float64)


def standings(values: Sequence[float]) -> list[float]:
    """Of each value, which share of them all lies below it: from 0 to 1, and 0.5 in the middle."""
    return [float(each) for each in (ranks(values) - 0.5) / len(values)]


@lru_cache(4096)
def student(sure: float, degrees: int) -> float:
    """So many deviations to either side hold so much of Student's t."""
    low, high = 0.0, 1.0
    while _within(high, degrees) < sure and high < _LARGEST_T:
        high *= 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, degrees) < sure else (low, middle)
    return high


def _within(deviations: float, degrees: int) -> float:
    """How much of Student's t lies so near its middle: the series of Abramowitz and Stegun, 26.7.3 and 26.7.4."""
    degrees = min(max(degrees, 1), _MOST_DEGREES)
    angle = atan(deviations / sqrt(degrees))
    odd, falls = degrees % 2, cos(angle) ** 2
    term = cos(angle) if odd else 1.0
    total, first = 0.0, 3 if odd else 2
    for number in range(first, degrees + 1, 2):
        total += term
        term *= falls * (number - 1) / number
    return 2 / pi * (angle + sin(angle) * total) if odd else sin(angle) * total
