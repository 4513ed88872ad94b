"""How well a model draws what it is told: captions are drawn, the oracle reads the pictures, truth decides.

Only what the truth calls visible counts. The captions are fresh for any seed, of combinations held out from training.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image

from zoetrope.world.captions import caption
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.sampling import CARD_SCENES, random_identity, random_jitter, random_scene
from zoetrope.world.truth import values, visible
from zoetrope.world.vocabulary import ATTRIBUTES, SCENE_ATTRIBUTES

PORTRAITS, OTHERS = 220, 220
CARD_IDENTITIES = 20
DRAWINGS = 2000
Accuracy = dict[str, float]
Reading = dict[str, str]
Artist = Callable[[Sequence[str], Sequence[int]], Iterator[Image.Image]]
"""Draws captions with seeds, one picture each, in order."""
Reader = Callable[[Sequence[Image.Image]], list[Reading]]


@dataclass(frozen=True)
class Case:
    """What is asked for, and what should then be seen."""

    identity: Identity
    scene: Scene

    @property
    def caption(self) -> str:
        return caption(self.identity, self.scene)

    def verdicts(self, reading: Reading) -> dict[str, bool]:
        """For each visible attribute that a caption can name, whether the picture shows it."""
        true, seen = values(self.identity, self.scene), visible(self.identity, self.scene)
        return {name: reading[name] == true[name] for name in ATTRIBUTES if seen[name]}


def caption_cases(seed: int) -> list[Case]:
    """Portraits and whole figures of personas whose looks were held out."""
    rng = random.Random(f"score/{seed}")
    framings = ["portrait"] * PORTRAITS + ["standing", "sitting", "tpose", "standing"] * (OTHERS // 4)
    return [Case(random_identity(rng, held=True), random_scene(rng, framing=framing)) for framing in framings]


def card_cases(seed: int) -> list[Case]:
    """The 23 card scenes of twenty personas."""
    rng = random.Random(f"card/{seed}")
    people: dict[Identity, None] = {}
    while len(people) < CARD_IDENTITIES:
        people[random_identity(rng, held=True)] = None
    return [Case(identity, scene) for identity in people for scene in CARD_SCENES]


def oracle_accuracy(read: Reader, seed: int) -> Accuracy:
    """How often the oracle is right about drawings, whose truth is known."""
    rng = random.Random(f"oracle/{seed}")
    cases = [Case(random_identity(rng, marks=True), random_scene(rng)) for _ in range(DRAWINGS)]
    images = [draw(case.identity, case.scene, jitter=random_jitter(rng)).image for case in cases]
    return accuracy(cases, read(images))


def total_pictures() -> int:
    """How many pictures a model is asked for."""
    return PORTRAITS + OTHERS + CARD_IDENTITIES * len(CARD_SCENES)


def model_accuracy(
    artist: Artist, read: Reader, seed: int, on_done: Callable[[int], None] = lambda done: None
) -> Accuracy:
    """Accuracy by attribute on captions, and `card`: how many card pictures have the whole scene right."""
    asked, card = caption_cases(seed), card_cases(seed)
    everything = [*asked, *card]
    seeds = [seed * 1_000_003 + index for index in range(len(everything))]
    pictures = []
    for picture in artist([case.caption for case in everything], seeds):
        pictures.append(picture)
        on_done(len(pictures))
    readings = read(pictures)
    result = accuracy(asked, readings[: len(asked)])
    # No caption names a mark, so no model can be blamed for one.
    result.pop("mark", None)
    return result | {"card": card_accuracy(card, readings[len(asked) :])}


def accuracy(cases: Sequence[Case], readings: Sequence[Reading]) -> Accuracy:
    """The share of visible attributes that were read as they truly are."""
    tally: dict[str, list[bool]] = {name: [] for name in ATTRIBUTES}
    for case, reading in zip(cases, readings, strict=True):
        for name, right in case.verdicts(reading).items():
            tally[name].append(right)
    return {name: sum(rights) / len(rights) for name, rights in tally.items() if rights}


def card_accuracy(cases: Sequence[Case], readings: Sequence[Reading]) -> float:
    """The share of pictures in which every visible attribute of the scene is right."""
    whole = [
        all(right for name, right in case.verdicts(reading).items() if name in SCENE_ATTRIBUTES)
        for case, reading in zip(cases, readings, strict=True)
    ]
    return sum(whole) / len(whole)
