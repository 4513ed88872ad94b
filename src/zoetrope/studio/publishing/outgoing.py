"""Pictures as they go out: cropped to what channels take, JPEG in sRGB, and nothing in the file but the picture.

Clips go out as they lie in the store, where none says anything of itself.
"""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.errors import UserError
from zoetrope.home import home
from zoetrope.media.decode import open_picture
from zoetrope.media.errors import MediaError
from zoetrope.media.files import write_together
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.making.store import clip_of, path_of
from zoetrope.studio.publishing.looks import look_of
from zoetrope.studio.publishing.models import PostPicture

if TYPE_CHECKING:
    from PIL.Image import Image

TALLEST, WIDEST = 4 / 5, 1.91
"""Width over height, as a feed shows pictures."""
STORY = 9 / 16
_NARROWEST, _BROADEST = 320, 1440
LARGEST = 8 * 10**6
"""Bytes of a picture, as Instagram takes it."""
_QUALITIES = (95, 90, 80, 70, 50)
_UNREADABLE = "The post's picture cannot be read: choose another one."
# Whatever of this changes makes other files.
_SCHEMA = 1


class NotNow(UserError):
    """It cannot be made ready for the time being, which is no fault of the post's."""


@dataclass(frozen=True)
class Ready:
    """What can go out: its file, by a name that says what it is made from, and what it looks like."""

    name: str
    path: Path
    look: bytes


def ready_of(picture: PostPicture, story: bool) -> Ready:
    """A picture of a post, or its clip."""
    made = picture.made
    return _clip(made.sha256) if made.moves else ready(made.sha256, picture.crop, story)


def _clip(sha256: str) -> Ready:
    path = clip_of(sha256)
    try:
        look = look_of(open_picture(path_of(sha256)).image)
    except (OSError, MediaError) as error:
        raise UserError(_UNREADABLE) from error
    if not path.is_file():
        raise UserError(_UNREADABLE)
    return Ready(sha256, path, look)


def ready(sha256: str, crop: Mapping[str, float] | None, story: bool = False) -> Ready:
    """Made once, and found again from then on."""
    said = ",".join(f"{crop[side]:.6f}" for side in ("left", "top", "width", "height")) if crop else ""
    name = hash_bytes(f"{_SCHEMA}/{sha256}/{said}/{story}".encode())
    path = file_of(name)
    look = path.with_suffix(".look")
    if not (path.is_file() and look.is_file()):
        try:
            image = _fitting(open_picture(path_of(sha256)).image, crop, story)
        except (OSError, MediaError) as error:
            raise UserError(_UNREADABLE) from error
        try:
            write_together({path: _jpeg(image), look: look_of(image)}, durable=False)
        except MediaError as error:
            # No fault of the post's: there may be room later.
            raise NotNow(
                "Pictures cannot be made ready: see to the room and the permissions of the data folder."
            ) from error
    return Ready(name, path, look.read_bytes())


def file_of(name: str) -> Path:
    """A picture that was made ready, by its name."""
    return home() / "outgoing" / name[:2] / f"{name}.jpg"


def allowed(ratio: float) -> float:
    """The nearest that a feed shows."""
    return min(max(ratio, TALLEST), WIDEST)


def _fitting(image: "Image", crop: Mapping[str, float] | None, story: bool) -> "Image":
    if crop:
        left, top = crop["left"] * image.width, crop["top"] * image.height
        right, bottom = left + crop["width"] * image.width, top + crop["height"] * image.height
        last = max(round(right), round(left) + 1), max(round(bottom), round(top) + 1)
        image = image.crop((round(left), round(top), *last))
    ratio = image.width / image.height
    image = _cut(image, STORY if story else allowed(ratio))
    width = min(max(image.width, _NARROWEST), _BROADEST)
    if width == image.width:
        return image
    from PIL import Image

    return image.resize((width, max(1, round(width * image.height / image.width))), Image.Resampling.LANCZOS)


def _cut(image: "Image", ratio: float) -> "Image":
    """The middle of it, as large as can be. Rounding must not lead out of what is allowed again."""
    width, height = image.width, image.height
    if width / height > ratio:
        width = max(1, int(height * ratio))
    elif width / height < ratio:
        height = max(1, int(width / ratio))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))


def _jpeg(image: "Image") -> bytes:
    for quality in _QUALITIES:
        buffer = io.BytesIO()
        image.convert("RGB").save(buffer, "JPEG", quality=quality, optimize=True)
        if buffer.tell() <= LARGEST:
            return buffer.getvalue()
    raise UserError("The post's picture stays larger than 8 MB: choose a smaller one.")
