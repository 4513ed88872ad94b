"""The recipe in the words of other tools."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zoetrope.media.recipe import Recipe


def parameters(recipe: Recipe) -> str:
    """The "parameters" text that Automatic1111 began and most galleries read."""
    lines = [recipe.prompt]
    if recipe.negative_prompt:
        lines.append(f"Negative prompt: {recipe.negative_prompt}")
    lines.append(", ".join(f"{name}: {value}" for name, value in _settings(recipe).items()))
    # A zero would end the text early in every reader.
    return "\n".join(lines).replace("\0", " ")


def _settings(recipe: Recipe) -> dict[str, str | int | float]:
    settings: dict[str, str | int | float] = {
        "Steps": recipe.steps,
        "CFG scale": recipe.guidance,
        "Seed": recipe.seed,
        "Size": f"{recipe.width}x{recipe.height}",
        "Model hash": recipe.model.sha256[:10],
        "Model": recipe.model.name,
    }
    if recipe.true_guidance != 1.0:
        settings["True CFG scale"] = recipe.true_guidance
    if recipe.loras:
        uses = (f"{lora.name}: {lora.sha256[:12]} ({lora.weight})" for lora in recipe.loras)
        settings["Lora hashes"] = f'"{", ".join(uses)}"'
    return settings | {"Version": "Zoetrope"}
