"""What the votes say of each picture: a full fit of all of them, so that their order cannot matter.

A picture has a utility; of a screen, each picture is chosen with a chance that grows with the exponential of its own
(Plackett and Luce). Utilities are normal around zero before any vote. How widely they spread is how sure the voter is
of a choice, and differs from voter to voter, so several spreads are weighed by how well each explains the votes.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Array: TypeAlias = NDArray[np.float64]

SPREADS = (0.4, 0.7, 1.1, 1.6, 2.2, 3.0, 4.2)
# Of a random pair, most people judge 70 to 90 of 100 alike, which are spreads of 0.8 to 3.7.
USUAL, UNUSUAL = 1.7, 0.6
# A spread this unlikely beside the best changes nothing.
_LEAST = 1e-3
# A step this short leaves an error of about its square.
_ROUNDS, _SETTLED = 50, 1e-6
_TINY = float(np.finfo(np.float64).tiny)
# What a step may change a utility by at once: far from the answer, Newton's own would overshoot.
_LONGEST = 2.0


@dataclass(frozen=True)
class Choice:
    """One screen: the pictures shown, by their numbers, and the one that was chosen."""

    members: tuple[int, ...]
    best: int

    def __post_init__(self) -> None:
        if self.best not in self.members or len(set(self.members)) != len(self.members) or len(self.members) < 2:
            raise ValueError(f"{self.best} cannot be chosen from {self.members}")


@dataclass(frozen=True)
class Table:
    """Screens of one size: who was shown, a column each, and who was chosen."""

    members: NDArray[np.int64]
    best: NDArray[np.int64]


@dataclass(frozen=True)
class Fit:
    """The most likely utilities at one spread, how unsure they are, and how well they explain the votes."""

    spread: float
    utilities: Array
    covariance: Array
    evidence: float

    def draws(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Utilities as they may be, a row each, and the steps from the middle that led to them."""
        steps = rng.standard_normal((count, len(self.utilities)))
        return self.utilities + steps @ np.linalg.cholesky(self.covariance).T, steps


@dataclass(frozen=True)
class Belief:
    """What is believed of every picture: normal distributions, weighed, and the votes that they come from."""

    parts: tuple[tuple[float, Fit], ...]
    tables: tuple[Table, ...]

    @cached_property
    def utilities(self) -> Array:
        """What each picture's is, in the middle."""
        return self._average(lambda fit: fit.utilities)

    @cached_property
    def deviations(self) -> Array:
        """How far from it each may well be."""
        second = self._average(lambda fit: np.diag(fit.covariance) + fit.utilities**2)
        return np.asarray(np.sqrt(np.maximum(second - self.utilities**2, 0.0)))

    def _average(self, of: Callable[[Fit], Array]) -> Array:
        return np.asarray(sum(weight * of(fit) for weight, fit in self.parts))

    def _counted(self, rng: np.random.Generator, count: int) -> Iterator[tuple[int, Fit]]:
        weights = np.array([weight for weight, _ in self.parts])
        numbers = rng.multinomial(count, weights / weights.sum())
        yield from ((int(number), fit) for number, (_, fit) in zip(numbers, self.parts, strict=True) if number)

    def draw(self, rng: np.random.Generator) -> Array:
        """Utilities of all pictures as they may be."""
        rows = [fit.draws(rng, number)[0] for number, fit in self._counted(rng, 1)]
        return np.asarray(rows[0][0])

    def weighed(self, rng: np.random.Generator, count: int) -> tuple[Array, Array]:
        """Many such, a row each, with the weights of the rows.

        Who always wins may be better by far and cannot be much worse, which no normal distribution says: its draws
        are weighed by how well they explain the votes.
        """
        rows, weights = [], []
        for number, fit in self._counted(rng, count):
            drawn, steps = fit.draws(rng, number)
            rows.append(drawn)
            explained = _evidence(drawn, self.tables, fit.spread) + np.square(steps).sum(axis=1) / 2
            _, volume = np.linalg.slogdet(fit.covariance)
            weights.append(np.exp(np.minimum(explained + float(volume) / 2 - fit.evidence, np.log(count) / 2)))
        return np.concatenate(rows), np.concatenate(weights)


def believe(count: int, choices: Iterable[Choice], spreads: Sequence[float] = SPREADS) -> Belief:
    """What `count` pictures' votes amount to."""
    tables = _tables(choices)
    found = _fits(count, tables, np.array(spreads))
    likely = np.array([_likely(each) for each in found])
    weights = np.exp(likely - likely.max())
    weights /= weights.sum()
    parts = ((float(weight), each) for weight, each in zip(weights, found, strict=True) if weight >= _LEAST)
    return Belief(tuple(parts), tables)


def _likely(found: Fit) -> float:
    """The logarithm of how likely a spread is, by the votes and before them."""
    return found.evidence - float(np.log(found.spread / USUAL) / UNUSUAL) ** 2 / 2


def _tables(choices: Iterable[Choice]) -> tuple[Table, ...]:
    by_size: dict[int, list[Choice]] = {}
    for choice in choices:
        by_size.setdefault(len(choice.members), []).append(choice)
    return tuple(
        # In one order whatever came first: sums of the same numbers in another order differ in the last digit.
        _table(sorted((each.members, each.best) for each in same))
        for _, same in sorted(by_size.items())
    )


def _table(rows: Sequence[tuple[tuple[int, ...], int]]) -> Table:
    members, best = zip(*rows, strict=True)
    # A screen's pictures lie far apart, so that each step of a sum over them is one for all screens.
    return Table(np.ascontiguousarray(np.array(members).T), np.array(best))


def _fits(count: int, tables: Sequence[Table], spreads: Array) -> list[Fit]:
    """Newton's way to the most likely utilities, and the curvature there: at every spread, side by side."""
    utilities = np.zeros((len(spreads), count))
    for _ in range(_ROUNDS):
        slope, curve = _around(utilities, tables, spreads)
        step = np.linalg.solve(curve, slope[..., None])[..., 0]
        longest = np.abs(step).max(axis=1, initial=0.0)
        utilities = utilities + step * np.minimum(1.0, _LONGEST / np.maximum(longest, _LONGEST))[:, None]
        if longest.max() < _SETTLED:
            break
    covariance = np.linalg.inv(curve)
    _, volume = np.linalg.slogdet(covariance)
    evidence = _evidence(utilities, tables, spreads) + volume / 2
    return [Fit(float(spread), *each) for spread, *each in zip(spreads, utilities, covariance, evidence, strict=True)]


def _around(utilities: Array, tables: Sequence[Table], spreads: Array) -> tuple[Array, Array]:
    """How the logarithm of the posterior climbs, and how it bends down; a row for each spread."""
    rows, count = utilities.shape
    slope = -utilities / spreads[:, None] ** 2
    curve = np.zeros((rows, count, count))
    places = np.arange(count)
    curve[:, places, places] = 1 / spreads[:, None] ** 2
    for table in tables:
        shown = utilities[:, table.members]
        grown = np.exp(shown - shown.max(axis=1, keepdims=True))
        shares = grown / grown.sum(axis=1, keepdims=True)
        expected = _summed(shares, table.members, count)
        slope += np.bincount(table.best, minlength=count) - expected
        curve[:, places, places] += expected
        pairs = table.members[:, None] * count + table.members
        curve -= _summed(shares[:, :, None] * shares[:, None], pairs, count**2).reshape(curve.shape)
    return slope, curve


def _summed(values: Array, places: NDArray[np.int64], count: int) -> Array:
    """Of each row, the sums of all values that belong to the same place."""
    there = np.arange(len(values))[:, None] * count + places.ravel()
    sums = np.bincount(there.ravel(), values.ravel(), len(values) * count)
    return np.asarray(sums.reshape(len(values), count), np.float64)


def _evidence(rows: Array, tables: Sequence[Table], spread: float | Array) -> Array:
    """For utilities in rows, the logarithm of how likely they were before the votes, times how they explain them."""
    total = -np.square(rows).sum(axis=1) / (2 * np.square(spread)) - rows.shape[1] * np.log(spread)
    most = rows.max(axis=1, keepdims=True, initial=-np.inf)
    grown = np.exp(rows - most)
    for table in tables:
        chosen = np.bincount(table.best, minlength=rows.shape[1])
        shown = np.zeros((rows.shape[1], len(table.best)))
        np.put_along_axis(shown, table.members, 1.0, axis=0)
        # By one product for all, and in its place: who is far behind everybody counts as little as a number can.
        beside = grown @ shown
        np.log(np.maximum(beside, _TINY, out=beside), out=beside)
        total = total + rows @ chosen.astype(np.float64) - len(table.best) * most[:, 0] - beside.sum(axis=1)
    return np.asarray(total)
