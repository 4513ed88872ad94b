"""How near pictures are to a style, whatever they show: by the statistics of the base model's own latents."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from zoetrope.judging.latents import latents_of
from zoetrope.models.learner import Learner

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

Styles: TypeAlias = NDArray[np.float32]
"""One row of statistics a picture."""

# As for likeness: a picture is as near as it is to the nearest few.
_NEAREST = 3


def style_vectors(learner: Learner, images: "Sequence[Image]") -> Styles:
    """What is the same wherever in a picture one looks: levels, contrasts, how latents go together, how rough it is."""
    rows = [_statistics(latents) for latents in latents_of(learner, images)]
    return np.concatenate(rows) if rows else np.zeros((0, 1), np.float32)


def style_scores(pictures: Styles, style: Styles, plain: Styles) -> list[float]:
    """For each picture, how near it is to the style's: 0.5 is midway between them and the base's own."""
    known = np.concatenate([style, plain])
    middle, spread = known.mean(axis=0), known.std(axis=0) + 1e-6
    near, far = (_distance((pictures - middle) / spread, (rows - middle) / spread) for rows in (style, plain))
    return [float(share) for share in far / np.maximum(near + far, 1e-9)]


def _statistics(latents: "Tensor") -> Styles:
    import torch

    count, channels, height, width = latents.shape
    flat = latents.reshape(count, channels, -1)
    level = flat.mean(dim=2)
    rest = flat - level[:, :, None]
    together = rest @ rest.transpose(1, 2) / (height * width)
    row, column = torch.triu_indices(channels, channels)
    across = latents.diff(dim=3).abs().mean(dim=(2, 3))
    down = latents.diff(dim=2).abs().mean(dim=(2, 3))
    rows: Styles = torch.cat([level, rest.std(dim=2), together[:, row, column], across, down], dim=1).numpy()
    return rows


def _distance(rows: Styles, others: Styles) -> Styles:
    """For each row, its mean distance to the nearest others."""
    return np.array([_nearest(np.sqrt(np.square(others - row).mean(axis=1))) for row in rows], np.float32)


def _nearest(distances: Styles) -> float:
    # A picture is no neighbour of itself; one that has no other is where it is.
    others = np.sort(distances[distances > 1e-6])[:_NEAREST]
    return float(others.mean()) if len(others) else 0.0
