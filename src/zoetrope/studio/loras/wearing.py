"""Which LoRAs a persona draws with. Recipes name them by hash: a picture stays with the version that drew it."""

from collections.abc import Iterable, Sequence

from django.db import transaction

from zoetrope.errors import UserError
from zoetrope.media.recipe import Recipe
from zoetrope.models.loras import LoraFile
from zoetrope.studio.loras.library import file_of
from zoetrope.studio.loras.models import Lora, Worn
from zoetrope.studio.personas.models import Persona

STRONGEST = 4.0


def wear(persona: Persona, lora: Lora, weight: float = 1.0, primary: bool = False) -> Worn:
    """Draw with this LoRA from now on, or with another weight; a new primary takes the old one's place beside it."""
    if lora.space_id != persona.space_id or lora.retired:
        raise UserError(f"{lora} is not in this space's library.")
    if not -STRONGEST <= weight <= STRONGEST:
        raise UserError(f"A weight of {weight:g} is out of range: -{STRONGEST:g} to {STRONGEST:g}.")
    with transaction.atomic():
        if primary:
            persona.worn.exclude(lora=lora).update(primary=False)
        worn, _ = Worn.objects.update_or_create(
            persona=persona, lora=lora, defaults={"weight": weight} | ({"primary": True} if primary else {})
        )
    return worn


def take_off(persona: Persona, lora: Lora) -> None:
    """Draw without it from now on."""
    persona.worn.filter(lora=lora).delete()


def arrived(persona: Persona, lora: Lora) -> Worn | None:
    """A version that the persona's own workspace made takes over from the one before, with its weight and its rank.

    Where somebody chose something else, their choice stays.
    """
    with transaction.atomic():
        worn = list(persona.worn.select_related("lora"))
        if any(each.lora_id == lora.pk for each in worn):
            return None
        earlier = [each for each in worn if each.lora.persona_id == persona.pk and each.lora.name == lora.name]
        if any(each.lora.version > lora.version for each in earlier):
            return None
        if earlier:
            first = earlier[0]
            Worn.objects.filter(pk__in=[each.pk for each in earlier]).delete()
            return wear(persona, lora, first.weight, first.primary)
        return wear(persona, lora, primary=True) if not worn else None


def stack(worn: Sequence[tuple[Lora, float]]) -> list[tuple[LoraFile, float]]:
    """LoRAs with their weights, as an order takes them."""
    return [(file_of(lora), weight) for lora, weight in worn if weight]


def with_names(recipe: Recipe, loras: Iterable[Lora]) -> Recipe:
    """Of a file that is named by its hash, the recipe says the name that people know."""
    names = {lora.sha256: str(lora) for lora in loras}
    told = tuple(use.model_copy(update={"name": names[use.sha256]}) for use in recipe.loras)
    return recipe.model_copy(update={"loras": told})
