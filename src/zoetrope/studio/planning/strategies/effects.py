"""What posts have shown so far: how much pillar, hour, format and rating add to what an audience gives.

A linear model with a normal-inverse-gamma prior. How far pillars, hours and formats differ at all is unknown, so that
several spreads of each are weighed by how well they explain the rewards: where nothing differs, the effects stay near
zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import product
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

# How far pillars, hours and formats may differ, in deviations of a single post: hardly at all, or plainly.
_SPREADS = (0.03, 0.4)
# Believed before any post: a better rated picture does better, and a pillar shown a moment ago does worse.
_BEFORE = np.array([0.0, 0.2, -0.1])
_UNSURE = np.array([1.0, 0.2, 0.1])
# Hours this close to each other do alike, and how much of their effects they share.
_CLOSE, _SHARED = 2.0, 0.6
_SHAPE, _RATE = 3.0, 2.0
# A post that went viral tells less of the next one than its number says.
_FARTHEST = 3.0


class Post(NamedTuple):
    """A post by what may matter: its rating in deviations, and how often its pillar was shown in the week before."""

    pillar: int | None
    hour: int
    format: str
    rating: float
    repeats: float


@dataclass(frozen=True)
class Columns:
    """Where each effect stands: a constant, the rating, the repeats, then pillars, formats and hours."""

    pillars: tuple[int | None, ...]
    formats: tuple[str, ...]
    hours: tuple[int, ...]

    @classmethod
    def of(cls, posts: Sequence[Post]) -> "Columns":
        """Those that any of the posts has."""
        return cls(
            pillars=tuple(dict.fromkeys(post.pillar for post in posts)),
            formats=tuple(dict.fromkeys(post.format for post in posts)),
            hours=tuple(sorted({post.hour for post in posts})),
        )

    @cached_property
    def places(self) -> tuple[dict[int | None, int], dict[str, int], dict[int, int]]:
        """By its name, the column of an effect."""
        first = len(_BEFORE)
        second = first + len(self.pillars)
        third = second + len(self.formats)
        return (
            {key: first + number for number, key in enumerate(self.pillars)},
            {key: second + number for number, key in enumerate(self.formats)},
            {key: third + number for number, key in enumerate(self.hours)},
        )

    @property
    def count(self) -> int:
        return len(_BEFORE) + len(self.pillars) + len(self.formats) + len(self.hours)

    def table(self, posts: Sequence[Post]) -> Array:
        """A row for each post."""
        pillars, formats, hours = self.places
        rows, places = np.zeros((len(posts), self.count)), np.arange(len(posts))
        rows[:, 0] = 1.0
        rows[:, 1] = [post.rating for post in posts]
        rows[:, 2] = [post.repeats for post in posts]
        rows[places, [pillars[post.pillar] for post in posts]] = 1.0
        rows[places, [formats[post.format] for post in posts]] = 1.0
        rows[places, [hours[post.hour] for post in posts]] = 1.0
        return rows


@dataclass(frozen=True)
class Effects:
    """What is believed of every effect: one normal-inverse-gamma for each combination of spreads, weighed."""

    columns: Columns
    weights: Array
    means: Array
    covariances: Array
    rates: Array
    shape: float
    middle: float
    scale: float

    def drawn(self, rng: np.random.Generator) -> Array:
        """The effects as they may be, in deviations of the rewards."""
        at = int(rng.choice(len(self.weights), p=self.weights))
        noise = np.sqrt(self.rates[at] / rng.gamma(self.shape))
        steps = rng.standard_normal(self.columns.count)
        return np.asarray(self.means[at] + noise * (np.linalg.cholesky(self.covariances[at]) @ steps))

    @cached_property
    def mean(self) -> Array:
        """Every effect in the middle, as a reward."""
        return np.asarray(self.weights @ self.means) * self.scale

    @cached_property
    def deviation(self) -> Array:
        """How far from it each may well be."""
        noise = self.rates / (self.shape - 1)
        within = noise[:, None] * np.diagonal(self.covariances, axis1=1, axis2=2)
        second = self.weights @ (within + self.means**2)
        return np.asarray(np.sqrt(np.maximum(second - (self.weights @ self.means) ** 2, 0.0))) * self.scale


def learn(columns: Columns, posts: Sequence[Post], rewards: Sequence[float]) -> Effects:
    """What measured posts amount to. Their order does not matter, nor does the unit of the rewards."""
    middle, scale, seen = _standard(np.array(rewards, np.float64))
    table = columns.table(posts)
    precisions, volumes = _priors(columns)
    before = np.zeros(columns.count)
    before[: len(_BEFORE)] = _BEFORE / _UNSURE**2
    pulled = before + table.T @ seen
    found = precisions + table.T @ table
    covariances: Array = np.asarray(np.linalg.inv(found), np.float64)
    means = covariances @ pulled
    shape = _SHAPE + len(posts) / 2
    prior = float(_BEFORE @ before[: len(_BEFORE)])
    rates: Array = _RATE + (float(seen @ seen) + prior - means @ pulled) / 2
    evidence = (volumes - np.linalg.slogdet(found)[1]) / 2 - shape * np.log(rates)
    weights = np.exp(evidence - evidence.max())
    return Effects(columns, weights / weights.sum(), means, covariances, rates, shape, middle, scale)


def _standard(rewards: Array) -> tuple[float, float, Array]:
    """Their middle, their spread, and the rewards in terms of both."""
    middle = float(rewards.mean()) if len(rewards) else 0.0
    scale = float(rewards.std()) if len(rewards) else 0.0
    scale = scale if scale > 0 else 1.0
    return middle, scale, np.clip((rewards - middle) / scale, -_FARTHEST, _FARTHEST)


def _priors(columns: Columns) -> tuple[Array, Array]:
    """For each combination of spreads, how sure one is of the effects beforehand, and the logarithm of its volume."""
    spreads = np.array(list(product(_SPREADS, repeat=3)))
    pillars, formats, hours = len(columns.pillars), len(columns.formats), len(columns.hours)
    first, second, third = np.cumsum([len(_BEFORE), pillars, formats])
    together = _together(columns.hours)
    found = np.zeros((len(spreads), columns.count, columns.count))
    places = np.arange(third)
    found[:, places[:first], places[:first]] = 1 / _UNSURE**2
    found[:, places[first:second], places[first:second]] = 1 / spreads[:, 0, None] ** 2
    found[:, places[second:], places[second:]] = 1 / spreads[:, 1, None] ** 2
    found[:, third:, third:] = np.linalg.inv(together) / spreads[:, 2, None, None] ** 2
    volumes = -2 * np.log(spreads) @ np.array([pillars, formats, hours], np.float64)
    return found, volumes


def _together(hours: Sequence[int]) -> Array:
    """How much hours do alike, around the clock."""
    clock = np.array(hours, np.float64)
    apart = np.abs(clock[:, None] - clock)
    apart = np.minimum(apart, 24 - apart)
    return np.asarray(_SHARED * np.exp(-((apart / _CLOSE) ** 2) / 2) + (1 - _SHARED) * np.eye(len(hours)))
