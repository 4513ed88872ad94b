"""The few of many thousand options that any strategy can choose: the best of each pillar and format."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from operator import itemgetter
from typing import TypeAlias

import numpy as np

from zoetrope.studio.planning.cadence import Rule
from zoetrope.studio.planning.strategies.seam import Option

# A choice needs the best one and, to say what came second, another.
_ENOUGH = 2
_NONE: frozenset[Rule] = frozenset()
# The rules about clusters are given up in this order, as few as possible.
_GIVING_WAY: tuple[tuple[Rule, ...], ...] = ((), (Rule.MOST,), (Rule.REST,), (Rule.MOST, Rule.REST))

Pair: TypeAlias = tuple[int | None, str]
_PAIR = itemgetter(Option._fields.index("pillar"), Option._fields.index("format"))
# All that decides which group an option falls into.
_KIND = itemgetter(*(Option._fields.index(name) for name in ("pillar", "format", "clusters")))


@dataclass(frozen=True)
class Shortlist:
    """The best options, the rules that gave way for them, and the best that was met of those that a rule kept out."""

    options: Sequence[Option]
    relaxed: tuple[Rule, ...]
    barred: Option | None


@dataclass
class _Found:
    """What a walk from the best option down has met, by the rules that each breaks."""

    wanted: set[Pair]
    groups: dict[tuple[Pair, frozenset[Rule]], list[Option]] = field(default_factory=dict)

    def take(self, option: Option, breaks: frozenset[Rule]) -> bool:
        """Keep an option if it may be needed; whether there are enough of its kind."""
        pair = _PAIR(option)
        group = self.groups.setdefault((pair, breaks), [])
        if len(group) < _ENOUGH and all(option.kept != each.kept for each in group):
            group.append(option)
            if not breaks and len(group) == _ENOUGH:
                self.wanted.discard(pair)
        return len(group) == _ENOUGH

    def within(self, relaxed: tuple[Rule, ...]) -> list[Option]:
        """Those that break none but these rules."""
        return [option for (_, breaks), group in self.groups.items() if breaks <= set(relaxed) for option in group]


def shortlist(
    options: Sequence[Option],
    posted: Collection[int],
    blocked: Mapping[Rule, frozenset[int]],
    closed: Collection[int] = (),
) -> Shortlist:
    """The best two of every pillar and format that were not posted and break no rule; if none is left, of the others.

    `blocked` says which clusters each rule keeps out, `closed` which pillars are not posted about that day.
    """
    wanted = {pair for pair in set(map(_PAIR, options)) if pair[0] not in closed}
    found, any_rule = _Found(wanted), frozenset[int]().union(*blocked.values())
    # Where a rule keeps a whole pillar out, all options are gone through: few kinds of them, which are soon done.
    done = set()
    for place in _best_first(options):
        option = options[place]
        kind = _KIND(option)
        if kind in done or option.kept in posted or option.pillar in closed:
            continue
        # Most break none, which one look tells.
        if found.take(option, _NONE if any_rule.isdisjoint(option.clusters) else _broken(option, blocked)):
            done.add(kind)
            if not found.wanted:
                break
    relaxed = next((each for each in _GIVING_WAY if found.within(each)), ())
    left = found.within(relaxed)
    barred = [option for option in found.within(_GIVING_WAY[-1]) if option not in left]
    return Shortlist(left, relaxed, max(barred, key=_worth, default=None))


def _broken(option: Option, blocked: Mapping[Rule, frozenset[int]]) -> frozenset[Rule]:
    return frozenset(rule for rule, out in blocked.items() if not out.isdisjoint(option.clusters))


def _best_first(options: Sequence[Option]) -> list[int]:
    """The places of the options by rating, of equals by which was kept first."""
    count = len(options)
    ratings = np.fromiter((option.worth for option in options), np.float64, count)
    kept = np.fromiter((option.kept for option in options), np.int64, count)
    found: list[int] = np.lexsort((kept, -ratings)).tolist()
    return found


def _worth(option: Option) -> float:
    return option.worth
