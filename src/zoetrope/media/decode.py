"""Pictures from strangers: bounded, still, upright, 8 bits a channel, sRGB, or refused with a sentence."""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from zoetrope.media.colour import to_srgb
from zoetrope.media.containers import png, take_apart
from zoetrope.media.containers.common import Format, Stored, damaged
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited

_GRAYS = {"1", "L", "LA"}
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


@dataclass(frozen=True)
class Limits:
    """How large a picture may be, as a file and in memory."""

    max_bytes: int = 64 * 2**20
    max_pixels: int = 64_000_000


@dataclass(frozen=True)
class Picture:
    """A decoded picture: an RGB image, and its transparency as a mask of the same size where it had one."""

    image: Image.Image
    alpha: Image.Image | None = None

    def merged(self) -> Image.Image:
        """One image: RGBA where there is a mask, otherwise RGB."""
        return Image.merge("RGBA", (*self.image.split(), self.alpha)) if self.alpha else self.image


def open_picture(path: Path, limits: Limits | None = None) -> Picture:
    """Decode a picture file."""
    limits = limits or Limits()
    data = read_limited(path, limits.max_bytes)
    try:
        return decode(data, limits)
    except MediaError as error:
        raise MediaError(f"{path}: {error}") from error


def decode(data: bytes, limits: Limits | None = None) -> Picture:
    """Decode the bytes of a PNG, JPEG or WebP file."""
    return develop(take_apart_within(data, limits or Limits()))[0]


def take_apart_within(data: bytes, limits: Limits) -> Stored:
    """Take a file apart, having checked its size and the number of pixels that it announces."""
    if len(data) > limits.max_bytes:
        raise MediaError(f"This file is {len(data):,} bytes; at most {limits.max_bytes:,} are allowed.")
    stored = take_apart(data)
    # Above its own limit Pillow would only warn, and a warning is no answer to the user.
    most = min(limits.max_pixels, Image.MAX_IMAGE_PIXELS or limits.max_pixels)
    if stored.width * stored.height > most:
        raise MediaError(
            f"This picture is {stored.width}x{stored.height} pixels; at most {most:,} pixels are allowed. "
            "Make it smaller first."
        )
    return stored


def develop(stored: Stored) -> tuple[Picture, bool]:
    """The picture, and whether it is just what was stored: neither turned nor converted to sRGB."""
    with reading(stored.format):
        colour, alpha = _split(_load(stored), stored.depth)
        converted = to_srgb(colour, stored.profile) if stored.profile else None
        image = _turned(converted or colour.convert("RGB"), stored.orientation)
        # What the file said about itself must not travel on inside Pillow's image.
        image.info = {}
        picture = Picture(image, alpha and _turned(alpha, stored.orientation))
        return picture, converted is None and stored.orientation == 1


@contextmanager
def reading(format: Format) -> Iterator[None]:
    """Turn whatever Pillow raises at a bad file into one sentence."""
    try:
        yield
    except MediaError:
        raise
    except MemoryError as error:
        raise MediaError(f"There is not enough memory to decode this {format} picture.") from error
    except Exception as error:
        # Pillow raises OSError, SyntaxError, struct.error, EOFError, OverflowError and more for bad files.
        raise damaged(format, "its pixels cannot be read to the end") from error


def _load(stored: Stored) -> Image.Image:
    image = Image.open(io.BytesIO(stored.bare), formats=[stored.format])
    if image.size != (stored.width, stored.height):
        # The limits were checked on our reading of the header, so Pillow's must be the same.
        raise damaged(stored.format, "it names two different sizes")
    if stored.format == "PNG":
        png.check_pixels(stored)
    image.load()
    return image


def _split(image: Image.Image, depth: int) -> tuple[Image.Image, Image.Image | None]:
    """The colours (L, RGB or CMYK) and the transparency, if there is any."""
    if image.mode.startswith("I"):
        return _split_deep_gray(image)
    gray = image.mode in _GRAYS
    if not image.has_transparency_data:
        return image if image.mode == "CMYK" else image.convert("L" if gray else "RGB"), None
    _scale_transparent_colour(image, depth)
    rgba = image.convert("RGBA")
    return rgba.getchannel("R") if gray else rgba.convert("RGB"), rgba.getchannel("A")


def _split_deep_gray(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """16-bit gray to 8 bits; Pillow's own conversion cuts all above 255 to white."""
    values = np.asarray(image)
    key = image.info.get("transparency")
    alpha = None if key is None else Image.fromarray(np.where(values == key, 0, 255).astype(np.uint8))
    # The upper byte, which is also what Pillow takes of 16-bit colour.
    return Image.fromarray((values >> 8).astype(np.uint8)), alpha


def _scale_transparent_colour(image: Image.Image, depth: int) -> None:
    """Bring a PNG's transparent colour to 8 bits; Pillow scales the pixels but leaves this as stored."""
    key = image.info.get("transparency")
    if image.mode == "RGB" and isinstance(key, tuple):
        image.info["transparency"] = tuple(value >> 8 if depth == 16 else value & 0xFF for value in key)
    elif image.mode == "L" and isinstance(key, int):
        most = 2**depth - 1
        image.info["transparency"] = (key & most) * 255 // most


def _turned(image: Image.Image, orientation: int) -> Image.Image:
    return image.transpose(_TURNS[orientation]) if orientation in _TURNS else image
