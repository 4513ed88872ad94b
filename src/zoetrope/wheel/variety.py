"""Which of many captions together say most: what is wanted and few pictures show so far comes first."""

from collections import Counter
from collections.abc import Sequence
from itertools import combinations

# An expression seen from the front says little about it in profile, so phrases count by two and by three.
_TOGETHER = (2, 3)
# What nobody asks for counts a little: between equals, variety.
_UNWANTED = 0.1


def most_varied(held: Sequence[str], offered: Sequence[str], count: int, wanted: Sequence[str] = ()) -> list[int]:
    """The indices of up to `count` offered captions, chosen one by one by what is rarest beside what is held.

    `wanted` captions say what matters: what stands together in them is to stand together as often in the end.
    """
    seen = Counter(group for caption in held for group in _groups(caption))
    share = (len(held) + count) / max(1, len(wanted))
    # What all of them say tells them apart from nothing.
    same = set.intersection(*(_phrases(text) for text in wanted)) if wanted else set()
    times = Counter(group for text in wanted for group in _groups(text) if not same.intersection(group))
    aims = {group: share * number for group, number in times.items()}
    groups = [_groups(caption) for caption in offered]
    left = list(range(len(offered)))
    chosen: list[int] = []

    def gain(index: int) -> float:
        lacking = sum(max(0.0, 1 - seen[group] / aims[group]) for group in groups[index] if group in aims)
        rare = sum(1 / (1 + seen[group]) for group in groups[index])
        return (lacking + _UNWANTED * rare) / len(groups[index])

    while left and len(chosen) < count:
        # The first of equals is taken, so whoever offers decides between them.
        best = max(left, key=gain)
        left.remove(best)
        chosen.append(best)
        seen.update(groups[best])
    return chosen


def _groups(caption: str) -> list[tuple[str, ...]]:
    phrases = sorted(_phrases(caption))
    together = [group for size in _TOGETHER for group in combinations(phrases, size)]
    return together or [tuple(phrases)]


def _phrases(caption: str) -> set[str]:
    return {phrase for part in caption.split(",") if (phrase := part.strip().lower())}
