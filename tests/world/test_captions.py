"""The grammar: what is said, what is left out, and what is never said."""

import random
from dataclasses import replace

from zoetrope.world import vocabulary as words
from zoetrope.world.captions import caption, pseudonym, training_caption
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.sampling import CARD_SCENES, held_out, random_identity, random_scene
from zoetrope.world.truth import values, visible

ADA = Identity("pale", "red", "long", "green hoodie", "glasses", "star")


def test_a_full_sentence() -> None:
    said = caption(ADA, Scene(expression="smiling", background="beach", light="warm"))
    assert said == (
        "portrait of a character, pale skin, long red hair, green hoodie, glasses, smiling, front, beach, warm light"
    )


def test_a_name_stands_for_the_looks() -> None:
    assert caption(None, Scene(), "zuli") == "portrait of zuli, neutral, front, studio, soft light"


def test_what_cannot_be_seen_is_not_said() -> None:
    hatted = Identity("tan", "blue", "curly", "red shirt", "hat")
    assert "hair" not in caption(hatted, Scene())
    assert "smiling" not in caption(ADA, Scene(expression="smiling", yaw="back"))
    assert "glasses" not in caption(ADA, Scene(yaw="back"))
    assert "skin" not in caption(ADA, Scene(yaw="back"))  # her long hair covers her neck
    behind = Scene(yaw="back", framing="standing")
    assert "skin" not in caption(ADA, behind)  # two hands of a few pixels tell nothing
    assert "skin" in caption(replace(ADA, clothes="yellow dress"), behind)
    assert "skin" in caption(replace(ADA, hair_style="short"), behind)


def test_marks_are_never_named() -> None:
    rng = random.Random(5)
    for _ in range(500):
        said = training_caption(rng, random_identity(rng, marks=True), random_scene(rng))
        assert not {"star", "odd_eyes", "stripe"} & set(said.replace(",", "").split())


def test_another_style_is_named() -> None:
    assert caption(ADA, Scene(style="ink")).endswith(", ink style")


def test_a_tenth_of_the_looks_is_held_out() -> None:
    rng = random.Random(1)
    people = [random_identity(rng) for _ in range(4000)]
    assert 0.05 < sum(map(held_out, people)) / len(people) < 0.16
    assert all(held_out(random_identity(rng, held=True)) for _ in range(50))
    assert not any(held_out(random_identity(rng, held=False)) for _ in range(50))
    one = people[0]
    assert held_out(one) == held_out(Identity(**{**vars(one), "mark": "stripe", "accessory": "scarf"}))


def test_the_card_has_23_different_scenes() -> None:
    assert len(CARD_SCENES) == len(set(CARD_SCENES)) == 23


def test_small_faces_are_not_judged() -> None:
    seen = visible(ADA, Scene(framing="standing"))
    assert not seen["expression"]
    assert not seen["yaw"]
    assert not seen["mark"]
    assert seen["framing"]


def test_a_t_pose_from_the_side_is_not_judged() -> None:
    assert not visible(ADA, Scene(framing="tpose", yaw="profile_left"))["framing"]
    assert visible(ADA, Scene(framing="tpose"))["framing"]
    assert visible(ADA, Scene(framing="sitting", yaw="profile_left"))["framing"]


def test_a_star_is_seen_only_from_its_side() -> None:
    seen = {yaw: visible(ADA, Scene(yaw=yaw))["mark"] for yaw in words.YAW}
    assert seen["front"]
    assert seen["three_quarter_left"]
    assert not seen["profile_right"]
    assert not seen["back"]


def test_every_attribute_has_a_value() -> None:
    true = values(ADA, Scene())
    assert true.keys() == words.ATTRIBUTES.keys()
    assert all(true[name] in allowed for name, allowed in words.ATTRIBUTES.items())


def test_made_up_names_are_short() -> None:
    rng = random.Random(2)
    assert all(3 <= len(pseudonym(rng)) <= 5 for _ in range(100))
