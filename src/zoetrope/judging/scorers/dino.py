"""DINOv2: what a picture looks like as a whole, body and outfit included; it was never taught who people are."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoetrope.judging.encoder import Classes, Encoder
from zoetrope.judging.scorer import Vectors

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

_KNOWN: Mapping[str, Classes] = {
    "dinov2": Classes("Dinov2Model", "BitImageProcessorPil"),
    "dinov2_with_registers": Classes("Dinov2WithRegistersModel", "BitImageProcessorPil"),
}


class Dino:
    """The token that stands for the whole picture."""

    name: ClassVar[str] = "dino"
    needs: ClassVar[str] = "a folder with a DINOv2 model"

    def __init__(self, folder: Path) -> None:
        self._encoder = Encoder(folder, _KNOWN)

    def embed(self, images: "Sequence[Image]") -> Vectors:
        return self._encoder.pictures(images, _whole)


def _whole(model: Any, inputs: Mapping[str, Any]) -> "Tensor":
    token: Tensor = model(**inputs).last_hidden_state[:, 0]
    return token
