"""Picture files taken apart, before any pixel is decoded."""

from zoetrope.media.containers import jpeg, png, webp
from zoetrope.media.containers.common import Stored
from zoetrope.media.errors import MediaError


def take_apart(data: bytes) -> Stored:
    """The parts of a PNG, JPEG or WebP file; anything else, and anything mangled, is refused."""
    if data.startswith(png.MAGIC):
        return png.take_apart(data)
    if data.startswith(jpeg.MAGIC):
        return jpeg.take_apart(data)
    if webp.begins_like_one(data):
        return webp.take_apart(data)
    raise MediaError("This is not a PNG, JPEG or WebP picture; save it as one of these first.")
