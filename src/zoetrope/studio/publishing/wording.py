"""What people say of a post, as its row keeps it: texts, hashtags, alt texts, crops."""

import re
from collections.abc import Mapping
from typing import Any

from zoetrope.errors import UserError
from zoetrope.studio.publishing.checks import ALT
from zoetrope.studio.publishing.outgoing import STORY, TALLEST, WIDEST

LONGEST_TEXT, MOST_TAGS, LONGEST_TAG = 5000, 60, 100
"""So much a draft holds; what goes out is shorter, and the counters say by how much."""
SIDES = ("left", "top", "width", "height")
_LEAST = 0.1
# Browsers and spreadsheets round.
_ROUNDED, _SLACK = 0.005, 0.02
_TAG = re.compile(r"\w+")


def read_text(text: str, what: str) -> str:
    """A text with its lines as they are kept."""
    said = text.replace("\r\n", "\n").replace("\r", "\n")
    if len(said) > LONGEST_TEXT:
        raise UserError(f"{what} has at most {LONGEST_TEXT:,} characters, even in a draft; nothing was changed.")
    if not _can_be_kept(said):
        raise UserError(f"{what} holds a character that cannot be kept; nothing was changed.")
    return said


def _can_be_kept(text: str) -> bool:
    """No database keeps a NUL, and half a letter is none."""
    return "\x00" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)


def read_tags(text: str) -> list[str]:
    """Hashtags without their sign, each once, in the order in which they were said."""
    tags = [each.lstrip("#") for each in re.split(r"[\s,]+", text) if each.strip("#")]
    if wrong := next((each for each in tags if not _TAG.fullmatch(each) or len(each) > LONGEST_TAG), None):
        raise UserError(f"#{wrong[:40]} is no hashtag: letters, digits and underscores make one; nothing was changed.")
    found: dict[str, str] = {}
    for each in tags:
        found.setdefault(each.lower(), each)
    if len(found) > MOST_TAGS:
        raise UserError(f"A draft keeps at most {MOST_TAGS} hashtags; nothing was changed.")
    return list(found.values())


def read_alt(text: Any) -> str:
    """What blind people hear, in one line."""
    if not isinstance(text, str):
        raise UserError("An alt text is a text; nothing was changed.")
    said = " ".join(text.split())
    if not _can_be_kept(said):
        raise UserError("An alt text holds a character that cannot be kept; nothing was changed.")
    if len(said) > ALT:
        raise UserError(f"An alt text has at most {ALT:,} characters; nothing was changed.")
    return said


def read_crop(told: Mapping[str, Any]) -> dict[str, float] | None:
    """What is shown of a picture, as shares of it; none where that is all of it."""
    numbers = [told[side] for side in SIDES]
    if not all(isinstance(each, int | float) and not isinstance(each, bool) and abs(each) <= 2 for each in numbers):
        raise UserError("A crop is four numbers; nothing was changed.")
    left, top, width, height = (float(each) for each in numbers)
    if width < _LEAST or height < _LEAST:
        raise UserError(f"A crop shows at least {_LEAST:.0%} of a picture's width and height; nothing was changed.")
    if left < 0 or top < 0 or left + width > 1 + _ROUNDED or top + height > 1 + _ROUNDED:
        raise UserError("A crop lies within the picture; nothing was changed.")
    width, height = min(width, 1 - left), min(height, 1 - top)
    if (left, top, width, height) == (0, 0, 1, 1):
        return None
    return {"left": left, "top": top, "width": width, "height": height}


def check_ratio(crop: Mapping[str, float] | None, width: int, height: int, story: bool) -> None:
    """Refuse a crop whose shape is not shown; without one the picture is cut to the nearest shape that is."""
    if crop is None:
        return
    ratio = width * crop["width"] / max(1e-6, height * crop["height"])
    low, high = (STORY, STORY) if story else (TALLEST, WIDEST)
    if not low * (1 - _SLACK) <= ratio <= high * (1 + _SLACK):
        shapes = "9:16 in a story" if story else "from 4:5 to 1.91:1"
        raise UserError(f"A crop is {shapes}, not {ratio:.2f}:1; nothing was changed.")
