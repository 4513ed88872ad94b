"""nano_identity: a persona's pictures are nearer to one another than to those of its near doubles."""

import random
from dataclasses import replace

import numpy as np
import pytest
from PIL.Image import Image

from zoetrope.errors import UserError
from zoetrope.judging.identity import calibrate, likeness
from zoetrope.judging.scorers import scorer_named
from zoetrope.judging.scorers.nano_identity import WEIGHTS
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Identity
from zoetrope.world.sampling import random_identity, random_jitter, random_scene
from zoetrope.world.training.identity import double


def portraits(rng: random.Random, identity: Identity, count: int) -> list[Image]:
    """Portraits in which most of the persona can be seen."""
    scenes = (random_scene(rng, framing="portrait") for _ in range(count))
    frontal = (replace(s, yaw="front") if s.yaw in ("back", "profile_left", "profile_right") else s for s in scenes)
    return [draw(identity, scene, jitter=random_jitter(rng)).image for scene in frontal]


def test_it_tells_a_persona_from_others_and_from_its_doubles() -> None:
    rng = random.Random(11)
    scorer = scorer_named("nano_identity")
    own, strange, near = [], [], []
    for _ in range(12):
        persona = random_identity(rng, marks=True)
        references = scorer.embed(portraits(rng, persona, 12))
        threshold = calibrate(references).threshold

        def passing(
            identity: Identity, references: np.ndarray = references, threshold: float = threshold
        ) -> np.ndarray:
            return likeness(scorer.embed(portraits(rng, identity, 10)), references) >= threshold

        own.append(passing(persona).mean())
        strange.append(passing(random_identity(rng, marks=True)).mean())
        near.append(passing(double(rng, persona)).mean())
    assert np.mean(own) >= 0.8
    assert np.mean(strange) <= 0.05
    assert np.mean(near) <= 0.35


def test_rows_are_of_unit_length_and_none_for_none() -> None:
    scorer = scorer_named("nano_identity")
    rows = scorer.embed(portraits(random.Random(1), random_identity(random.Random(1)), 3))
    assert np.linalg.norm(rows, axis=1) == pytest.approx([1.0] * 3, abs=1e-4)
    assert scorer.embed([]).shape == (0, rows.shape[1])


def test_small_enough_to_ship_and_named_when_unknown() -> None:
    assert WEIGHTS.stat().st_size < 2**20
    with pytest.raises(UserError, match="no scorer called 'face'; there are nano_identity"):
        scorer_named("face")
