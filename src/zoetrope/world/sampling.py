"""Seeded chances: who might stand where, and which combinations the model never sees in training."""

import hashlib
import random
from collections.abc import Mapping, Sequence
from dataclasses import replace

from zoetrope.world import vocabulary as words
from zoetrope.world.figure import Identity, Jitter, Scene

CARD_YAWS = ("front", "three_quarter_left", "three_quarter_right", "profile_left", "profile_right")
CARD_SCENES: tuple[Scene, ...] = (
    *(Scene(expression=expression, yaw=yaw) for yaw in CARD_YAWS for expression in words.EXPRESSION),
    *(Scene(framing=framing) for framing in ("tpose", "standing", "sitting")),
)
"""The 23 pictures of a model card: five angles × four expressions, and three of the whole figure."""

_HELD_OUT_SHARE = 10


def held_out(identity: Identity) -> bool:
    """Whether a combination of looks is kept from the transformer's training: a fixed tenth of all."""
    looks = f"{identity.skin}|{identity.hair_colour}|{identity.hair_style}|{identity.clothes}"
    return hashlib.sha256(looks.encode()).digest()[0] % _HELD_OUT_SHARE == 0


def random_identity(rng: random.Random, *, marks: bool = False, held: bool | None = None) -> Identity:
    """Any persona; `held` asks for a held-out combination or for one that is not."""
    while True:
        identity = Identity(
            skin=rng.choice(tuple(words.SKIN)),
            hair_colour=rng.choice(tuple(words.HAIR_COLOUR)),
            hair_style=rng.choice(words.HAIR_STYLE),
            clothes=rng.choice(tuple(words.CLOTHES)),
            accessory=_weighted(rng, {"none": 3, "glasses": 1, "hat": 1, "scarf": 1}),
            mark=rng.choice(words.MARK) if marks else "none",
        )
        if held is None or held_out(identity) == held:
            return identity


def random_scene(rng: random.Random, *, framing: str | None = None, styles: Sequence[str] = ("flat",)) -> Scene:
    """Any scene; six in ten are portraits unless a framing is asked for."""
    chosen = framing or _weighted(rng, {"portrait": 6, "standing": 2, "sitting": 1, "tpose": 1})
    front_heavy = {"front": 3, "back": 1} if chosen != "portrait" else {"front": 1, "back": 0.5}
    return Scene(
        expression=rng.choice(words.EXPRESSION),
        yaw=_weighted(rng, {yaw: front_heavy.get(yaw, 1) for yaw in words.YAW}),
        framing=chosen,
        background=rng.choice(words.BACKGROUND),
        light=rng.choice(tuple(words.LIGHT)),
        style=rng.choice(styles),
        turn=rng.uniform(-5.0, 5.0),
    )


def random_jitter(rng: random.Random) -> Jitter:
    """The small accidents of one drawing."""
    return Jitter(
        dx=rng.uniform(-1.5, 1.5),
        dy=rng.uniform(-1.0, 1.0),
        scale=rng.uniform(0.95, 1.05),
        horizon=rng.uniform(-1.5, 1.5),
        prop=rng.uniform(-2.0, 2.0),
    )


def any_head_size(rng: random.Random, jitter: Jitter) -> Jitter:
    """A wilder jitter for training eyes (VAE, oracle): heads of many sizes and places."""
    return replace(jitter, scale=rng.uniform(0.8, 1.2), dx=rng.uniform(-6, 6), dy=rng.uniform(-3, 3))


def _weighted(rng: random.Random, weights: Mapping[str, float]) -> str:
    return rng.choices(tuple(weights), weights=tuple(weights.values()))[0]
