"""A persona that begins with a model's own pictures: drawn from prompts, taken in as sources."""

from collections.abc import Callable, Sequence

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.media.recipe import png_bytes
from zoetrope.wheel.drawing import draw, finish
from zoetrope.wheel.intake import MOST_FILES, Found, Intake, take_in
from zoetrope.wheel.persona import ConsentKind, Persona
from zoetrope.wheel.workspace import Workspace

WORK = "sources"
"""What is drawn waits under this name until all of it is."""


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
        made = draw(workspace, WORK, engine, recipe)[0]
        caption = prompt.replace("[trigger]", persona.trigger)
        found.append(Found(f"{model.name}-{number:03d}.png", png_bytes(made.image, made.recipe), caption, by="recipe"))
        on_done(number, len(said))
    taken = take_in(workspace, found)
    finish(workspace, WORK)
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
