"""Draw the studio's icons from the lines of its mark. Run: python tools/icons.py"""

from pathlib import Path

from PIL import Image, ImageDraw

FOLDER = Path(__file__).parents[1] / "src" / "zoetrope" / "studio" / "static" / "studio"
PAPER, INK = "#faf8f5", "#b8622c"
# How often larger it is drawn than it is kept, which smooths its edges.
_FINER = 8
_MARK, _STROKE = 32, 2.4


def icon(side: int, share: float) -> Image.Image:
    """The mark on paper, as wide as that share of the icon."""
    scale = side * _FINER * share / _MARK
    edge = side * _FINER * (1 - share) / 2
    picture = Image.new("RGB", (side * _FINER, side * _FINER), PAPER)
    pen = ImageDraw.Draw(picture)

    def at(*numbers: float) -> list[float]:
        return [edge + number * scale for number in numbers]

    def line(*numbers: float) -> None:
        pen.line(at(*numbers), fill=INK, width=round(_STROKE * scale))
        for x, y in zip(numbers[::2], numbers[1::2], strict=True):
            pen.ellipse(at(x - _STROKE / 2, y - _STROKE / 2, x + _STROKE / 2, y + _STROKE / 2), fill=INK)

    half, wide = _STROKE / 2, round(_STROKE * scale)
    pen.ellipse(at(4 - half, 4.5 - half, 28 + half, 13.5 + half), outline=INK, width=wide)
    pen.arc(at(4 - half, 15.5 - half, 28 + half, 24.5 + half), 0, 180, fill=INK, width=wide)
    for x, top, bottom in (
        (4, 9, 20),
        (28, 9, 20),
        (9.5, 15.5, 20.5),
        (16, 16.8, 21.8),
        (22.5, 15.5, 20.5),
        (16, 24.5, 30),
    ):
        line(x, top, x, bottom)
    return picture.resize((side, side), Image.Resampling.LANCZOS)


def main() -> None:
    """Write each size; of a maskable icon a system may cut off everything outside the middle."""
    for name, side, share in (("icon-192", 192, 0.8), ("icon-512", 512, 0.8), ("icon-maskable-512", 512, 0.6)):
        icon(side, share).quantize(32).save(FOLDER / f"{name}.png", optimize=True)


if __name__ == "__main__":
    main()
