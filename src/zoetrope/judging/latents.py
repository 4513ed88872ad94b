"""Pictures as the base model sees them."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from zoetrope.models.learner import Learner

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

_TOGETHER = 8


def latents_of(learner: Learner, images: "Sequence[Image]") -> "Iterator[Tensor]":
    """Their latents at the size the model draws, a few pictures at a time."""
    from PIL import Image

    from zoetrope.models.pixels import to_tensor

    size = (learner.defaults.width, learner.defaults.height)
    fitted = [image.convert("RGB").resize(size, Image.Resampling.LANCZOS) for image in images]
    for start in range(0, len(fitted), _TOGETHER):
        yield learner.encode_pictures(to_tensor(fitted[start : start + _TOGETHER])).float().cpu()
