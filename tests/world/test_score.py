"""The score: it counts what it says it counts."""

from collections.abc import Iterator, Sequence

from PIL import Image

from zoetrope.world import score
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.sampling import held_out
from zoetrope.world.truth import values
from zoetrope.world.vocabulary import SCENE_ATTRIBUTES


def test_the_captions_are_fresh_held_out_and_enough() -> None:
    first, second = score.caption_cases(1), score.caption_cases(2)
    assert len(first) >= 400
    assert sum(case.scene.framing == "portrait" for case in first) >= 200
    assert all(held_out(case.identity) for case in first)
    assert len({case.caption for case in first} & {case.caption for case in second}) < len(first) / 10


def test_the_card_is_twenty_people_in_all_scenes() -> None:
    cases = score.card_cases(4)
    assert len(cases) == 20 * 23
    assert len({case.identity for case in cases}) == 20


def test_an_honest_artist_scores_one_and_a_careless_one_less() -> None:
    cases = {case.caption: case for case in [*score.caption_cases(9), *score.card_cases(9)]}
    shown: list[score.Case] = []

    def artist(captions: Sequence[str], seeds: Sequence[int]) -> Iterator[Image.Image]:
        assert len(set(seeds)) == len(seeds)
        for caption in captions:
            shown.append(cases[caption])
            yield draw(cases[caption].identity, cases[caption].scene).image

    def truthful(pictures: Sequence[Image.Image]) -> list[dict[str, str]]:
        return [values(case.identity, case.scene) for case in shown]

    def colour_blind(pictures: Sequence[Image.Image]) -> list[dict[str, str]]:
        return [reading | {"skin": "mint", "light": "cool"} for reading in truthful(pictures)]

    perfect = score.model_accuracy(artist, truthful, 9)
    assert "mark" not in perfect
    assert set(perfect.values()) == {1.0}
    shown.clear()
    spoiled = score.model_accuracy(artist, colour_blind, 9)
    assert spoiled["skin"] < 0.5
    assert spoiled["card"] == 0.0
    assert spoiled["yaw"] == 1.0


def test_what_is_hidden_does_not_count() -> None:
    case = score.Case(Identity("tan", "blue", "curly", "red shirt", "hat"), Scene(yaw="back"))
    reading = values(case.identity, case.scene) | {"hair_colour": "black", "expression": "sad", "mark": "star"}
    assert all(case.verdicts(reading).values())
    assert score.card_accuracy([case], [reading]) == 1.0
    assert set(SCENE_ATTRIBUTES) - set(case.verdicts(reading)) == {"expression"}
