"""How few choices find the best picture: simulated voters of 70, 80 and 90 % answer the screens of the voting code.

A voter's accuracy is how often it judges a random pair right. Beside it stands the predecessor: Elo on random pairs.

Run: python benchmarks/voting.py [--runs N] [--json]
"""

import argparse
import multiprocessing
import os
import sys
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

# A process works on voters of its own: threads for matrices this small would only wait for each other.
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.bars import Bar, report
from zoetrope.ranking.fit import Array, Choice, believe
from zoetrope.ranking.screens import next_screen
from zoetrope.ranking.stopping import BETTER, Verdict, verdict

ACCURACIES = (0.7, 0.8, 0.9)
COUNTS = (8, 16, 32, 64)
SIZE = 4
RUNS = 100
# The bars: of 32 pictures, the pick after so many screens of a voter who is right four times of five.
COUNT, ACCURACY, SCREENS = 32, 0.8, 48
TOP, TOP_SHARE = 3, 0.92
# Of picks called sure, between these shares are within the stated margin.
LEAST_RIGHT, MOST_RIGHT = 0.80, 0.95
# A voter who never becomes sure stops some time.
MOST = 200
# "About 4 more" is 2 to 10 most of the time.
FORECAST = 2.5
ELO_START, ELO_STEP = 1000.0, 32.0


@dataclass(frozen=True)
class Task:
    """A voter with pictures of its own; it votes so often, or until the pick is sure."""

    count: int
    accuracy: float
    seed: int
    screens: int | None = None


@dataclass(frozen=True)
class Outcome:
    """What a voter's choices came to, and the truth about it."""

    decisions: int
    verdict: Verdict
    within: bool
    rank: int
    forecasts: tuple[tuple[int, int], ...]
    choices: tuple[Choice, ...]


def spread_of(accuracy: float) -> float:
    """How far apart utilities lie of which random pairs are judged right so often."""
    apart = np.abs(np.random.default_rng(0).standard_normal(200_000)) * np.sqrt(2)
    low, high = 0.0, 50.0
    for _ in range(40):
        middle = (low + high) / 2
        right = float(np.mean(1 / (1 + np.exp(-middle * apart))))
        low, high = (middle, high) if right < accuracy else (low, middle)
    return (low + high) / 2


def chosen(utilities: Array, members: Sequence[int], rng: np.random.Generator) -> int:
    """Whom the voter takes."""
    grown = np.exp(utilities[list(members)] - utilities.max())
    return int(rng.choice(list(members), p=grown / grown.sum()))


def vote(task: Task, spread: float) -> Outcome:
    """One voter, until told to stop."""
    rng = np.random.default_rng((task.seed, task.count, round(100 * task.accuracy)))
    utilities = rng.standard_normal(task.count) * spread
    choices: list[Choice] = []
    told: list[tuple[int, int]] = []
    belief = believe(task.count, ())
    while True:
        screen = next_screen(belief, [each.members for each in choices], range(task.count), SIZE, rng)
        choices.append(Choice(screen.members, chosen(utilities, screen.members, rng)))
        belief = believe(task.count, choices)
        if task.screens is not None and len(choices) < task.screens:
            continue
        if len(choices) * SIZE < task.count:
            continue
        said = verdict(belief)
        told.append((len(choices), said.more))
        if task.screens is not None or said.enough or len(choices) >= MOST:
            break
    better = utilities - utilities[said.pick]
    return Outcome(
        decisions=len(choices),
        verdict=said,
        within=bool(better.max() <= np.log(BETTER / (1 - BETTER))),
        rank=int((better > 0).sum()),
        forecasts=tuple((more, len(choices) - at) for at, more in told if more),
        choices=tuple(choices),
    )


def elo(task: Task, spread: float) -> int:
    """The rank of the predecessor's pick after as many decisions: random pairs, each score changed in place."""
    rng = np.random.default_rng((task.seed, task.count, round(100 * task.accuracy)))
    utilities = rng.standard_normal(task.count) * spread
    scores = np.full(task.count, ELO_START)
    for _ in range(task.screens or 0):
        pair = rng.permutation(task.count)[:2].tolist()
        winner = chosen(utilities, pair, rng)
        loser = pair[0] if winner == pair[1] else pair[1]
        expected = 1 / (1 + 10 ** ((scores[loser] - scores[winner]) / 400))
        scores[[winner, loser]] += ELO_STEP * (1 - expected) * np.array([1, -1])
    return int((utilities > utilities[int(np.argmax(scores))]).sum())


def reordered(outcome: Outcome, count: int) -> bool:
    """Whether the same votes in another order come to the same verdict, to the last digit."""
    shuffled = np.random.default_rng(1).permutation(len(outcome.choices))
    other = believe(count, [outcome.choices[at] for at in shuffled])
    return verdict(other) == outcome.verdict


def _share(flags: Iterable[bool]) -> float:
    return float(np.mean(list(flags)))


def _row(count: int, accuracy: float, outcomes: Sequence[Outcome]) -> dict[str, Any]:
    """How voters fared who stopped when they were told to."""
    decisions = [each.decisions for each in outcomes]
    sure = [each for each in outcomes if each.verdict.enough]
    return {
        "accuracy": accuracy,
        "pictures": count,
        "decisions": float(np.mean(decisions)),
        "median": float(np.median(decisions)),
        "sure": len(sure) / len(outcomes),
        "stated": float(np.mean([each.verdict.sure for each in sure])),
        "within": _share(each.within for each in sure),
        "best": _share(each.rank == 0 for each in outcomes),
        "top_3": _share(each.rank < TOP for each in outcomes),
    }


def _bars(fixed: Sequence[Outcome], predecessor: Sequence[int], stopped: Sequence[Outcome]) -> dict[str, Bar]:
    sure = [each for each in stopped if each.verdict.enough]
    right = _share(each.within for each in sure)
    forecasts = [abs(np.log(said / real)) for each in sure for said, real in each.forecasts]
    top = _share(each.rank < TOP for each in fixed)
    return {
        "top_3_after_48_screens": Bar(top, TOP_SHARE, at_least=True),
        "top_3_elo_after_48_pairs": Bar(_share(rank < TOP for rank in predecessor), top),
        "right_when_sure_least": Bar(right, LEAST_RIGHT, at_least=True),
        "right_when_sure_most": Bar(right, MOST_RIGHT),
        "changed_by_the_order_of_votes": Bar(_share(not reordered(each, COUNT) for each in fixed), 0.0),
        "forecast_off_by_a_factor_of": Bar(float(np.exp(np.median(forecasts))), FORECAST),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=RUNS, help="how many voters of each kind")
    parser.add_argument("--json", action="store_true", help="print only a JSON object")
    chosen_args = parser.parse_args()
    rows: list[dict[str, Any]] = []
    stopped: list[Outcome] = []
    with ProcessPoolExecutor(os.cpu_count(), multiprocessing.get_context("spawn")) as pool:
        for accuracy in ACCURACIES:
            spread = spread_of(accuracy)
            for count in COUNTS:
                tasks = [Task(count, accuracy, seed) for seed in range(chosen_args.runs)]
                outcomes = list(pool.map(partial(vote, spread=spread), tasks, chunksize=4))
                rows.append(_row(count, accuracy, outcomes))
                stopped += outcomes
                if not chosen_args.json:
                    print(f"{accuracy:.0%} of {count}: {rows[-1]['decisions']:.0f} decisions", file=sys.stderr)
        fixed = [Task(COUNT, ACCURACY, seed, SCREENS) for seed in range(chosen_args.runs)]
        spread = spread_of(ACCURACY)
        outcomes = list(pool.map(partial(vote, spread=spread), fixed, chunksize=4))
        predecessor = list(pool.map(partial(elo, spread=spread), fixed, chunksize=4))
    return report("voting", rows, _bars(outcomes, predecessor, stopped), chosen_args.json)


if __name__ == "__main__":
    raise SystemExit(main())
