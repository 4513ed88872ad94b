"""An order becomes a recipe here, or one sentence saying why it cannot."""

import math
from collections.abc import Sequence
from typing import TypedDict, Unpack

from pydantic import ValidationError

from zoetrope.errors import UserError, first_fault
from zoetrope.media.kinds import MediaKind
from zoetrope.media.recipe import Control, LoraUse, Recipe
from zoetrope.models.catalogue import Model
from zoetrope.models.loras import LoraFile

ENGINE = "local"
LARGEST_SIDE = 4096
MOST_STEPS = 1000
# The longest text that FLUX's own encoder was made for.
MOST_TOKENS = 512
MOST_TOGETHER = 64
_MOST_PIXELS_TOGETHER = LARGEST_SIDE**2
_STRONGEST = 100.0


class Settings(TypedDict, total=False):
    """What an order may decide; the model's defaults decide the rest."""

    steps: int | None
    guidance: float | None
    true_guidance: float | None
    width: int | None
    height: int | None
    max_tokens: int | None


def order(
    model: Model,
    prompt: str,
    *,
    seed: int = 0,
    negative_prompt: str = "",
    loras: Sequence[tuple[LoraFile, float]] = (),
    controls: Sequence[Control] = (),
    batch_size: int = 1,
    **settings: Unpack[Settings],
) -> Recipe:
    """A recipe with the model's defaults wherever nothing was said."""
    chosen = model.defaults.model_dump() | {name: value for name, value in settings.items() if value is not None}
    fields = {
        "model": model.ref,
        "prompt": prompt,
        "negative_prompt": negative_prompt,
        "seed": seed,
        "loras": tuple(LoraUse(name=lora.path.stem, sha256=lora.sha256, weight=weight) for lora, weight in loras),
        "controls": tuple(controls),
        "batch_size": batch_size,
        "engine": ENGINE,
    }
    try:
        recipe = Recipe.model_validate(fields | chosen)
    except ValidationError as error:
        raise UserError(_sentence(error)) from error
    check(recipe, model)
    return recipe


def _sentence(error: ValidationError) -> str:
    fault = error.errors()[0]
    if not fault["loc"]:
        return f"The order cannot be drawn: {fault['msg'].removeprefix('Value error, ')}."
    return first_fault(error)


def check(recipe: Recipe, model: Model) -> None:
    """Refuse what this engine and this model cannot draw."""
    if recipe.media is not MediaKind.image or recipe.engine != ENGINE:
        raise UserError(f"This recipe is for a {recipe.media.value} by the engine {recipe.engine!r}, not for {ENGINE}.")
    if not recipe.prompt.strip():
        raise UserError("The prompt is empty: say what to draw.")
    _check_model(recipe, model)
    _check_size(recipe, model)
    _check_numbers(recipe)
    _check_loras(recipe)
    _check_controls(recipe, model)


def _check_model(recipe: Recipe, model: Model) -> None:
    if recipe.model.sha256 != model.sha256:
        there, here = recipe.model.sha256[:12], model.sha256[:12]
        raise UserError(
            f"The recipe was drawn by another {model.name}: its hash is {there}, the installed one's {here}."
        )


def _check_size(recipe: Recipe, model: Model) -> None:
    step = model.family.size_step(model.folder)
    size = f"{recipe.width}x{recipe.height}"
    if max(recipe.width, recipe.height) > LARGEST_SIDE:
        raise UserError(f"The size {size} is too large: neither side may exceed {LARGEST_SIDE}.")
    if recipe.width % step or recipe.height % step:
        raise UserError(f"The size {size} does not suit {model.name}: both sides must be multiples of {step}.")
    together = recipe.width * recipe.height * recipe.batch_size
    if recipe.batch_size > 1 and (recipe.batch_size > MOST_TOGETHER or together > _MOST_PIXELS_TOGETHER):
        raise UserError(f"A batch of {recipe.batch_size} pictures of {size} is too large to draw at once.")


def _check_numbers(recipe: Recipe) -> None:
    if recipe.steps > MOST_STEPS:
        raise UserError(f"{recipe.steps} steps are out of range: ask for 1 to {MOST_STEPS}.")
    if recipe.seed + recipe.batch_size > 2**63:
        raise UserError(f"A seed of {recipe.seed} leaves no seeds for {recipe.batch_size} pictures.")
    for name, value in (("guidance", recipe.guidance), ("true guidance", recipe.true_guidance)):
        if not 0 <= value <= _STRONGEST:
            raise UserError(f"A {name} of {value:g} is out of range: 0 to {_STRONGEST:g}.")
    if recipe.max_tokens is not None and recipe.max_tokens > MOST_TOKENS:
        raise UserError(f"{recipe.max_tokens} tokens are out of range: a prompt has at most {MOST_TOKENS}.")


def _check_loras(recipe: Recipe) -> None:
    for use in recipe.loras:
        if not math.isfinite(use.weight) or abs(use.weight) > _STRONGEST:
            raise UserError(f"The weight {use.weight:g} of LoRA {use.name} is out of range: at most {_STRONGEST:g}.")
    if len({use.sha256 for use in recipe.loras}) < len(recipe.loras):
        raise UserError("The same LoRA is given twice: give it once, with one weight.")


def _check_controls(recipe: Recipe, model: Model) -> None:
    if recipe.controls and not model.family.takes_image:
        raise UserError(f"{model.name} draws from words alone and takes no picture.")
    if len(recipe.controls) > 1 or any(control.kind != "image" for control in recipe.controls):
        raise UserError(f"{model.name} takes one picture to look at and no other control.")
    if any(control.strength != 1 for control in recipe.controls):
        raise UserError(f"{model.name} looks at a picture fully or not at all: its strength must be 1.")
