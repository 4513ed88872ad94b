"""Which of many captions together say most: what few pictures show so far comes first."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations

# An expression seen from the front says little about it in profile, so phrases count by two and by three.
_TOGETHER = (2, 3)


def most_varied(held: Iterable[str], offered: Sequence[str], count: int) -> list[int]:
    """The indices of up to `count` offered captions, chosen one by one by what is rarest beside what is held."""
    seen = Counter(group for caption in held for group in _groups(caption))
    groups = [_groups(caption) for caption in offered]
    left = list(range(len(offered)))
    chosen: list[int] = []
    while left and len(chosen) < count:
        # The first of equals is taken, so whoever offers decides between them.
        best = max(left, key=lambda index: sum(1 / (1 + seen[group]) for group in groups[index]) / len(groups[index]))
        left.remove(best)
        chosen.append(best)
        seen.update(groups[best])
    return chosen


def _groups(caption: str) -> list[tuple[str, ...]]:
    phrases = sorted({phrase for part in caption.split(",") if (phrase := part.strip().lower())})
    together = [group for size in _TOGETHER for group in combinations(phrases, size)]
    return together or [tuple(phrases)]
