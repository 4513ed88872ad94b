"""Clarity: which expressions the base reads in drawings, and below what one counts as faint."""

import random
from dataclasses import replace

import pytest

from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.wheel.clarity import Reading, enough, others, readings
from zoetrope.wheel.persona import Persona, make_persona
from zoetrope.world.captions import caption, looks
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Scene
from zoetrope.world.sampling import random_identity, random_jitter

WHO = random_identity(random.Random(3))
EXPRESSIONS = ("neutral", "smiling", "angry", "sad")
SCENES = [
    Scene(expression=expression, yaw=yaw) for yaw in ("front", "three_quarter_left") for expression in EXPRESSIONS
]


@pytest.fixture(scope="module")
def model() -> Model:
    return Catalogue().find("nano-flux")


def persona() -> Persona:
    said = ", ".join(["a character", *looks(WHO, Scene())])
    return make_persona(
        name="ada", kind="drawn", trigger="ada", base="nano-flux", consent={"kind": "fictional"}, looks=said
    )


def asked(scene: Scene) -> str:
    return caption(None, scene, "ada")


def test_the_base_reads_the_expression_that_a_drawing_shows(model: Model) -> None:
    rng = random.Random(4)
    pictures = [draw(WHO, scene, jitter=random_jitter(rng)).image for scene in SCENES]
    after = {word: EXPRESSIONS[index - 1] for index, word in enumerate(EXPRESSIONS)}
    right = readings(persona(), model, pictures, [asked(scene) for scene in SCENES])
    wrong = readings(
        persona(), model, pictures, [asked(replace(scene, expression=after[scene.expression])) for scene in SCENES]
    )

    assert [reading is not None and reading.clear > 0 for reading in right] == [True] * len(SCENES)
    assert [reading is not None and reading.clear < 0 for reading in wrong] == [True] * len(SCENES)
    assert [reading.rival for reading in wrong if reading] == [asked(scene) for scene in SCENES]


def test_only_heads_with_one_expression_are_judged(model: Model) -> None:
    picture = draw(WHO, SCENES[0]).image
    captions = ["standing of ada, sad, front", "portrait of ada, front", "portrait of ada, sad, smiling"]
    assert readings(persona(), model, [picture] * 3, captions) == [None] * 3


def test_the_others_differ_in_the_expression_alone(model: Model) -> None:
    found = others(model, "portrait of ada, sad, front, a saddle")
    assert sorted(found) == [f"portrait of ada, {word}, front, a saddle" for word in ("angry", "neutral", "smiling")]


def test_half_of_what_is_usual_is_enough() -> None:
    assert enough([Reading(0.02, ""), None, Reading(0.04, ""), Reading(0.06, "")]) == 0.02
    assert enough([None]) is None
    assert enough([Reading(-0.1, ""), Reading(-0.2, ""), Reading(0.3, "")]) is None, "what cannot be read tells nothing"
