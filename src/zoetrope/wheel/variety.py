"""Which of many captions together say most: what is wanted and few pictures show so far comes first."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from itertools import combinations

# An expression seen from the front says little about it in profile, so phrases count by two and by three.
_TOGETHER = (2, 3)
# What nobody asks for counts a little: between equals, variety.
_UNWANTED = 0.1

Group = tuple[str, ...]


def most_varied(
    held: Sequence[str],
    offered: Sequence[str],
    count: int,
    wanted: Sequence[str] = (),
    refused: Sequence[str] = (),
    worth: Sequence[float] = (),
) -> list[int]:
    """The indices of up to `count` offered captions, chosen one by one by what is rarest beside what is held.

    `wanted` captions say what matters: what stands together in them is to stand together as often in the end. What was
    `refused` more often than held is chosen more often, as only a part of it will do. What is `worth` less has to add
    more; all is worth 1 if nothing is said.
    """
    seen = Counter[Group]()
    for caption in held:
        seen.update(_groups(caption))
    failed = Counter(group for caption in refused for group in _groups(caption))
    chances = [_chance(groups, seen, failed) for groups in map(_groups, offered)]
    share = (len(held) + count) / max(1, len(wanted))
    # What all of them say tells them apart from nothing.
    same = set.intersection(*(_phrases(text) for text in wanted)) if wanted else set()
    times = Counter(group for text in wanted for group in _groups(text) if not same.intersection(group))
    aims = {group: share * number for group, number in times.items()}
    groups = [_groups(caption) for caption in offered]
    expected: dict[Group, float] = defaultdict(float, seen)
    left = list(range(len(offered)))
    chosen: list[int] = []

    def gain(index: int) -> float:
        lacking = sum(max(0.0, 1 - expected[group] / aims[group]) for group in groups[index] if group in aims)
        rare = sum(1 / (1 + expected[group]) for group in groups[index])
        return (worth[index] if worth else 1.0) * (lacking + _UNWANTED * rare) / len(groups[index])

    while left and len(chosen) < count:
        # The first of equals is taken, so whoever offers decides between them.
        best = max(left, key=gain)
        left.remove(best)
        chosen.append(best)
        for group in groups[best]:
            expected[group] += chances[best]
    return chosen


def _chance(groups: Sequence[Group], held: Mapping[Group, int], failed: Mapping[Group, int]) -> float:
    """How much of what these phrases ask for will do, by the worst pair or three of them."""
    return min((1 + held.get(group, 0)) / (1 + held.get(group, 0) + failed.get(group, 0)) for group in groups)


def _groups(caption: str) -> list[Group]:
    phrases = sorted(_phrases(caption))
    together = [group for size in _TOGETHER for group in combinations(phrases, size)]
    return together or [tuple(phrases)]


def _phrases(caption: str) -> set[str]:
    return {phrase for part in caption.split(",") if (phrase := part.strip().lower())}
