"""CLIP, SigLIP and SigLIP 2: pictures and words in one space; as a scorer, for drawn characters."""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoetrope.errors import UserError
from zoetrope.judging.encoder import Classes, Encoder
from zoetrope.judging.scorer import Vectors
from zoetrope.models.folders import read_json

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

_KNOWN: Mapping[str, Classes] = {
    "clip": Classes("CLIPModel", "CLIPImageProcessorPil"),
    "siglip": Classes("SiglipModel", "SiglipImageProcessorPil"),
    "siglip2": Classes("Siglip2Model", "Siglip2ImageProcessorPil"),
}
_TOKENS = 64
_TOGETHER = 64


class Clip:
    """The two halves of one model."""

    name: ClassVar[str] = "clip"
    needs: ClassVar[str] = "a folder with a CLIP, SigLIP or SigLIP 2 model"

    def __init__(self, folder: Path) -> None:
        self._encoder = Encoder(folder, _KNOWN)

    def embed(self, images: "Sequence[Image]") -> Vectors:
        return self._encoder.pictures(images, _seen)

    def embed_words(self, texts: Sequence[str]) -> Vectors:
        """One row of unit length a text; the nearer to a picture's, the better it says what is in it."""
        return self._encoder.rows(self._tokens(texts), _said)

    def check_words(self) -> None:
        """Refuse, in one sentence, a folder that cannot read words: as a scorer it need not."""
        tokenizer_of(self._encoder.folder)

    def _tokens(self, texts: Sequence[str]) -> Iterator[Any]:
        for start in range(0, len(texts), _TOGETHER):
            yield self._tokenized(list(texts[start : start + _TOGETHER]))

    def _tokenized(self, texts: list[str]) -> Any:
        if self._encoder.kind == "clip":
            tokens = self._encoder.model.config.text_config.max_position_embeddings
            return self._tokenizer(texts, padding=True, truncation=True, max_length=tokens, return_tensors="pt")
        # Both SigLIPs learned from small letters, filled up to 64 tokens without a mask.
        said = self._tokenizer(
            [text.lower() for text in texts],
            padding="max_length",
            truncation=True,
            max_length=min(_TOKENS, self._encoder.model.config.text_config.max_position_embeddings),
            return_tensors="pt",
        )
        said.pop("attention_mask", None)
        return said

    @cached_property
    def _tokenizer(self) -> Any:
        return self._encoder.part(tokenizer_of(self._encoder.folder))


def tokenizer_of(folder: Path) -> str:
    """The class that reads the folder's tokens: SigLIP's own by its `spiece.model`, else what `tokenizer.json` says."""
    config = folder / "tokenizer_config.json"
    sentencepiece = config.is_file() and read_json(config).get("tokenizer_class") == "SiglipTokenizer"
    file = folder / ("spiece.model" if sentencepiece else "tokenizer.json")
    if not file.is_file():
        raise UserError(f"{folder} holds no {file.name}, so its model cannot read words.")
    return "SiglipTokenizer" if sentencepiece else "PreTrainedTokenizerFast"


def _seen(model: Any, inputs: Mapping[str, Any]) -> "Tensor":
    features: Tensor = model.get_image_features(**inputs).pooler_output
    return features


def _said(model: Any, inputs: Mapping[str, Any]) -> "Tensor":
    features: Tensor = model.get_text_features(**inputs).pooler_output
    return features
