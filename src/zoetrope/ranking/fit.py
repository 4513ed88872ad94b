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
_USUAL, _UNUSUAL = 1.7, 0.6
# A spread this unlikely beside the best changes nothing.
_LEAST = 1e-3
_ROUNDS, _SETTLED = 50, 1e-9
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
class Fit:
    """The most likely utilities at one spread, how unsure they are, and how well they explain the votes."""

    utilities: Array
    covariance: Array
    evidence: float


@dataclass(frozen=True)
class Belief:
    """What is believed of every picture: normal distributions, weighed."""

    parts: tuple[tuple[float, Fit], ...]

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

    def draws(self, rng: np.random.Generator, count: int, shrunk: float = 1.0) -> Array:
        """Utilities of all pictures as they may be, a row each; `shrunk` as if more votes had made them surer."""
        weights = np.array([weight for weight, _ in self.parts])
        rows = []
        for number, (_, fit) in zip(rng.multinomial(count, weights / weights.sum()), self.parts, strict=True):
            root = np.linalg.cholesky(fit.covariance * shrunk)
            rows.append(fit.utilities + rng.standard_normal((number, len(fit.utilities))) @ root.T)
        return np.concatenate(rows)


def believe(count: int, choices: Iterable[Choice], spreads: Sequence[float] = SPREADS) -> Belief:
    """What `count` pictures' votes amount to."""
    tables = _tables(choices)
    fits = [fit(count, tables, spread) for spread in spreads]
    evidence = np.array([each.evidence for each in fits]) - (np.log(np.array(spreads) / _USUAL) / _UNUSUAL) ** 2 / 2
    likely = np.exp(evidence - evidence.max())
    weights = likely / likely.sum()
    return Belief(tuple((float(weight), each) for weight, each in zip(weights, fits, strict=True) if weight >= _LEAST))


@dataclass(frozen=True)
class Table:
    """Screens of one size: who was shown, a row each, and who was chosen."""

    members: NDArray[np.int64]
    best: NDArray[np.int64]


def _tables(choices: Iterable[Choice]) -> list[Table]:
    by_size: dict[int, list[Choice]] = {}
    for choice in choices:
        by_size.setdefault(len(choice.members), []).append(choice)
    return [
        # In one order whatever came first: sums of the same numbers in another order differ in the last digit.
        Table(*map(np.array, zip(*sorted((each.members, each.best) for each in same), strict=True)))
        for _, same in sorted(by_size.items())
    ]


def fit(count: int, tables: Sequence[Table], spread: float) -> Fit:
    """Newton's way to the most likely utilities, and the curvature there."""
    utilities: Array = np.zeros(count)
    for _ in range(_ROUNDS):
        slope, curve = _around(utilities, tables, spread)
        step: Array = np.asarray(np.linalg.solve(curve, slope), np.float64)
        longest = float(np.abs(step).max(initial=0.0))
        utilities = utilities + step * min(1.0, _LONGEST / max(longest, _LONGEST))
        if longest < _SETTLED:
            break
    _, curve = _around(utilities, tables, spread)
    _, volume = np.linalg.slogdet(curve)
    evidence = _likelihood(utilities, tables) - float(utilities @ utilities) / (2 * spread**2)
    evidence -= count * float(np.log(spread)) + float(volume) / 2
    return Fit(utilities, np.asarray(np.linalg.inv(curve)), evidence)


def _shares(utilities: Array, tables: Sequence[Table]) -> Iterator[tuple[Table, Array]]:
    """Of each screen, the chance of each picture shown."""
    for table in tables:
        shown = utilities[table.members]
        grown = np.exp(shown - shown.max(axis=1, keepdims=True))
        yield table, grown / grown.sum(axis=1, keepdims=True)


def _around(utilities: Array, tables: Sequence[Table], spread: float) -> tuple[Array, Array]:
    """How the logarithm of the posterior climbs, and how it bends down."""
    slope = -utilities / spread**2
    curve = np.eye(len(utilities)) / spread**2
    for table, shares in _shares(utilities, tables):
        np.add.at(slope, table.best, 1.0)
        np.subtract.at(slope, table.members, shares)
        bent = shares[:, :, None] * (np.eye(shares.shape[1]) - shares[:, None, :])
        np.add.at(curve, (table.members[:, :, None], table.members[:, None, :]), bent)
    return slope, curve


def _likelihood(utilities: Array, tables: Sequence[Table]) -> float:
    total = 0.0
    for table, shares in _shares(utilities, tables):
        total += float(np.log(shares[table.members == table.best[:, None]]).sum())
    return total
