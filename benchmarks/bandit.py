"""How much an audience is pleased in half a year: the sampler beside rotation, on audiences nobody knows beforehand.

Both post for 26 weeks from the same stock. An audience likes good pictures, tires of what it saw a moment ago, and may
prefer pillars, hours and formats. Regret is what somebody who knows the audience would have gained beyond: of each post
they choose what pleases most now.

Run: python benchmarks/bandit.py [--seeds N] [--first SEED] [--json]
"""

import argparse
import multiprocessing
import os
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

# A process works on audiences of its own: threads for matrices this small would only wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from zoetrope.studio.planning.cadence import Cadence
from zoetrope.studio.planning.gaps import Plan
from zoetrope.studio.planning.slots import local
from zoetrope.studio.planning.strategies import Choice, Option, Past, Settings, Strategy, strategy_named
from zoetrope.studio.planning.strategies.stage import stage

Array: TypeAlias = NDArray[np.float64]

SEEDS, WEEKS = 200, 26
START = datetime(2026, 1, 5, tzinfo=UTC)
ZONE = ZoneInfo("Europe/Lisbon")
WEIGHTS = (35, 30, 20, 15)
FORMATS = ("image", "carousel", "reel")
CLUSTERS = 3
# Pictures at first and new ones every week, more than are posted.
STOCK, NEW, A_WEEK = 48, 6, 4
# In deviations of what one post's reward is by chance.
WEAK, STRONG = 0.25, 0.75
LIKES_GOOD, TIRES = (0.1, 0.5), (0.0, 0.3)
BASE = 5.0
# How well votes say what the audience will think.
VOTES_OFF = 0.5
# Some rewards never come; the others are there after three days.
MISSING, KNOWN_AFTER = 0.15, timedelta(days=3)
WITH, WITHOUT = 0.8, 1.05
RESAMPLED = 2000


@dataclass(frozen=True)
class Audience:
    """What one audience likes, which no strategy is told."""

    pillars: Array
    hours: Array
    formats: Array
    quality: Array
    likes_good: float
    tires: float

    def pleased(self, option: Option, hour: int, seen: Mapping[int | None, int]) -> float:
        """What it gives a post, but for chance, when it has just seen so many of each pillar."""
        liked = self.pillars[option.pillar or 0] + self.formats[FORMATS.index(option.format)] + self.hours[hour]
        return float(BASE + liked + self.likes_good * self.quality[option.kept] - self.tires * seen[option.pillar])


@dataclass(frozen=True)
class Knowing:
    """Somebody who knows the audience, and posts by the same rules."""

    audience: Audience
    name: str = "knowing"
    about: str = "Takes what pleases most now."

    def choose(
        self, options: Sequence[Option], past: Sequence[Past], now: datetime, seed: int, settings: Settings
    ) -> Choice | None:
        """The post that pleases most now."""
        ground = stage(options, past, now, settings)
        if ground is None:
            return None
        at = max(ground.times, key=lambda at: self.audience.hours[local(at, ZONE).hour])
        seen = just_seen(past, at)
        option = max(ground.options, key=lambda option: self.audience.pleased(option, 0, seen))
        return Choice(option, at, ())


def just_seen(past: Sequence[Past], at: datetime) -> Counter[int | None]:
    """How many posts of each pillar went out in the week before; the latest are the last."""
    return Counter(post.pillar for post in past[-A_WEEK * 2 :] if at - timedelta(days=7) < post.at)


def audience(seed: int, prefers: bool) -> Audience:
    """The audience of a seed."""
    rng = np.random.default_rng((seed, 1))
    strength = rng.uniform(WEAK, STRONG) if prefers else 0.0
    centre, wide = rng.uniform(0, 24), rng.uniform(2, 6)
    apart = np.abs(np.arange(24) - centre)
    hours = np.exp(-((np.minimum(apart, 24 - apart) / wide) ** 2) / 2) * 2 + rng.standard_normal(24) / 2
    return Audience(
        pillars=strength * rng.standard_normal(len(WEIGHTS)),
        hours=strength * hours,
        formats=strength * rng.standard_normal(len(FORMATS)),
        quality=rng.standard_normal(STOCK + NEW * WEEKS),
        likes_good=rng.uniform(*LIKES_GOOD),
        tires=rng.uniform(*TIRES),
    )


def stock(seed: int, quality: Array) -> list[Option]:
    """All pictures of half a year, in the order in which they come."""
    rng = np.random.default_rng((seed, 2))
    pillars = rng.choice(len(WEIGHTS), len(quality), p=np.array(WEIGHTS) / 100).tolist()
    return [
        Option(
            kept=number,
            pillar=pillar,
            clusters=frozenset({pillar * CLUSTERS + int(rng.integers(CLUSTERS))}),
            rating=float(quality[number] + VOTES_OFF * rng.standard_normal()),
            format=FORMATS[int(rng.integers(len(FORMATS)))],
        )
        for number, pillar in enumerate(pillars)
    ]


def pleasure(strategy: Strategy, seed: int, listeners: Audience) -> float:
    """What an audience gave in half a year, but for chance."""
    settings = Settings(
        cadence=Cadence(ZONE, at_most=A_WEEK),
        plans=tuple(Plan(key, f"pillar {key}", weight, 1, None, 0) for key, weight in enumerate(WEIGHTS)),
    )
    pictures, chance = stock(seed, listeners.quality), np.random.default_rng((seed, 3))
    past: list[Past] = []
    now, total = START, 0.0
    while True:
        here = pictures[: STOCK + NEW * ((now - START).days // 7)]
        known = [post if now - post.at > KNOWN_AFTER else post._replace(reward=None) for post in past]
        choice = strategy.choose(here, known, now, seed * 1000 + len(past), settings)
        if choice is None or choice.at >= START + timedelta(weeks=WEEKS):
            return total
        option, now = choice.option, choice.at
        pleased = listeners.pleased(option, local(now, ZONE).hour, just_seen(past, now))
        total += pleased
        given = pleased + float(chance.standard_normal())
        reward = None if chance.random() < MISSING else given
        past.append(Past(now, option.kept, option.pillar, option.clusters, option.format, option.rating, reward))


def regrets(task: tuple[int, bool]) -> tuple[float, float]:
    """The sampler's and rotation's on one audience."""
    seed, prefers = task
    listeners = audience(seed, prefers)
    most = pleasure(Knowing(listeners), seed, listeners)
    sampler, rotation = strategy_named("sampler"), strategy_named("thematic_rotation")
    return most - pleasure(sampler, seed, listeners), most - pleasure(rotation, seed, listeners)


def ratio(found: Array) -> tuple[float, float, float]:
    """The sampler's regret in terms of rotation's, and where it is 95 times of 100 by resampling the audiences."""
    rng = np.random.default_rng(0)
    drawn = found[rng.integers(len(found), size=(RESAMPLED, len(found)))].sum(axis=1)
    low, high = np.quantile(drawn[:, 0] / drawn[:, 1], [0.025, 0.975])
    return float(found[:, 0].sum() / found[:, 1].sum()), float(low), float(high)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many audiences of each kind")
    parser.add_argument("--first", type=int, default=0, help="the first of them")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen = parser.parse_args()
    rows: list[dict[str, Any]] = []
    bars: dict[str, Bar] = {}
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for name, prefers, limit in (("preferences", True, WITH), ("no_preferences", False, WITHOUT)):
            tasks = [(chosen.first + number, prefers) for number in range(chosen.seeds)]
            found = np.array(list(pool.map(regrets, tasks, chunksize=4)))
            middle, low, high = ratio(found)
            sampler, rotation = found.mean(axis=0)
            row = {"sampler": float(sampler), "rotation": float(rotation), "ratio": middle, "from": low, "to": high}
            rows.append({"audiences": name, **row, "better": float((found[:, 0] < found[:, 1]).mean())})
            bars[f"{name}_regret_beside_rotation"] = Bar(middle, limit)
            bars[f"{name}_regret_at_most"] = Bar(high, limit)
    return report("bandit", rows, bars, chosen.json)


if __name__ == "__main__":
    raise SystemExit(main())
