"""Small copies for pages with many pictures."""

import io
from pathlib import Path

from PIL import Image

from zoetrope.media.decode import Limits, Picture, decode
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited, write_atomic
from zoetrope.media.hashing import hash_bytes

MAX_SIDE = 4096
_QUALITY = 82


def thumbnail(picture: Picture, side: int) -> bytes:
    """A WebP that fits a square of this side; it is never larger than the picture."""
    if not 1 <= side <= MAX_SIDE:
        raise MediaError(f"A thumbnail's side must be from 1 to {MAX_SIDE} pixels, not {side}.")
    small = picture.merged().copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=3.0)
    buffer = io.BytesIO()
    small.save(buffer, "WEBP", quality=_QUALITY)
    return buffer.getvalue()


def cached_thumbnail(
    source: Path, folder: Path, side: int, limits: Limits | None = None, digest: str | None = None
) -> Path:
    """The thumbnail's file in this folder, made when missing; one content has one, under any name.

    Where the `digest` of the content is known, one that is there is found without reading the picture.
    """
    limits = limits or Limits()
    if digest is not None and (there := _kept(folder, digest, side)).exists():
        return there
    # Read once, so that the key and the picture cannot come from two versions of the file.
    data = read_limited(source, limits.max_bytes)
    digest = hash_bytes(data)
    target = _kept(folder, digest, side)
    if not target.exists():
        try:
            write_atomic(target, thumbnail(decode(data, limits), side))
        except MediaError as error:
            raise MediaError(f"No thumbnail of {source}: {error}") from error
    return target


def _kept(folder: Path, digest: str, side: int) -> Path:
    return folder / digest[:2] / f"{digest}-{side}.webp"
