"""Captions against the model card: what they say in any natural wording, and what no picture shows yet."""

import pytest

from zoetrope.judging.card import ANGLES, EXPRESSIONS, POSES, card_scenes
from zoetrope.models.catalogue import Catalogue
from zoetrope.wheel.coverage import cover, read_facets, says_a_side
from zoetrope.wheel.scenes import asked


@pytest.mark.parametrize(
    ("caption", "angle", "expression", "framing"),
    [
        ("portrait of ada, smiling, profile_left, beach", "profile_left", "smiling", "portrait"),
        ("Close-up of ada with a big smile, seen in left profile", "profile_left", "smiling", "portrait"),
        ("ada, side view from the right, calm", "profile_right", "neutral", ""),
        ("ada, side view, facing left, angry", "profile_left", "angry", ""),
        ("a three-quarter view to the left of ada, laughing", "three_quarter_left", "smiling", ""),
        ("ada, three quarters right, scowling", "three_quarter_right", "angry", ""),
        ("ada 3/4 right, head and shoulders", "three_quarter_right", "", "portrait"),
        ("headshot, ada looking into the camera, tearful", "front", "sad", "portrait"),
        ("ada seated on a bench in front of a house", "", "", "sitting"),
        ("full body, ada standing in a T-pose", "", "", "tpose"),
        ("ada stands in the park, not smiling", "", "", "standing"),
        ("ada, unhappy, neutral background", "", "sad", ""),
        ("three_quarter_left of ada, looking at the viewer", "three_quarter_left", "", ""),
        ("ada from behind, portrait", "", "", "portrait"),
        ("profile picture of ada", "", "", ""),
    ],
)
def test_natural_wording_is_understood(caption: str, angle: str, expression: str, framing: str) -> None:
    said = read_facets(caption, ["ada"])
    assert {facet: ",".join(values) for facet, values in said.items()} == {
        "angle": angle,
        "expression": expression,
        "framing": framing,
    }


def test_a_name_may_be_a_word() -> None:
    assert read_facets("portrait of happy, front", ["happy"])["expression"] == frozenset()
    assert read_facets("portrait of mad_sitting, front", ["mad-sitting"])["framing"] == {"portrait"}


@pytest.mark.parametrize("base", ["nano-flux", None])
def test_every_scene_of_a_card_covers_itself(base: str | None) -> None:
    scenes = asked(Catalogue().find(base), "zoeada") if base else card_scenes("zoeada")
    for scene in scenes:
        found = cover({"one.png": scene.prompt}, scenes, ["zoeada"])
        assert [name for name, count in found.scenes.items() if count] == [scene.name]
    found = cover({f"{scene.name}.png": scene.prompt for scene in scenes}, scenes, ["zoeada"])
    assert (found.covered, found.missing, found.unclear) == (23, (), ())


def test_what_is_missing_is_said_in_words() -> None:
    captions = {
        f"{angle}-{expression}.png": f"portrait of ada, {expression}, {angle}"
        for angle in ANGLES
        for expression in EXPRESSIONS
        if angle != "profile_left" and expression != "sad"
    }
    captions |= {f"{pose}.png": f"{pose} of ada" for pose in POSES if pose != "sitting"}
    found = cover(captions, card_scenes("ada"), ["ada"])
    assert found.missing == ("no left profile yet", "no sad expression yet", "no sitting pose yet")
    assert found.covered == 4 * 3 + 2
    assert found.scenes["profile_left-angry"] == 0
    assert found.files["framing"]["standing"] == ("standing.png",)


def test_an_angle_without_its_side_covers_none_and_is_named() -> None:
    assert not says_a_side("ada in profile")
    assert says_a_side("ada in profile, facing right")
    found = cover({"a.png": "portrait of ada in profile, smiling"}, card_scenes("ada"), ["ada"])
    assert found.unclear == ("a.png",)
    assert "no left profile yet" in found.missing
    assert "no right profile yet" in found.missing
