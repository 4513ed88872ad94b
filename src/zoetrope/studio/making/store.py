"""Where made things lie: one file a content, in the home's `media/`, named by its hash."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoetrope.home import home

_SUFFIX, _CLIP = ".png", ".mp4"


def path_of(sha256: str) -> Path:
    """The file of a made picture; of a clip, its first picture."""
    return home() / "media" / sha256[:2] / f"{sha256}{_SUFFIX}"


def clip_of(sha256: str) -> Path:
    """The file of a clip."""
    return path_of(sha256).with_suffix(_CLIP)


def preview_of(order: str) -> Path:
    """How an order's picture looks on its way, by the order's key, where its engine shows that."""
    return home() / "media" / "new" / f"{order}.preview.png"


def keep(drawn: Path, sha256: str) -> Path:
    """Take a drawn file in; the same content that lies there already stays as it is."""
    path = path_of(sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    os.replace(drawn, path)
    return path


def keep_clip(file: Path, sha256: str) -> None:
    """Take a clip in that nobody can make again."""
    with file.open("rb+") as to:
        os.fsync(to.fileno())
    os.replace(file, clip_of(sha256))


@contextmanager
def workbench(name: str) -> Iterator[Path]:
    """A folder on the same disk to draw into; what a killed try left there goes first."""
    folder = home() / "media" / "new" / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
