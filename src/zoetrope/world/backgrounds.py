"""Where a figure stands: five places, each known by its colours and one prop."""

from PIL import ImageDraw

from zoetrope.world.figure import Jitter
from zoetrope.world.vocabulary import Colour

GRID = 64


def paint(canvas: ImageDraw.ImageDraw, name: str, jitter: Jitter) -> None:
    """Fill the whole canvas with the place called `name`."""
    unit = canvas.im.size[0] / GRID
    horizon, shift = 46.0 + jitter.horizon, jitter.prop

    def box(x0: float, y0: float, x1: float, y1: float, fill: Colour) -> None:
        canvas.rectangle((x0 * unit, y0 * unit, x1 * unit, y1 * unit), fill=fill)

    def disc(x: float, y: float, radius: float, fill: Colour) -> None:
        canvas.ellipse(((x - radius) * unit, (y - radius) * unit, (x + radius) * unit, (y + radius) * unit), fill=fill)

    match name:
        case "studio":
            box(0, 0, 64, 64, (214, 214, 220))
            box(0, horizon, 64, 64, (186, 186, 194))
        case "beach":
            box(0, 0, 64, 64, (132, 208, 250))
            box(0, horizon - 8, 64, horizon, (40, 126, 206))
            box(0, horizon, 64, 64, (246, 222, 160))
        case "park":
            box(0, 0, 64, 64, (176, 226, 246))
            box(0, horizon, 64, 64, (104, 186, 78))
            box(6 + shift, horizon - 16, 10 + shift, horizon + 2, (112, 76, 50))
            disc(8 + shift, horizon - 24, 10, (34, 116, 66))
        case "night":
            box(0, 0, 64, 64, (26, 28, 74))
            box(0, horizon, 64, 64, (46, 44, 60))
            disc(54 + shift, 9, 6, (250, 244, 206))
            for x, y in ((8, 7), (20, 14), (38, 5), (6, 26), (58, 28)):
                disc(x + shift, y, 0.9, (250, 244, 206))
        case "room":
            box(0, 0, 64, 64, (240, 220, 186))
            box(0, horizon, 64, 64, (150, 102, 66))
            box(46 + shift, 6, 61 + shift, 26, (112, 76, 50))
            box(48 + shift, 8, 59 + shift, 24, (170, 216, 240))
        case _:
            raise ValueError(f"there is no background called {name!r}")
