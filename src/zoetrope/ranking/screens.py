"""Which pictures are shown together next, so that the fewest choices find the best."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from zoetrope.ranking.fit import Belief

# Of the screens, so many by chance, and so many shown before, to see how steady the voter is.
_RANDOM, _AGAIN = 0.1, 0.1
# A screen comes again only when so many others have come between.
_BETWEEN = 4


@dataclass(frozen=True)
class Screen:
    """Pictures by their numbers, in the order of their places."""

    members: tuple[int, ...]
    again: bool = False


def next_screen(
    belief: Belief, shown: Sequence[Sequence[int]], alive: Sequence[int], size: int, rng: np.random.Generator
) -> Screen:
    """Every picture once; then those that may be the best, by one draw of what is believed of each.

    `shown` are the screens so far, oldest first; `alive` whoever may be shown. Places are by chance.
    """
    size = min(size, len(alive))
    if size < 2:
        raise ValueError("there is nothing to choose between")
    seen = {member for screen in shown for member in screen}
    fresh = [member for member in alive if member not in seen]
    if fresh:
        return _placed(_with_fresh(fresh, alive, size, rng), rng)
    chance = rng.random()
    if chance < _AGAIN and (again := _earlier(shown, alive, size, rng)):
        return Screen(_elsewhere(again, rng), again=True)
    if chance < _AGAIN + _RANDOM:
        return _placed(rng.permutation(alive)[:size].tolist(), rng)
    drawn = belief.draw(rng)
    return _placed(sorted(alive, key=lambda member: -drawn[member])[:size], rng)


def _with_fresh(fresh: list[int], alive: Sequence[int], size: int, rng: np.random.Generator) -> list[int]:
    chosen: list[int] = rng.permutation(fresh)[:size].tolist()
    others = [member for member in alive if member not in chosen]
    beside: list[int] = rng.permutation(others)[: size - len(chosen)].tolist()
    return chosen + beside


def _earlier(
    shown: Sequence[Sequence[int]], alive: Sequence[int], size: int, rng: np.random.Generator
) -> tuple[int, ...]:
    """A screen of some time ago that nothing on it has left."""
    there = set(alive)
    old = [tuple(screen) for screen in shown[: max(0, len(shown) - _BETWEEN)]]
    found = [screen for screen in old if len(screen) == size and there.issuperset(screen)]
    return found[int(rng.integers(len(found)))] if found else ()


def _elsewhere(members: tuple[int, ...], rng: np.random.Generator) -> tuple[int, ...]:
    """The same pictures, each in another place: of two, the sides swapped."""
    by = int(rng.integers(1, len(members)))
    return members[by:] + members[:by]


def _placed(members: Sequence[int], rng: np.random.Generator) -> Screen:
    return Screen(tuple(int(member) for member in rng.permutation(np.array(members))))
