"""The sampler: what it learns, held against the same model in another form, and how it uses it."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from itertools import product
from math import lgamma

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.studio.planning.test_strategies import ART, LISBON, NOW, SET, chosen, option, posted
from zoetrope.studio.planning.gaps import Plan
from zoetrope.studio.planning.strategies import Choice, Option, Past, Settings, strategy_named
from zoetrope.studio.planning.strategies.effects import Array, Columns, Effects, Post, learn

POSTS = st.lists(
    st.builds(
        Post,
        pillar=st.sampled_from([1, 2, None]),
        hour=st.sampled_from([5, 6, 23]),
        format=st.sampled_from(["image", "reel"]),
        rating=st.integers(-2, 2).map(float),
        repeats=st.integers(0, 3).map(float),
    ),
    min_size=2,
    max_size=7,
)
REWARDS = st.lists(st.integers(0, 50).map(float), min_size=7, max_size=7)
HALF = Plan(2, "Food", 50, 2, None, 0)
TWO = replace(SET, plans=(ART, HALF))


def by_kinship(posts: list[Post], rewards: list[float]) -> Array:
    """The same model in another form: how alike posts are, instead of effects. What each effect is in the middle."""
    columns = Columns.of(posts)
    names = ["", "rating", "repeats", *columns.pillars, *columns.formats, *columns.hours]
    first, second, third = 3, 3 + len(columns.pillars), 3 + len(columns.pillars) + len(columns.formats)
    table, mean = columns.table(posts), np.zeros(len(names))
    mean[:3] = [0.0, 0.2, -0.1]
    seen = (np.array(rewards) - np.mean(rewards)) / (np.std(rewards) or 1.0)
    totals, weights = [], []
    for one, two, three in product((0.03, 0.4), repeat=3):
        prior = np.diag([1.0, 0.04, 0.01, *[one**2] * len(columns.pillars), *[two**2] * len(columns.formats)])
        prior = np.pad(prior, (0, len(names) - third))
        for (i, a), (j, b) in product(enumerate(columns.hours, third), repeat=2):
            apart = min((a - b) % 24, (b - a) % 24)
            prior[i, j] = three**2 * (0.6 * np.exp(-((apart / 2) ** 2) / 2) + 0.4 * (i == j))
        kinship = np.eye(len(posts)) + table @ prior @ table.T
        left = seen - table @ mean
        solved = np.linalg.solve(kinship, left)
        totals.append(mean + prior @ table.T @ solved)
        # Student's t with six degrees of freedom and a scale of two thirds.
        size = len(posts)
        weights.append(
            lgamma(3 + size / 2)
            - np.linalg.slogdet(kinship)[1] / 2
            - (3 + size / 2) * np.log1p(float(left @ solved) / (6 * 2 / 3))
        )
    assert first < second <= third
    shares = np.exp(np.array(weights) - max(weights))
    return np.asarray(shares @ np.array(totals) / shares.sum() * (np.std(rewards) or 1.0))


@settings(max_examples=30)
@given(POSTS, REWARDS)
def test_effects_are_those_of_the_same_model_in_another_form(posts: list[Post], rewards: list[float]) -> None:
    found = learn(Columns.of(posts), posts, rewards[: len(posts)])
    assert found.mean == pytest.approx(by_kinship(posts, rewards[: len(posts)]), abs=1e-6)


@settings(max_examples=30)
@given(POSTS, REWARDS, st.sampled_from([0.001, 1000.0]))
def test_the_unit_of_the_rewards_and_the_order_of_the_posts_change_nothing(
    posts: list[Post], rewards: list[float], unit: float
) -> None:
    columns, some = Columns.of(posts), rewards[: len(posts)]
    one = learn(columns, posts, some)
    scaled = learn(columns, posts, [7 + unit * reward for reward in some])
    if len(set(some)) > 1:
        assert scaled.mean / unit == pytest.approx(one.mean, abs=1e-5)
        assert scaled.deviation / unit == pytest.approx(one.deviation, abs=1e-5)
    turned = learn(columns, posts[::-1], some[::-1])
    assert turned.mean == pytest.approx(one.mean, abs=1e-9)


def effect(found: Effects, format: str) -> tuple[float, float]:
    """A format's effect and how sure it is."""
    at = found.columns.places[1][format]
    return float(found.mean[at]), float(found.deviation[at])


def test_more_posts_make_surer_and_draws_lie_where_the_effects_are() -> None:
    rng = np.random.default_rng(5)
    posts = [Post(1, 6, "reel" if number % 2 else "image", 0.0, 0.0) for number in range(200)]
    rewards = [3.0 + 2.0 * (post.format == "reel") + float(rng.standard_normal()) for post in posts]
    few, many = (learn(Columns.of(posts), posts[:size], rewards[:size]) for size in (20, 200))
    assert effect(many, "reel")[1] < effect(few, "reel")[1]
    # The difference is what can be known; where its middle is cannot.
    apart = [drawn[at] - drawn[other] for drawn, at, other in draws(many)]
    assert np.mean(apart) * many.scale == pytest.approx(2.0, abs=0.35)
    assert 0 < np.std(apart) * many.scale < 0.3


def draws(found: Effects) -> list[tuple[Array, int, int]]:
    """Many draws, with the columns of reels and images."""
    rng = np.random.default_rng(1)
    formats = found.columns.places[1]
    return [(found.drawn(rng), formats["reel"], formats["image"]) for _ in range(400)]


def history(posts: int, likes: Counter[str], seed: int = 1) -> list[Past]:
    """Posts two days apart, of an audience that gives more for some formats, pillars and hours."""
    rng = np.random.default_rng(seed)
    found = []
    for number in range(posts):
        format, pillar = ("reel", "image")[int(rng.integers(2))], int(rng.integers(1, 3))
        hour = int(rng.choice([5, 6, 7, 10, 11, 12, 13, 14]))
        at = (NOW - timedelta(days=2 * (posts - number))).astimezone(LISBON).replace(hour=hour)
        reward = likes[format] + likes[str(pillar)] + likes[f"{hour}:00"] + float(rng.standard_normal())
        found.append(Past(at, 1000 + number, pillar, frozenset(), format, 0.0, reward))
    return found


def offers() -> list[Option]:
    """A picture of every pillar and format, alike in all else."""
    return [
        option(2 * at + 1, pillar, format=format)
        for at, (pillar, format) in enumerate(product((1, 2), ("reel", "image")))
    ]


def choices(past: list[Past], how: Settings, times: int = 60) -> list[Choice]:
    """What it chooses with one seed after another."""
    found = [strategy_named("sampler").choose(offers(), past, NOW, seed, how) for seed in range(times)]
    assert all(found)
    return [each for each in found if each is not None]


def test_it_takes_what_the_audience_likes_and_at_which_hour() -> None:
    past = history(60, Counter({"reel": 2, "12:00": 2, "11:00": 1, "13:00": 1}))
    found = choices(past, replace(TWO, explore=0.0))
    assert sum(each.option.format == "reel" for each in found) > 50
    hours = Counter(each.at.astimezone(LISBON).hour for each in found)
    assert hours[12] == max(hours.values())
    assert hours[11] + hours[12] + hours[13] > 50


def test_without_preferences_it_tries_everything() -> None:
    found = choices(history(60, Counter()), replace(TWO, explore=0.0))
    assert set(Counter(each.option.format for each in found)) == {"reel", "image"}
    assert len({each.at for each in found}) >= 5


def test_a_missing_reward_is_not_a_zero() -> None:
    past = history(60, Counter({"reel": 7, "image": 5}))
    # Half of the reels were never measured: those that were still say that reels do well.
    missing = [
        post._replace(reward=None) if number % 2 and post.format == "reel" else post for number, post in enumerate(past)
    ]
    zero = [post._replace(reward=0.0) if post.reward is None else post for post in missing]
    how = replace(TWO, explore=0.0)
    reels = [sum(each.option.format == "reel" for each in choices(posts, how)) for posts in (missing, zero)]
    assert reels[0] > 50
    assert reels[1] < 20


@pytest.mark.parametrize("measured", [0, 2])
def test_it_is_rotation_until_enough_posts_are_measured(measured: int) -> None:
    past = [
        post._replace(reward=1.0 if number < measured else None) for number, post in enumerate(history(20, Counter()))
    ]
    found = chosen("sampler", offers(), past, TWO)
    rotation = chosen("thematic_rotation", offers(), past, TWO)
    assert (found.option, found.at) == (rotation.option, rotation.at)
    assert found.rules[0] == f"Only {measured} posts are measured, and 3 are enough to learn from: rotation."


def test_a_fixed_share_of_posts_explores_and_says_so() -> None:
    past = history(60, Counter({"reel": 4, "12:00": 4}))
    found = choices(past, replace(TWO, explore=0.25), times=200)
    tried = [each for each in found if each.rules[0].startswith("By chance, as 25% of posts are")]
    assert len(tried) == pytest.approx(50, abs=18)
    assert {each.option.format for each in tried} == {"reel", "image"}
    assert len({each.at for each in tried}) >= 6
    assert len({each.option.pillar for each in tried}) == 1


def test_no_pillar_goes_far_above_its_weight_however_much_it_is_liked() -> None:
    # Two of three posts are of the one that should have half, and all like it better.
    liked = [post._replace(pillar=1 if number % 3 else 2) for number, post in enumerate(history(60, Counter()))]
    past = [post._replace(reward=(9.0 if post.pillar == 1 else 0.0) + (post.reward or 0.0)) for post in liked]
    bound, free = (choices(past, replace(TWO, explore=0.0, drift=drift), times=20) for drift in (0.1, 0.25))
    assert {each.option.pillar for each in bound} == {2}
    assert Counter(each.option.pillar for each in free)[1] > 15


def test_a_pillar_far_above_its_weight_is_better_than_none_and_named() -> None:
    past = [post._replace(pillar=1) for post in history(30, Counter())]
    found = chosen("sampler", [option(1, 1)], past, TWO)
    assert found.relaxed == ("pillars near their weights",)


def test_the_owners_weights_count_where_the_audience_has_no_say() -> None:
    how = replace(SET, plans=(replace(ART, weight=80), replace(HALF, weight=20)), explore=0.0, drift=1.0)
    flat = [post._replace(reward=1.0 + number % 2) for number, post in enumerate(history(60, Counter()))]
    found = Counter(each.option.pillar for each in choices(flat, how, times=100))
    assert found[1] > 80


def test_a_choice_tells_what_was_learned_and_what_came_second() -> None:
    past = history(60, Counter({"reel": 2}))
    found = chosen("sampler", offers(), past, replace(TWO, explore=0.0))
    assert found.rules[0].startswith("The most promising of 32 in a draw of what 60 measured posts leave possible.")
    assert "What the audience gives, beside the average of" in found.rules[1]
    assert "the format reel +" in found.rules[1]
    (other, why), *_ = found.runners_up
    assert other.kept != found.option.kept
    assert why.startswith("Promised ")
    assert why.endswith(" less in this draw.")


def test_what_happened_years_ago_is_forgotten() -> None:
    old = [post._replace(at=post.at - timedelta(days=800)) for post in history(60, Counter({"image": 9}))]
    assert "Only 0 posts are measured" in chosen("sampler", offers(), old, TWO).rules[0]


def test_a_post_that_waits_for_its_time_is_no_measured_one() -> None:
    found = chosen("sampler", offers(), [posted(48, 1)], TWO)
    assert found.at.date() == NOW.date()
    assert "Only 0 posts are measured" in found.rules[0]
