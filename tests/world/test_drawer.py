"""The drawer: every combination can be drawn, at any size, and always the same way."""

import itertools
from dataclasses import replace
from typing import Any

import pytest
from PIL import ImageChops, ImageStat

from zoetrope.world import vocabulary as words
from zoetrope.world.drawer import draw, face_yaw
from zoetrope.world.figure import Identity, Scene

ADA = Identity("pale", "red", "long", "green hoodie")


def difference(one: Identity, other: Identity, scene: Scene) -> float:
    pair = (draw(who, scene).image for who in (one, other))
    return sum(ImageStat.Stat(ImageChops.difference(*pair)).mean)


@pytest.mark.parametrize("attribute", words.IDENTITY_ATTRIBUTES)
def test_every_look_changes_the_picture(attribute: str) -> None:
    values = words.IDENTITY_ATTRIBUTES[attribute]
    people = [replace(ADA, **{attribute: value}) for value in values]
    for one, other in itertools.combinations(people, 2):
        assert difference(one, other, Scene()) > 0.3


@pytest.mark.parametrize("attribute", words.SCENE_ATTRIBUTES)
def test_every_scene_changes_the_picture(attribute: str) -> None:
    values = words.SCENE_ATTRIBUTES[attribute]
    changes: list[dict[str, Any]] = [{attribute: value} for value in values]
    pictures = [draw(ADA, replace(Scene(), **change)).image for change in changes]
    assert len({picture.tobytes() for picture in pictures}) == len(values)


@pytest.mark.parametrize("style", words.STYLE)
@pytest.mark.parametrize("framing", words.FRAMING)
def test_every_style_draws_every_framing_at_any_size(style: str, framing: str) -> None:
    for size in (64, 128):
        picture = draw(ADA, Scene(style=style, framing=framing), size).image
        assert picture.size == (size, size)
        assert picture.mode == "RGB"


def test_any_angle_can_be_drawn() -> None:
    turn = [draw(ADA, Scene(turn=float(degrees))).image.tobytes() for degrees in range(0, 360, 15)]
    assert len(set(turn)) == len(turn)


def test_marks_stay_on_their_side() -> None:
    starred = replace(ADA, mark="star")
    assert difference(ADA, starred, Scene(yaw="three_quarter_left")) > 0.3
    assert difference(ADA, starred, Scene(yaw="back")) == 0


def test_a_hat_hides_the_hair() -> None:
    hats = [Identity("tan", colour, "curly", "red shirt", "hat") for colour in words.HAIR_COLOUR]
    assert len({draw(one, Scene()).image.tobytes() for one in hats}) == 1


def test_joints_follow_the_body() -> None:
    wide = draw(ADA, Scene(framing="tpose")).joints
    turned = draw(ADA, Scene(framing="tpose", yaw="profile_left")).joints
    behind = draw(ADA, Scene(framing="tpose", yaw="back")).joints
    assert wide["left_wrist"][0] - wide["right_wrist"][0] > 0.6
    assert abs(turned["left_wrist"][0] - turned["right_wrist"][0]) < 0.3
    assert behind["left_wrist"][0] < behind["right_wrist"][0]
    assert wide["head"][1] < wide["neck"][1] < wide["left_hip"][1] < wide["left_ankle"][1]


def test_the_face_turns_evenly() -> None:
    turns = [face_yaw(float(degrees)) for degrees in range(-180, 181)]
    assert turns == sorted(turns)
    assert face_yaw(-30.0) == -face_yaw(30.0)


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ValueError, match="skin must be one of"):
        Identity("purple", "red", "long", "green hoodie")
    with pytest.raises(ValueError, match="yaw must be one of"):
        Scene(yaw="upwards")


def test_degrees_are_named_by_the_viewer() -> None:
    assert Scene(yaw="profile_left").degrees == -90.0
    assert Scene(yaw="back").degrees == 180.0
    assert Scene(yaw="back", turn=10.0).degrees == -170.0
