"""Pictures without their story: pixels only, as far as they can be kept as they are."""

import io

from zoetrope.media.containers import png
from zoetrope.media.containers.common import Stored
from zoetrope.media.decode import Limits, Picture, develop, reading, take_apart_within

# High enough that a second lossy encoding is not seen.
_QUALITY = 95


def strip_metadata(data: bytes, limits: Limits | None = None) -> bytes:
    """The same picture without EXIF, XMP, IPTC, text, comments or profile.

    The pixels stay as stored, unless an orientation or a colour profile told how to show them: without these
    words the picture would lie on its side or change its colours, so they are first worked into the pixels.
    """
    stored = take_apart_within(data, limits or Limits())
    picture, as_stored = develop(stored)  # also where a mangled file is found out
    if not as_stored:
        return _encode(picture, stored)
    return png.pack_again(stored) if stored.format == "PNG" else stored.bare


def _encode(picture: Picture, stored: Stored) -> bytes:
    buffer = io.BytesIO()
    with reading(stored.format):
        if stored.format == "PNG":
            picture.merged().save(buffer, "PNG")
        elif stored.format == "JPEG":
            # 4:4:4, as the first encoder has already taken what may be taken from the colours.
            picture.image.save(buffer, "JPEG", quality=_QUALITY, subsampling=0)
        else:
            picture.merged().save(buffer, "WEBP", quality=_QUALITY, lossless=stored.lossless, exact=True)
    return buffer.getvalue()
