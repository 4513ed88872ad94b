"""Who a toy-world picture shows: a small network trained to tell personas apart, marks included.

It is no relation of the oracle: another shape, another seed, and it names no attribute.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from zoetrope.judging.scorer import Vectors, unit

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import nn

WEIGHTS = Path(__file__).with_name("nano_identity.safetensors")
SIDE = 64
WIDTH = 96
_CHANNELS = (24, 48, 96, 128)
_BATCH = 64


class NanoIdentity:
    """The scorer of nano models."""

    name: ClassVar[str] = "nano_identity"

    def embed(self, images: "Sequence[Image]") -> Vectors:
        import torch
        from PIL import Image

        from zoetrope.models.pixels import to_tensor

        small = [image.convert("RGB").resize((SIDE, SIDE), Image.Resampling.BOX) for image in images]
        rows = []
        with torch.no_grad():
            for start in range(0, len(small), _BATCH):
                rows.append(_network()(to_tensor(small[start : start + _BATCH])).numpy())
        return unit(np.concatenate(rows).astype(np.float32)) if rows else np.zeros((0, WIDTH), np.float32)


def new_network() -> "nn.Sequential":
    """Four halvings, then what is where matters, so no pooling over the whole picture."""
    from torch import nn

    layers: list[nn.Module] = []
    before = 3
    for channels in _CHANNELS:
        layers += [
            nn.Conv2d(before, channels, 3, padding=1),
            nn.GroupNorm(8, channels),
            nn.GELU(),
            nn.Conv2d(channels, channels, 3, stride=2, padding=1, groups=8),
            nn.GELU(),
        ]
        before = channels
    side = SIDE // 2 ** len(_CHANNELS)
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(before * side * side, WIDTH))


@cache
def _network() -> "nn.Sequential":
    from safetensors.torch import load_file

    network = new_network()
    network.load_state_dict({name: tensor.float() for name, tensor in load_file(str(WEIGHTS)).items()})
    return network.eval()
