"""Pictures of others by the base itself: learned beside a persona, they keep it from forgetting everybody else."""

import math
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from zoetrope.engines.local.engine import LocalEngine
from zoetrope.engines.local.orders import order
from zoetrope.home import home
from zoetrope.media.files import write_atomic
from zoetrope.media.recipe import Recipe, png_bytes
from zoetrope.models.catalogue import Model
from zoetrope.training.dataset import Item, read_item
from zoetrope.wheel.scenes import new_scenes, people, shows_head

# Of what a training is shown, at most this share are others.
SHARE = 1 / 3
_WEIGHT = 0.25
_SEED = 900


def others(model: Model, on_done: Callable[[int, int], None] = lambda done, total: None) -> list[Item]:
    """As many as the model's makers advise, drawn at the first training and kept; none where they advise none."""
    recipes = [order(model, prompt, seed=_SEED + number) for number, prompt in enumerate(_prompts(model))]
    _draw([recipe for recipe in recipes if not _file(recipe).is_file()], on_done)
    read = [read_item(_file(recipe), recipe.prompt, head=shows_head(recipe.prompt)) for recipe in recipes]
    return [replace(each, other=True, weight=_WEIGHT) for each in read if isinstance(each, Item)]


def beside(items: Sequence[Item], strangers: Sequence[Item]) -> list[Item]:
    """Both together; the persona's own are shown more often where the others would be more than their share."""
    shown = sum(item.repeats for item in items)
    times = math.ceil(len(strangers) * (1 - SHARE) / SHARE / shown)
    return [*(replace(item, repeats=item.repeats * max(1, times)) for item in items), *strangers]


def _prompts(model: Model) -> list[str]:
    """New scenes, each of somebody else; looks that are said come out clearer than looks left to chance."""
    count = model.notes.others
    strangers = people(model, _SEED, count)
    scenes = new_scenes(model, "{who}", _SEED, count)
    return [scene.replace("{who}", stranger) for scene, stranger in zip(scenes, strangers, strict=True)]


def _draw(recipes: Sequence[Recipe], on_done: Callable[[int, int], None]) -> None:
    if not recipes:
        return
    # An engine of its own, closed before the training asks for the memory.
    with closing(LocalEngine()) as engine:
        for number, recipe in enumerate(recipes, start=1):
            made = engine.make(recipe)[0]
            write_atomic(_file(recipe), png_bytes(made.image, made.recipe))
            on_done(number, len(recipes))


def _file(recipe: Recipe) -> Path:
    return home() / "cache" / "others" / f"{recipe.sha256}.png"
