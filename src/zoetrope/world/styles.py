"""Ways of drawing: the same picture flat, in ink, in watercolour, or in coarse pixels."""

from PIL import Image, ImageChops, ImageDraw, ImageFilter, ImageOps


def apply(image: Image.Image, style: str) -> Image.Image:
    """The picture in the style called `style`."""
    match style:
        case "flat":
            return image
        case "ink":
            return _ink(image)
        case "watercolour":
            return _watercolour(image)
        case "pixel":
            return _pixel(image)
        case _:
            raise ValueError(f"there is no style called {style!r}")


def _ink(image: Image.Image) -> Image.Image:
    """Dark contours on paper, tones kept as three greys."""
    tones = ImageOps.posterize(ImageOps.autocontrast(image.convert("L")), 2)
    paper = tones.point(lambda v: 150 + v * 105 // 192)
    edges = _contours(image).point(lambda v: 255 - min(255, v * 3))
    return ImageOps.colorize(ImageChops.multiply(paper, edges), (24, 22, 40), (250, 246, 236))


def _watercolour(image: Image.Image) -> Image.Image:
    """Washed, bleeding colours with darker rims."""
    blurred = image.filter(ImageFilter.MedianFilter(3)).filter(ImageFilter.GaussianBlur(image.width / 80))
    rims = _contours(image).point(lambda v: 255 - v // 3)
    washed = Image.blend(blurred, Image.new("RGB", image.size, (255, 252, 244)), 0.28)
    return ImageChops.multiply(washed, Image.merge("RGB", (rims, rims, rims)))


def _contours(image: Image.Image) -> Image.Image:
    """Where tones change, bright on black; Pillow's filter leaves the outermost pixels as they were."""
    edges = image.convert("L").filter(ImageFilter.FIND_EDGES)
    ImageDraw.Draw(edges).rectangle((0, 0, edges.width - 1, edges.height - 1), outline=0)
    return edges


def _pixel(image: Image.Image) -> Image.Image:
    """Half the resolution, sixteen colours."""
    small = image.resize((image.width // 2, image.height // 2), Image.Resampling.BOX)
    few = small.quantize(16, dither=Image.Dither.NONE).convert("RGB")
    return few.resize(image.size, Image.Resampling.NEAREST)
