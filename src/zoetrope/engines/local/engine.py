"""Pictures made here, by diffusers."""

import os
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoetrope.engines.engine import Cancel, Cancelled, Made, Progress, Step
from zoetrope.engines.local.orders import check
from zoetrope.errors import UserError
from zoetrope.media.decode import open_picture
from zoetrope.media.hashing import hash_file
from zoetrope.media.recipe import Control, Recipe
from zoetrope.models.cache import Warm, WarmCache
from zoetrope.models.catalogue import Catalogue, Model
from zoetrope.models.family import Pipeline
from zoetrope.models.guidance import together
from zoetrope.models.loading import quiet
from zoetrope.models.loras import LoraFile, LoraShelf, check_fits, read_state
from zoetrope.models.memory import DeviceInfo, MemoryPlan, detect, plan_for, quantizers

if TYPE_CHECKING:
    from PIL.Image import Image

# The share of a device's memory that warm models may take together.
_BUDGET = {"cpu": 0.5, "mps": 0.5, "cuda": 0.9}


class LocalEngine:
    """Draws recipes with the models of a catalogue and keeps them warm between recipes."""

    def __init__(self, catalogue: Catalogue | None = None, shelf: LoraShelf | None = None) -> None:
        self.catalogue = catalogue or Catalogue()
        self.shelf = shelf or LoraShelf()
        self._cache = WarmCache(0)
        self._plans: dict[str, MemoryPlan] = {}
        self._loras: dict[str, LoraFile] = {}
        self._pictures: dict[str, Path] = {}
        # A pipeline's scheduler and adapters are its state: two drawings at once would mix them up.
        self._lock = threading.RLock()

    def lend_lora(self, lora: LoraFile) -> None:
        """Let recipes that name this LoRA's hash find it."""
        self._loras[lora.sha256] = lora

    def lend_picture(self, path: Path) -> Control:
        """Let recipes look at this picture; the control to put in them."""
        sha256 = hash_file(path)
        self._pictures[sha256] = path
        return Control(kind="image", sha256=sha256, strength=1.0)

    def make(self, recipe: Recipe, progress: Progress | None = None, cancel: Cancel | None = None) -> list[Made]:
        """Every picture of the recipe's batch, in order; raises Cancelled within one step of being asked to."""
        with self._lock:
            model = self.catalogue.find(recipe.model.name)
            check(recipe, model)
            warm = self._warm(recipe, model)
            _stop_if_asked(cancel)
            images = self._draw(recipe, model, warm.pipeline, _callback(recipe.steps, progress, cancel))
        return [Made(image, recipe.model_copy(update={"batch_index": index})) for index, image in enumerate(images)]

    def redraw(self, recipe: Recipe, progress: Progress | None = None, cancel: Cancel | None = None) -> Made:
        """The one picture that a recipe stands for, byte for byte.

        Its whole batch is drawn: alone, its numbers would be added up in another order.
        """
        return self.make(recipe, progress, cancel)[recipe.batch_index]

    def notes(self, recipe: Recipe) -> list[str]:
        """What the person who ordered should know before it is drawn."""
        model = self.catalogue.find(recipe.model.name)
        check(recipe, model)
        notes = []
        with self._lock:
            length = model.family.prompt_tokens(self._warm(recipe, model).pipeline, recipe.prompt)
        if recipe.max_tokens is not None and length > recipe.max_tokens:
            notes.append(f"The prompt is {length} tokens long and {recipe.max_tokens} are read: its end is not seen.")
        if not model.family.guided(model.folder) and recipe.guidance != model.defaults.guidance:
            notes.append(
                f"{model.name} has no built-in guidance, so {recipe.guidance:g} changes nothing; see true guidance."
            )
        if recipe.negative_prompt and recipe.true_guidance <= 1:
            notes.append("The negative prompt changes nothing while true guidance is not above 1.")
        return notes

    def warm(self, recipe: Recipe) -> Warm:
        """The loaded pipeline, its LoRAs set as the recipe says."""
        with self._lock:
            model = self.catalogue.find(recipe.model.name)
            check(recipe, model)
            return self._warm(recipe, model)

    def held(self) -> dict[str, int]:
        """The warm models by hash, and the bytes of their weights; answers at once, also while drawing."""
        return {sha256: warm.weights_bytes for (sha256, _), warm in self._cache.held()}

    def plan(self, model: Model) -> MemoryPlan:
        """How the model is, or would now be, held."""
        sha256 = model.sha256
        if sha256 not in self._plans or (sha256, self._plans[sha256]) not in self._cache:
            device = detect()
            # What is held now could be dropped for this model.
            device = replace(device, free_bytes=device.free_bytes + self._cache.held_bytes)
            self._cache.budget_bytes = _budget(device)
            self._plans[sha256] = plan_for(model.weights, device, model.wish, quantizers())
        return self._plans[sha256]

    def _warm(self, recipe: Recipe, model: Model) -> Warm:
        plan = self.plan(model)
        key = (model.sha256, plan)
        # Every LoRA is judged before anything is loaded or changed.
        files = self._fitting(recipe, model, self._cache.peek(key))
        warm = self._cache.get(key, plan.bytes_for(model.weights), lambda: model.load(plan))
        warm.adapters.use(
            {use.sha256: use.weight for use in recipe.loras},
            lambda sha256: read_state(files[sha256], model.family, model.folder),
        )
        return warm

    def _fitting(self, recipe: Recipe, model: Model, warm: Warm | None) -> dict[str, LoraFile]:
        """The files of those LoRAs that the pipeline does not hold already; each fits the model."""
        files = {}
        for use in recipe.loras:
            if warm is None or use.sha256 not in warm.adapters:
                files[use.sha256] = self._lent(use.sha256) or self.shelf.find(use.sha256)
                check_fits(files[use.sha256], model.family, model.folder, model.name)
        return files

    def _lent(self, sha256: str) -> LoraFile | None:
        """The lent LoRA, as long as its file is still what it was: a new version may have taken its place."""
        lora = self._loras.get(sha256)
        return lora if lora and os.path.isfile(lora.path) and hash_file(lora.path) == sha256 else None

    def _draw(
        self, recipe: Recipe, model: Model, pipeline: Pipeline, on_step: Callable[..., dict[str, Any]]
    ) -> "list[Image]":
        import torch

        # One generator a picture, on the processor: the noise of picture n is that of seed + n on any device.
        generators = [torch.Generator("cpu").manual_seed(recipe.seed + index) for index in range(recipe.batch_size)]
        arguments = model.family.call_arguments(recipe, generators, self._picture(recipe))
        try:
            with quiet(), _exactly(self.plan(model)), _finite(), together(pipeline):
                images: list[Image] = pipeline(
                    **arguments, callback_on_step_end=on_step, callback_on_step_end_tensor_inputs=[]
                ).images
        except (torch.OutOfMemoryError, MemoryError) as error:
            size = f"{recipe.batch_size} of {recipe.width}x{recipe.height}"
            raise UserError(f"Memory ran out while drawing {size}: ask for a smaller size or batch.") from error
        except RuntimeWarning as error:
            raise UserError(
                "What came out is no picture but numbers without end: a LoRA, its weight or the guidance is too strong."
            ) from error
        finally:
            # Interrupted drawings leave offloaded parts on the device.
            pipeline.maybe_free_model_hooks()
        return images

    def _picture(self, recipe: Recipe) -> "Image | None":
        for control in recipe.controls:
            path = self._pictures.get(control.sha256)
            # A long-lived engine may have been lent this file before somebody painted over it.
            if path is None or hash_file(path) != control.sha256:
                raise UserError(f"The picture with hash {control.sha256[:12]} is missing: name its file with --image.")
            return open_picture(path).image
        return None


def _callback(steps: int, progress: Progress | None, cancel: Cancel | None) -> Callable[..., dict[str, Any]]:
    def on_step(pipeline: Pipeline, step: int, timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        if progress:
            progress(Step(step + 1, steps))
        _stop_if_asked(cancel)
        return {}

    return on_step


def _stop_if_asked(cancel: Cancel | None) -> None:
    if cancel and cancel():
        raise Cancelled


@contextmanager
def _finite() -> Iterator[None]:
    """Numpy's remark that it casts what is no number ends the drawing: it would come out black."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "invalid value encountered in cast", RuntimeWarning)
        yield


@contextmanager
def _exactly(plan: MemoryPlan) -> Iterator[None]:
    """The same sums in the same order on CUDA; a processor adds up alike anyway."""
    if plan.device != "cuda":
        yield
        return
    import torch

    before, warned = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(before, warn_only=warned)


def _budget(device: DeviceInfo) -> int:
    """What warm models may hold: a share of the device, and no more than is there."""
    return min(round(device.total_bytes * _BUDGET[device.kind]), device.free_bytes)
