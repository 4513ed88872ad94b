"""What a picture looks like in a few bytes, so that a post is known again by what it shows."""

from typing import TYPE_CHECKING

import numpy as np

from zoetrope.wheel.quality import picture_hash

if TYPE_CHECKING:
    from PIL.Image import Image


def look_of(image: "Image") -> bytes:
    """The same for a picture and its copies, whatever made them smaller or packed them."""
    return np.packbits(picture_hash(image)).tobytes()
