"""What is shown next, and when it is enough."""

from collections import Counter

import numpy as np
import pytest

from zoetrope.ranking.fit import SPREADS, UNUSUAL, USUAL, Choice, believe
from zoetrope.ranking.scale import interval, score
from zoetrope.ranking.screens import Screen, next_screen
from zoetrope.ranking.steadiness import steadiness
from zoetrope.ranking.stopping import BETTER, SURE, verdict


def screens(count: int, times: int, alive: list[int] | None = None) -> list[Screen]:
    """What a voter is shown who always takes the highest number."""
    rng = np.random.default_rng(3)
    shown: list[tuple[int, ...]] = []
    found: list[Screen] = []
    choices: list[Choice] = []
    for _ in range(times):
        screen = next_screen(believe(count, choices), shown, alive or range(count), 4, rng)
        found.append(screen)
        shown.append(screen.members)
        choices.append(Choice(screen.members, max(screen.members)))
    return found


def test_every_picture_is_shown_once_before_any_other() -> None:
    first = [member for screen in screens(14, 4) for member in screen.members]
    assert sorted(set(first)) == list(range(14))
    assert len(first) == 16


def test_then_those_that_may_be_the_best_come_most_often() -> None:
    later = Counter(member for screen in screens(16, 60)[4:] for member in screen.members)
    assert later[15] > 2 * later[0]
    assert sum(later[each] for each in range(12, 16)) > sum(later[each] for each in range(8))


def test_some_screens_come_again_with_every_picture_in_another_place() -> None:
    found = screens(12, 120)
    again = [(number, screen) for number, screen in enumerate(found) if screen.again]
    assert 3 <= len(again) <= 30
    for number, screen in again:
        assert any(
            set(before.members) == set(screen.members)
            and all(one != other for one, other in zip(before.members, screen.members, strict=True))
            for before in found[:number]
        )


def test_who_has_left_is_not_shown() -> None:
    shown = {member for screen in screens(9, 30, alive=[1, 4, 6]) for member in screen.members}
    assert shown == {1, 4, 6}


def test_one_picture_is_nothing_to_choose_between() -> None:
    with pytest.raises(ValueError, match="nothing to choose"):
        next_screen(believe(3, []), [], [2], 4, np.random.default_rng(1))


def test_it_is_surer_with_more_votes_and_then_enough() -> None:
    votes = [Choice((0, 1, 2, 3), 0), Choice((1, 0, 3, 2), 1), Choice((2, 3, 0, 1), 2), Choice((0, 1), 0)]
    said = [verdict(believe(4, votes * times)) for times in (0, 1, 2, 20)]
    assert [each.sure for each in said] == sorted(each.sure for each in said)
    assert not said[0].enough
    assert said[-1].enough
    assert (said[-1].pick, said[-1].more) == (0, 0)
    assert said[0].more > said[1].more > 0


def test_the_same_votes_are_as_sure_each_time() -> None:
    belief = believe(5, [Choice((0, 1, 2, 3), 2), Choice((2, 4), 2)])
    assert verdict(belief) == verdict(belief)
    assert 0 < verdict(belief).sure < SURE


def test_who_has_left_is_not_picked_and_does_not_stand_in_the_way() -> None:
    votes = [Choice((0, 1, 2), 2), Choice((0, 2), 2), Choice((0, 1), 0)] * 8
    belief = believe(3, votes)
    assert verdict(belief).pick == 2
    assert (verdict(belief, [0, 1]).pick, verdict(belief, [0, 1]).enough) == (0, True)
    assert verdict(belief, [1]).sure == pytest.approx(1)


@pytest.mark.parametrize(
    "votes",
    [
        [Choice((0, 1, 2, 3), 0), Choice((1, 0, 3, 2), 1), Choice((2, 3, 0, 1), 0), Choice((0, 1), 0)],
        [Choice((0, 1, 2, 3), 2), Choice((2, 4), 2)],
        [Choice((4, 1, 2, 3), 4), Choice((0, 4), 4), Choice((4, 2, 0), 4), Choice((0, 1, 3), 0)],
    ],
)
def test_it_is_as_sure_as_trying_every_possibility_is(votes: list[Choice]) -> None:
    """Who always wins leads by more than a normal distribution around the most likely utilities would have it."""
    believed = verdict(believe(5, votes))
    assert believed.sure == pytest.approx(by_trying(5, votes, believed.pick), abs=0.03)


def by_trying(count: int, choices: list[Choice], pick: int) -> float:
    """Utilities drawn as they were before any vote, weighed by the chance of these votes."""
    rng = np.random.default_rng(5)
    usual = np.exp(-((np.log(np.array(SPREADS) / USUAL) / UNUSUAL) ** 2) / 2)
    spreads = rng.choice(SPREADS, 200_000, p=usual / usual.sum())
    utilities = rng.standard_normal((len(spreads), count)) * spreads[:, None]
    chance = np.ones(len(spreads))
    for choice in choices:
        chance *= np.exp(utilities[:, choice.best]) / np.exp(utilities[:, list(choice.members)]).sum(axis=1)
    behind = np.delete(utilities, pick, axis=1).max(axis=1) - utilities[:, pick]
    return float(chance @ (behind <= np.log(BETTER / (1 - BETTER))) / chance.sum())


def test_whoever_chooses_otherwise_the_second_time_is_less_steady() -> None:
    choices = [Choice((0, 1), 0), Choice((2, 3), 3), Choice((1, 0), 0), Choice((3, 2), 2), Choice((0, 2), 0)]
    found = steadiness(choices)
    assert (found.again, found.alike, found.share) == (2, 1, 0.5)
    assert steadiness(choices[:2]).share is None


def test_four_hundred_points_are_ten_to_one() -> None:
    lead = score(np.log(10)) - score(0)
    assert lead == pytest.approx(400)
    low, high = interval(0.5, 0.2)
    assert low < score(0.5) < high
