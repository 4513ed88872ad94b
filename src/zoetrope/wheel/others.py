"""Pictures of others by the base itself, learned beside a persona: without them the base forgets its scenes for it."""

from collections.abc import Callable
from dataclasses import replace

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.home import home
from zoetrope.media.hashing import hash_bytes
from zoetrope.media.recipe import save_picture
from zoetrope.models.catalogue import Model
from zoetrope.training.dataset import Item, read_item
from zoetrope.wheel.scenes import asked, shows_head

# Of other noise than cards and new scenes begin with.
_SEED = 5_000


def others(model: Model, on_done: Callable[[int, int], None] = lambda done, total: None) -> list[Item]:
    """The card's scenes with the people whom the base's makers name, one each; none where they name nobody.

    They are drawn once for all personas of a base, and kept by the hash of what they follow from.
    """
    people = [str(each) for each in (model.notes.model_extra or {}).get("others", ())]
    if not people:
        return []
    # All of the scenes, and in each of them the next of the people.
    cards = [asked(model, who) for who in people]
    scenes = [cards[number % len(cards)][number] for number in range(len(cards[0]))]
    engine = LocalEngine()
    items = []
    for number, scene in enumerate(scenes):
        recipe = order(model, scene.prompt, seed=_SEED + number)
        path = home() / "cache" / "others" / f"{hash_bytes(recipe.to_json().encode())}.png"
        if not path.is_file():
            save_picture(engine.make(recipe)[0].image, recipe, path)
        read = read_item(path, scene.prompt, head=shows_head(scene.prompt))
        if isinstance(read, Item):
            items.append(replace(read, other=True))
        on_done(number + 1, len(scenes))
    return items
