"""Pictures of a work of many, each kept as soon as it is drawn: a work that was stopped goes on from them."""

import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from zoetrope.engines.engine import Made
from zoetrope.engines.local.engine import LocalEngine
from zoetrope.media.decode import open_picture
from zoetrope.media.errors import MediaError
from zoetrope.media.files import write_atomic
from zoetrope.media.recipe import Recipe, png_bytes, read_recipe
from zoetrope.wheel.workspace import Workspace

if TYPE_CHECKING:
    from PIL.Image import Image

DRAWING = "drawing"
"""What is drawn waits here, a folder for each kind of work, until all of it is."""


def waiting(workspace: Workspace) -> list[Path]:
    """What stopped works have drawn."""
    return sorted((workspace.folder / DRAWING).glob("*/*.png"))


def draw(workspace: Workspace, work: str, engine: LocalEngine, batch: Recipe) -> list[Made]:
    """A batch's pictures, drawn now or by a run that was stopped."""
    recipes = [batch.model_copy(update={"batch_index": index}) for index in range(batch.batch_size)]
    paths = [workspace.folder / DRAWING / work / f"{each.sha256}.png" for each in recipes]
    kept = [drawn(path, each) for path, each in zip(paths, recipes, strict=True)]
    found = [Made(image, each) for image, each in zip(kept, recipes, strict=True) if image is not None]
    if len(found) == len(recipes):
        return found
    made = engine.make(batch)
    for each, path in zip(made, paths, strict=True):
        write_atomic(path, png_bytes(each.image, each.recipe))
    return made


def drawn(path: Path, recipe: Recipe) -> "Image | None":
    """The picture of this recipe, if it is there and whole."""
    try:
        return open_picture(path).image if read_recipe(path) == recipe else None
    except (MediaError, OSError):
        return None


def finish(workspace: Workspace, work: str) -> None:
    """All of it was drawn and taken in."""
    folder = workspace.folder / DRAWING
    shutil.rmtree(folder / work, ignore_errors=True)
    # Another work may wait there.
    with suppress(OSError):
        folder.rmdir()
