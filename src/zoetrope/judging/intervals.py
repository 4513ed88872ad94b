"""How sure a mean is: intervals by drawing again what was measured."""

from collections.abc import Sequence

import numpy as np

_DRAWS = 2000
_TAIL = 0.025


def interval(values: Sequence[float], seed: int = 1) -> tuple[float, float]:
    """The 95 % interval of the mean of values that were measured independently."""
    found = np.asarray(values, dtype=np.float64)
    chosen = np.random.default_rng(seed).integers(0, len(found), (_DRAWS, len(found)))
    low, high = np.quantile(found[chosen].mean(axis=1), [_TAIL, 1 - _TAIL])
    return float(low), float(high)
