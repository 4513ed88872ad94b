"""Copying, diversity, likeness and its threshold, on pictures whose answer is known."""

import numpy as np
import pytest
from PIL import Image

from zoetrope.errors import UserError
from zoetrope.judging.card import card_scenes
from zoetrope.judging.identity import calibrate, likeness
from zoetrope.judging.likeness import copy_scores, diversity
from zoetrope.judging.scorer import unit


def test_a_copy_scores_one_and_the_opposite_nothing() -> None:
    black, white = Image.new("RGB", (64, 64)), Image.new("RGB", (64, 64), (255, 255, 255))
    assert copy_scores([black, white], [black]) == [1.0, 0.0]
    assert copy_scores([black], []) == [0.0]


def test_diversity_is_nothing_for_one_picture_again_and_again() -> None:
    black, white = Image.new("RGB", (64, 64)), Image.new("RGB", (64, 64), (255, 255, 255))
    assert diversity([black, black, black]) == 0.0
    assert diversity([black, white]) == pytest.approx(1.0)
    assert diversity([black]) == 0.0


def cloud(middle: list[float], count: int, spread: float, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, spread, (count, len(middle)))
    return unit((np.array(middle) + noise).astype(np.float32))


def test_the_threshold_lets_the_persona_pass_and_others_not() -> None:
    references = cloud([1, 0, 0, 0], 12, 0.1, 1)
    threshold = calibrate(references).threshold
    assert (likeness(cloud([1, 0, 0, 0], 40, 0.1, 2), references) >= threshold).mean() > 0.85
    assert (likeness(cloud([0, 1, 0, 0], 40, 0.1, 3), references) >= threshold).mean() == 0.0


def test_a_looser_persona_gets_a_looser_threshold() -> None:
    tight, loose = (calibrate(cloud([1, 0, 0, 0], 12, spread, 1)).threshold for spread in (0.02, 0.3))
    assert loose < tight


def test_too_few_references_are_told() -> None:
    with pytest.raises(UserError, match="3 references show the persona; 4 are needed"):
        calibrate(cloud([1, 0, 0, 0], 3, 0.1, 1))
    empty = np.zeros((9, 4), np.float32)
    with pytest.raises(UserError, match="0 references"):
        calibrate(empty)


def test_a_card_has_23_scenes_that_name_the_persona() -> None:
    scenes = card_scenes("ada")
    assert len({scene.prompt for scene in scenes}) == len({scene.name for scene in scenes}) == 23
    assert all("ada" in scene.prompt for scene in scenes)
    assert card_scenes("a{b}", "{who} {x} {angle} {expression}")[0].prompt == "a{b} {x} profile_left neutral"
