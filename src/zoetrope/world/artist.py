"""A catalogue model as an artist: many captions at once, each picture from its own seed."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order

if TYPE_CHECKING:
    from PIL.Image import Image

BATCH = 32


class ModelArtist:
    """Draws different captions together: faster than recipe by recipe, where no recipe is kept."""

    def __init__(self, model: str, engine: LocalEngine | None = None) -> None:
        self._engine = engine or LocalEngine()
        self._model = self._engine.catalogue.find(model)

    def __call__(self, captions: Sequence[str], seeds: Sequence[int]) -> "Iterator[Image]":
        for start in range(0, len(captions), BATCH):
            yield from self._batch(captions[start : start + BATCH], seeds[start : start + BATCH])

    def _batch(self, captions: Sequence[str], seeds: Sequence[int]) -> "list[Image]":
        import torch

        recipe = order(self._model, captions[0])
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        arguments = self._model.family.call_arguments(recipe, generators, None) | {"prompt": list(captions)}
        if "negative_prompt" in arguments:
            arguments["negative_prompt"] = [""] * len(captions)
        images: list[Image] = self._engine.warm(recipe).pipeline(**arguments).images
        return images
