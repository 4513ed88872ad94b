"""The fit against its own definition, and what may not change it."""

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zoetrope.ranking.fit import Array, Choice, believe

COUNT = 6
SCREENS = st.lists(
    st.lists(st.integers(0, COUNT - 1), min_size=2, max_size=4, unique=True).map(
        lambda each: Choice(tuple(each), each[0])
    ),
    max_size=40,
)


def slope(utilities: Array, choices: list[Choice], spread: float) -> Array:
    """By the definition, choice for choice: zero at the most likely utilities."""
    found = -utilities / spread**2
    for choice in choices:
        members = list(choice.members)
        grown = np.exp(utilities[members])
        found[choice.best] += 1
        found[members] -= grown / grown.sum()
    return found


@given(SCREENS, st.sampled_from([0.4, 1.6, 4.2]))
def test_the_fit_is_the_most_likely_one(choices: list[Choice], spread: float) -> None:
    belief = believe(COUNT, choices, [spread])
    assert np.abs(slope(belief.utilities, choices, spread)).max() < 1e-6


@given(SCREENS, st.randoms(use_true_random=False))
def test_the_same_votes_in_another_order_give_the_same_numbers(choices: list[Choice], rng: random.Random) -> None:
    other = rng.sample(choices, len(choices))
    one, two = believe(COUNT, choices), believe(COUNT, other)
    assert one.utilities.tobytes() == two.utilities.tobytes()
    assert one.deviations.tobytes() == two.deviations.tobytes()


def test_whoever_always_wins_leads_and_is_surer_than_whoever_was_never_shown() -> None:
    belief = believe(4, [Choice((0, 1), 0), Choice((0, 2), 0), Choice((1, 0), 0)] * 3)
    assert np.argmax(belief.utilities) == 0
    assert belief.utilities[3] == pytest.approx(0, abs=1e-9)
    assert belief.deviations[3] > belief.deviations[0]


def test_a_steady_voter_spreads_the_pictures_wider_than_one_who_guesses() -> None:
    pairs = [(a, b) for a in range(6) for b in range(a + 1, 6)]
    steady = [Choice(pair, max(pair)) for pair in pairs] * 3
    guessing = [Choice(pair, pair[index % 2]) for index, pair in enumerate(pairs * 3)]
    wide, narrow = believe(6, steady), believe(6, guessing)
    assert np.ptp(wide.utilities) > 4 * np.ptp(narrow.utilities)


def test_draws_are_as_far_apart_as_was_said() -> None:
    belief = believe(3, [Choice((0, 1, 2), 0)] * 5)
    drawn, _ = belief.weighed(np.random.default_rng(1), 40_000)
    assert drawn.mean(axis=0) == pytest.approx(belief.utilities, abs=0.05)
    assert drawn.std(axis=0) == pytest.approx(belief.deviations, rel=0.03)


@pytest.mark.parametrize(("members", "best"), [((0, 1), 2), ((0, 0), 0), ((3,), 3)])
def test_no_choice_is_made_of_what_was_not_shown(members: tuple[int, ...], best: int) -> None:
    with pytest.raises(ValueError, match="cannot be chosen"):
        Choice(members, best)
