"""The seam of identity scorers: pictures in, directions out; alike is near."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from PIL.Image import Image

Vectors = NDArray[np.float32]
"""One row of unit length a picture; a row of zeros where nobody was found in it."""


class Scorer(Protocol):
    """Turns pictures into vectors."""

    name: ClassVar[str]

    def embed(self, images: "Sequence[Image]") -> Vectors: ...


class FolderScorer(Scorer, Protocol):
    """One whose weights lie in a folder of the user's; making it checks the folder, the first picture loads it."""

    needs: ClassVar[str]

    def __init__(self, folder: Path) -> None: ...


def unit(rows: Vectors) -> Vectors:
    """Rows of length one; rows of zeros stay."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    scaled: Vectors = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    return scaled
