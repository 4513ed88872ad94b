"""Pictures in, attributes out: the shipped oracle, loaded once."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from PIL import Image

if TYPE_CHECKING:
    from zoetrope.world.oracle.network import Oracle

SIDE = 64
BATCH = 100
SURE = 0.85
"""Of a true drawing the oracle is surer than this, but for one in a few hundred."""


def read_images(images: Sequence[Image.Image]) -> list[dict[str, str]]:
    """What the oracle sees in each picture, by attribute."""
    return _read(_oracle(), images)


def read_surely(images: Sequence[Image.Image]) -> list[dict[str, str]]:
    """The same, saying nothing of what it is not as sure of as of true drawings."""
    return _read(_oracle(), images, SURE)


def read_styled(images: Sequence[Image.Image]) -> list[dict[str, str]]:
    """What the oracle that knows every style sees in each picture, the style included."""
    return _read(_styled_oracle(), images)


def _read(oracle: "Oracle", images: Sequence[Image.Image], least: float = 0.0) -> list[dict[str, str]]:
    from zoetrope.models.pixels import to_tensor
    from zoetrope.world.oracle.network import read

    small = [image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX) for image in images]
    readings: list[dict[str, str]] = []
    for start in range(0, len(small), BATCH):
        readings += read(oracle, to_tensor(small[start : start + BATCH]), least)
    return readings


@cache
def _oracle() -> "Oracle":
    from zoetrope.world.oracle.network import load_oracle

    return load_oracle()


@cache
def _styled_oracle() -> "Oracle":
    from zoetrope.world.oracle.network import load_styled_oracle

    return load_styled_oracle()
