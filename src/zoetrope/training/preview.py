"""What one batch decodes back to, beside the pictures it came from: seen before hours are spent on it."""

from collections.abc import Sequence
from pathlib import Path

from PIL import Image, ImageOps

from zoetrope.media.files import write_atomic
from zoetrope.media.sheet import PAPER, Tile, contact_sheet, pair, png, short
from zoetrope.models.learner import Learner
from zoetrope.training.cache import Cache
from zoetrope.training.dataset import Shown, load

PREVIEW = "preview.png"
_MOST = 12
_ACROSS = 3
_SIDE = 176
_LETTERS = 50


def write_preview(path: Path, learner: Learner, cache: Cache, batch: Sequence[Shown]) -> None:
    """A sheet of the batch: each picture as it was cut, and on its right what the model was given, with its caption."""
    tiles = [_tile(learner, cache, each) for each in list(dict.fromkeys(batch))[:_MOST]]
    rows = [tiles[start : start + _ACROSS] for start in range(0, len(tiles), _ACROSS)]
    title = "The first batch, and what it decodes back to"
    write_atomic(path, png(contact_sheet(title, rows, side=_SIDE, wide=2 * _SIDE)))


def _tile(learner: Learner, cache: Cache, shown: Shown) -> Tile:
    from zoetrope.models.pixels import to_image

    source = load(shown.item, shown.size).image
    decoded = to_image(learner.decode(cache.get(cache.picture_key(shown))["latents"][None])[0])
    return Tile(pair(_square(source), _square(decoded), _SIDE), short(shown.item.caption, _LETTERS))


def _square(image: Image.Image) -> Image.Image:
    return ImageOps.pad(image, (_SIDE, _SIDE), Image.Resampling.LANCZOS, PAPER)
