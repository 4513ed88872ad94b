"""From a step and what is known of a candidate to the recipe that an engine draws."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from zoetrope.engines.comfyui.workflow import (
    ENGINE,
    SEEDS,
    changed,
    checked,
    lora_name,
    number_in,
    picture_name,
)
from zoetrope.engines.local.orders import order
from zoetrope.errors import UserError
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.recipe import Control, LoraUse, ModelRef, Recipe
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.loras import check_fits
from zoetrope.studio.loras.models import Worn
from zoetrope.studio.loras.wearing import stack, with_names
from zoetrope.studio.making.models import Made
from zoetrope.studio.making.store import path_of
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.pipelines.models import Run, Step
from zoetrope.studio.pipelines.steps import PARENT_IMAGE, Comfy, Template, template_of
from zoetrope.studio.pipelines.variables import PROMPT, filled, value_of
from zoetrope.studio.servers.drawing import check_space

_LARGEST_SEED = 2**63 - 1
_PATHS = ("lora_path", PARENT_IMAGE)


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
    if isinstance(asked, Comfy):
        return _by_workflow(run, asked, worn, said, parent, moment)
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


def _by_workflow(
    run: Run, asked: Comfy, worn: list[Worn], said: Mapping[str, object], parent: Made | None, moment: Moment
) -> Recipe:
    """What a ComfyUI server is to draw: files go by their hashes until a server has named them."""
    fitting = [each for each in worn if each.weight and each.lora.base == run.persona.base]
    primary = next((each for each in fitting if each.primary), None)
    files: dict[str, object] = {PARENT_IMAGE: picture_name(parent.sha256)} if parent else {}
    files |= {"lora_path": lora_name(primary.lora.sha256)} if primary else {}
    # Paths of this machine are nobody else's business.
    told = {name: value for name, value in said.items() if name not in _PATHS} | files
    graph = checked(changed(asked.workflow, lambda text: value_of(text, told)))
    seed = int(number_in(graph, SEEDS, moment.seed))
    spelled = json.dumps(asked.workflow, sort_keys=True)
    return Recipe(
        model=ModelRef(name=ENGINE, family=ENGINE, sha256=hash_bytes(spelled.encode())),
        prompt=str(said.get(PROMPT) or said.get("parent_prompt") or ""),
        seed=seed if 0 <= seed <= _LARGEST_SEED else moment.seed,
        # The workflow says all; this is for whoever reads the recipe.
        steps=max(1, int(number_in(graph, ("steps",), 1))),
        guidance=max(0.0, number_in(graph, ("cfg",), 0)),
        width=max(1, int(number_in(graph, ("width",), 1))),
        height=max(1, int(number_in(graph, ("height",), 1))),
        loras=tuple(LoraUse(name=str(each.lora), sha256=each.lora.sha256, weight=each.weight) for each in fitting),
        controls=_controls(asked, parent),
        engine=ENGINE,
        graph=graph,
    )


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


def _controls(asked: Template, parent: Made | None) -> tuple[Control, ...]:
    return (Control(kind="image", sha256=parent.sha256),) if asked.looks and parent is not None else ()


def persona_fits(persona: Persona, step: Step) -> None:
    """A UserError where the step's model cannot draw what it asks for, whatever the run says."""
    asked = template_of(step.engine, step.template)
    if isinstance(asked, Comfy):
        check_space(persona.space)
        return
    model = Catalogue().find(asked.model or persona.base)
    if asked.looks and not model.family.takes_image:
        raise UserError(f"{step} looks at the picture before, and {model.name} draws from words alone.")
