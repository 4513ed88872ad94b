"""Drawing with any LoRAs, to see what they do."""

from collections.abc import Mapping, Sequence
from typing import Any

from zoetrope.engines.local.orders import order
from zoetrope.models.catalogue import Catalogue
from zoetrope.models.loras import check_fits
from zoetrope.studio.loras.models import Lora
from zoetrope.studio.loras.wearing import stack, with_names
from zoetrope.studio.making import orders
from zoetrope.studio.making.models import Order
from zoetrope.studio.personas.models import Persona
from zoetrope.studio.spaces.models import Space, User

_SETTINGS = ("steps", "true_guidance", "width", "height", "negative_prompt")


def try_out(
    space: Space,
    by: User,
    said: Mapping[str, Any],
    worn: Sequence[tuple[Lora, float]],
    persona: Persona | None = None,
) -> Order:
    """Order pictures; LoRAs that do not fit the model are refused before anything is drawn."""
    model = Catalogue().find(said["model"])
    loras = stack(worn)
    for lora, _ in loras:
        check_fits(lora, model.family, model.folder, model.name)
    recipe = order(
        model,
        said["prompt"],
        seed=said["seed"],
        negative_prompt=said.get("negative_prompt") or "",
        loras=loras,
        steps=said.get("steps"),
        true_guidance=said.get("true_guidance"),
        width=said.get("width"),
        height=said.get("height"),
    )
    named = with_names(recipe, [lora for lora, _ in worn])
    return orders.place(space, named, said["count"], by, persona)


def beginning(persona: Persona, models: Sequence[str]) -> dict[str, Any]:
    """What the page proposes for a persona: its settings, its base, what it wears."""
    drawing = persona.said_drawing
    said: dict[str, Any] = {name: getattr(drawing, name) for name in _SETTINGS}
    said |= {"prompt": f"{persona.trigger}, ", "model": persona.base if persona.base in models else models[0]}
    for slot, worn in enumerate(persona.worn.all()):
        said |= {f"lora_{slot}": str(worn.lora_id), f"weight_{slot}": worn.weight}
    return said
