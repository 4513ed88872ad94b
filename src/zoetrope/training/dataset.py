"""A folder of pictures and captions, and the buckets of one size that they are trained in."""

import math
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from PIL import Image

from zoetrope.errors import UserError
from zoetrope.media.decode import Limits, Picture, decode
from zoetrope.media.errors import MediaError
from zoetrope.media.files import read_limited
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.kinds import PICTURE_SUFFIXES

SMALLEST_SIDE = 16
_KOHYA = re.compile(r"(?P<repeats>\d{1,4})_(?P<name>.+)")
_CAPTION_BYTES = 64 * 2**10
# How much longer than wide a bucket may be, and the other way round.
_LONGEST = 2.0


@dataclass(frozen=True)
class Item:
    """One picture as it is trained: its caption, how often an epoch shows it, and what its loss weighs."""

    path: Path
    sha256: str
    size: tuple[int, int]
    caption: str
    repeats: int = 1
    weight: float = 1.0
    masked: bool = False
    # A head or an expression, which phased training learns first.
    head: bool = True
    # It shows somebody else, and keeps the model from forgetting them: no trigger is missed in its caption.
    other: bool = False


@dataclass(frozen=True)
class Dropped:
    """A picture that is not trained on, and why."""

    path: Path
    reason: str


@dataclass(frozen=True)
class Dataset:
    """What a training sees."""

    items: tuple[Item, ...]
    dropped: tuple[Dropped, ...] = ()


def read_dataset(folder: Path, *, trigger: str = "", weight: float = 1.0) -> Dataset:
    """Every picture with a same-stem .txt; `[trigger]` in a caption becomes the trigger word.

    kohya's folders are understood: what lies in `10_name` is shown ten times an epoch.
    """
    files = picture_files(folder)
    seen: dict[str, Path] = {}
    items, dropped = [], []
    for path in files:
        found = _read_item(path, folder, trigger, weight)
        if isinstance(found, Item) and found.sha256 in seen:
            found = Dropped(path, f"the same picture as {seen[found.sha256].name}")
        if isinstance(found, Dropped):
            dropped.append(found)
        else:
            seen[found.sha256] = path
            items.append(found)
    if not items:
        first = dropped[0]
        raise UserError(f"{folder} holds nothing to train on: {first.path.name}: {first.reason}.")
    return Dataset(tuple(items), tuple(dropped))


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a folder and those below it, in order."""
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}.")
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES and path.is_file())
    if not files:
        raise UserError(f"{folder} holds no pictures: PNG, JPEG and WebP are read.")
    return files


def _read_item(path: Path, folder: Path, trigger: str, weight: float) -> Item | Dropped:
    caption = _caption(path.with_suffix(".txt"))
    if caption is None:
        return Dropped(path, "it has no .txt beside it")
    found = read_item(path, caption.replace("[trigger]", trigger).strip() if trigger else caption)
    return found if isinstance(found, Dropped) else replace(found, repeats=_repeats(path, folder), weight=weight)


def read_item(path: Path, caption: str, *, head: bool = True) -> Item | Dropped:
    """One picture with its caption, or why it cannot be trained on."""
    try:
        data = read_limited(path, Limits().max_bytes)
        picture = decode(data)
    except MediaError as error:
        return Dropped(path, str(error).rstrip("."))
    size = picture.image.size
    if min(size) < SMALLEST_SIDE:
        return Dropped(path, f"{size[0]}x{size[1]} pixels are too few")
    return Item(path, hash_bytes(data), size, caption, masked=picture.alpha is not None, head=head)


def _caption(path: Path) -> str | None:
    if not path.is_file():
        return None
    try:
        return read_limited(path, _CAPTION_BYTES).decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise UserError(f"{path} is not UTF-8 text; save it as UTF-8 and try again.") from error


def _repeats(path: Path, folder: Path) -> int:
    for part in reversed(path.relative_to(folder).parts[:-1]):
        if found := _KOHYA.fullmatch(part):
            return max(1, int(found["repeats"]))
    return 1


def load(item: Item, size: tuple[int, int]) -> Picture:
    """The picture scaled and cut to a bucket; the middle stays."""
    picture = decode(read_limited(item.path, Limits().max_bytes))
    alpha = picture.alpha and _fitted(picture.alpha, size)
    return Picture(_fitted(picture.image, size), alpha)


def _fitted(image: Image.Image, size: tuple[int, int]) -> Image.Image:
    width, height = size
    scale = max(width / image.width, height / image.height)
    wide, high = max(width, round(image.width * scale)), max(height, round(image.height * scale))
    grown = image if (wide, high) == image.size else image.resize((wide, high), Image.Resampling.LANCZOS)
    left, top = (wide - width) // 2, (high - height) // 2
    return grown.crop((left, top, left + width, top + height))


def bucket(size: tuple[int, int], resolution: int, step: int) -> tuple[int, int]:
    """The size a picture is trained at: its own shape as nearly as `step` allows, the area of a square of `resolution`.

    Pictures are never enlarged beyond their own area.
    """
    width, height = size
    shape = min(max(width / height, 1 / _LONGEST), _LONGEST)
    area = min(resolution * resolution, width * height)
    wide = max(step, round(math.sqrt(area * shape) / step) * step)
    high = max(step, round(math.sqrt(area / shape) / step) * step)
    return wide, high


@dataclass(frozen=True)
class Shown:
    """An item at one size."""

    item: Item
    size: tuple[int, int]


def arrange(items: Iterable[Item], resolutions: Sequence[int], step: int) -> list[Shown]:
    """Every item at every resolution, once where two of them come to the same size."""
    return [
        Shown(item, size)
        for item in items
        for size in dict.fromkeys(bucket(item.size, resolution, step) for resolution in resolutions)
    ]
