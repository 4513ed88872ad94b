"""The training of nano_identity: pictures of one persona together, those of its near doubles apart."""

import random
from collections.abc import Iterable
from dataclasses import replace

import torch
from torch import Tensor, nn

from zoetrope.judging.scorers.nano_identity import new_network
from zoetrope.models.pixels import to_tensor
from zoetrope.world import vocabulary as words
from zoetrope.world.drawer import draw
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.sampling import any_head_size, random_identity, random_jitter, random_scene
from zoetrope.world.training.eyes import spoil

PERSONAS, DOUBLES, PICTURES = 8, 2, 4
SHARPNESS = 12.0
# From behind nobody is told from their doubles: such pictures are rare here.
_BACKS = 0.03


class IdentityRecipe:
    """Contrast: each picture is to find the others of its persona among those of all, near doubles included."""

    name = "nano-identity"

    def __init__(self) -> None:
        self.module: nn.Module = new_network()

    def parameters(self) -> Iterable[tuple[str, nn.Parameter]]:
        return self.module.named_parameters()

    def loss(self, rng: random.Random) -> Tensor:
        everyone = crowd(rng)
        images = [
            draw(identity, _scene(rng), jitter=any_head_size(rng, random_jitter(rng))).image
            for identity in everyone
            for _ in range(PICTURES)
        ]
        with torch.autocast("cpu", torch.bfloat16):
            vectors = self.module(spoil(to_tensor(images).contiguous()))
        return contrast(nn.functional.normalize(vectors.float(), dim=1), PICTURES)


def crowd(rng: random.Random) -> list[Identity]:
    """Personas, each with doubles that differ in one thing; no two the same."""
    everyone: dict[Identity, None] = {}
    while len(everyone) < PERSONAS * (1 + DOUBLES):
        persona = random_identity(rng, marks=True)
        everyone |= dict.fromkeys([persona, *(double(rng, persona) for _ in range(DOUBLES))])
    return list(everyone)[: PERSONAS * (1 + DOUBLES)]


def double(rng: random.Random, identity: Identity) -> Identity:
    """The same persona but for one attribute."""
    name, values = rng.choice(tuple(words.IDENTITY_ATTRIBUTES.items()))
    return replace(identity, **{name: rng.choice([value for value in values if value != getattr(identity, name)])})


def contrast(vectors: Tensor, together: int) -> Tensor:
    """Cross-entropy of finding one's own among all others; `together` rows in a row are one persona's."""
    alike = SHARPNESS * vectors @ vectors.T
    alike = alike.masked_fill(torch.eye(len(vectors), dtype=torch.bool), float("-inf"))
    whose = torch.arange(len(vectors)) // together
    own = (whose[:, None] == whose[None, :]) & ~torch.eye(len(vectors), dtype=torch.bool)
    chances = alike.log_softmax(dim=1).masked_fill(~own, 0.0)
    return -(chances.sum(dim=1) / (together - 1)).mean()


def _scene(rng: random.Random) -> Scene:
    while True:
        scene = random_scene(rng, framing="portrait" if rng.random() < 0.6 else None)
        if scene.yaw != "back" or rng.random() < _BACKS:
            return scene
