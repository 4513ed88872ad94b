"""The style score: drawings in a style are told from the base's own, whatever they show."""

import random

import numpy as np
import pytest
from PIL.Image import Image

from zoetrope.judging.style import style_scores, style_vectors
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.learner import Learner
from zoetrope.world.drawer import draw
from zoetrope.world.sampling import random_identity, random_jitter, random_scene


@pytest.fixture(scope="module")
def learner() -> Learner:
    found = Catalogue().find("nano-flux")
    return found.family.learner(found.folder, found.plan())


def _drawings(style: str, count: int, seed: int) -> list[Image]:
    rng = random.Random(seed)
    scenes = [(random_identity(rng), random_scene(rng, styles=(style,))) for _ in range(count)]
    return [draw(identity, scene, jitter=random_jitter(rng)).image for identity, scene in scenes]


@pytest.mark.parametrize("style", ["ink", "watercolour", "pixel"])
def test_what_is_in_the_style_scores_higher_than_what_is_not(learner: Learner, style: str) -> None:
    known, plain = (style_vectors(learner, _drawings(name, 20, seed)) for name, seed in ((style, 1), ("flat", 2)))

    inside = style_scores(style_vectors(learner, _drawings(style, 30, 3)), known, plain)
    outside = style_scores(style_vectors(learner, _drawings("flat", 30, 4)), known, plain)

    assert np.mean(np.array(inside) > 0.5) > 0.8
    assert np.mean(np.array(outside) > 0.5) < 0.2


def test_a_reference_is_no_neighbour_of_itself(learner: Learner) -> None:
    known, plain = (style_vectors(learner, _drawings(name, 8, 5)) for name in ("ink", "flat"))

    assert all(score < 1 for score in style_scores(known, known, plain))
