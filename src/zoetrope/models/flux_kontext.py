"""FLUX.1 Kontext: FLUX that also looks at a picture, to edit it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.models.family import Defaults
from zoetrope.models.flux import Flux

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from zoetrope.media.recipe import Recipe

# The pipeline cuts sides down to whole tokens; a shorter one could vanish.
_SHORTEST = 32


class FluxKontext(Flux):
    """Text, and a picture if one is given, to picture."""

    name = "flux_kontext"
    pipeline_class = "FluxKontextPipeline"
    takes_image = True

    def family_defaults(self, folder: Path) -> Defaults:
        return super().family_defaults(folder).model_copy(update={"guidance": 2.5} if self.guided(folder) else {})

    def call_arguments(
        self, recipe: "Recipe", generators: "Sequence[torch.Generator]", image: "Image | None"
    ) -> dict[str, Any]:
        # Left alone, the pipeline would draw and look at a megapixel whatever size is asked for.
        sizes = {"max_area": recipe.width * recipe.height, "_auto_resize": False}
        seen = {} if image is None else {"image": _within(image, recipe.width * recipe.height)}
        return super().call_arguments(recipe, generators, None) | sizes | seen


def _within(image: "Image", area: int) -> "Image":
    """The picture scaled down, if need be, to no more pixels than are drawn."""
    scale = min(1.0, (area / (image.width * image.height)) ** 0.5)
    size = (max(_SHORTEST, round(image.width * scale)), max(_SHORTEST, round(image.height * scale)))
    return image if size == image.size else image.resize(size)
