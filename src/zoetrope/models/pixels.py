"""Pictures as the tensors that models take."""

from collections.abc import Iterable

import numpy as np
import torch
from PIL import Image
from torch import Tensor


def to_tensor(images: Iterable[Image.Image]) -> Tensor:
    """RGB pictures of one size as a batch in [-1, 1], channels last in memory."""
    array = np.stack([np.asarray(image, dtype=np.float32) for image in images])
    return torch.from_numpy(array / 127.5 - 1.0).permute(0, 3, 1, 2).contiguous(memory_format=torch.channels_last)


def to_image(picture: Tensor) -> Image.Image:
    """One picture in [-1, 1] as an RGB image."""
    levels = ((picture.float().cpu() + 1.0) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return Image.fromarray(levels.permute(1, 2, 0).numpy())
