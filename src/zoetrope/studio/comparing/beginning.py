"""A comparison begins: everything that takes part draws the same prompts from the same seeds."""

from collections.abc import Sequence
from secrets import randbelow

from django.db import transaction

from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.loras import check_fits
from zoetrope.studio.comparing.models import Comparison, Contender, Shot
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.loras.wearing import stack, with_names
from zoetrope.studio.making import orders
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.personas.workspaces import workspace_of
from zoetrope.studio.spaces.models import User
from zoetrope.wheel.scenes import asked, subject

MOST_CONTENDERS, MOST_PROMPTS = 4, 12
WITHOUT = "without a LoRA"
# Of the card's 23 scenes every fourth: heads, angles, expressions, bodies.
_EVERY = 4
_LONGEST = 2000


def begin(persona: Persona, loras: Sequence[Lora | None], prompts: Sequence[str], by: User | None) -> Comparison:
    """Order all that is to be compared; none stands for the base alone. Nothing is ordered where one cannot draw."""
    said = [prompt.strip() for prompt in prompts if prompt.strip()]
    if not 2 <= len(loras) <= MOST_CONTENDERS or len(set(loras)) != len(loras):
        raise UserError(f"Compare 2 to {MOST_CONTENDERS} different ones; nothing was begun.")
    if not 1 <= len(said) <= MOST_PROMPTS or any(len(prompt) > _LONGEST for prompt in said):
        raise UserError(f"Compare them on 1 to {MOST_PROMPTS} prompts of at most {_LONGEST} characters.")
    with transaction.atomic():
        made = Comparison.objects.create(
            space=persona.space, persona=persona, prompts=said, seed=randbelow(2**31), by=by
        )
        for lora in loras:
            contender = made.contenders.create(lora=lora, name=str(lora) if lora else WITHOUT)
            _draw(contender, persona, lora)
    return made


def _draw(contender: Contender, persona: Persona, lora: Lora | None) -> None:
    comparison, drawing = contender.comparison, persona.said_drawing
    model = Catalogue().find(persona.base)
    worn = stack([(lora, 1.0)]) if lora else []
    for file, _ in worn:
        check_fits(file, model.family, model.folder, model.name)
    for number, prompt in enumerate(comparison.prompts):
        recipe = order(
            model,
            prompt,
            seed=comparison.seed + number,
            negative_prompt=drawing.negative_prompt,
            loras=worn,
            steps=drawing.steps,
            true_guidance=drawing.true_guidance,
            width=drawing.width,
            height=drawing.height,
        )
        named = with_names(recipe, [lora] if lora else [])
        placed = orders.place(persona.space, named, 1, comparison.by, persona, tried=False)
        Shot.objects.create(contender=contender, prompt=number, order=placed)


def proposed(persona: Persona) -> list[str]:
    """Scenes of the persona's card to compare them on."""
    model = Catalogue().find(persona.base)
    return [scene.prompt for scene in asked(model, subject(workspace_of(persona).persona, model))][::_EVERY]
