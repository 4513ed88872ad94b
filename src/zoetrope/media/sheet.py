"""Contact sheets: many pictures on one page, each with a word below it."""

import io
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image, ImageDraw, ImageFont

PAPER = (250, 248, 244)
INK = (44, 40, 52)
FAINT = (120, 114, 126)
BAD = (190, 40, 40)
GOOD = (30, 120, 60)
MARGIN = 24
GAP = 10
LABEL = 22
TITLE = 56


def short(text: str, letters: int = 36) -> str:
    """As much of a text as a label has room for."""
    return text if len(text) <= letters else text[: letters - 1] + "…"


@dataclass(frozen=True)
class Tile:
    """One picture and what is written below it."""

    image: Image.Image
    label: str
    # Pillow's own font has no tick and no cross, so a label's colour says it.
    ink: tuple[int, int, int] = FAINT


def pair(before: Image.Image, after: Image.Image, side: int = 176) -> Image.Image:
    """Two pictures as one, the earlier on the left; twice as wide as high."""
    both = Image.new("RGB", (2 * side, side), PAPER)
    for number, image in enumerate((before, after)):
        both.paste(image.convert("RGB").resize((side, side), Image.Resampling.LANCZOS), (number * side, 0))
    return both


def contact_sheet(title: str, rows: Sequence[Sequence[Tile]], side: int = 176, wide: int | None = None) -> Image.Image:
    """Rows of tiles under a title, square ones unless `wide` says otherwise; a shorter row stands in the middle."""
    across = wide or side
    columns = max(len(row) for row in rows)
    width = 2 * MARGIN + columns * across + (columns - 1) * GAP
    height = MARGIN + TITLE + len(rows) * (side + LABEL + GAP) + MARGIN - GAP
    sheet = Image.new("RGB", (width, height), PAPER)
    pen = ImageDraw.Draw(sheet)
    pen.text((width / 2, MARGIN + TITLE / 2 - 8), title, INK, ImageFont.load_default(26), anchor="mm")
    for number, row in enumerate(rows):
        left = (width - len(row) * across - (len(row) - 1) * GAP) // 2
        top = MARGIN + TITLE + number * (side + LABEL + GAP)
        for tile in row:
            sheet.paste(tile.image.convert("RGB").resize((across, side), Image.Resampling.LANCZOS), (left, top))
            pen.text(
                (left + across / 2, top + side + LABEL / 2),
                tile.label,
                tile.ink,
                ImageFont.load_default(14),
                anchor="mm",
            )
            left += across + GAP
    return sheet


def png(image: Image.Image) -> bytes:
    """A picture's bytes as a PNG file."""
    buffer = io.BytesIO()
    image.convert("RGB").save(buffer, "PNG")
    return buffer.getvalue()
