"""A transformers model in a folder of the user's: judged before anything in it is loaded, then pictures to vectors."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoetrope.errors import UserError
from zoetrope.judging.scorer import Vectors, unit
from zoetrope.models import folders
from zoetrope.models.loading import loading
from zoetrope.models.memory import detect

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

CONFIG = "config.json"
_PROCESSORS = ("preprocessor_config.json", "processor_config.json")
_TOGETHER = 16

# transformers' classes are Any to a type checker: a model, and what its processor made of pictures or words.
Read = Callable[[Any, Mapping[str, Any]], "Tensor"]


@dataclass(frozen=True)
class Classes:
    """The classes of transformers that a model of one type is loaded by; nothing else is ever imported."""

    model: str
    processor: str


class Encoder:
    """One model in its folder, loaded when the first picture comes."""

    def __init__(self, folder: Path, known: Mapping[str, Classes]) -> None:
        self.folder = folder
        self.kind = _checked(folder, known)
        self._classes = known[self.kind]

    def pictures(self, images: "Sequence[Image]", read: Read) -> Vectors:
        """One row of unit length a picture."""
        from PIL import Image

        # Without a picture, a blank one tells how wide a row is.
        shown = [image.convert("RGB") for image in images] or [Image.new("RGB", (8, 8))]
        batches = (shown[start : start + _TOGETHER] for start in range(0, len(shown), _TOGETHER))
        return self.rows((self._processor(images=batch, return_tensors="pt") for batch in batches), read)[: len(images)]

    def rows(self, batches: Iterator[Any], read: Read) -> Vectors:
        """What the model reads out of batches of inputs, one row of unit length each."""
        import torch

        with torch.no_grad():
            found = [read(self.model, batch.to(self.model.device)).float().cpu().numpy() for batch in batches]
        return unit(np.concatenate(found))

    @cached_property
    def model(self) -> Any:
        import torch

        device = detect().kind
        with loading(self.folder, device):
            model, told = self._made(
                self._classes.model,
                use_safetensors=True,
                dtype=torch.float32,
                attn_implementation="sdpa",
                output_loading_info=True,
            )
        if told["missing_keys"]:
            # transformers would only warn, and judge by random numbers.
            raise UserError(f"{self.folder} lacks {len(told['missing_keys'])} of the weights of a {self.kind} model.")
        return model.to(device).eval()

    def part(self, class_name: str) -> Any:
        """What goes with the model: a processor, a tokenizer."""
        with loading(self.folder, "cpu"):
            return self._made(class_name)

    @cached_property
    def _processor(self) -> Any:
        return self.part(self._classes.processor)

    def _made(self, class_name: str, **options: Any) -> Any:
        import transformers

        return getattr(transformers, class_name).from_pretrained(
            str(self.folder), local_files_only=True, trust_remote_code=False, **options
        )


def _checked(folder: Path, known: Mapping[str, Classes]) -> str:
    """The type of model that a folder holds; refused in one sentence where it cannot be one of those known."""
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder.")
    if not (folder / CONFIG).is_file():
        raise UserError(f"{folder} holds no {CONFIG}, so it is not a model folder as transformers saves it.")
    kind = folders.read_json(folder / CONFIG).get("model_type")
    if kind not in known:
        raise UserError(f"{folder / CONFIG} says model_type = {kind!r}; what is known here is {', '.join(known)}.")
    folders.require_safetensors(folder)
    if not any((folder / name).is_file() for name in _PROCESSORS):
        raise UserError(f"{folder} holds no {_PROCESSORS[0]}, which says how pictures are made ready.")
    return str(kind)
