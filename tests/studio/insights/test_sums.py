"""Means, intervals, ranks and corrections against plain implementations, and against what they promise."""

from statistics import mean

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]

from tests.studio.insights.cases import noise, plain_ranks, variance
from zoetrope.studio.insights.sums import (
    agreement,
    difference,
    drawn_in,
    holm,
    mean_of,
    ranks,
    shuffled,
    standings,
    student,
)


@pytest.mark.parametrize("degrees", [1, 2, 3, 7, 8, 29, 30, 250])
@pytest.mark.parametrize("sure", [0.5, 0.95, 0.999, 0.999999])
def test_students_t_is_that_of_the_tables(degrees: int, sure: float) -> None:
    assert student(sure, degrees) == pytest.approx(stats.t.ppf((1 + sure) / 2, degrees), rel=1e-6)


def test_a_mean_and_its_interval_are_what_books_say() -> None:
    values = noise(1, 12)
    told = mean_of(values)
    half = 2.200985 * (variance(values) / 12) ** 0.5
    assert told.count == 12
    assert [told.mean, told.low, told.high] == pytest.approx([mean(values), mean(values) - half, mean(values) + half])
    assert mean_of([0.1] * 8).low == pytest.approx(0.1)


def test_intervals_hold_what_they_are_about_as_often_as_they_say() -> None:
    rng = np.random.default_rng(5)
    held = 0
    for _ in range(2000):
        told = mean_of(rng.normal(3.0, 2.0, 9).tolist())
        held += told.low <= 3.0 <= told.high
    assert 0.935 <= held / 2000 <= 0.965


def test_a_difference_is_welchs() -> None:
    one, other = noise(2, 9), noise(3, 30, 0.08)
    told = difference(one, other)
    plain = stats.ttest_ind(one, other, equal_var=False).confidence_interval(0.95)
    assert told.value == pytest.approx(mean(one) - mean(other))
    # Whole degrees of freedom: ours is a little wider, and never narrower.
    assert told.low <= plain.low
    assert told.high >= plain.high
    assert told.high - told.low <= 1.02 * (plain.high - plain.low)
    assert difference([0.1] * 8, [0.1] * 8).excludes_nothing
    assert not difference([0.2] * 8, [0.1] * 8).excludes_nothing


def test_means_are_drawn_to_the_middle_the_more_the_fewer_they_are_of() -> None:
    wide, few = noise(4, 200), [0.3, 0.31]
    middle = mean(wide + few)
    drawn = drawn_in([wide, few])
    assert abs(drawn[0] - middle) < abs(mean(wide) - middle) + 1e-12
    assert middle < drawn[1] < mean(few)
    within = [value - mean(group) for group in (wide, few) for value in group]
    plain = sum(value**2 for value in within) / (202 - 2)
    spread = 200 * (mean(wide) - middle) ** 2 + 2 * (mean(few) - middle) ** 2 - plain
    real = spread / (202 - (200**2 + 2**2) / 202)
    weight = real / (real + plain / 2)
    assert drawn[1] == pytest.approx(weight * mean(few) + (1 - weight) * middle)
    alike = [noise(seed, 20) for seed in (7, 7, 7)]
    assert drawn_in(alike) == pytest.approx([mean(alike[0])] * 3), "groups that do not differ are one"


def test_drawn_means_are_nearer_to_the_truth() -> None:
    rng = np.random.default_rng(8)
    plain = drawn = 0.0
    for _ in range(200):
        truth = rng.normal(0.05, 0.005, 6)
        groups = [
            rng.normal(each, 0.03, count).tolist() for each, count in zip(truth, (8, 8, 10, 20, 40, 80), strict=True)
        ]
        plain += sum((mean(group) - each) ** 2 for group, each in zip(groups, truth, strict=True))
        drawn += sum((ours - each) ** 2 for ours, each in zip(drawn_in(groups), truth, strict=True))
    assert drawn < 0.7 * plain


def test_shuffles_find_how_often_chance_would_do_so() -> None:
    values = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
    members = np.array([[False, False, False, True, True, True], [True, False, True, False, True, False]])
    first, second = shuffled(values, members, 0.01, seed=1)
    # Of twenty ways to choose three, two are as extreme as 4, 5, 6; 1, 3, 5 is as good as any but the middle two.
    assert first == pytest.approx(2 / 20, abs=0.03)
    assert second == pytest.approx(14 / 20, abs=0.05)


@pytest.mark.parametrize(
    ("chances", "named"),
    [([0.01, 0.04, 0.03], [True, False, False]), ([0.01, 0.02, 0.04], [True] * 3), ([0.2, 0.01], [False, True])],
)
def test_holms_rule_is_holms(chances: list[float], named: list[bool]) -> None:
    assert [each is not None for each in holm(chances, 0.05)] == named
    assert holm([], 0.05) == []


def test_agreement_is_spearmans_and_its_interval_holds() -> None:
    one, other = noise(1, 20), noise(2, 20)
    other[3] = other[4]
    told = agreement(one, other)
    assert told.value == pytest.approx(stats.spearmanr(one, other).statistic)
    assert told.low < told.value < told.high
    assert ranks([3.0, 1.0, 3.0]).tolist() == plain_ranks([3.0, 1.0, 3.0]) == [2.5, 1.0, 2.5]
    assert agreement([1.0] * 5, [1.0, 2.0, 3.0, 4.0, 5.0]).value == 0
    assert agreement([1.0, 2.0, 3.0, 4.0], [4.0, 3.0, 2.0, 1.0]).value == pytest.approx(-1)
    rng = np.random.default_rng(6)
    held = 0
    for _ in range(1000):
        drawn = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], 30)
        found = agreement(drawn[:, 0].tolist(), drawn[:, 1].tolist())
        # Spearman's correlation of such pairs, by Pearson's formula.
        held += found.low <= 6 / np.pi * np.arcsin(0.25) <= found.high
    assert held / 1000 >= 0.93


def test_standings_lie_between_nothing_and_all() -> None:
    assert standings([5.0, 1.0, 3.0, 3.0]) == [0.875, 0.125, 0.5, 0.5]
