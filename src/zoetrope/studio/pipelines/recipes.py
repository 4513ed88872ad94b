"""From a step and what is known of a candidate to the recipe that an engine draws."""

from collections.abc import Mapping
from dataclasses import dataclass

from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.media.recipe import Control, Recipe
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.loras import check_fits
from zoetrope.studio.loras.models import Worn
from zoetrope.studio.loras.wearing import stack, with_names
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Run, Step
from zoetrope.studio.pipelines.steps import Local, template_of
from zoetrope.studio.pipelines.variables import filled

_LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True)
class Moment:
    """What differs between two candidates of one place in the tree."""

    seed: int
    chance: int
    now: float
    job: int


def recipe_of(run: Run, step: Step, parent: Made | None, moment: Moment) -> Recipe:
    """What to draw; a UserError where it cannot be drawn."""
    asked = template_of(step.engine, step.template)
    worn = list(run.persona.worn.select_related("lora")) if asked.loras else []
    said = _values(run, worn, parent, moment)
    model = Catalogue().find(asked.model or run.persona.base)
    loras = stack([(each.lora, each.weight) for each in worn if each.lora.base == model.name])
    for lora, _ in loras:
        check_fits(lora, model.family, model.folder, model.name)
    drawing = run.persona.said_drawing
    recipe = order(
        model,
        filled(asked.prompt, said),
        seed=_seed(filled(asked.seed, said)),
        negative_prompt=filled(asked.negative_prompt, said) or drawing.negative_prompt,
        loras=loras,
        controls=_controls(asked, parent),
        steps=asked.steps or drawing.steps,
        true_guidance=drawing.true_guidance if asked.true_guidance is None else asked.true_guidance,
        width=asked.width or drawing.width,
        height=asked.height or drawing.height,
    )
    return with_names(recipe, [each.lora for each in worn])


def _values(run: Run, worn: list[Worn], parent: Made | None, moment: Moment) -> Mapping[str, object]:
    said: dict[str, object] = dict(run.variables)
    said |= {"trigger": run.persona.trigger, "run_name": run.name, "job_id": moment.job}
    said |= {"timestamp": int(moment.now), "timestamp_ms": int(1000 * moment.now)}
    said |= {"random": moment.chance, "auto_seed": moment.seed}
    if parent is not None:
        before = parent.said_recipe
        said |= {"parent_seed": before.seed, "parent_prompt": before.prompt}
        said |= {"parent_image_path": str(path_of(parent.sha256))}
    for lora, weight in stack([(each.lora, each.weight) for each in worn if each.primary]):
        said |= {"lora_path": str(lora.path), "lora_weight": weight}
    return said


def _seed(text: str) -> int:
    if not text.isdecimal() or len(text) > 19 or int(text) > _LARGEST_SEED:
        raise UserError(f"{text!a:.60} is no seed: a seed is a whole number from 0 on.")
    return int(text)


def _controls(asked: Local, parent: Made | None) -> tuple[Control, ...]:
    return (Control(kind="image", sha256=parent.sha256),) if asked.looks and parent is not None else ()


def persona_fits(persona: Persona, step: Step) -> None:
    """A UserError where the step's model cannot draw what it asks for, whatever the run says."""
    asked = template_of(step.engine, step.template)
    model = Catalogue().find(asked.model or persona.base)
    if asked.looks and not model.family.takes_image:
        raise UserError(f"{step} looks at the picture before, and {model.name} draws from words alone.")
