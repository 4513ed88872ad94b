"""What can be measured of a picture by itself: sharpness, light, and a hash that survives copying."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Bits: TypeAlias = NDArray[np.bool_]
Grey: TypeAlias = NDArray[np.float32]

# Sixteen by sixteen steps across and as many down: enough to see a head turn, too few to see JPEG's noise.
_HASHED = 16
# Steps smaller than this, from 0 to 1, are noise rather than picture, and would be bits by chance.
_FLAT = 0.004
# The last two of 256 steps at either end: what a camera or a printer made of "too much".
_CLIPPED = 2.5 / 255


@dataclass(frozen=True)
class Quality:
    """One picture in numbers; shares and luminance from 0 to 1."""

    width: int
    height: int
    sharpness: float
    luminance: float
    shadows: float
    highlights: float


def measure_quality(image: "Image", side: int) -> Quality:
    """Measure a picture as training sees it: no larger than a square of `side`, by area."""
    grey = _grey(_shrunk(image, side))
    return Quality(
        width=image.width,
        height=image.height,
        sharpness=sharpness(grey),
        luminance=float(grey.mean()),
        shadows=float((grey <= _CLIPPED).mean()),
        highlights=float((grey >= 1 - _CLIPPED).mean()),
    )


def sharpness(grey: Grey) -> float:
    """The Laplacian's variance over the picture's own: fine detail for its contrast, so darkness is no blur."""
    if min(grey.shape) < 3:
        return 0.0
    middle = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * middle
    return float(laplacian.var() / (grey.var() + 1e-4))


def picture_hash(image: "Image") -> Bits:
    """Whether it grows brighter from each cell to the next, across and down."""
    from PIL import Image

    across = _grey(image.convert("L").resize((_HASHED + 1, _HASHED), Image.Resampling.BOX))
    down = _grey(image.convert("L").resize((_HASHED, _HASHED + 1), Image.Resampling.BOX))
    return np.concatenate([np.diff(across, axis=1).ravel() > _FLAT, np.diff(down, axis=0).ravel() > _FLAT])


def mirrored_hash(image: "Image") -> Bits:
    """The hash of the picture in a mirror."""
    from PIL import ImageOps

    return picture_hash(ImageOps.mirror(image))


def hash_distance(one: Bits, other: Bits) -> float:
    """The share of bits that differ: 0 for the same picture, about 0.5 for any two."""
    return float((one != other).mean())


def _shrunk(image: "Image", side: int) -> "Image":
    from PIL import Image

    scale = side / (image.width * image.height) ** 0.5
    if scale >= 1:
        return image
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _grey(image: "Image") -> Grey:
    return np.asarray(image.convert("L"), dtype=np.float32) / 255.0
