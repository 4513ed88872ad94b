"""Drawings on disk: picture, caption and truth side by side."""

import io
import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from zoetrope.errors import UserError
from zoetrope.media.files import write_atomic
from zoetrope.world.captions import caption
from zoetrope.world.drawer import Drawing, draw
from zoetrope.world.figure import Identity, Scene
from zoetrope.world.sampling import random_identity, random_jitter, random_scene
from zoetrope.world.truth import record

SMALLEST, LARGEST = 16, 1024


@dataclass(frozen=True)
class Sample:
    """One drawing with all that is known of it."""

    identity: Identity
    scene: Scene
    drawing: Drawing

    @property
    def caption(self) -> str:
        return caption(self.identity, self.scene)

    @property
    def truth(self) -> dict[str, Any]:
        return record(self.identity, self.scene, self.drawing.joints, self.caption)


def sample(seed: int, index: int, size: int, styles: tuple[str, ...]) -> Sample:
    """The drawing number `index` of a seed: the same in any process, whatever was drawn before."""
    rng = random.Random(f"draw/{seed}/{index}")
    identity, scene = random_identity(rng, marks=True), random_scene(rng, styles=styles)
    return Sample(identity, scene, draw(identity, scene, size, random_jitter(rng)))


def write_samples(
    folder: Path,
    *,
    seed: int,
    count: int,
    size: int,
    styles: tuple[str, ...] = ("flat",),
    on_done: Callable[[int], None] = lambda done: None,
) -> list[Path]:
    """Write `count` drawings as PNG, .txt and .json; returns the pictures' paths."""
    if not 1 <= count <= 1_000_000:
        raise UserError(f"A count of {count} is out of range: ask for 1 to 1000000 drawings.")
    if not SMALLEST <= size <= LARGEST:
        raise UserError(f"A size of {size} is out of range: {SMALLEST} to {LARGEST}.")
    paths = []
    for index in range(count):
        one = sample(seed, index, size, styles)
        path = folder / f"{seed}-{index:06d}.png"
        write_atomic(path, png(one.drawing.image), durable=False)
        write_atomic(path.with_suffix(".txt"), (one.caption + "\n").encode(), durable=False)
        write_atomic(path.with_suffix(".json"), (json.dumps(one.truth, indent=1) + "\n").encode(), durable=False)
        paths.append(path)
        on_done(index + 1)
    return paths


def png(image: Image.Image) -> bytes:
    """The picture as PNG bytes, without any metadata."""
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
