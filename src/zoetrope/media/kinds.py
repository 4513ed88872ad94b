"""The two kinds of made thing."""

from enum import StrEnum


class MediaKind(StrEnum):
    """A still picture or a moving clip."""

    image = "image"
    clip = "clip"


PICTURE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".webp"})
"""What the files of pictures that can be decoded are called."""

CLIP_SUFFIXES = frozenset({".mp4", ".mov"})
"""And those of clips."""
