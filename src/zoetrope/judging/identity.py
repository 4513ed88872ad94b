"""Whether a picture shows the persona: compared with its references, by a threshold of its own."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from zoetrope.errors import UserError
from zoetrope.judging.scorer import Vectors

# A picture is as alike as it is to the nearest few of the references: a profile need not look like the front.
NEAREST = 3
# References are themselves to pass but for this share, and a little below that a new picture still may.
_SHARE, _MARGIN = 0.05, 0.02
FEWEST = 4


@dataclass(frozen=True)
class Calibration:
    """What likeness means for one persona."""

    threshold: float
    references: int
    lowest: float
    median: float


def likeness(pictures: Vectors, references: Vectors) -> NDArray[np.float32]:
    """For each picture, its mean likeness to the nearest references."""
    nearest = np.sort(pictures @ references.T, axis=1)[:, -NEAREST:]
    means: NDArray[np.float32] = nearest.mean(axis=1)
    return means


def calibrate(references: Vectors) -> Calibration:
    """The threshold that the references themselves suggest, each compared with all the others."""
    found = references[np.linalg.norm(references, axis=1) > 0]
    if len(found) < FEWEST:
        raise UserError(
            f"{len(found)} references show the persona; {FEWEST} are needed to learn how alike its pictures are."
        )
    alike = np.array([likeness(found[i : i + 1], np.delete(found, i, axis=0))[0] for i in range(len(found))])
    threshold = float(np.quantile(alike, _SHARE)) - _MARGIN
    return Calibration(threshold, len(found), float(alike.min()), float(np.median(alike)))
