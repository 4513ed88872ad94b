"""The toy world's grammar: one sentence for a figure in a scene."""

import random
import string

from zoetrope.world.figure import Identity, Scene
from zoetrope.world.truth import visible

ANYONE = "a character"
_ACCESSORY = {"glasses": "glasses", "hat": "orange hat", "scarf": "teal scarf"}


def caption(identity: Identity | None, scene: Scene, name: str = ANYONE) -> str:
    """The sentence for a picture; without an identity only the name stands for the looks."""
    return ", ".join([f"{scene.framing} of {name}", *looks(identity, scene), *surroundings(scene)])


def looks(identity: Identity | None, scene: Scene) -> list[str]:
    """The phrases for who it is, leaving out what cannot be seen and every mark."""
    if identity is None:
        return []
    seen = visible(identity, scene)
    phrases = [f"{identity.skin} skin"] if seen["skin"] else []
    if seen["hair_style"]:
        phrases.append(f"{identity.hair_style} {identity.hair_colour} hair")
    phrases.append(identity.clothes)
    if identity.accessory in _ACCESSORY and (seen["accessory"] or scene.yaw != "back"):
        phrases.append(_ACCESSORY[identity.accessory])
    return phrases


def surroundings(scene: Scene) -> list[str]:
    """The phrases for how and where it is."""
    phrases = [] if scene.yaw == "back" else [scene.expression]
    phrases += [scene.yaw, scene.background, f"{scene.light} light"]
    return phrases if scene.style == "flat" else [*phrases, f"{scene.style} style"]


def training_caption(rng: random.Random, identity: Identity, scene: Scene) -> str:
    """A caption with the accidents that keep a model from leaning on one wording.

    A made-up name in a quarter of them teaches that letters mean nothing yet, so that a LoRA's trigger word starts
    from a clean slate; in a tenth some phrases are missing.
    """
    name = pseudonym(rng) if rng.random() < 0.25 else ANYONE
    phrases = [*looks(identity, scene), *surroundings(scene)]
    if rng.random() < 0.1:
        phrases = [phrase for phrase in phrases if rng.random() < 0.7]
    return ", ".join([f"{scene.framing} of {name}", *phrases])


def pseudonym(rng: random.Random) -> str:
    """A short name nobody has."""
    return "".join(rng.choice(string.ascii_lowercase) for _ in range(rng.randint(3, 5)))
