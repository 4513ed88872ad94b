"""What the three kinds of picture file have in common."""

from dataclasses import dataclass
from typing import Literal

from zoetrope.media.errors import MediaError

Format = Literal["PNG", "JPEG", "WEBP"]

# Real files have at most a few thousand parts; millions of empty ones only burn time and memory.
MAX_PARTS = 65_536
# The largest real printing profiles are below this; a compressed one may claim to be a thousand times larger.
MAX_PROFILE_BYTES = 4 * 2**20


@dataclass(frozen=True)
class Stored:
    """A picture file taken apart; `bare` is the same file with nothing in it but the pixels."""

    format: Format
    width: int
    height: int
    bare: bytes
    orientation: int = 1
    profile: bytes | None = None
    depth: int = 8
    lossless: bool = False


def damaged(format: Format, what: str) -> MediaError:
    """The error for a file whose structure is wrong."""
    return MediaError(f"This {format} file is damaged: {what}. Get it again from where it came from.")


def cut_off(format: Format) -> MediaError:
    """The error for a file that ends too early."""
    return MediaError(f"This {format} file is cut off before its end; copy or download it again.")


def animated(format: Format) -> MediaError:
    """The error for a file with more than one frame."""
    return MediaError(f"This {format} file is animated; save one of its frames as a still picture.")


def profile_too_large(format: Format) -> MediaError:
    """The error for a colour profile that would fill the memory."""
    return MediaError(
        f"The colour profile in this {format} file is larger than {MAX_PROFILE_BYTES:,} bytes; "
        "save the picture without it."
    )
