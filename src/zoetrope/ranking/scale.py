"""Utilities on the scale that players of chess know."""

import numpy as np

MIDDLE = 1000.0
_POINTS = 400 / np.log(10)
# Nineteen times of twenty it is no farther than so many deviations.
_WIDE = 1.96


def score(utility: float) -> float:
    """A lead of 400 points is ten wins to one loss."""
    return MIDDLE + float(_POINTS) * utility


def interval(utility: float, deviation: float) -> tuple[float, float]:
    """Where the score is, 95 times of 100."""
    return score(utility - _WIDE * deviation), score(utility + _WIDE * deviation)
