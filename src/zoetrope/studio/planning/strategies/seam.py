"""What every strategy is given and what it answers."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from math import inf
from typing import NamedTuple, Protocol

from zoetrope.studio.planning.cadence import Cadence
from zoetrope.studio.planning.gaps import Plan
from zoetrope.studio.planning.slots import Slot


class Option(NamedTuple):
    """A kept picture that may be posted in one format. Fifty thousand of them are made in a moment.

    `rating` is what the votes said of it, None where nobody voted.
    """

    kept: int
    pillar: int | None
    clusters: frozenset[int]
    rating: float | None
    format: str

    @property
    def worth(self) -> float:
        """Its place among others: what nobody voted on comes after all that somebody did."""
        return -inf if self.rating is None else self.rating

    @property
    def rated(self) -> str:
        """Its rating in words."""
        return "nobody voted on it" if self.rating is None else f"rated {self.rating:.2f}"


class Past(NamedTuple):
    """A post that went out, or one that waits for its time.

    `rating` is what the votes said of its picture; `reward` is what the audience made of it, None where nobody knows
    (yet), which is not zero. More is better, and rates compare where counts would not.
    """

    at: datetime
    kept: int
    pillar: int | None
    clusters: frozenset[int]
    format: str
    rating: float | None = None
    reward: float | None = None


@dataclass(frozen=True)
class Settings:
    """What a persona's owner set: cadence, pillars that are not retired, slots if there are any, the sampler's own.

    `explore` is the share of posts that the sampler tries things with; it begins with `enough` measured posts; `drift`
    is how far, as a part of all posts, it may take a pillar above its weight.
    """

    cadence: Cadence
    plans: tuple[Plan, ...]
    slots: tuple[Slot, ...] = ()
    explore: float = 0.1
    enough: int = 12
    drift: float = 0.25


@dataclass(frozen=True)
class Choice:
    """What to post, when, and why.

    `rules` are sentences, one for each rule that led here; `relaxed` are the names of those that had to give way;
    `runners_up` are the next best options, each with a sentence that says why it is not this one.
    """

    option: Option
    at: datetime
    rules: tuple[str, ...]
    relaxed: tuple[str, ...] = ()
    runners_up: tuple[tuple[Option, str], ...] = ()


class Strategy(Protocol):
    """A way to choose the next post. The same seed and the same past lead to the same choice."""

    @property
    def name(self) -> str:
        """What it is called in settings."""

    @property
    def about(self) -> str:
        """What it does, as a sentence."""

    def choose(
        self, options: Sequence[Option], past: Sequence[Past], now: datetime, seed: int, settings: Settings
    ) -> Choice | None:
        """The next post after `now`; None where there is no picture or no time for one.

        `past` holds posts that wait for their time too: neither their pictures nor their times are used again.
        """
