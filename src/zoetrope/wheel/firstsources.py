"""A persona that begins with a model's own pictures: drawn from prompts, taken in as sources."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.media.decode import Limits
from zoetrope.media.files import read_limited, write_atomic
from zoetrope.media.recipe import Recipe, png_bytes
from zoetrope.wheel.intake import MOST_FILES, Found, Intake, take_in
from zoetrope.wheel.persona import ConsentKind, Persona
from zoetrope.wheel.workspace import Workspace

DRAWING = "drawing"
"""What is drawn waits here until all of it is: a run that was stopped goes on from it."""


def draw_sources(
    workspace: Workspace,
    engine: LocalEngine,
    base: str,
    prompts: Sequence[str],
    *,
    seed: int = 1,
    per_prompt: int = 1,
    on_done: Callable[[int, int], None] = lambda done, total: None,
) -> Intake:
    """Draw every prompt `per_prompt` times, each picture from a seed of its own, and take all of them in or none.

    `[trigger]` is drawn as the persona's looks and captioned as its trigger.
    """
    persona = workspace.persona
    _check(persona, len(prompts) * per_prompt)
    model = engine.catalogue.find(base)
    said = [prompt for prompt in prompts for _ in range(per_prompt)]
    recipes = [order(model, _drawn(prompt, persona), seed=seed + number) for number, prompt in enumerate(said)]
    found = []
    for number, (prompt, recipe) in enumerate(zip(said, recipes, strict=True), start=1):
        data = _picture(workspace.folder / DRAWING, engine, recipe)
        caption = prompt.replace("[trigger]", persona.trigger)
        found.append(Found(f"{model.name}-{number:03d}.png", data, caption, by="recipe"))
        on_done(number, len(said))
    taken = take_in(workspace, found)
    shutil.rmtree(workspace.folder / DRAWING, ignore_errors=True)
    return taken


def _check(persona: Persona, count: int) -> None:
    if persona.consent.kind is not ConsentKind.fictional:
        raise UserError(
            f"{persona.name} is a real person (consent {persona.consent.kind.value}), of whom a model's picture is no "
            f"source: add photographs with `zoetrope persona add {persona.name} PICTURES`."
        )
    if not 1 <= count <= MOST_FILES:
        raise UserError(f"{count:,} pictures are out of range: ask for 1 to {MOST_FILES:,}.")


def _drawn(prompt: str, persona: Persona) -> str:
    return prompt.replace("[trigger]", persona.looks or persona.trigger)


def _picture(folder: Path, engine: LocalEngine, recipe: Recipe) -> bytes:
    """The recipe's picture, drawn now or by a run that was stopped."""
    path = folder / f"{recipe.sha256}.png"
    if path.is_file():
        return read_limited(path, Limits().max_bytes)
    made = engine.make(recipe)[0]
    data = png_bytes(made.image, made.recipe)
    write_atomic(path, data)
    return data
