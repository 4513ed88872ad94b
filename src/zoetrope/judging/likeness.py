"""How near pictures are to those they were learned from, and to one another."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

_SIDE = 24


def copy_scores(pictures: "Sequence[Image]", learned: "Sequence[Image]") -> list[float]:
    """For each picture, 1 for an exact copy of what was learned from, 0 for nothing in common."""
    if not learned:
        return [0.0] * len(pictures)
    distances = _distances(_small(pictures), _small(learned))
    return [float(1.0 - row.min()) for row in distances]


def diversity(pictures: "Sequence[Image]") -> float:
    """The mean distance between two pictures of a set; 0 when all are one."""
    if len(pictures) < 2:
        return 0.0
    distances = _distances(_small(pictures), _small(pictures))
    return float(distances[~np.eye(len(pictures), dtype=bool)].mean())


def _small(pictures: "Sequence[Image]") -> NDArray[np.float32]:
    """Each picture as a few hundred numbers from 0 to 1: layout and colour, without detail."""
    from PIL import Image

    rows = [
        np.asarray(picture.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.BOX), dtype=np.float32).ravel()
        for picture in pictures
    ]
    return np.stack(rows) / 255.0


def _distances(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    """Root mean square differences, one row at a time to keep memory small."""
    return np.stack([np.sqrt(np.square(others - row).mean(axis=1)) for row in rows])
