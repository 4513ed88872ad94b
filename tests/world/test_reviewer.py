"""The oracle as a stand-in reviewer: it keeps what is right and says what is wrong."""

import random
from dataclasses import replace
from pathlib import Path

from PIL import Image

from zoetrope.wheel.events import Origin, Reason
from zoetrope.wheel.state import Entry
from zoetrope.world.captions import caption
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.oracle.network import UNCLEAR
from zoetrope.world.oracle.reading import read_images, read_surely
from zoetrope.world.reviewer import OracleReviewer, scene_of
from zoetrope.world.sampling import random_scene

ADA = Identity("pale", "red", "long", "green hoodie", mark="star")
BOB = Identity("brown", "blond", "spiky", "red shirt")


def test_a_scene_is_read_back_from_its_caption() -> None:
    rng = random.Random(4)
    for _ in range(200):
        scene = random_scene(rng)
        found = scene_of(caption(None, scene, "ada"))
        assert (found.yaw, found.framing, found.background, found.light) == (
            scene.yaw,
            scene.framing,
            scene.background,
            scene.light,
        )
        assert scene.yaw == "back" or found.expression == scene.expression


def test_it_keeps_its_own_and_names_what_is_wrong(tmp_path: Path) -> None:
    smiling, angry = Scene(expression="smiling"), Scene(expression="angry")
    drawn = {"right": (ADA, smiling), "stranger": (BOB, smiling), "mood": (ADA, angry)}
    pictures = []
    for name, (identity, scene) in drawn.items():
        draw(identity, scene).image.save(tmp_path / f"{name}.png")
        entry = Entry(name, f"{name}.png", Origin.synthetic, caption=caption(None, smiling, "ada"))
        pictures.append((entry, tmp_path / f"{name}.png"))
    verdicts = OracleReviewer(ADA, read_surely).review(pictures)
    assert [verdict.reason for verdict in verdicts] == [None, Reason.identity, Reason.other]


def test_it_keeps_nothing_that_it_is_unsure_of() -> None:
    """A star that pales is at some point neither there nor not."""
    plain = replace(ADA, mark="none")
    star, none = (draw(who, Scene()).image for who in (ADA, plain))
    paling = [Image.blend(star, none, share / 20) for share in range(21)]
    surely = [reading["mark"] for reading in read_surely(paling)]
    assert (surely[0], surely[-1]) == ("star", "none")
    assert UNCLEAR in surely
    assert UNCLEAR not in {reading["mark"] for reading in read_images(paling)}
    # What is said at all is the same.
    pairs = zip(read_surely(paling), read_images(paling), strict=True)
    assert all(
        sure in (UNCLEAR, best) for one, other in pairs for sure, best in zip(one.values(), other.values(), strict=True)
    )
