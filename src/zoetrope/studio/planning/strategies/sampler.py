"""Thompson sampling over pillar, hour and format: what may be the best is tried as often as it may be the best."""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

import numpy as np

from zoetrope.studio.planning.gaps import lag
from zoetrope.studio.planning.slots import local
from zoetrope.studio.planning.strategies.effects import Array, Columns, Effects, Post, learn
from zoetrope.studio.planning.strategies.seam import Choice, Option, Past, Settings
from zoetrope.studio.planning.strategies.stage import Stage, highest, rotated, stage
from zoetrope.studio.planning.strategies.thematic_rotation import by_rotation

DRIFT = "pillars near their weights"
"""The name of the rule that gives way where only pillars far above their weights have pictures."""
# What is learned from: an audience of years ago may have gone.
_MEMORY = timedelta(days=366)
_WEEK = timedelta(days=7)
# What a pillar gains for each part of all posts that it lacks, in deviations of a post: an owner's weights still count.
_PULL = 2.0
_FARTHEST = 3.0


class Arm(NamedTuple):
    """A picture, the best of its pillar and format, at a time."""

    option: Option
    at: datetime


@dataclass(frozen=True)
class Drawn:
    """The arms with what each promises in one draw, in deviations of a post."""

    arms: Sequence[Arm]
    posts: Sequence[Post]
    effects: Effects
    promises: Array

    def of(self, place: int) -> tuple[str, ...]:
        """What is known of an arm, as sentences."""
        return tuple(self._effects(self.posts[place]))

    def after(self, place: int) -> list[tuple[Option, str]]:
        """The best arm with another picture than this one's, if there is one."""
        chosen = self.arms[place].option.kept
        others = [number for number, arm in enumerate(self.arms) if arm.option.kept != chosen]
        if not others:
            return []
        following = max(others, key=lambda number: (self.promises[number], -number))
        apart = (self.promises[place] - self.promises[following]) * self.effects.scale
        more = f"Promised {abs(apart):.3g} {'less' if apart >= 0 else 'more'} in this draw."
        return [(self.arms[following].option, more if apart >= 0 else f"{more} This post was for exploring.")]

    def _effects(self, post: Post) -> Iterable[str]:
        pillars, formats, hours = self.effects.columns.places
        named = (
            ("its pillar", pillars[post.pillar]),
            (f"{post.hour:02}:00", hours[post.hour]),
            (f"the format {post.format}", formats[post.format]),
        )
        said = [f"{name} {self.effects.mean[at]:+.3g} ± {2 * self.effects.deviation[at]:.2g}" for name, at in named]
        yield f"What the audience gives, beside the average of {self.effects.middle:.3g}: {', '.join(said)}."


class Sampler:
    """Learns what the audience likes; rotation until there is enough to learn from."""

    name = "sampler"
    about = "Tries pillars, hours and formats, and takes more and more of what the audience likes."

    def choose(
        self, options: Sequence[Option], past: Sequence[Past], now: datetime, seed: int, settings: Settings
    ) -> Choice | None:
        """The next post."""
        ground = stage(options, past, now, settings)
        if ground is None:
            return None
        known = sorted((post for post in past if ground.times[0] - _MEMORY < post.at), key=_when)
        measured = sum(post.reward is not None for post in known)
        if measured < max(settings.enough, 1):
            said = f"Only {measured} posts are measured, and {settings.enough} are enough to learn from: rotation."
            return by_rotation(ground, [said])
        return _sampled(ground, known, measured, np.random.default_rng(seed))


def _sampled(ground: Stage, known: Sequence[Past], measured: int, rng: np.random.Generator) -> Choice:
    """The choice by one draw, or of an arm by chance."""
    pairs, relaxed = _near_weights(ground)
    drawn = _draw(ground, [Arm(option, at) for option in pairs for at in ground.times], known, rng)
    if rng.random() < ground.settings.explore:
        plan = rotated(ground)
        turns = [number for number, arm in enumerate(drawn.arms) if plan is None or arm.option.pillar == plan.key]
        place = int(rng.choice(turns))
        why = f"By chance, as {ground.settings.explore:.0%} of posts are: any format and hour, the pillar in its turn."
    else:
        place = int(np.argmax(drawn.promises))
        why = f"The most promising of {len(drawn.arms)} in a draw of what {measured} measured posts leave possible."
    option, at = drawn.arms[place]
    best = highest("of its pillar and format", option)
    return ground.choice_at(option, at, (why, *drawn.of(place), best), drawn.after(place), relaxed)


def _near_weights(ground: Stage) -> tuple[list[Option], tuple[str, ...]]:
    """The best option of every pillar and format, without pillars far above their weights, and what gave way."""
    every = _best_of_pairs(ground.in_pillars)
    too_far = {plan.key for plan in ground.plans if lag(plan, ground.shares) <= -ground.settings.drift}
    near = [option for option in every if option.pillar not in too_far]
    return (near, ()) if near else (every, (DRIFT,))


def _best_of_pairs(options: Iterable[Option]) -> list[Option]:
    """The best option of every pillar and format."""
    found: dict[tuple[int | None, str], Option] = {}
    for option in options:
        pair = (option.pillar, option.format)
        known = found.get(pair)
        if known is None or (option.worth, -option.kept) > (known.worth, -known.kept):
            found[pair] = option
    # In one order whatever came first, so that a seed means the same.
    return [found[pair] for pair in sorted(found, key=str)]


def _draw(ground: Stage, arms: Sequence[Arm], known: Sequence[Past], rng: np.random.Generator) -> Drawn:
    """One draw of what the measured posts leave possible, and what it promises of each arm."""
    scaled = _scaled([*(post.rating for post in known), *(arm.option.rating for arm in arms)])
    posts = _posts(ground, known, scaled[: len(known)])
    candidates = _candidates(ground, known, arms, scaled[len(known) :])
    measured = [(post, past.reward) for post, past in zip(posts, known, strict=True) if past.reward is not None]
    columns = Columns.of([*(post for post, _ in measured), *candidates])
    effects = learn(columns, [post for post, _ in measured], [reward for _, reward in measured])
    pull: dict[int | None, float] = {plan.key: _PULL * lag(plan, ground.shares) for plan in ground.plans}
    owners = np.array([pull.get(arm.option.pillar, 0.0) for arm in arms])
    return Drawn(arms, candidates, effects, columns.table(candidates) @ effects.drawn(rng) + owners)


def _scaled(ratings: Sequence[float | None]) -> list[float]:
    """Ratings in deviations of all of them; one that is missing is like the average."""
    known = np.array([rating for rating in ratings if rating is not None] or [0.0])
    middle, spread = float(known.mean()), float(known.std()) or 1.0
    every = np.array([middle if rating is None else rating for rating in ratings])
    found: list[float] = np.clip((every - middle) / spread, -_FARTHEST, _FARTHEST).tolist()
    return found


def _posts(ground: Stage, known: Sequence[Past], ratings: Sequence[float]) -> list[Post]:
    """The known posts by what may matter."""
    zone = ground.settings.cadence.zone
    return [
        Post(post.pillar, local(post.at, zone).hour, post.format, rating, repeats)
        for post, rating, repeats in zip(known, ratings, _repeats(known), strict=True)
    ]


def _candidates(ground: Stage, known: Sequence[Past], arms: Sequence[Arm], ratings: Sequence[float]) -> list[Post]:
    """The arms, as the posts that they would be."""
    zone, at = ground.settings.cadence.zone, ground.times[0]
    hours = {time: local(time, zone).hour for time in ground.times}
    lately = Counter(post.pillar for post in known if at - _WEEK < post.at <= at)
    return [
        Post(option.pillar, hours[at], option.format, rating, lately[option.pillar])
        for (option, at), rating in zip(arms, ratings, strict=True)
    ]


def _repeats(known: Sequence[Past]) -> list[int]:
    """How often each post's pillar was shown in the week before it; the posts come in order."""
    earlier: dict[int | None, list[datetime]] = {}
    found = []
    for post in known:
        times = earlier.setdefault(post.pillar, [])
        found.append(len(times) - bisect_right(times, post.at - _WEEK))
        times.append(post.at)
    return found


def _when(post: Past) -> datetime:
    return post.at
