"""What pictures look like, as vectors: measured once by the hash of their bytes, and looked up from then on."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import numpy as np

from zoetrope.errors import UserError
from zoetrope.media.decode import open_picture
from zoetrope.media.errors import MediaError
from zoetrope.media.hashing import hash_bytes
from zoetrope.studio.jobs import seam as jobs
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.planning.clustering import Rows
from zoetrope.studio.planning.models import Vector

if TYPE_CHECKING:
    from PIL.Image import Image

STAGE = "looking at pictures"
# Of these scorers a vector says what a picture shows; others say only whom.
_SEES = ("clip", "dino")
_LAYOUT, _PALETTE, _SEEN = 8, 4, 32
# Beside the layout the palette counts less: two walks on a beach are alike, two red things are not.
_PALETTE_COUNTS = 0.3
_TOGETHER, _READ = 64, 500
# No scorer looks at more of a picture.
_SIDE = 512


@dataclass(frozen=True)
class Looker:
    """Whoever turns pictures into vectors: what rows call it, what people read, how it does it."""

    name: str
    told: str
    look: "Callable[[Sequence[Image]], Rows]"


def looker_of(persona: Persona, work: jobs.Work) -> Looker:
    """The persona's own scorer where that sees what is in a picture; otherwise layout and colour."""
    for text in workspace_of(persona).persona.scorers:
        name = text.partition(":")[0]
        if name not in _SEES:
            continue
        try:
            return _by_scorer(text, name)
        except UserError as error:
            work.log(f"{error} Layout and colour are compared instead.")
    return Looker("look", "layout and colour", look)


def _by_scorer(text: str, name: str) -> Looker:
    from zoetrope.judging.scorers import scorer_named

    scorer = scorer_named(text)
    # Where its folder lies is nobody's business, but another folder is another scorer.
    return Looker(f"{name}-{hash_bytes(text.encode())[:16]}", f"what {name} sees", scorer.embed)


def look(images: "Sequence[Image]") -> Rows:
    """Where in a picture is which colour, and how much there is of each: a few hundred numbers."""
    return np.stack([_look(image.convert("RGB")) for image in images]).astype(np.float32)


def _look(image: "Image") -> Rows:
    from PIL import Image

    layout = np.asarray(image.resize((_LAYOUT, _LAYOUT), Image.Resampling.BOX), np.float32).ravel() / 255
    pixels = np.asarray(image.resize((_SEEN, _SEEN), Image.Resampling.BOX), np.uint8).reshape(-1, 3)
    steps = pixels.astype(np.int64) * _PALETTE // 256
    palette = np.bincount(steps @ (_PALETTE**2, _PALETTE, 1), minlength=_PALETTE**3) / len(pixels)
    return np.concatenate([layout / layout.size**0.5, _PALETTE_COUNTS * np.sqrt(palette)]).astype(np.float32)


def vectors(work: jobs.Work, looker: Looker, hashes: Sequence[str]) -> dict[str, Rows]:
    """By its hash the vector of each picture whose file can be read."""
    found: dict[str, Rows] = {}
    for some in _portions(hashes, _READ):
        work.check()
        rows = Vector.objects.filter(by=looker.name, sha256__in=some).values_list("sha256", "numbers")
        found |= {sha256: _read(numbers) for sha256, numbers in rows}
    new = [sha256 for sha256 in dict.fromkeys(hashes) if sha256 not in found]
    done = 0
    for some in _portions(new, _TOGETHER):
        work.check()
        work.progress(STAGE, done, len(new))
        measured = _measured(looker, some)
        said = (Vector(by=looker.name, sha256=key, numbers=_written(row)) for key, row in measured.items())
        Vector.objects.bulk_create(said, ignore_conflicts=True)
        found |= {key: _read(_written(row)) for key, row in measured.items()}
        done += len(some)
    work.progress(STAGE, done, done)
    return found


def _measured(looker: Looker, hashes: Sequence[str]) -> dict[str, Rows]:
    images = {}
    for sha256 in hashes:
        try:
            image = open_picture(path_of(sha256)).image
        except (OSError, MediaError):
            # Without its file it belongs to no group.
            continue
        image.thumbnail((_SIDE, _SIDE))
        images[sha256] = image
    return dict(zip(images, looker.look(list(images.values())), strict=True)) if images else {}


def _portions(hashes: Sequence[str], size: int) -> Iterator[list[str]]:
    rest = iter(hashes)
    while some := list(islice(rest, size)):
        yield some


def _written(row: Rows) -> bytes:
    return row.astype("<f2").tobytes()


def _read(numbers: bytes | memoryview) -> Rows:
    return np.frombuffer(bytes(numbers), "<f2").astype(np.float32)
